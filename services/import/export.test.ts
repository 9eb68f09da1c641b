import { describe, expect, it } from 'vitest';
import type { Comment } from '../../shared/comment.ts';
import { DEFAULT_POLICY } from '../../shared/policy.ts';
import { collect, commentsOf, readAll, reasonsOf } from './fixtures.ts';
import { type ExportEnd, type ExportRow, decode, encode } from './sluice.ts';
import { type WxrRow, encodeWxr } from './wxr.ts';

const comment = (id: string, fields: Partial<Comment> = {}): Comment => ({
  id,
  site: 'demo',
  thread: '/figs/',
  parentId: null,
  depth: 0,
  status: 'published',
  version: 3,
  revision: 2,
  publishedRevision: 1,
  pendingRevision: 2,
  author: { name: 'Ann', contact: 'con_1', key: 'k1', role: 'author' },
  notifyReplies: true,
  lane: '3',
  contentHash: 'h',
  excerpt: 'One',
  fingerprint: 'f',
  linkHosts: [],
  lang: 'en',
  submittedAt: 1_700_000_000_000,
  reports: 0,
  appeals: 0,
  ...fields,
});
const row = (one: Comment): ExportRow => ({
  type: 'comment',
  comment: one,
  revisions: [1, 2].map((revision) => ({
    commentId: one.id,
    revision,
    body: `Text ${revision}`,
    html: `<p>Text ${revision}</p>`,
    at: 1,
  })),
  log: [{ commentId: one.id, version: 1, at: 1, by: 'policy', action: 'publish', from: 'received', to: 'published' }],
});
const ROWS: Exclude<ExportRow, ExportEnd>[] = [
  { type: 'header', format: 'sluice', version: 1, site: 'demo', exportedAt: 5, contacts: true },
  { type: 'policy', policy: DEFAULT_POLICY, version: 4, by: 'user:admin', at: 3 },
  { type: 'author', id: 'a1', name: 'Ada', email: 'ada@example.org', notify: 'each' },
  { type: 'contact', id: 'con_1', email: 'ann@example.org', expiresAt: 9 },
  { type: 'thread', key: '/figs/', url: 'https://garden.example/figs/', title: 'Figs', closed: false },
  row(comment('c1')) as Exclude<ExportRow, ExportEnd>,
  row(comment('c2', { parentId: 'c1', depth: 1, status: 'removed' })) as Exclude<ExportRow, ExportEnd>,
];
const text = async (pieces: AsyncIterable<string>) => (await collect(pieces)).join('');
async function* once(value: string) {
  yield value;
}

describe("Sluice's own export", () => {
  it('comes back as it was', async () => {
    const file = await text(encode(ROWS, { contacts: true }));
    const rows = (await collect(decode(once(file)))).map((item) => (item.kind === 'row' ? item.row : item));
    expect(rows).toEqual([...ROWS, { type: 'end', threads: 1, comments: 2 }]);
  });

  it('holds no address without contacts, and never a task token', async () => {
    const rows = [
      ...ROWS,
      row(comment('c3', { token: 'secret-token', owed: { decisionId: 'd', since: 1 } })) as Exclude<
        ExportRow,
        ExportEnd
      >,
    ];
    const file = await text(encode(rows, { contacts: false }));
    expect(file).not.toMatch(/example\.org|con_1|secret-token|owed/);
    expect(file.startsWith('{"type":"header","format":"sluice","version":1,')).toBe(true);
  });

  it('reads like any other export', async () => {
    const items = await readAll(await text(encode(ROWS, { contacts: true })));
    expect(items[0]).toMatchObject({ kind: 'thread', key: '/figs/', title: 'Figs' });
    expect(commentsOf(items)).toMatchObject([
      {
        sourceId: 'c1',
        body: 'Text 1',
        author: { name: 'Ann', email: 'ann@example.org', isAuthor: true },
        status: 'published',
      },
      { sourceId: 'c2', parentSourceId: 'c1', status: 'rejected' },
    ]);
  });

  it('tells that it was cut', async () => {
    const file = await text(encode(ROWS, { contacts: true }));
    const lines = file.trimEnd().split('\n');
    expect(reasonsOf(await readAll(`${lines.slice(0, -1).join('\n')}\n`))).toEqual([
      expect.stringContaining('so it was cut'),
    ]);
    expect(reasonsOf(await readAll(lines.toSpliced(5, 1).join('\n')))).toEqual([
      expect.stringContaining('says that it holds 2 comments; 1 could be read'),
    ]);
  });
});

const wxrComment = (id: string, fields: Partial<Extract<WxrRow, { type: 'comment' }>> = {}): WxrRow => ({
  type: 'comment',
  id,
  parentId: null,
  author: { name: 'Ann' },
  html: `<p>Words of ${id}</p>`,
  at: Date.UTC(2025, 4, 1, 8, 0, 1),
  status: 'published',
  ...fields,
});

describe('WXR', () => {
  const channel = { title: 'A & B <blog>', url: 'https://garden.example', exportedAt: Date.UTC(2026, 0, 2) };
  it('is read back by our own reader', async () => {
    const rows: WxrRow[] = [
      { type: 'thread', key: '/figs/', title: 'Figs & <bees> ]]>', closed: true },
      wxrComment('reply', { parentId: 'first', status: 'held' }),
      wxrComment('first', {
        author: {
          name: 'O"Neil & <Co>',
          email: 'ann@example.org',
          url: 'https://ann.example/?a=1&b=2',
          ip: '203.0.113.9',
        },
        html: '<p>A ]]&gt; ]]> <strong>b</strong>\u0000 \uD800</p>',
      }),
      wxrComment('gone', { status: 'deleted' }),
      wxrComment('bad', { status: 'spam' }),
      { type: 'thread', key: 'https://garden.example/bees/', closed: false },
      wxrComment('other'),
    ];
    const items = await readAll(await text(encodeWxr(rows, channel)));
    expect(items).toMatchObject([
      { kind: 'thread', key: 'https://garden.example/figs/', title: 'Figs & <bees> ]]>', closed: true },
      { sourceId: '1', parentSourceId: '2', status: 'held' },
      {
        sourceId: '2',
        author: {
          name: 'O"Neil & <Co>',
          email: 'ann@example.org',
          url: 'https://ann.example/?a=1&b=2',
          ip: '203.0.113.9',
        },
        body: 'A \\]\\]> \\]\\]> **b** \uFFFD',
        at: Date.UTC(2025, 4, 1, 8, 0, 1),
      },
      { sourceId: '3', status: 'deleted', body: '' },
      { sourceId: '4', status: 'spam' },
      { kind: 'thread', key: 'https://garden.example/bees/' },
      { sourceId: '5', body: 'Words of other' },
    ]);
  });

  it('is well formed with nothing in it', async () => {
    expect(await readAll(await text(encodeWxr([], channel)))).toEqual([]);
  });
});
