import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { Policy } from '../../shared/policy.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { recordShadow } from '../spam-check/shadow.ts';
import { rejudge } from './backtest.ts';
import { statsOf } from './operations.ts';
import { appOf, PASSWORD, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';

let ports: Memory;
let call: Caller;
let mia: Caller;
let admin: Caller;

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
  ({ call } = appOf(ports));
  mia = await signIn(ports, call, 'mia', [{ site: 'demo', role: 'moderator' }]);
  admin = await signIn(ports, call, 'ann', [{ site: '*', role: 'admin' }]);
});

describe('the policy', () => {
  const PATH = '/v1/moderation/sites/demo/policy';

  it('is saved on the version that it was made from, and on no other', async () => {
    const read = await mia('GET', PATH);
    expect(read.headers.get('etag')).toBe('"0"');
    const first = await admin('PUT', PATH, { policy: { holdAt: 0.4 } }, { 'if-match': '"0"' });
    expect(first).toMatchObject({ status: 200, body: { version: 1, by: 'ann', policy: { holdAt: 0.4 } } });
    expect((await admin('PUT', PATH, { policy: { holdAt: 0.3 } }, { 'if-match': '"0"' })).status).toBe(412);
    expect((await admin('PUT', PATH, { policy: { holdAt: 0.3 } })).status).toBe(412);
    const { body } = await mia('GET', `${PATH}/versions`);
    expect(body).toMatchObject({ versions: [{ version: 1, by: 'ann' }] });
  });

  it('is refused where it does not fit, by field', async () => {
    const { status, body } = await admin('PUT', PATH, { policy: { holdAt: 2, colour: 'red' } }, { 'if-match': '"0"' });
    expect(status).toBe(422);
    const { errors }: { errors: { pointer: string }[] } = body;
    expect(errors.map(({ pointer }) => pointer).sort()).toEqual(['/policy/colour', '/policy/holdAt']);
    const crossed = { policy: { holdAt: 0.9, rejectAt: 0.8 } };
    expect((await admin('PUT', PATH, crossed, { 'if-match': '"0"' })).status).toBe(422);
  });

  it('is tried on the last comments before it is saved', async () => {
    for (let n = 0; n < 150; n++) await addComment(ports, { id: `c${n}` });
    const decided = await addComment(ports, { id: 'p1' });
    await mia('POST', '/v1/moderation/decisions', {
      decisions: [{ id: decided.id, version: 2, action: 'publish' }],
    });
    const { status, body } = await mia('POST', `${PATH}/backtest`, { policy: { holdAt: 0.7 }, last: 151 });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      comments: 151,
      changed: 151,
      changes: { 'hold>publish': 151 },
      people: { decided: 1, liveHeld: 1, draftHeld: 0, draftWrong: 0 },
      heldPerDay: { live: 151, draft: 0 },
      perDay: [{ day: Date.UTC(2026, 10, 23), live: 151, draft: 0 }],
    });
  });
});

describe('a backtest that takes its time', () => {
  it('tells how far it is, and its result once there is one', async () => {
    for (let n = 0; n < 250; n++) await addComment(ports, { id: `c${n}` });
    const { comments } = ports.search;
    ports.search.comments = async (query) => {
      await new Promise((resolve) => setTimeout(resolve, 900));
      return comments(query);
    };
    const path = '/v1/moderation/sites/demo/policy/backtest';
    let answer = await mia('POST', path, { policy: {}, last: 250 });
    expect(answer).toMatchObject({ status: 202, body: { done: 100, of: 250 } });
    const { progress }: { progress: string } = answer.body;
    expect((await admin('GET', progress.replace('demo', 'garden'))).status).toBe(404);
    for (let ask = 0; ask < 20 && answer.status === 202; ask++) answer = await mia('GET', progress);
    expect(answer).toMatchObject({ status: 200, body: { comments: 250 } });
  });

  it('is answered by a process that did not begin it, and by one that did once another was through', async () => {
    for (let n = 0; n < 250; n++) await addComment(ports, { id: `c${n}` });
    const { comments } = ports.search;
    let waitMs = 900;
    ports.search.comments = async (query) => {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      return comments(query);
    };
    const path = '/v1/moderation/sites/demo/policy/backtest';
    const { body } = await mia('POST', path, { policy: { holdAt: 0.7 }, last: 250 });
    const { progress }: { progress: string } = body;
    waitMs = 200;
    const other = await signIn(ports, appOf(ports).call, 'eva', [{ site: 'demo', role: 'moderator' }]);
    expect(await other('GET', progress)).toMatchObject({ status: 202, body: { of: 250 } });
    let answer = await other('GET', progress);
    for (let ask = 0; ask < 20 && answer.status === 202; ask++) answer = await other('GET', progress);
    expect(answer).toMatchObject({ status: 200, body: { comments: 250, changed: 250 } });
    // A third one has not even begun.
    const third = await signIn(ports, appOf(ports).call, 'zoe', [{ site: 'demo', role: 'moderator' }]);
    expect(await third('GET', progress)).toEqual({ ...answer, headers: expect.anything() });
    expect((await third('GET', progress.replace(/[^/]+$/, 'another'))).status).toBe(404);
  });
});

describe('a draft in the shadow', () => {
  const PATH = '/v1/moderation/sites/demo/policy/shadow';

  it('reports what it would have changed, against what people decided since', async () => {
    expect((await mia('GET', PATH)).status).toBe(404);
    expect((await mia('PUT', PATH, { policy: {} })).status).toBe(403);
    expect((await admin('PUT', PATH, { policy: { holdAt: 0.99, rejectAt: 0.9 } })).status).toBe(422);
    expect(await admin('PUT', PATH, { policy: { premoderate: true } })).toMatchObject({
      status: 200,
      body: { by: 'ann', comments: 0, changed: 0, policy: { premoderate: true } },
    });
    const { shadow } = await sitesOf(ports.table, ports.clock).fresh('demo');
    const at = ports.clock.now();
    for (const [id, was, would] of [
      ['c1', 'hold', 'publish'],
      ['c2', 'hold', 'reject'],
      ['c3', 'hold', 'hold'],
    ] as const) {
      const comment = await addComment(ports, { id });
      await recordShadow(ports.table, shadow?.id ?? '', comment, { was, would, at });
    }
    await decide('c1', 'publish');
    await decide('c2', 'publish');
    expect((await mia('GET', PATH)).body).toMatchObject({
      comments: 3,
      changed: 2,
      changes: { 'hold>publish': 1, 'hold>reject': 1 },
      people: { decided: 2, liveHeld: 2, draftHeld: 0, draftWrong: 1 },
      examples: [{ id: 'c2', would: 'reject' }, { id: 'c1' }],
    });
  });

  it('begins anew with another draft, and ends', async () => {
    await admin('PUT', PATH, { policy: {} });
    await recordShadow(
      ports.table,
      (await sitesOf(ports.table, ports.clock).fresh('demo')).shadow?.id ?? '',
      await addComment(ports, { id: 'c1' }),
      { was: 'hold', would: 'publish', at: 1 },
    );
    expect((await admin('PUT', PATH, { policy: {} })).body).toMatchObject({ comments: 0, examples: [] });
    expect((await admin('DELETE', PATH)).status).toBe(204);
    expect((await mia('GET', PATH)).status).toBe(404);
  });
});

describe('judging again', () => {
  it.each([
    ['the same policy comes to the same verdict', { holdAt: 0.5, rejectAt: 0.98 }, 'See this', 'hold'],
    ['a higher threshold publishes', { holdAt: 0.7 }, 'See this', 'publish'],
    ['a lower threshold rejects', { holdAt: 0.5, rejectAt: 0.6 }, 'See this', 'reject'],
    [
      'a new word on the list rejects',
      { blocklist: [{ term: 'casino', action: 'reject' as const }] },
      'A casino',
      'reject',
    ],
    ['a trusted writer is published', { trustedWriters: ['writer-c1'] }, 'See this', 'publish'],
    ['premoderation holds', { holdAt: 0.7, premoderate: true }, 'See this', 'hold'],
  ])('%s', async (_sentence, draft, body, verdict) => {
    const comment = await addComment(ports, { id: 'c1', body });
    expect(rejudge(comment, body, Policy.parse(draft), ports.clock.now())).toBe(verdict);
  });
});

const sweep = async (query: object, more: object) => {
  const answer = await mia('POST', '/v1/moderation/sweeps', { query: { site: 'demo', ...query }, ...more });
  return answer;
};
const ended = async (id: string) => {
  for (let round = 0; round < 2000; round++) {
    const { body } = await mia('GET', `/v1/moderation/sweeps/${id}`);
    const { state }: { state: string } = body;
    if (state === 'done' || state === 'undone') return body;
    await turn();
  }
  throw new Error('the sweep does not end');
};

describe('a sweep', () => {
  it('decides all that is alike, published ones too, and takes all of it back', async () => {
    for (let n = 0; n < 230; n++) {
      await addComment(ports, { id: `c${n}`, fingerprint: 'same', status: n % 2 ? 'held' : 'published' });
    }
    await addComment(ports, { id: 'other' });
    const held = await sweep({ fingerprint: 'same', status: 'held' }, { action: 'spam', expectTotal: 115 });
    expect(held.status).toBe(202);
    const { id }: { id: string } = held.body;
    expect(await ended(id)).toMatchObject({ state: 'done', total: 115, done: 115, conflicts: 0 });
    const store = storeOf(ports.table, ports.clock);
    expect((await store.mustGet('c1')).status).toBe('spam');
    expect((await store.mustGet('other')).status).toBe('held');
    await mia('POST', `/v1/moderation/sweeps/${id}/undo`);
    expect(await ended(id)).toMatchObject({ state: 'undone', done: 115, conflicts: 0 });
    expect((await store.mustGet('c1')).status).toBe('held');
  });

  it.each([1, 150, 206, 250])('goes on after a crash at its write %i, and is undone as a whole', async (last) => {
    for (let n = 0; n < 230; n++) await addComment(ports, { id: `c${n}`, fingerprint: 'same' });
    let writes = 0;
    const dying = {
      ...ports.table,
      write: async (all: Parameters<typeof ports.table.write>[0]) => {
        // The answer to the moderator was sent; then the process died.
        if (armed && ++writes > last) throw new Error('the process is gone');
        return ports.table.write(all);
      },
    };
    let armed = false;
    const first = appOf({ ...ports, table: dying });
    const before = await signIn(ports, first.call, `mo${last}`, [{ site: 'demo', role: 'moderator' }]);
    const query = { site: 'demo', fingerprint: 'same', status: 'held' };
    const asked = before('POST', '/v1/moderation/sweeps', { query, action: 'spam', expectTotal: 230 });
    const { id }: { id: string } = (await asked).body;
    armed = true;
    for (let round = 0; round < 400; round++) await turn();

    ports.clock.wind(31_000);
    expect(await ended(id)).toMatchObject({ state: 'done', total: 230, conflicts: 0 });
    const store = storeOf(ports.table, ports.clock);
    for (let n = 0; n < 230; n++) {
      const decided = (await store.log(`c${n}`)).filter(({ action }) => action === 'spam');
      expect([n, decided.length]).toEqual([n, 1]);
    }
    await mia('POST', `/v1/moderation/sweeps/${id}/undo`);
    expect(await ended(id)).toMatchObject({ state: 'undone', done: 230, conflicts: 0 });
    for (let n = 0; n < 230; n++) expect((await store.mustGet(`c${n}`)).status).toBe('held');
  });

  it('is refused when there are more than expected by now, and when it would be of everything', async () => {
    await addComment(ports, { id: 'c1', fingerprint: 'same' });
    expect((await sweep({ fingerprint: 'same' }, { action: 'spam', expectTotal: 5 })).status).toBe(409);
    expect((await sweep({}, { action: 'spam', expectTotal: 1 })).status).toBe(422);
    expect((await sweep({ status: 'held' }, { action: 'spam', expectTotal: 1 })).status).toBe(422);
  });
});

const changeAnn = (body: unknown) => admin('PATCH', '/v1/moderation/users/ann', body);

const decide = (id: string, action: string) =>
  mia('POST', '/v1/moderation/decisions', { decisions: [{ id, version: 2, action }] });

describe('sites, threads and people', () => {
  it('are managed by admins, and every change is in the audit log', async () => {
    const site = { id: 'blog.example', name: 'A blog', origins: ['https://blog.example'] };
    expect((await admin('POST', '/v1/moderation/sites', site)).status).toBe(201);
    expect((await admin('POST', '/v1/moderation/sites', site)).status).toBe(422);
    const bad = { id: 'b', name: 'B', origins: ['https://blog.example/path'] };
    expect((await admin('POST', '/v1/moderation/sites', bad)).status).toBe(422);
    const path = '/v1/moderation/sites/blog.example';
    await admin('PUT', `${path}/authors/eve`, { name: 'Eve', email: 'eve@blog.example' });
    const seen = await admin('GET', '/v1/moderation/sites');
    expect(seen.body).toMatchObject({ sites: [{ id: 'blog.example', authors: [{ id: 'eve' }] }, { id: 'demo' }] });
    const { body } = await admin('GET', '/v1/moderation/audit?site=blog.example');
    expect(body).toMatchObject({ rows: [{ action: 'author', about: 'eve' }, { action: 'site-added' }] });
  });

  it('shows addresses to admins alone', async () => {
    await admin('PUT', '/v1/moderation/sites/demo/authors/eve', { name: 'Eve', email: 'eve@blog.example' });
    expect(JSON.stringify((await mia('GET', '/v1/moderation/sites')).body)).not.toContain('eve@');
    expect(JSON.stringify((await admin('GET', '/v1/moderation/sites')).body)).toContain('eve@');
  });

  it('closes a thread', async () => {
    const sites = sitesOf(ports.table, ports.clock);
    await sites.putThread({ site: 'demo', key: '/posts/hello', title: 'Hello' });
    const wanted = { site: 'demo', key: '/posts/hello', closed: true };
    expect((await admin('PUT', '/v1/moderation/threads', wanted)).body).toMatchObject({ closed: true, title: 'Hello' });
    expect((await mia('GET', '/v1/moderation/threads?site=demo')).body).toMatchObject({ threads: [{ closed: true }] });
    expect((await admin('PUT', '/v1/moderation/threads', { ...wanted, key: '/none' })).status).toBe(404);
  });

  it('lets nobody shut themselves out', async () => {
    expect((await changeAnn({ disabled: true })).status).toBe(403);
    expect((await changeAnn({ roles: [] })).status).toBe(403);
  });

  it('takes a role away at once', async () => {
    await admin('PATCH', '/v1/moderation/users/mia', { roles: [] });
    expect((await mia('GET', '/v1/moderation/comments?site=demo')).status).toBe(403);
    await admin('PATCH', '/v1/moderation/users/mia', { disabled: true });
    expect((await mia('GET', '/v1/moderation/sessions')).status).toBe(401);
  });

  it('changes the own password with the current one', async () => {
    const change = (current: string) => mia('PUT', '/v1/moderation/password', { current, next: 'another password' });
    expect((await change('wrong')).status).toBe(422);
    ports.clock.wind(1);
    expect((await change(PASSWORD)).status).toBe(204);
    expect((await mia('GET', '/v1/moderation/sessions')).status).toBe(401);
  });

  it('takes back all that one user decided since a time', async () => {
    for (const id of ['c1', 'c2', 'c3']) await addComment(ports, { id });
    await decide('c1', 'spam');
    ports.clock.wind(60_000);
    const since = ports.clock.now();
    await decide('c2', 'spam');
    await decide('c3', 'publish');
    const { body } = await admin('POST', '/v1/moderation/users/mia/undo', { site: 'demo', since: String(since) });
    expect(body).toEqual({ undone: 2, conflicts: 0, more: false, lessons: 0 });
    const store = storeOf(ports.table, ports.clock);
    const statuses = await Promise.all(['c1', 'c2', 'c3'].map(async (id) => (await store.mustGet(id)).status));
    expect(statuses).toEqual(['spam', 'held', 'held']);
  });
});

describe('a reply from the queue', () => {
  it('is a comment that our door vouches for, once however often it is sent', async () => {
    await addComment(ports, { id: 'p1', status: 'published' });
    await admin('PUT', '/v1/moderation/sites/demo/authors/eve', { name: 'Eve' });
    const headers = { 'idempotency-key': 'one' };
    const reply = () => mia('POST', '/v1/moderation/comments/p1/replies', { body: 'Thanks.', author: 'eve' }, headers);
    const [first, second] = [await reply(), await reply()];
    expect(first).toMatchObject({ status: 202, body: { status: 'received' } });
    expect(second.body).toEqual(first.body);
    expect(ports.put[0]).toMatchObject({
      type: 'CommentSubmitted',
      detail: { parentId: 'p1', author: { name: 'Eve' }, body: 'Thanks.', door: { role: 'author', authorId: 'eve' } },
    });
  });

  it('is refused under what readers do not see', async () => {
    await addComment(ports, { id: 'c1' });
    expect((await mia('POST', '/v1/moderation/comments/c1/replies', { body: 'Thanks.' })).status).toBe(409);
  });
});

describe('figures', () => {
  it('count decisions by day and action, and where the score stood', () => {
    const now = Date.UTC(2026, 10, 23, 12);
    const row = (action: string, score: number, at = now) => ({
      id: '1',
      site: 'demo',
      by: 'user:mia',
      commentId: 'c1',
      action,
      score,
      at,
      waitedMs: 1000,
    });
    const rows = [row('publish', 0.2), row('spam', 0.9), row('publish', 0.8), row('keep', 0.5, now - 86_400_000)];
    const { days, people, wait } = statsOf(rows, now, 7);
    expect(days).toHaveLength(7);
    expect(days.at(-1)).toMatchObject({ decided: 3, scored: 3, agreed: 2, actions: { publish: 2, spam: 1 } });
    expect(days.at(-2)).toMatchObject({ decided: 1, scored: 0 });
    expect(people).toEqual({ mia: 4 });
    expect(wait).toMatchObject({ medianMs: 1000, count: 4 });
  });

  it('are answered for a site', async () => {
    await addComment(ports, { id: 'c1' });
    expect((await mia('GET', '/v1/moderation/stats?site=demo&days=3')).body).toMatchObject({ counts: { held: 1 } });
    expect((await admin('GET', '/v1/moderation/queues')).body).toMatchObject({ queues: [{ name: 'intake' }, {}, {}] });
  });

  it('come as lines to keep', async () => {
    await admin('PUT', '/v1/moderation/sites/demo/authors/eve', { name: 'Eve' });
    const { app } = appOf(ports);
    const { body } = await call('POST', '/v1/moderation/sessions', { user: 'ann', password: PASSWORD });
    const { token }: { token: string } = body;
    const answer = await app.request('/v1/moderation/audit?site=demo&format=jsonl', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
    expect(JSON.parse((await answer.text()).trim())).toMatchObject({ action: 'author', by: 'user:ann' });
  });
});

describe('saved views', () => {
  it('are one own', async () => {
    const views = [{ name: 'Doubtful links', filters: { signal: 'links', sort: 'risk' } }];
    await mia('PUT', '/v1/moderation/views', { views });
    expect((await mia('GET', '/v1/moderation/views')).body).toEqual({ views });
    expect((await admin('GET', '/v1/moderation/views')).body).toEqual({ views: [] });
  });
});
