import { beforeEach, describe, expect, it } from 'vitest';
import type { Comment, Judgement, Revision } from '../shared/comment.ts';
import type { Table } from '../shared/ports.ts';
import { storeOf } from '../shared/store/comments.ts';
import { memoryPorts, type MemoryPorts } from './fakes.ts';

let ports: MemoryPorts;
beforeEach(() => {
  ports = memoryPorts();
});

const comment = (more: Partial<Comment> = {}): Comment => ({
  id: 'c1',
  site: 'blog',
  thread: '/post',
  parentId: null,
  depth: 0,
  status: 'received',
  version: 1,
  revision: 1,
  publishedRevision: null,
  pendingRevision: null,
  author: { name: 'Ada', key: 'ada' },
  notifyReplies: false,
  lane: 'lane-01',
  contentHash: 'hash-1',
  excerpt: 'Words',
  fingerprint: '',
  linkHosts: [],
  lang: '',
  submittedAt: 1,
  reports: 0,
  appeals: 0,
  ...more,
});
const text = (body = 'Words'): Revision => ({ commentId: 'c1', revision: 1, body, html: `<p>${body}</p>`, at: 1 });

/** The table of a process that dies after so many of the groups that it writes in turn. */
const dyingAfter = (groups: number): Table => ({
  ...ports.table,
  async writeInTurn(all) {
    await ports.table.writeInTurn(all.slice(0, groups));
    throw new Error('the process died here');
  },
});
const storeOn = (table: Table) => storeOf(table, ports.clock);
const publishing = {
  set: { status: 'published', publishedRevision: 1, publishedAt: 2 },
  by: 'policy',
  action: 'publish',
} as const;
const holding = { set: { status: 'held', heldAt: 2 }, by: 'policy', action: 'hold' } as const;

describe('a comment whose run died between its text and its head', () => {
  beforeEach(() => expect(storeOn(dyingAfter(1)).create(comment(), text())).rejects.toThrow('died'));

  it('is stored by the repeat', async () => {
    expect(await storeOn(ports.table).create(comment(), text())).toMatchObject({ created: true });
    expect(await storeOn(ports.table).get('c1')).toEqual(comment());
  });

  it('keeps its id from other words', async () => {
    const other = storeOn(ports.table).create(comment({ contentHash: 'hash-2' }), text('Others'));
    await expect(other).rejects.toMatchObject({ code: 'Comment.IdTaken' });
    expect((await storeOn(ports.table).revision('c1', 1))?.body).toBe('Words');
  });
});

describe('a change whose run died between its log row and its head', () => {
  beforeEach(async () => {
    await storeOn(ports.table).create(comment(), text());
    await expect(storeOn(dyingAfter(1)).change(comment(), publishing)).rejects.toThrow('died');
    expect((await storeOn(ports.table).get('c1'))?.status).toBe('received');
  });

  it('is made once by the repeat', async () => {
    const store = storeOn(ports.table);
    expect(await store.change(comment(), publishing)).toMatchObject({ done: true });
    expect(await store.log('c1')).toMatchObject([{ version: 2, action: 'publish' }]);
    expect(await store.threadCount('blog', '/post')).toBe(1);
    expect(await store.writerHistory('blog', 'ada')).toMatchObject({ published: 1 });
  });

  it('leaves the version to whoever is faster, whose row then stands', async () => {
    const store = storeOn(ports.table);
    expect(await store.change(comment(), holding)).toMatchObject({ done: true });
    expect(await store.change(comment(), publishing)).toMatchObject({ done: false, comment: { status: 'held' } });
    expect(await store.log('c1')).toMatchObject([{ version: 2, action: 'hold', to: 'held' }]);
    expect(await store.threadCount('blog', '/post')).toBe(0);
  });
});

it('a hundred changes of one version are one', async () => {
  const store = storeOn(ports.table);
  await store.create(comment(), text());
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, n) => store.change(comment(), n % 2 ? holding : publishing)),
  );
  const [won] = all.filter(({ done }) => done);
  expect(all.filter(({ done }) => done)).toHaveLength(1);
  expect(await store.log('c1')).toMatchObject([{ version: 2, to: won?.comment.status }]);
});

it('the first judgement of a text stands, and comes back with its signals', async () => {
  const judgement: Judgement = {
    verdict: 'publish',
    score: 0.1,
    toxicity: 0,
    lang: 'en',
    signals: [{ name: 'new-writer', weight: 0.3, words: 'The first comment of this writer' }],
    reason: 'clean',
    policyVersion: 0,
    modelVersion: 'm',
    executionId: 'x',
    revision: 1,
    at: 1,
  };
  const store = storeOn(ports.table);
  await store.create(comment(), text());
  expect(await store.keepJudgement('c1', judgement)).toEqual(judgement);
  expect(await store.keepJudgement('c1', { ...judgement, verdict: 'hold' })).toEqual(judgement);
  expect(await store.judged([comment()])).toEqual([comment({ judgement })]);
});

it('a comment under way is in no listing, one that waits for its parent is', async () => {
  const store = storeOn(ports.table);
  await store.create(comment(), text());
  const listed = async () => (await ports.table.query({ index: 'gsi2', pk: 'Q#blog#received' })).items.length;
  expect(await listed()).toBe(0);
  await store.annotate(comment(), { parked: true });
  expect(await listed()).toBe(1);
});
