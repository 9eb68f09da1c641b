import { afterEach, describe, expect, it, vi } from 'vitest';
import { defaultKeys, moveKey } from './keys.ts';
import { wordDiff } from './diff.ts';
import { NO_FILTERS, Queue } from './queue.ts';
import type { Row } from './types.ts';
import { t, WORDS } from './words.ts';

const rowOf = (id: string): Row => ({
  id,
  version: 2,
  status: 'held',
  site: 'demo',
  thread: { key: '/a', title: 'A', url: '', closed: false },
  author: { name: 'Ada', key: 'ada', trusted: false, published: 0, rejected: 0, spam: 0, firstSeen: 0 },
  html: '',
  excerpt: '',
  lang: '',
  top: [],
  submittedAt: 0,
  revision: 1,
  publishedRevision: null,
  pendingRevision: null,
  reports: 0,
  similar: 0,
  fingerprint: '',
  linkHosts: [],
});

/** A server that answers each call in turn. */
function answering(...answers: (object | 'down')[]) {
  const calls: { path: string; headers: Record<string, string>; body: unknown }[] = [];
  vi.stubGlobal('fetch', async (path: string, init: { headers: Record<string, string>; body?: string }) => {
    calls.push({ path, headers: init.headers, body: init.body && JSON.parse(init.body) });
    const answer = answers.shift();
    if (answer === 'down' || !answer) throw new TypeError('fetch failed');
    return Response.json(answer);
  });
  return calls;
}

async function queueOf(...ids: string[]): Promise<Queue> {
  answering({ comments: ids.map(rowOf), total: ids.length, nextCursor: null });
  const queue = new Queue('mia');
  await queue.read(NO_FILTERS);
  return queue;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('the list behind the queue', () => {
  it('marks a decision at once, and keeps its place', async () => {
    const queue = await queueOf('c1', 'c2');
    const done = { id: 'c1', result: 'done', version: 3, status: 'published', decisionId: 'd1' };
    answering({ results: [done] });
    const sent = queue.decide(['c1'], 'publish');
    expect(queue.entries.map(({ state }) => state)).toEqual(['sending', 'open']);
    await sent;
    expect(queue.entries.map(({ row, state }) => [row.id, state])).toEqual([
      ['c1', 'done'],
      ['c2', 'open'],
    ]);
  });

  it('sends a decision again under the same key when the server was away', async () => {
    const queue = await queueOf('c1');
    const done = { id: 'c1', result: 'done', version: 3, status: 'published', decisionId: 'd1' };
    const calls = answering('down', { results: [done] });
    await queue.decide(['c1'], 'publish');
    expect(calls).toHaveLength(2);
    expect(calls[0]?.headers['idempotency-key']).toBe(calls[1]?.headers['idempotency-key']);
    expect(queue.entries[0]?.state).toBe('done');
  });

  it('says who was faster', async () => {
    const queue = await queueOf('c1');
    answering({ results: [{ id: 'c1', result: 'conflict', version: 3, status: 'spam', decidedBy: 'tom' }] });
    await queue.decide(['c1'], 'publish');
    expect(queue.entries[0]).toMatchObject({ state: 'stale', by: 'tom', row: { status: 'spam', version: 3 } });
    expect(queue.undoable).toEqual([]);
  });

  it('goes on past what others hold or have decided', async () => {
    const queue = await queueOf('c1', 'c2', 'c3', 'c4');
    const event = { id: '1', at: Date.now(), site: 'demo', by: 'tom' };
    queue.take({ ...event, commentId: 'c2', type: 'claimed' });
    queue.take({ ...event, commentId: 'c3', type: 'decided', version: 3, status: 'published' });
    expect(queue.next(0)).toBe(3);
    queue.expireClaims(Date.now() + 61_000);
    expect(queue.next(0)).toBe(1);
  });

  it('waits for the answer to a decision before it is undone', async () => {
    const queue = await queueOf('c1');
    const done = { id: 'c1', result: 'done', version: 3, status: 'published', decisionId: 'd1' };
    const calls = answering({ results: [done] }, { id: 'c1', result: 'done', version: 4, status: 'held' });
    void queue.decide(['c1'], 'publish');
    expect(await queue.undo()).toEqual({ undone: 1, refused: [] });
    expect(calls[1]?.path).toBe('/v1/moderation/decisions/d1/undo');
    expect(queue.entries[0]).toMatchObject({ state: 'open', row: { status: 'held', version: 4 } });
  });

  it('sends thousands in parts, with progress', async () => {
    const ids = Array.from({ length: 250 }, (_, n) => `c${n}`);
    const queue = await queueOf(...ids);
    const results = ids.map((id) => ({ id, result: 'done', version: 3, status: 'spam', decisionId: `d-${id}` }));
    answering(
      { results: results.slice(0, 100) },
      { results: results.slice(100, 200) },
      { results: results.slice(200) },
    );
    const seen: number[] = [];
    queue.subscribe(() => seen.push(queue.progress?.done ?? -1));
    const batch = await queue.decide(ids, 'spam');
    expect(batch.decisions).toHaveLength(250);
    expect(seen).toEqual(expect.arrayContaining([100, 200, 250]));
  });
});

describe('shortcuts', () => {
  it('change places when a key is taken', () => {
    const { keys } = moveKey(defaultKeys(), 'publish', 's');
    expect([keys.publish, keys.spam]).toEqual(['s', 'p']);
  });
});

describe('what changed', () => {
  it.each([
    ['one word', 'see this link', 'see that link', 'see -this-+that+ link'],
    ['an addition', 'hello', 'hello world', 'hello+ world+'],
    ['nothing', 'same', 'same', 'same'],
  ])('is marked by words: %s', (_name, before, after, marked) => {
    const text = wordDiff(before, after).map(({ kind, text: part }) =>
      kind === 'same' ? part : kind === 'gone' ? `-${part}-` : `+${part}+`,
    );
    expect(text.join('')).toBe(marked);
  });
});

describe('words', () => {
  it('fill in the same values in every language', () => {
    const uneven = Object.entries(WORDS).filter(([, versions]) => {
      const names = versions.map((text) => [...new Set(text.match(/(?<=\{)\w+/g))].sort().join());
      return new Set(names).size > 1;
    });
    expect(uneven).toEqual([]);
  });

  it('go by the number', () => {
    expect(t('total', { n: 1 })).toBe('1 comment');
    expect(t('total', { n: 5000 })).toBe('5,000 comments');
  });
});
