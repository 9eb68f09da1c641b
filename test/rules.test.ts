import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rejudge } from '../services/moderation/backtest.ts';
import type { Ban } from '../shared/bans.ts';
import { holdingNow } from '../shared/hours.ts';
import { Policy } from '../shared/policy.ts';
import { heatKey } from '../shared/store/keys.ts';
import { sitesOf, type Sites } from '../shared/store/sites.ts';
import { testInstance, type TestInstance } from './instance.ts';
import { LINKS, pipeline, type Pipeline } from './workflows/pipeline.ts';

const DAY_MS = 86_400_000;
/** What a function remembers of a site's rules is at most this old. */
const REMEMBERED_MS = 5001;

let line: Pipeline;
let sites: Sites;
beforeEach(async () => {
  line = await pipeline();
  sites = sitesOf(line.table, line.clock);
});
afterEach(() => line.end());

const said = async (id: string, more: object = {}) => {
  await line.submit(id, more);
  await line.quiet();
  return line.store.mustGet(id);
};
const banned = (some: Pick<Ban, 'kind' | 'value'> & Partial<Ban>) =>
  sites.changeBans('blog', (bans) => [
    ...bans,
    { id: `b${bans.length}`, action: 'reject', reason: 'advertising', by: 'ann', at: line.clock.now(), ...some },
  ]);
const ruled = async (policy: Partial<Policy>) => {
  const { version } = (await sites.fresh('blog')).policy;
  await sites.putPolicy('blog', Policy.parse(policy), version, 'ann');
  await line.wind(REMEMBERED_MS);
};

describe('a ban', () => {
  it('of a writer rejects the next comment, says why, and ends by itself', async () => {
    const first = await said('c1', { author: { name: 'Ada', email: 'ada@people.example' } });
    expect(first.status).toBe('published');
    await banned({ kind: 'writer', value: first.author.key, expiresAt: line.clock.now() + DAY_MS });
    await line.wind(REMEMBERED_MS);
    const author = { name: 'Ada, under another name', email: 'ada@people.example' };
    const second = await said('c2', { author });
    expect(second).toMatchObject({ status: 'rejected', reason: 'banned: advertising' });
    const [judged] = await line.store.judged([second]);
    expect(judged?.judgement?.signals[0]?.words).toMatch(/^The writer is banned by ann until \d{4}-\d\d-\d\d: adver/);
    expect((await said('c3')).status).toBe('published');
    await line.wind(DAY_MS);
    expect((await said('c4', { author })).status).not.toBe('rejected');
  });

  it('that holds is waited for by a person', async () => {
    await banned({ kind: 'host', value: 'shop.example', action: 'hold' });
    const body = 'The numbers behind this are at https://www.shop.example/numbers for whoever wants them.';
    const held = await said('c1', { body });
    expect(held).toMatchObject({ status: 'held', holdReason: 'banned: advertising' });
  });
});

describe('a draft in the shadow', () => {
  it('decides nothing, and counts what it would have', async () => {
    await sites.putShadow('blog', { id: 'd1', policy: Policy.parse({ premoderate: true }), by: 'ann', at: 0 });
    expect((await said('c1')).status).toBe('published');
    expect((await said('c2', { body: LINKS })).status).toBe('held');
    const { readShadow } = await import('../services/spam-check/shadow.ts');
    expect(await readShadow(line.table, 'blog', 'd1', 10)).toMatchObject({
      comments: 2,
      pairs: { 'publish>hold': 1, 'hold>hold': 1 },
      differing: [{ commentId: 'c1', was: 'publish', would: 'hold' }],
    });
  });
});

describe('a backtest of the policy that is live', () => {
  it.each<[string, Partial<Policy>, object]>([
    ['nothing that speaks against it', {}, {}],
    ['many links', {}, { body: LINKS }],
    ['a word of the list that rejects', { blocklist: [{ term: 'remark', action: 'reject' }] }, {}],
    ['a word of the list that holds', { blocklist: [{ term: 'remark', action: 'hold' }] }, {}],
    ['a host of the list', { linkHostBlocklist: [{ host: 'kim.example', action: 'reject' }] }, { body: LINKS }],
    ['premoderation', { premoderate: true }, {}],
    ['first comments that are held', { holdFirst: true }, {}],
    ['absence', { holdUntil: 8e12 }, {}],
    ['heat', { heatPerMinute: 1 }, {}],
    [
      'what is plainly spam',
      {},
      { body: 'Cheap viagra and casino bonus! Buy now http://casino-pills.example/win $$$' },
    ],
  ])('comes to the same verdict for %s', async (_what, policy, more) => {
    await ruled(policy);
    await line.wind(60_000 - (line.clock.now() % 60_000));
    const verdicts = [];
    for (const id of ['c1', 'c2']) {
      const [comment] = await line.store.judged([await said(id, more)]);
      const text = await line.store.revision(id, 1);
      verdicts.push([
        comment?.judgement?.verdict,
        rejudge(comment!, text?.body ?? '', Policy.parse(policy), line.clock.now()),
      ]);
    }
    for (const [was, would] of verdicts) expect(would).toBe(was);
  });
});

describe('readers who report', () => {
  const report = async (id: string, readers: readonly string[]) => {
    for (const reporter of readers) {
      await line.put('CommentReported', { schema: 1, site: 'blog', id, reporter, reason: 'abuse' });
    }
    await line.quiet();
    return (await line.store.mustGet(id)).queued ?? false;
  };
  const readers = ['r1', 'r2', 'r3'];
  beforeEach(async () => {
    for (const id of ['c1', 'c2', 'c3']) expect((await said(id)).status).toBe('published');
  });

  it('and were wrong weigh less the next time', async () => {
    expect(await report('c1', readers)).toBe(true);
    await line.decide('c1', 'keep');
    expect(await report('c2', readers)).toBe(false);
    expect(await line.store.mustGet('c2')).toMatchObject({ reports: 3, reportWeight: 2 });
    expect(await report('c2', ['r4'])).toBe(true);
  });

  it('and were right weigh as before', async () => {
    await report('c1', readers);
    await line.decide('c1', 'remove');
    expect(await report('c2', readers)).toBe(true);
  });

  it('weigh as before once the decision against them is undone', async () => {
    await report('c1', readers);
    const { decisionId } = await line.decide('c1', 'keep');
    const { undo } = await import('../services/moderation/decide.ts');
    expect(await undo(line.ports, 'ada', decisionId ?? '', () => undefined)).toMatchObject({ result: 'done' });
    expect(await line.store.mustGet('c1')).toMatchObject({ reports: 3, queued: true });
    expect(await report('c2', readers)).toBe(true);
  });

  it('are answered once for each report, however often a comment is kept', async () => {
    await report('c1', readers);
    await line.decide('c1', 'keep');
    expect(await report('c1', ['r4', 'r5', 'r6'])).toBe(true);
    await line.decide('c1', 'keep');
    await report('c2', ['r1', 'r4']);
    expect((await line.store.mustGet('c2')).reportWeight).toBeCloseTo(4 / 3);
  });
});

describe('a site that holds more for a while', () => {
  const FIRST = 'A first remark of somebody whom nobody here knows.';
  const holding = async () => {
    const { policy } = (await sites.fresh('blog')).policy;
    const heat = await line.table.get(heatKey('blog', '/post', line.clock.now()));
    return holdingNow(policy, { perMinute: Number(heat?.n ?? 0) }, line.clock.now());
  };

  it('at its hours holds everything, says so, and publishes again when they end', async () => {
    const hour = (ms: number) => new Date(line.clock.now() + ms).toISOString().slice(11, 16);
    await ruled({
      hours: [{ days: [0, 1, 2, 3, 4, 5, 6], from: hour(-60_000), to: hour(3_600_000), timeZone: 'UTC' }],
    });
    expect(await holding()).toBe('hours');
    expect(await said('c1', { body: FIRST })).toMatchObject({ status: 'held', holdReason: 'hours' });
    await line.wind(3_700_000);
    expect(await holding()).toBeUndefined();
    expect((await said('c2')).status).toBe('published');
  });

  it('while it is away holds newcomers, says so, and publishes again when it is back', async () => {
    await ruled({ holdUntil: line.clock.now() + DAY_MS });
    expect(await holding()).toBe('away');
    expect(await said('c1', { body: FIRST })).toMatchObject({ status: 'held', holdReason: 'away' });
    await line.wind(DAY_MS + 1000);
    expect(await holding()).toBeUndefined();
    expect((await said('c2')).status).toBe('published');
  });

  it('when a thread runs hot holds newcomers there, says so, and publishes again when it has cooled', async () => {
    await ruled({ heatPerMinute: 2 });
    await line.wind(60_000 - (line.clock.now() % 60_000));
    const verdicts = [];
    for (const id of ['c1', 'c2', 'c3', 'c4']) verdicts.push((await said(id)).holdReason ?? 'published');
    expect(verdicts).toEqual(['published', 'published', 'heat', 'heat']);
    expect((await said('c5', { thread: '/quiet' })).status).toBe('published');
    expect(await holding()).toBe('heat');
    await line.wind(60_000);
    expect(await holding()).toBeUndefined();
    expect((await said('c6')).status).toBe('published');
  });
});

describe('a comment that nobody decides', () => {
  it.each(['publish', 'reject'] as const)('is decided after the policy’s time: %s', async (defaultAction) => {
    await ruled({ defaultAfterHours: 48, reminderHours: 24, defaultAction });
    expect((await said('c1', { body: LINKS })).status).toBe('held');
    for (let day = 0; day < 2; day++) {
      await expect.poll(async () => (await line.store.get('c1'))?.token).toBeDefined();
      await line.wind(DAY_MS + 1000);
      await new Promise((done) => setTimeout(done, 50));
    }
    const status = defaultAction === 'publish' ? 'published' : 'rejected';
    await expect.poll(() => line.status('c1'), { timeout: 5000 }).toBe(status);
    await expect.poll(() => line.executions().map((run) => run.status), { timeout: 5000 }).toEqual(['SUCCEEDED']);
    expect(await line.store.get('c1')).toMatchObject({ decidedBy: 'policy' });
    expect(line.told('CommentPublished', 'c1')).toBe(defaultAction === 'publish' ? 1 : 0);
  });
});

describe('a site in a browser’s eyes', () => {
  let sluice: TestInstance;
  let admin: Record<string, string>;
  beforeAll(async () => {
    sluice = await testInstance();
    admin = await sluice.asAdmin();
    const site = { id: 'blog', name: 'Blog', origins: [] };
    expect((await sluice.call('POST', '/v1/moderation/sites', site, admin)).status).toBe(201);
  });
  afterAll(() => sluice.end());

  it('says in the thread why new comments wait', async () => {
    const thread = '/v1/sites/blog/threads/night/comments';
    expect((await sluice.call('GET', thread)).body.thread).not.toHaveProperty('holds');
    const policy = { holdUntil: Date.now() + DAY_MS };
    const saved = await sluice.call(
      'PUT',
      '/v1/moderation/sites/blog/policy',
      { policy },
      { ...admin, 'if-match': '"0"' },
    );
    expect(saved.status).toBe(200);
    await expect
      .poll(async () => (await sluice.call('GET', thread)).body.thread.holds, { timeout: 8000, interval: 200 })
      .toBe('away');
    const back = await sluice.call(
      'PUT',
      '/v1/moderation/sites/blog/policy',
      { policy: {} },
      { ...admin, 'if-match': '"1"' },
    );
    expect(back.status).toBe(200);
  });

  it('tells a banned writer why, held or rejected', async () => {
    const ban = (value: string, action: string) =>
      sluice.call(
        'POST',
        '/v1/moderation/bans',
        { site: 'blog', kind: 'word', value, action, reason: 'not here' },
        admin,
      );
    expect((await ban('lottery', 'reject')).status).toBe(201);
    expect((await ban('raffle', 'hold')).status).toBe(201);
    for (const [word, status] of [
      ['lottery', { status: 'rejected', appeal: true }],
      ['raffle', { status: 'waiting' }],
    ] as const) {
      const body = `Our village has a ${word} on Sunday afternoon.`;
      const comment = { author: { name: 'Ada' }, body };
      const taken = await sluice.call('POST', '/v1/sites/blog/threads/fair/comments', comment);
      await sluice.quiet();
      const { pathname, search } = new URL(taken.body.statusUrl, 'http://127.0.0.1');
      const told = await sluice.call('GET', pathname + search);
      expect(told.body).toEqual({ ...status, reason: 'banned: not here' });
    }
  });
});
