import { describe, expect, it } from 'vitest';
import { Policy } from '../../shared/policy.ts';
import { signalsOf, type Evidence } from './signals.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const evidence = (change: Partial<Evidence> = {}): Evidence => ({
  text: 'Thanks, that fixed it.',
  body: change.text ?? 'Thanks, that fixed it.',
  author: { name: 'Ada' },
  links: { count: 0, hosts: [] },
  history: { published: 0, rejected: 0, spam: 0 },
  trusted: false,
  duplicates: { same: 0, otherThreads: 0 },
  velocity: { writerPerMinute: 1, lanePerMinute: 1 },
  nowMs: NOW,
  ...change,
});
const policy = (change: Record<string, unknown> = {}) => Policy.parse(change);
const names = (change: Partial<Evidence>, rules: Record<string, unknown> = {}) =>
  signalsOf(evidence(change), policy(rules)).map(({ name }) => name);

const weightWith = (published: number) =>
  signalsOf(evidence({ history: { published, rejected: 0, spam: 0 } }), policy())[0]!.weight;

const SAID: [sentence: string, change: Partial<Evidence>, signals: string[]][] = [
  [
    'nothing of a plain comment of a writer without records',
    { history: { published: 0, rejected: 0, spam: 0, firstSeen: NOW } },
    ['new-writer'],
  ],
  ['links', { links: { count: 2, hosts: ['a.example'] } }, ['links', 'new-writer']],
  [
    'a comment that is only its link',
    { text: 'https://a.example', links: { count: 1, hosts: ['a.example'] } },
    ['links', 'only-link', 'new-writer'],
  ],
  ['a filled honeypot', { form: { honeypot: true } }, ['honeypot', 'new-writer']],
  ['a form that was sent at once', { form: { elapsedMs: 300 } }, ['too-fast', 'new-writer']],
  ['a long text in a short time', { text: 'word '.repeat(100), form: { elapsedMs: 3000 } }, ['too-fast', 'new-writer']],
  ['nothing of a form in good time', { form: { elapsedMs: 20_000, honeypot: false } }, ['new-writer']],
  ['near duplicates in other threads', { duplicates: { same: 3, otherThreads: 2 } }, ['near-duplicate', 'new-writer']],
  ['near duplicates in the thread', { duplicates: { same: 1, otherThreads: 0 } }, ['near-duplicate', 'new-writer']],
  ['a writer in a hurry', { velocity: { writerPerMinute: 6, lanePerMinute: 6 } }, ['velocity', 'new-writer']],
  ['a flooded lane', { velocity: { writerPerMinute: 1, lanePerMinute: 200 } }, ['velocity', 'new-writer']],
  ['letters made for formulas', { text: 'Main di 𝐕𝐈𝐒𝐈 sekarang' }, ['obfuscation', 'new-writer']],
  ['enclosed letters', { text: 'Ⓦⓘⓝ now' }, ['obfuscation', 'new-writer']],
  ['words of two alphabets', { text: 'free с\u0430sino' }, ['obfuscation', 'new-writer']],
  ['spaced words', { text: 'best c a s i n o here' }, ['obfuscation', 'new-writer']],
  ['characters that did not show', { hidden: 5 }, ['obfuscation', 'new-writer']],
  ['bidi controls', { bidi: 1 }, ['bidi', 'new-writer']],
  ['capitals', { text: 'BUY THIS RIGHT NOW OR NEVER!' }, ['shouting', 'new-writer']],
  ['a name that is an address', { author: { name: 'https://casino.example/x' } }, ['url-in-name', 'new-writer']],
  ['a name that is a host', { author: { name: 'best-casino.com' } }, ['url-in-name', 'new-writer']],
  [
    'a name that advertises its link',
    { author: { name: 'Cheap Viagra', url: 'https://a.example' } },
    ['author-is-link', 'new-writer'],
  ],
  ['a name like an author of the site', { imitates: 'Grace' }, ['imitates', 'new-writer']],
  ['a writer with published comments', { history: { published: 4, rejected: 0, spam: 0 } }, ['known-writer']],
  ['a writer of spam', { history: { published: 0, rejected: 1, spam: 2 } }, ['known-spammer', 'rejected-before']],
  ['a trusted writer', { trusted: true }, ['known-writer']],
  ['an author of the site, whatever the name', { role: 'author', imitates: 'Grace' }, ['known-writer']],
];
describe('the signals say', () => {
  it.each(SAID)('%s', (_sentence, change, expected) => {
    expect(names(change)).toEqual(expected);
  });

  it('nothing of a form that is missing', () => {
    expect(names({}).includes('too-fast')).toBe(false);
  });

  it('less for a writer, the more of their comments were published', () => {
    expect(weightWith(1)).toBeLessThan(0);
    expect(weightWith(5)).toBeLessThan(weightWith(1));
    expect(weightWith(1000)).toBeGreaterThanOrEqual(-2.5);
  });
});

const HONEST = [
  'I use node.js 22 with h264 and k8s; x = 𝑥 + 1.',
  'Ich wohne in der Straße 5, tschüß!',
  '東京のTypeScript勉強会に行きました。',
  'Спасибо, TypeScript помог.',
  'The U.S.A. and the E.U. agree on p. 5',
  'می‌خواهم بیشتر بدانم',
  'α and β are angles, µTorrent is not',
  'NASA, ESA and JAXA are agencies that I follow',
];
it.each(HONEST)('nothing speaks against “%s”', (text) => {
  expect(names({ text })).toEqual(['new-writer']);
});

const TERMS: [sentence: string, term: string, text: string, found: boolean][] = [
  ['the word', 'viagra', 'Buy viagra!', true],
  ['the word in capitals', 'viagra', 'BUY VIAGRA', true],
  ['a term in capitals', 'Viagra', 'buy viagra', true],
  ['no part of a word', 'ass', 'first class passage', false],
  ['look-alike letters', 'viagra', 'buy vi\u0430gr\u0430', true],
  ['decorated letters', 'viagra', 'buy 𝓿𝓲𝓪𝓰𝓻𝓪', true],
  ['accents', 'viagra', 'víàgrä', true],
  ['digits for letters', 'viagra', 'v1agr4 here', true],
  ['gaps between letters', 'viagra', 'v.i.a.g.r.a or v i a g r a', true],
  ['no code that only spells alike', 'ass', 'error a55', false],
  ['a phrase', 'payday loan', 'a Payday   LOAN, quick', true],
  ['no phrase with its words apart', 'payday loan', 'payday for a loan', false],
  ['a term with signs', 'c++', 'I write C++.', true],
  ['no letter of a term with signs', 'c++', 'vitamin c', false],
  ['a term in a script without spaces', '赌博', '在线赌博网站', true],
  ['a term in Cyrillic', 'казино', 'лучшее Казино!', true],
  ['no word that only folds alike in ASCII', 'com', 'corn', false],
];
describe('a blocklist finds', () => {
  it.each(TERMS)('%s', (_sentence, term, text, found) => {
    expect(names({ text }, { blocklist: [{ term }] }).includes('blocklist-term')).toBe(found);
  });

  it('terms in names', () => {
    expect(names({ author: { name: 'Viagra Shop' } }, { blocklist: [{ term: 'viagra' }] })).toContain('blocklist-term');
  });

  it('nothing once its entry has expired', () => {
    const blocklist = [{ term: 'fixed', expiresAt: NOW }];
    expect(names({}, { blocklist })).not.toContain('blocklist-term');
    expect(names({ nowMs: NOW - 1 }, { blocklist })).toContain('blocklist-term');
  });

  it('the strictest action among its terms', () => {
    const rules = policy({ blocklist: [{ term: 'thanks' }, { term: 'fixed', action: 'reject' }] });
    expect(signalsOf(evidence(), rules).find(({ name }) => name === 'blocklist-term')).toMatchObject({
      rule: 'reject',
      words: 'Has “thanks”, “fixed” of the blocklist',
    });
  });

  it.each([
    ['spam.example', true],
    ['*.spam.example', true],
    ['https://www.Spam.example/x', true],
    ['example', true],
    ['pam.example', false],
    ['other.example', false],
  ])('links by the host %s: %s', (host, found) => {
    const links = { count: 1, hosts: ['spam.example'] };
    expect(names({ links }, { linkHostBlocklist: [{ host }] }).includes('link-host-blocked')).toBe(found);
  });
});

it('a blocklist of 2,000 terms against 16 KiB is looked up word by word', () => {
  const rules = policy({ blocklist: Array.from({ length: 2000 }, (_, index) => ({ term: `term${index} and more` })) });
  const text = 'v i a g r a 4 @ $ term1 and '.repeat(600);
  signalsOf(evidence(), rules); // folds the terms once
  const started = performance.now();
  signalsOf(evidence({ text }), rules);
  expect(performance.now() - started).toBeLessThan(500);
});
