import { beforeEach, describe, expect, it } from 'vitest';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import type { Row } from './row.ts';
import { appOf, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';

let ports: Memory;
let call: Caller;
let mia: Caller;
let admin: Caller;
const COMMENTS = '/v1/moderation/comments';
type Page = { comments: Row[]; total: number; nextCursor: string | null };

const decide = (who: Caller, decisions: unknown[], headers?: Record<string, string>) =>
  who('POST', '/v1/moderation/decisions', { decisions }, headers);

const claim = (who: Caller, more = {}) => who('POST', '/v1/moderation/claims', { id: 'c1', ...more });

const letter = (id: string, site?: string) =>
  deadLettersOf(ports.table).put({
    id,
    ...(site && { site }),
    source: 'intake',
    reason: 'Comment.Malformed',
    attempts: 1,
    firstAt: ports.clock.now(),
    detail: 'body: expected string',
    body: `{"id":"${id}"}`,
    group: 'lane-03',
  });

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
  await addSite(ports, 'other');
  ({ call } = appOf(ports));
  mia = await signIn(ports, call, 'mia', [{ site: 'demo', role: 'moderator' }]);
  admin = await signIn(ports, call, 'ann', [{ site: '*', role: 'admin' }]);
});

describe('the list', () => {
  it('shows a held comment with its text, place, writer and the reasons', async () => {
    await addComment(ports, { id: 'p1', status: 'published', author: { name: 'Grace', key: 'grace' } });
    await addComment(ports, { id: 'c1', parentId: 'p1', depth: 1, body: 'Buy <b>now</b>', token: 'secret' });
    const { body, status } = await mia('GET', `${COMMENTS}?site=demo&status=held`);
    expect(status).toBe(200);
    const { comments, total }: Page = body;
    expect(total).toBe(1);
    expect(comments[0]).toMatchObject({
      id: 'c1',
      version: 2,
      status: 'held',
      site: 'demo',
      thread: { key: '/posts/hello', closed: false },
      parent: { author: 'Grace', excerpt: 'Text of p1' },
      author: { name: 'Ada', trusted: false, published: 0, rejected: 0, spam: 0 },
      html: '<p>Buy &lt;b&gt;now&lt;/b&gt;</p>',
      top: [{ name: 'links' }, { name: 'new-writer' }, { name: 'length' }],
      heldSince: ports.clock.now(),
      reports: 0,
      similar: 0,
    });
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('says how many others are alike, who looks at one, and who decided', async () => {
    await addComment(ports, { id: 'c1', fingerprint: 'same' });
    await addComment(ports, { id: 'c2', fingerprint: 'same', status: 'spam', decidedBy: 'user:tom' });
    await mia('POST', '/v1/moderation/claims', { id: 'c1' });
    const { comments }: Page = (await admin('GET', `${COMMENTS}?site=demo`)).body;
    expect(comments.find(({ id }) => id === 'c1')).toMatchObject({ similar: 1, claimedBy: 'mia' });
    expect(comments.find(({ id }) => id === 'c2')).toMatchObject({ similar: 1, decidedBy: 'tom' });
  });

  it('goes over every site that one moderates, page by page, each comment once', async () => {
    for (let n = 0; n < 7; n++) await addComment(ports, { id: `d${n}` });
    for (let n = 0; n < 4; n++) await addComment(ports, { id: `o${n}`, site: 'other' });
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; page < 10 && cursor !== null; page++) {
      const { body } = await admin('GET', `${COMMENTS}?status=held&limit=3${cursor && `&cursor=${cursor}`}`);
      const found: Page = body;
      expect(found.total).toBe(11);
      seen.push(...found.comments.map(({ id }) => id));
      cursor = found.nextCursor;
    }
    expect(seen).toHaveLength(11);
    expect(new Set(seen).size).toBe(11);
    expect((await mia('GET', COMMENTS)).body).toMatchObject({ total: 7 });
  });

  it('refuses what it does not know, and a cursor that is not its own', async () => {
    expect((await mia('GET', `${COMMENTS}?site=demo&colour=red`)).status).toBe(422);
    expect((await mia('GET', `${COMMENTS}?site=demo&cursor=x`)).status).toBe(422);
    expect((await mia('GET', `${COMMENTS}?site=other`)).status).toBe(403);
    expect((await admin('GET', `${COMMENTS}?site=nowhere`)).status).toBe(404);
  });
});

describe('the detail', () => {
  it('has the text, signals, log, trace, history, likeness and surroundings', async () => {
    const author = { name: 'Ada', key: 'ada' };
    await addComment(ports, { id: 'c0', status: 'published', author });
    ports.clock.wind(1000);
    await addComment(ports, { id: 'c1', author, fingerprint: 'same', body: 'See **this**' });
    await addComment(ports, { id: 'c2', fingerprint: 'same', status: 'spam' });
    const { body } = await mia('GET', `${COMMENTS}/c1`);
    expect(body).toMatchObject({
      id: 'c1',
      body: 'See **this**',
      revisions: [{ revision: 1 }],
      signals: [{ name: 'links', weight: 1.4, words: expect.any(String) }, {}, {}],
      log: [{ action: 'hold', by: 'policy' }],
      trace: [{ workflow: 'moderation' }],
      notifications: [],
      history: [{ id: 'c0', status: 'published' }],
      similarComments: [{ id: 'c2', status: 'spam' }],
      around: [{ id: 'c0' }],
    });
  });

  it('does not tell whether a comment of another site exists', async () => {
    await addComment(ports, { id: 'c1', site: 'other' });
    expect((await mia('GET', `${COMMENTS}/c1`)).status).toBe(404);
    expect((await mia('GET', `${COMMENTS}/nothing`)).status).toBe(404);
  });
});

describe('decisions', () => {
  it('has a result for each comment, also for those that one may not or cannot decide', async () => {
    await addComment(ports, { id: 'c1' });
    await addComment(ports, { id: 'c2', site: 'other' });
    await addComment(ports, { id: 'c3' });
    const { body } = await decide(mia, [
      { id: 'c1', version: 2, action: 'publish' },
      { id: 'c2', version: 2, action: 'publish' },
      { id: 'c3', version: 1, action: 'spam' },
      { id: 'c4', version: 2, action: 'publish' },
    ]);
    const { results }: { results: { result: string }[] } = body;
    expect(results.map(({ result }) => result)).toEqual(['done', 'forbidden', 'conflict', 'missing']);
  });

  it('answers an Idempotency-Key as the first time, and refuses it with another body', async () => {
    await addComment(ports, { id: 'c1' });
    const headers = { 'idempotency-key': 'click-1' };
    const first = await decide(mia, [{ id: 'c1', version: 2, action: 'publish' }], headers);
    const again = await decide(mia, [{ id: 'c1', version: 2, action: 'publish' }], headers);
    expect(again.body).toEqual(first.body);
    expect((await decide(mia, [{ id: 'c1', version: 3, action: 'remove' }], headers)).status).toBe(422);
    expect((await decide(admin, [{ id: 'c1', version: 3, action: 'remove' }], headers)).status).toBe(200);
  });

  it('refuses a reason that the policy does not have, naming those that it has', async () => {
    await addComment(ports, { id: 'c1' });
    const { status, body } = await decide(mia, [{ id: 'c1', version: 2, action: 'reject', reason: 'mood' }]);
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ pointer: '/decisions/0/reason' }] });
  });

  it('undoes by decision, answers 409 when too late and 404 for none', async () => {
    await addComment(ports, { id: 'c1' });
    const { body } = await decide(mia, [{ id: 'c1', version: 2, action: 'publish' }]);
    const { results }: { results: { decisionId: string }[] } = body;
    const path = `/v1/moderation/decisions/${results[0]?.decisionId}/undo`;
    expect((await mia('POST', path)).body).toMatchObject({ result: 'done', status: 'held', version: 4 });
    expect((await mia('POST', path)).body).toMatchObject({ result: 'unchanged' });
    await decide(admin, [{ id: 'c1', version: 4, action: 'spam' }]);
    expect((await mia('POST', path)).status).toBe(409);
    expect((await mia('POST', '/v1/moderation/decisions/nothing/undo')).status).toBe(404);
  });
});

describe('claims', () => {
  it('hold for 60 s against others, and go back', async () => {
    await addComment(ports, { id: 'c1' });
    expect((await claim(mia)).body).toMatchObject({ mine: true, until: ports.clock.now() + 60_000 });
    expect((await claim(admin)).body).toMatchObject({ mine: false, claimedBy: 'mia' });
    ports.clock.wind(60_001);
    expect((await claim(admin)).body).toMatchObject({ mine: true });
    await claim(admin, { release: true });
    expect((await claim(mia)).body).toMatchObject({ mine: true });
  });
});

describe('dead letters', () => {
  const PATH = '/v1/moderation/dead-letters';
  it('are listed by site, those of none for admins under every site', async () => {
    await letter('l1', 'demo');
    await letter('l2');
    await letter('l3', 'other');
    const ids = async (who: Caller, query = '') => {
      const { deadLetters }: { deadLetters: { id: string }[] } = (await who('GET', `${PATH}${query}`)).body;
      return deadLetters.map(({ id }) => id).sort();
    };
    expect(await ids(mia)).toEqual(['l1']);
    expect(await ids(admin)).toEqual(['l1', 'l2', 'l3']);
    expect(await ids(admin, '?site=demo')).toEqual(['l1', 'l2']);
    expect((await mia('GET', `${PATH}?site=other`)).status).toBe(403);
  });

  it('come in pages, each once', async () => {
    for (let n = 0; n < 7; n++) await letter(`l${n}`, n % 2 ? 'demo' : 'other');
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; page < 9 && cursor !== null; page++) {
      const { body } = await admin('GET', `${PATH}?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      const found: { deadLetters: { id: string }[]; nextCursor: string | null } = body;
      seen.push(...found.deadLetters.map(({ id }) => id));
      cursor = found.nextCursor;
    }
    expect(seen.sort()).toEqual(['l0', 'l1', 'l2', 'l3', 'l4', 'l5', 'l6']);
  });

  it('are sent again in their lane, once, and leave the list', async () => {
    await letter('l1', 'demo');
    expect((await mia('POST', `${PATH}/l1/redrive`)).body).toEqual({ id: 'l1', redriven: 1 });
    expect(ports.sent).toEqual([{ queue: 'intake', body: '{"id":"l1"}', group: 'lane-03' }]);
    expect((await mia('POST', `${PATH}/l1/redrive`)).status).toBe(404);
    expect((await mia('GET', PATH)).body).toMatchObject({ deadLetters: [] });
  });

  it('of another site or of none are nothing for a moderator', async () => {
    await letter('l2');
    await letter('l3', 'other');
    expect((await mia('POST', `${PATH}/l2/redrive`)).status).toBe(404);
    expect((await mia('POST', `${PATH}/l3/redrive`)).status).toBe(404);
  });

  it('are all sent again at one call, of the sites that one moderates', async () => {
    for (let n = 0; n < 150; n++) await letter(`l${n}`, 'demo');
    await letter('o1', 'other');
    expect((await mia('POST', `${PATH}/redrive`, {})).body).toEqual({ redriven: 150, failed: [] });
    expect(ports.sent).toHaveLength(150);
    expect((await admin('POST', `${PATH}/redrive`, {})).body).toEqual({ redriven: 1, failed: [] });
  });
});

describe('the feed of changes', () => {
  it('tells others what was decided, and of their own sites alone', async () => {
    const EVENTS = '/v1/moderation/events';
    await addComment(ports, { id: 'c1', site: 'other' });
    await addComment(ports, { id: 'c2' });
    const { cursor }: { cursor: string } = (await mia('GET', EVENTS)).body;
    for (const id of ['c1', 'c2']) {
      await admin('POST', '/v1/moderation/decisions', { decisions: [{ id, version: 2, action: 'publish' }] });
    }
    const { body } = await mia('GET', `${EVENTS}?after=${cursor}`);
    expect(body).toMatchObject({ events: [{ commentId: 'c2', type: 'decided', by: 'ann', status: 'published' }] });
    expect((await mia('GET', `${EVENTS}?after=zzz-1`)).body).toMatchObject({ reset: true });
  });
});
