import { describe, expect, it } from 'vitest';
import { Policy } from '../../shared/policy.ts';
import { isOpen } from '../../shared/hours.ts';
import { judge, type Context, type Findings } from './judge.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z'); // a Monday
const CONTEXT: Context = { trusted: false, firstComment: false, links: 0, nowMs: NOW };
const signal = (name: string, weight: number, rule?: 'hold' | 'reject') => ({
  name,
  weight,
  words: name,
  ...(rule && { rule }),
});
const rules = (change: Record<string, unknown> = {}) =>
  Policy.parse({ holdAt: 0.5, rejectAt: 0.98, toxicityHoldAt: 0.9, ...change });
const NOTHING: Findings = { signals: [] };

type Row = [
  sentence: string,
  findings: Findings,
  policy: Record<string, unknown>,
  context: Partial<Context>,
  verdict: string,
  reasons: string[],
];
const ROWS: Row[] = [
  ['publishes what nothing speaks against', NOTHING, {}, {}, 'publish', ['clean']],
  ['holds what is doubtful', { signals: [signal('links', 3)] }, {}, {}, 'hold', ['score']],
  ['rejects what is plainly spam', { signals: [signal('links', 8)] }, {}, {}, 'reject', ['score']],
  [
    'holds a comment whose honeypot alone speaks, however loud',
    { signals: [signal('honeypot', 20)] },
    {},
    {},
    'hold',
    ['score'],
  ],
  [
    'holds honeypot and timing together',
    { signals: [signal('honeypot', 20), signal('too-fast', 20)] },
    {},
    {},
    'hold',
    ['score'],
  ],
  [
    'rejects honeypot with real doubt',
    { signals: [signal('honeypot', 5), signal('links', 3)] },
    {},
    {},
    'reject',
    ['score'],
  ],
  ['holds by the blocklist', { signals: [signal('blocklist-term', 0, 'hold')] }, {}, {}, 'hold', ['blocklist']],
  ['rejects by the blocklist', { signals: [signal('blocklist-term', 0, 'reject')] }, {}, {}, 'reject', ['blocklist']],
  ['rejects a blocked host', { signals: [signal('link-host-blocked', 0, 'reject')] }, {}, {}, 'reject', ['blocklist']],
  ['holds three links', NOTHING, {}, { links: 3 }, 'hold', ['links']],
  ['publishes two links', NOTHING, {}, { links: 2 }, 'publish', ['clean']],
  ['holds any link, but none, with a limit of 0', NOTHING, { linksBeforeHold: 0 }, { links: 0 }, 'publish', ['clean']],
  [
    'holds newcomers if the policy says so',
    NOTHING,
    { holdFirst: true },
    { firstComment: true },
    'hold',
    ['first-comment'],
  ],
  ['publishes known writers then', NOTHING, { holdFirst: true }, {}, 'publish', ['clean']],
  ['holds all with premoderation', NOTHING, { premoderate: true }, {}, 'hold', ['premoderation']],
  [
    'publishes trusted writers with premoderation',
    NOTHING,
    { premoderate: true },
    { trusted: true },
    'publish',
    ['trusted'],
  ],
  [
    'publishes trusted writers in doubt',
    { signals: [signal('links', 3)] },
    {},
    { trusted: true, links: 9 },
    'publish',
    ['trusted'],
  ],
  [
    'holds trusted writers by the blocklist',
    { signals: [signal('blocklist-term', 0, 'hold')] },
    {},
    { trusted: true },
    'hold',
    ['blocklist'],
  ],
  [
    'holds, not rejects, trusted writers who send plain spam',
    { signals: [signal('links', 9)] },
    {},
    { trusted: true },
    'hold',
    ['score'],
  ],
  [
    'publishes authors whatever they write',
    { signals: [signal('blocklist-term', 9, 'reject')], toxicity: 1 },
    { premoderate: true },
    { role: 'author', links: 9 },
    'publish',
    ['author'],
  ],
  ['holds what is toxic', { signals: [], toxicity: 0.95 }, {}, {}, 'hold', ['toxicity']],
  ['publishes what is rough', { signals: [], toxicity: 0.5 }, {}, {}, 'publish', ['clean']],
  ['holds who looks like an author', { signals: [signal('imitates', 1.5, 'hold')] }, {}, {}, 'hold', ['imitation']],
  [
    'holds newcomers while the moderators are away',
    NOTHING,
    { holdUntil: NOW + 1 },
    { firstComment: true },
    'hold',
    ['away'],
  ],
  ['publishes known writers while they are away', NOTHING, { holdUntil: NOW + 1 }, {}, 'publish', ['clean']],
  ['publishes newcomers once they are back', NOTHING, { holdUntil: NOW }, { firstComment: true }, 'publish', ['clean']],
  [
    'holds newcomers in a heated thread',
    NOTHING,
    { heatPerMinute: 5 },
    { firstComment: true, threadPerMinute: 6 },
    'hold',
    ['heat'],
  ],
  [
    'holds all within the hours',
    NOTHING,
    { hours: [{ days: [1], from: '09:00', to: '17:00' }] },
    {},
    'hold',
    ['hours'],
  ],
  [
    'names every rule that holds, strongest first',
    { signals: [signal('links', 3)] },
    { premoderate: true },
    { links: 3 },
    'hold',
    ['score', 'links', 'premoderation'],
  ],
  [
    'holds what would be rejected when the hold threshold is above it',
    { signals: [signal('honeypot', 9)] },
    { holdAt: 1, rejectAt: 0.9 },
    {},
    'hold',
    ['score'],
  ],
  ['believes a model that finds spam', { signals: [], modelLogOdds: 6 }, {}, {}, 'reject', ['score']],
  [
    'believes a model that finds none',
    { signals: [signal('links', 3)], modelLogOdds: -3 },
    {},
    {},
    'publish',
    ['clean'],
  ],
  [
    'adds to a model what it has not seen',
    { signals: [signal('near-duplicate', 4)], modelLogOdds: -3 },
    {},
    {},
    'hold',
    ['score'],
  ],
];
describe('the judge', () => {
  it.each(ROWS)('%s', (_sentence, findings, policy, context, verdict, reasons) => {
    expect(judge(findings, rules(policy), { ...CONTEXT, ...context })).toMatchObject({ verdict, reasons });
  });

  it('gives P(spam) as score, and the signals heaviest first, with those of the model', () => {
    const findings = {
      signals: [signal('new-writer', 0.3), signal('links', 1)],
      modelLogOdds: -1,
      modelSignals: [signal('word', 2)],
    };
    const { score, signals } = judge(findings, rules(), CONTEXT);
    expect(score).toBeCloseTo(1 / (1 + Math.exp(1 - 0.3)), 10);
    expect(signals.map(({ name, weight }) => [name, weight])).toEqual([
      ['word', 2],
      ['new-writer', 0.3],
      ['links', 0],
    ]);
  });
});

const OPEN: [
  sentence: string,
  at: string,
  hours: { days: number[]; from: string; to: string; timeZone: string },
  open: boolean,
][] = [
  ['within', '2026-11-23T12:00:00Z', { days: [1], from: '09:00', to: '17:00', timeZone: 'UTC' }, true],
  ['at their end', '2026-11-23T17:00:00Z', { days: [1], from: '09:00', to: '17:00', timeZone: 'UTC' }, false],
  ['on another day', '2026-11-24T12:00:00Z', { days: [1], from: '09:00', to: '17:00', timeZone: 'UTC' }, false],
  [
    'after midnight of the day before',
    '2026-11-24T03:00:00Z',
    { days: [1], from: '22:00', to: '06:00', timeZone: 'UTC' },
    true,
  ],
  [
    'after midnight of no such day',
    '2026-11-23T03:00:00Z',
    { days: [1], from: '22:00', to: '06:00', timeZone: 'UTC' },
    false,
  ],
  ['across the week', '2026-11-22T03:00:00Z', { days: [6], from: '22:00', to: '06:00', timeZone: 'UTC' }, true],
  [
    'in their own zone',
    '2026-11-23T23:30:00Z',
    { days: [2], from: '00:00', to: '01:00', timeZone: 'Europe/Berlin' },
    true,
  ],
  ['all day', '2026-11-23T23:59:00Z', { days: [1], from: '00:00', to: '00:00', timeZone: 'UTC' }, true],
  [
    'in a zone that nobody knows, as UTC',
    '2026-11-23T12:00:00Z',
    { days: [1], from: '09:00', to: '17:00', timeZone: 'Mars/Base' },
    true,
  ],
];
it.each(OPEN)('hours are open or not %s', (_sentence, at, hours, open) => {
  expect(isOpen(hours, Date.parse(at))).toBe(open);
});
