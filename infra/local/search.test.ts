import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Comment } from '../../shared/comment.ts';
import type { DeskQuery, Write } from '../../shared/ports.ts';
import { headItem, revisionKey } from '../../shared/store/keys.ts';
import { openDatabase, type Database } from './database.ts';
import { localSearch } from './search.ts';
import { localTable } from './table.ts';

let database: Database;
let ids: (query: Partial<DeskQuery>) => Promise<readonly string[]>;
let search: ReturnType<typeof localSearch>;

const head = (id: string, some: Partial<Comment> & { name: string }): Comment =>
  ({
    id,
    site: 'demo',
    thread: '/a',
    status: 'published',
    version: 1,
    author: { name: some.name, key: `w-${some.name.length}_x-${id.slice(0, 1)}` },
    pendingRevision: null,
    submittedAt: 1000,
    linkHosts: [],
    lang: 'en',
    reports: 0,
    ...some,
  }) as unknown as Comment;

beforeAll(async () => {
  database = openDatabase(':memory:');
  search = localSearch(database);
  const table = localTable(database, { now: Date.now });
  const put = async (comments: readonly { comment: Comment; body: string }[]) => {
    const writes = comments.flatMap(({ comment, body }): Write[] => [
      { put: headItem(comment) },
      { put: { ...revisionKey(comment.id, 1), commentId: comment.id, revision: 1, body, html: '', at: 1 } },
    ]);
    for (let start = 0; start < writes.length; start += 100) await table.write(writes.slice(start, start + 100));
  };
  await put([
    { comment: head('a1', { name: 'Björn Åström', submittedAt: 1 }), body: 'A question about lanes.' },
    { comment: head('a2', { name: 'Ada', status: 'held', heldAt: 5, submittedAt: 2 }), body: 'Björn is right.' },
    { comment: head('a3', { name: '★★★', submittedAt: 3 }), body: 'Stars.' },
    { comment: head('a4', { name: 'Ada', status: 'spam', submittedAt: 4 }), body: 'Lanes lanes lanes.' },
    { comment: head('a5', { name: 'Eve', submittedAt: 5, queued: true, reports: 3, heldAt: 6 }), body: 'Reported.' },
  ]);
  await put(
    Array.from({ length: 3000 }, (_, n) => ({
      comment: head(`n${n}`, { name: `Reader ${n}`, submittedAt: 100 + n }),
      body: `Remark ${n}`,
    })),
  );
  ids = async (query) => (await search.comments({ site: 'demo', limit: 10, ...query })).ids;
});
afterAll(() => database.close());

describe('the desk’s listing', () => {
  it.each<[string, Partial<DeskQuery>, string[]]>([
    ['words of the text', { q: 'question lanes', status: 'published' }, ['a1']],
    ['a writer’s name among the words, without accents', { q: 'bjorn', sort: 'oldest' }, ['a1', 'a2']],
    ['an id', { q: 'a4' }, ['a4']],
    ['a writer by name, whole', { author: 'Ada' }, ['a2', 'a4']],
    ['no writer by half a name', { author: 'Björn' }, []],
    ['a writer by key', { author: 'w-12_x-a' }, ['a1']],
    ['a writer whose name has no letters', { author: '★★★' }, ['a3']],
    ['a writer and words together', { author: 'Ada', q: 'lanes' }, ['a4']],
    ['what was reported, among what waits', { status: 'held', sort: 'oldest' }, ['a2', 'a5']],
    ['the most reported first', { status: 'held', sort: 'reports', limit: 1 }, ['a5']],
    ['nothing by words that are none', { q: '"' }, []],
  ])('finds %s', async (_what, query, found) => {
    expect(await ids(query)).toEqual(found);
  });

  it('turns pages over all statuses, each comment once', async () => {
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await search.comments({ site: 'demo', limit: 1000, ...(cursor && { cursor }) });
      expect(page.total).toBe(3005);
      seen.push(...page.ids);
      cursor = page.nextCursor;
    } while (cursor);
    expect(new Set(seen).size).toBe(3005);
    expect(seen).toHaveLength(3005);
    expect(seen[0]).toBe('n2999');
  });
});
