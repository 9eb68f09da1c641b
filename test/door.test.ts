import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
const THREAD = '/v1/sites/demo/threads/door/comments';
const comment = (fields: object = {}) => ({ author: { name: 'Ada' }, body: 'A plain remark.', ...fields });

beforeAll(async () => {
  sluice = await testInstance();
});
afterAll(() => sluice.end());

describe('a submission', () => {
  it('is published, and read with its reply count and permalink', async () => {
    const accepted = await sluice.call(
      'POST',
      THREAD,
      comment({ body: 'It *works*.', page: { url: 'http://localhost:1313/post', title: 'Post' } }),
    );
    expect(accepted.status).toBe(202);
    expect(accepted.body).toMatchObject({ status: 'received', capability: expect.any(String) });
    await sluice.quiet();
    const { body } = await sluice.call('GET', THREAD);
    expect(body.comments.at(-1)).toMatchObject({
      id: accepted.body.id,
      depth: 0,
      state: 'published',
      html: '<p>It <em>works</em>.</p>\n',
      replyCount: 0,
      permalink: `http://localhost:1313/post#sluice-${accepted.body.id}`,
    });
    const status = await sluice.call(
      'GET',
      new URL(accepted.body.statusUrl).pathname + new URL(accepted.body.statusUrl).search,
    );
    expect(status.body).toEqual({ status: 'published' });
  });

  it('from a page elsewhere is refused at its field, also by a site that names no origins', async () => {
    const page = { url: 'https://elsewhere.example/post', title: 'Post' };
    const { status, body } = await sluice.call('POST', THREAD, comment({ page }));
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ pointer: '/page/url' }]);
  });

  it('sent twice under one Idempotency-Key is one comment; under another body it is refused', async () => {
    const key = { 'idempotency-key': 'once' };
    const path = '/v1/sites/demo/threads/idempotent/comments';
    const first = await sluice.call('POST', path, comment(), key);
    const second = await sluice.call('POST', path, comment(), key);
    expect(second.body.id).toBe(first.body.id);
    expect((await sluice.call('POST', path, comment({ body: 'Other.' }), key)).body.code).toBe('Request.KeyReused');
    await sluice.quiet();
    expect((await sluice.call('GET', path)).body.total).toBe(1);
  });

  it('that is rejected as spam says so and offers an appeal; once a person said spam there is none', async () => {
    const body =
      'BUY CHEAP VIAGRA casino bonus http://casino-win.example http://pills.example click here $$$ free money';
    const { body: sent } = await sluice.call('POST', THREAD, comment({ author: { name: 'Casino' }, body }));
    await sluice.quiet();
    const { pathname, search } = new URL(sent.statusUrl);
    const own = { authorization: `Bearer ${sent.capability}` };
    const status = async () => (await sluice.call('GET', pathname + search)).body;
    expect(await status()).toEqual({ status: 'rejected', reason: 'spam', appeal: true });
    const admin = await sluice.asAdmin();
    const { body: row } = await sluice.call('GET', `/v1/moderation/comments/${sent.id}`, undefined, admin);
    await sluice.call('POST', `/v1/comments/${sent.id}/appeal`, { text: 'Why?' }, own);
    const decisions = [{ id: sent.id, version: row.version + 1, action: 'spam' }];
    await sluice.call('POST', '/v1/moderation/decisions', { decisions }, admin);
    expect(await status()).toEqual({ status: 'rejected', reason: 'spam' });
  });

  it('answers a reply under its parent, and counts it', async () => {
    const path = '/v1/sites/demo/threads/replies/comments';
    const parent = await sluice.call('POST', path, comment());
    await sluice.quiet();
    const reply = await sluice.call('POST', path, comment({ body: 'I agree.', parentId: parent.body.id }));
    expect(reply.status).toBe(202);
    await sluice.quiet();
    const { body } = await sluice.call('GET', path);
    expect(body).toMatchObject({ total: 2, comments: [{ replyCount: 1, replies: [{ id: reply.body.id, depth: 1 }] }] });
  });

  it('with four links waits for a person', async () => {
    const links = [1, 2, 3, 4].map((n) => `https://site${n}.example/`).join(' ');
    const { body } = await sluice.call('POST', THREAD, comment({ body: `Look at ${links}` }));
    await sluice.quiet();
    const url = new URL(body.statusUrl);
    expect((await sluice.call('GET', url.pathname + url.search)).body).toEqual({ status: 'waiting' });
  });

  it.each([
    ['broken JSON', '{"author":', 400, 'Request.Malformed'],
    ['a key twice', '{"author":{"name":"a"},"body":"a","body":"b"}', 400, 'Request.Malformed'],
    ['__proto__', '{"author":{"name":"a"},"body":"a","__proto__":{}}', 400, 'Request.Malformed'],
    ['half a character', '{"author":{"name":"a"},"body":"\\ud800"}', 400, 'Request.Malformed'],
    ['NUL', '{"author":{"name":"a"},"body":"\\u0000"}', 400, 'Request.Malformed'],
    ['10 MB of >', '>'.repeat(10_000_000), 413, 'Request.TooLarge'],
    ['wrong types', { author: { name: 3 }, body: [] }, 422, 'Request.Invalid'],
    ['an unknown field', comment({ admin: true }), 422, 'Request.Invalid'],
    ['a body over 16 KiB', comment({ body: 'x'.repeat(16_385) }), 422, 'Request.Invalid'],
    ['no text', comment({ body: ' \n ' }), 422, 'Request.Invalid'],
    ['no name', comment({ author: { name: ' ' } }), 422, 'Request.Invalid'],
    ["the author's name in other letters", comment({ author: { name: 'Маra Lindqvist' } }), 422, 'Request.Invalid'],
    ['a parent of another thread', comment({ parentId: 'demo-01' }), 422, 'Request.Invalid'],
    ['a parent that nobody knows', comment({ parentId: 'nobody' }), 422, 'Request.Invalid'],
  ])('with %s is refused with a clear answer', async (_what, body, status, code) => {
    const answer = await sluice.call('POST', THREAD, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({
      code,
      status,
      type: `urn:sluice:error:${code}`,
      detail: expect.any(String),
      hint: expect.any(String),
    });
  });

  it.each([
    ['16 KB of >', '>'.repeat(16_000)],
    ['an emphasis bomb', '*a_ '.repeat(4000)],
    ['brackets', '['.repeat(16_000)],
    ['nested lists', Array.from({ length: 120 }, (_, n) => `${' '.repeat(n)}- x`).join('\n')],
  ])('of %s leaves the door open', async (_what, body) => {
    expect((await sluice.call('POST', THREAD, comment({ body }))).status).toBe(202);
    await sluice.quiet();
    expect((await sluice.call('GET', '/health')).body.status).toBe('ok');
  });

  it('wants the right media type and a known site', async () => {
    expect((await sluice.call('POST', THREAD, '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await sluice.call('POST', '/v1/sites/nowhere/threads/a/comments', comment())).body.code).toBe(
      'Site.Unknown',
    );
  });
});

describe('a page of another site', () => {
  it('is read and posted to across origins, unless the site names its origins', async () => {
    const open = await sluice.call('GET', THREAD, undefined, { origin: 'https://blog.example' });
    expect(open.headers.get('access-control-allow-origin')).toBe('https://blog.example');
    const preflight = await sluice.call('OPTIONS', THREAD, undefined, { origin: 'https://blog.example' });
    expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key');
  });
});

describe('a thread', () => {
  it('without comments is an empty page', async () => {
    expect((await sluice.call('GET', '/v1/sites/demo/threads/empty/comments')).body).toEqual({
      comments: [],
      total: 0,
      nextCursor: null,
      thread: { closed: false, replyDepth: 5 },
    });
  });

  it('is not sent again to who has it', async () => {
    const first = await sluice.call('GET', THREAD);
    const again = await sluice.call('GET', THREAD, undefined, { 'if-none-match': first.headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
  });

  it('is paged without a gap or a repeat', async () => {
    const path = '/v1/sites/demo/threads/pages/comments';
    for (let n = 0; n < 7; n++)
      await sluice.call(
        'POST',
        path,
        comment({ body: `Remark number ${n}, unlike the others: ${'abcdefg'[n]?.repeat(9)}` }),
      );
    await sluice.quiet();
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await sluice.call('GET', `${path}?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      seen.push(...body.comments.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor ?? '';
    } while (cursor);
    expect(new Set(seen).size).toBe(7);
  });
});

describe("a writer's own comment", () => {
  it('is edited and deleted with the capability, and with no other', async () => {
    const path = '/v1/sites/demo/threads/own/comments';
    const { body } = await sluice.call('POST', path, comment());
    await sluice.quiet();
    const bearer = { authorization: `Bearer ${body.capability}` };
    expect(
      (await sluice.call('PATCH', `/v1/comments/${body.id}`, { body: 'Mended.' }, { authorization: 'Bearer guess' }))
        .status,
    ).toBe(403);
    expect((await sluice.call('PATCH', `/v1/comments/${body.id}`, { body: 'Mended.' })).status).toBe(401);
    expect((await sluice.call('PATCH', `/v1/comments/${body.id}`, { body: 'Mended.' }, bearer)).status).toBe(202);
    await sluice.quiet();
    expect((await sluice.call('GET', path)).body.comments[0]).toMatchObject({
      html: '<p>Mended.</p>\n',
      editedAt: expect.any(String),
    });
    expect((await sluice.call('DELETE', `/v1/comments/${body.id}`, undefined, bearer)).status).toBe(202);
    await sluice.quiet();
    expect((await sluice.call('GET', path)).body).toMatchObject({ comments: [], total: 0 });
  });
});

describe('rate limits', () => {
  it('ask a client to wait, and say how long', async () => {
    const limited = await testInstance({ SLUICE_RATE_LIMIT: 'on' });
    try {
      const answers = [];
      for (let n = 0; n < 6; n++) answers.push(await limited.call('POST', THREAD, comment({ body: `Remark ${n}.` })));
      expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 429]);
      expect(Number(answers[5]?.headers.get('retry-after'))).toBeGreaterThan(0);
    } finally {
      await limited.end();
    }
  });
});

describe('an event put on the bus', () => {
  it('that does not fit its schema is a dead letter with its reason, which moderators can read', async () => {
    await sluice.runtime.ports.bus.put([
      {
        source: 'sluice.comments',
        type: 'CommentSubmitted',
        detail: { schema: 1, site: 'demo', thread: 't', author: {}, body: 'x' },
      },
    ]);
    await sluice.quiet();
    const headers = await sluice.asAdmin();
    await expect
      .poll(
        async () =>
          (await sluice.call('GET', '/v1/moderation/dead-letters?site=demo', undefined, headers)).body.deadLetters,
      )
      .toMatchObject([
        { reason: 'Comment.Malformed', source: 'intake', detail: expect.stringContaining('/author/name') },
      ]);
  });

  it('before its parent waits for it, and is published with it', async () => {
    const put = (detail: object) =>
      sluice.runtime.ports.bus.put([{ source: 'sluice.comments', type: 'CommentSubmitted', detail }]);
    const base = { schema: 1, site: 'demo', thread: 'parked', author: { name: 'Bo' } };
    await put({
      ...base,
      id: 'held-parent',
      body: 'Four write-ups on queues that I found useful: https://kim.example/backoff https://kim.example/order https://kim.example/delay https://kim.example/retry',
    });
    await sluice.quiet();
    await put({ ...base, id: 'early-reply', body: 'A reply.', parentId: 'held-parent' });
    await sluice.quiet();
    const headers = await sluice.asAdmin();
    const held = await sluice.call('GET', '/v1/moderation/comments/held-parent', undefined, headers);
    const decided = await sluice.call(
      'POST',
      '/v1/moderation/decisions',
      { decisions: [{ id: 'held-parent', version: held.body.version, action: 'publish' }] },
      headers,
    );
    expect(decided.body.results).toMatchObject([{ result: 'done', status: 'published' }]);
    await expect
      .poll(async () => (await sluice.call('GET', '/v1/sites/demo/threads/parked/comments')).body, { timeout: 5000 })
      .toMatchObject({ total: 2, comments: [{ id: 'held-parent', replies: [{ id: 'early-reply' }] }] });
  });
});
