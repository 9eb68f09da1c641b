import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batcher } from '../services/import/batch.ts';
import { ReportCollector } from '../services/import/report.ts';
import { importWriter } from '../services/import/write.ts';
import { sitesOf } from '../shared/store/sites.ts';
import { SaxesParser } from 'saxes';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
const thread = (key: string) => `/v1/sites/demo/threads/${key}/comments`;

beforeAll(async () => {
  sluice = await testInstance();
});
afterAll(() => sluice.end());

async function say(
  key: string,
  body: string,
  parentId?: string,
  name = 'Ada',
): Promise<{ id: string; capability: string }> {
  const answer = await sluice.call('POST', thread(key), {
    author: { name },
    body,
    ...(parentId && { parentId }),
  });
  expect(answer.status).toBe(202);
  await sluice.quiet();
  return answer.body;
}

const idsIn = (comments: any[]): string[] => comments.flatMap(({ id, replies }) => [id, ...idsIn(replies)]);

describe('a thread', () => {
  it('still shows an answer whose parent was deleted from under it', async () => {
    const top = await say('gone', 'The first remark here.');
    const middle = await say('gone', 'An answer to the first remark.', top.id);
    const last = await say('gone', 'An answer to that answer.', middle.id);
    await sluice.call('DELETE', `/v1/comments/${middle.id}`, undefined, {
      authorization: `Bearer ${middle.capability}`,
    });
    await sluice.quiet();
    const { body } = await sluice.call('GET', thread('gone'));
    expect(body.total).toBe(2);
    expect(idsIn(body.comments)).toEqual([top.id, middle.id, last.id]);
    expect(body.comments[0].replies[0]).toMatchObject({ state: 'deleted', html: '' });
  });

  it('leaves out a tombstone under which nothing is left', async () => {
    const top = await say('empty', 'A remark that stays.');
    const middle = await say('empty', 'An answer that goes.', top.id);
    const last = await say('empty', 'An answer that goes too.', middle.id);
    for (const { id, capability } of [middle, last]) {
      await sluice.call('DELETE', `/v1/comments/${id}`, undefined, { authorization: `Bearer ${capability}` });
    }
    await sluice.quiet();
    expect(idsIn((await sluice.call('GET', thread('empty'))).body.comments)).toEqual([top.id]);
  });

  it('still shows an answer whose parent went back to the queue when its publication was undone', async () => {
    const links = [1, 2, 3, 4].map((n) => `https://site${n}.example/`).join(' ');
    const held = await say('undone', `Look at ${links}`);
    const admin = await sluice.asAdmin();
    const { version } = (await sluice.call('GET', `/v1/moderation/comments/${held.id}`, undefined, admin)).body;
    const decisions = [{ id: held.id, version, action: 'publish' }];
    const { results } = (await sluice.call('POST', '/v1/moderation/decisions', { decisions }, admin)).body;
    const answer = await say('undone', 'An answer to what was published.', held.id);
    await sluice.call('POST', `/v1/moderation/decisions/${results[0].decisionId}/undo`, {}, admin);
    const { body } = await sluice.call('GET', thread('undone'));
    expect(body.total).toBe(1);
    expect(idsIn(body.comments)).toEqual([held.id, answer.id]);
    expect(body.comments[0]).toMatchObject({ state: 'removed', html: '', author: { name: '' } });
  });

  it('opens at a permalink in either order, with the answers above it', async () => {
    const tops: { id: string }[] = [];
    for (let n = 0; n < 6; n++) tops.push(await say('link', `Remark number ${n} of this thread.`));
    const answers: { id: string }[] = [];
    for (let n = 0; n < 5; n++) answers.push(await say('link', `Answer number ${n} to it.`, tops[1]?.id));
    for (const order of ['oldest', 'newest']) {
      const { body } = await sluice.call('GET', `${thread('link')}?limit=2&order=${order}&around=${answers[4]?.id}`);
      expect(idsIn(body.comments)).toContain(answers[4]?.id);
    }
  });

  it('loads all answers only on the way to the permalink', async () => {
    const first = await say('way', 'The remark that is linked.');
    const second = await say('way', 'The remark after it, much answered.');
    for (let n = 0; n < 5; n++) await say('way', `Answer number ${n} to the second.`, second.id);
    const { body } = await sluice.call('GET', `${thread('way')}?around=${first.id}`);
    expect(body.comments[1].replies).toHaveLength(3);
  });

  it('brings some hundred answers along at most, and leads to all others', async () => {
    const { ports } = sluice.runtime;
    const report = new ReportCollector();
    const { site, policy } = await sitesOf(ports.table, ports.clock).fresh('demo');
    const gathering = batcher({ ...ports, site, policy: policy.policy, aliases: new Map(), report });
    const put = (id: string, parentId: string | null, depth: number) =>
      gathering.take({
        kind: 'comment',
        line: 1,
        id: `bush-${id}`,
        sourceId: id,
        parentId,
        depth,
        thread: { key: '/bush' },
        author: { name: 'Ada' },
        body: 'One of many.',
        at: 1_600_000_000_000 + depth,
        status: 'published',
      });
    const grow = (id: string, depth: number): void => {
      if (depth > 4) return;
      for (let n = 0; n < 3; n++) {
        put(`${id}-${n}`, `bush-${id}`, depth);
        grow(`${id}-${n}`, depth + 1);
      }
    };
    for (let n = 0; n < 20; n++) {
      put(String(n), null, 0);
      grow(String(n), 1);
    }
    await importWriter({ ...ports, site, report }).write([gathering.batch()]);
    const path = thread(encodeURIComponent('/bush'));
    const { body } = await sluice.call('GET', `${path}?limit=100`);
    expect(body.total).toBe(20 + 20 * (3 + 9 + 27 + 81));
    expect(idsIn(body.comments).length).toBeLessThan(20 + 500);
    const cut = JSON.stringify(body).match(
      /"replies":\[\],"repliesCursor":"first","permalink":"[^"]*#sluice-([^"]+)"/,
    )?.[1];
    const { body: page } = await sluice.call('GET', `${path}?parent=${cut}&cursor=first`);
    expect(page.comments).toHaveLength(3);
    const deep = 'bush-19-2-2-2-2';
    expect(idsIn((await sluice.call('GET', `${path}?limit=100&around=${deep}`)).body.comments)).toContain(deep);
  });

  it('has in its feed first what was published last', async () => {
    const waiting = await say(
      'late',
      'See https://a.example https://b.example https://c.example https://d.example for that.',
      undefined,
      'Nobody knows me',
    );
    const first = await say('late', 'A remark that was sent later.');
    const admin = await sluice.asAdmin();
    const { version } = (await sluice.call('GET', `/v1/moderation/comments/${waiting.id}`, undefined, admin)).body;
    await sluice.call(
      'POST',
      '/v1/moderation/decisions',
      { decisions: [{ id: waiting.id, version, action: 'publish' }] },
      admin,
    );
    const { body } = await sluice.call('GET', '/v1/sites/demo/threads/late/feed.atom');
    expect([...body.matchAll(/<id>urn:sluice:comment:([^<]+)/g)].map(([, id]) => id)).toEqual([waiting.id, first.id]);
  });

  it('has a feed that a strict parser reads, with ids, times and where each comment stands', async () => {
    const odd = `]]> <b>&amp; "x" ${'😀'.repeat(90)}`;
    const written = await say('strict', odd, undefined, 'A & <B>');
    const { body, headers } = await sluice.call('GET', '/v1/sites/demo/threads/strict/feed.atom');
    expect(headers.get('content-type')).toBe('application/atom+xml; charset=utf-8');
    type Node = { name: string; attributes: Record<string, string>; text: string };
    const nodes: Node[] = [];
    const open: Node[] = [];
    const parser = new SaxesParser();
    parser.on('error', (error) => expect.unreachable(error.message));
    parser.on('opentag', ({ name, attributes }) => {
      const node = { name, attributes: attributes as Record<string, string>, text: '' };
      nodes.push(node);
      open.push(node);
    });
    parser.on('text', (text) => open.length > 0 && (open.at(-1)!.text += text));
    parser.on('closetag', () => void open.pop());
    parser.write(body).close();
    const of = (name: string) => nodes.filter((node) => node.name === name);
    const links = of('link').map(({ attributes: { rel, href } }) => [rel, href]);
    const thread = `${sluice.publicUrl}/t/demo/strict`;
    expect(links).toEqual([
      ['self', `${sluice.publicUrl}/v1/sites/demo/threads/strict/feed.atom`],
      ['alternate', thread],
      ['alternate', `${thread}?around=${written.id}#sluice-${written.id}`],
    ]);
    expect(of('id').map(({ text }) => text)).toEqual([links[0]![1], `urn:sluice:comment:${written.id}`]);
    expect(of('name').map(({ text }) => text)).toEqual(['A & <B>']);
    expect(of('title').at(-1)!.text.isWellFormed()).toBe(true);
    expect(of('title').at(-1)!.text).not.toContain('\uFFFD');
    for (const { text } of of('updated')) expect(new Date(text).toISOString()).toBe(text);
  });

  it('has its answers in its feed too', async () => {
    const top = await say('feed', 'A remark for the feed.');
    const answer = await say('feed', 'An answer for the feed.', top.id);
    const { body } = await sluice.call('GET', '/v1/sites/demo/threads/feed/feed.atom');
    expect(body).toContain(`urn:sluice:comment:${top.id}`);
    expect(body).toContain(`urn:sluice:comment:${answer.id}`);
  });
});

describe('the page cache', () => {
  it.each([
    ['%2Fpost%2F'],
    ['post/index.html'].map(encodeURIComponent),
    ['https%3A%2F%2Fblog.example%2Fpost2%3Futm%3D1'],
  ])('shows a new comment at once under the key %s', async (key) => {
    const port = await portOf();
    const read = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}${thread(key)}`);
      return ((await answer.json()) as { total: number }).total;
    };
    const before = await read();
    await say(key, `A remark under ${key.replaceAll('%', ' ')}.`);
    expect(await read()).toBe(before + 1);
  });
});

it('a tag that a proxy made weak is known again, also among others', async () => {
  const url = `http://127.0.0.1:${await portOf()}${thread('tags')}`;
  const etag = (await fetch(url)).headers.get('etag') ?? '';
  for (const given of [etag, `W/${etag}`, `"other", W/${etag}`]) {
    expect((await fetch(url, { headers: { 'if-none-match': given } })).status).toBe(304);
  }
});

let listening: Promise<number> | undefined;
const portOf = () => (listening ??= sluice.listen());

describe('a permalink', () => {
  it('has one fragment, whatever fragment the page had', async () => {
    await sluice.call('POST', thread('fragment'), {
      author: { name: 'Ada' },
      body: 'From a page with a fragment.',
      page: { url: 'http://localhost:1313/p#comments', title: 'P' },
    });
    await sluice.quiet();
    const { body } = await sluice.call('GET', thread('fragment'));
    expect(body.comments[0].permalink).toBe(`http://localhost:1313/p#sluice-${body.comments[0].id}`);
  });
});
