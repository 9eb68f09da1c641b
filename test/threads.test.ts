import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
let admin: Record<string, string>;
let readers = 0;

beforeAll(async () => {
  sluice = await testInstance({}, { demo: true });
  admin = await sluice.asAdmin();
});
afterAll(() => sluice.end());

const FOUR_LINKS = 'https://a.example https://b.example https://c.example https://d.example';
const comments = (thread: string) => `/v1/sites/demo/threads/${encodeURIComponent(thread)}/comments`;

async function write(thread: string, body: string, parentId?: string): Promise<string> {
  const { status, body: answer } = await sluice.call('POST', comments(thread), {
    // Nobody is trusted for what others wrote.
    author: { name: `Reader ${++readers}` },
    body,
    ...(parentId && { parentId }),
  });
  expect(status).toBe(202);
  await sluice.quiet();
  return answer.id;
}
const texts = async (thread: string) => {
  const { body } = await sluice.call('GET', comments(thread));
  return {
    total: body.total as number,
    texts: (body.comments as { html: string; replies: { html: string }[] }[]).map(({ html, replies }) => [
      html.trim(),
      ...replies.map((reply) => reply.html.trim()),
    ]),
  };
};
const also = (key: string, alias: string) =>
  sluice.call('POST', '/v1/moderation/threads/aliases', { site: 'demo', key, alias }, admin);

describe('a post that moved', () => {
  it('shows its comments under the new key and the old, and takes comments under both', async () => {
    const first = await write('/old-place', 'Written before the move.');
    expect((await also('/old-place', '/new-place')).body.moved).toBe(0);
    await write('/new-place', 'Written after.');
    await write('/old-place/', 'An answer by the old key.', first);
    const all = {
      total: 3,
      texts: [['<p>Written before the move.</p>', '<p>An answer by the old key.</p>'], ['<p>Written after.</p>']],
    };
    expect(await texts('/new-place')).toEqual(all);
    expect(await texts('/old-place')).toEqual(all);
    const { body } = await sluice.call('GET', '/v1/sites/demo/counts?thread=/new-place&thread=/old-place');
    expect(body.counts).toEqual({ '/new-place': 3, '/old-place': 3 });
  });

  it('keeps what PutEvents names by an old key together with the rest', async () => {
    await sluice.runtime.ports.bus.put([
      {
        source: 'sluice.comments',
        type: 'CommentSubmitted',
        detail: { schema: 1, site: 'demo', thread: '/new-place', author: { name: 'Bob' }, body: 'By an event.' },
      },
    ]);
    await sluice.quiet();
    expect((await texts('/old-place')).total).toBe(4);
  });
});

describe('two threads that become one', () => {
  it('share all comments: answers, what waits, and what is decided later', async () => {
    const root = await write('/a', 'Of the first thread.');
    await write('/a', 'An answer there.', root);
    await write('/b', 'Of the second thread.');
    const held = await write('/a', `Waits: ${FOUR_LINKS}`);
    const { body: done } = await also('/b', '/a');
    expect(done).toMatchObject({ moved: 3, thread: { key: '/b', aliases: ['/a'] } });
    expect(await texts('/a')).toEqual(await texts('/b'));
    expect((await texts('/b')).total).toBe(3);

    const { body: row } = await sluice.call('GET', `/v1/moderation/comments/${held}`, undefined, admin);
    expect(row.thread.key).toBe('/b');
    await sluice.call(
      'POST',
      '/v1/moderation/decisions',
      { decisions: [{ id: held, version: row.version, action: 'publish' }] },
      admin,
    );
    expect((await texts('/a')).total).toBe(4);
    expect((await also('/b', '/a')).body.moved).toBe(0);
  });

  it('are not made of one alone, nor of one that nobody wrote in', async () => {
    expect((await also('/b', '/b')).status).toBe(422);
    expect((await also('/never', '/x')).status).toBe(404);
  });
});
