import { beforeEach, describe, expect, it } from 'vitest';
import { ACTIONS, STATUSES, type Action, type Comment, type Status } from '../../shared/comment.ts';
import { OUTPUT_EVENTS } from '../../shared/events.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { readAudit } from './audit-log.ts';
import { decide, settleOwed, undo } from './decide.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';

let ports: Memory;
const read = async (id: string): Promise<Comment> => await storeOf(ports.table, ports.clock).mustGet(id);
const anybody = (): void => undefined;
const eventTypes = () => ports.put.map(({ type }) => type);

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
});

describe('a decision', () => {
  it('publishes a held comment, tells it, wakes who waits and owes nothing after', async () => {
    ports.waiting.add('token-1');
    await addComment(ports, { id: 'c1', token: 'token-1' });
    const result = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    expect(result).toMatchObject({ id: 'c1', result: 'done', version: 3, status: 'published', decidedBy: 'mia' });
    const comment = await read('c1');
    expect(comment).toMatchObject({ status: 'published', publishedRevision: 1, publishedAt: ports.clock.now() });
    expect(comment.owed).toBeUndefined();
    expect(comment.token).toBeUndefined();
    expect(comment.heldAt).toBeUndefined();
    expect(ports.woken).toEqual(['token-1']);
    expect(ports.started).toEqual([]);
    expect(eventTypes()).toEqual(['DecisionMade']);
  });

  it.each([
    ['has no token yet', undefined],
    ['is stale', 'token-of-before-the-reminder'],
  ])('starts a review that carries it out when the token %s', async (_name, token) => {
    await addComment(ports, { id: 'c1', ...(token && { token }) });
    await decide(ports, 'mia', { id: 'c1', version: 2, action: 'reject', reason: 'abuse' });
    expect(ports.started).toMatchObject([{ workflow: 'review', name: 'c1-3', input: { id: 'c1', version: 3 } }]);
    expect((await read('c1')).token).toBeUndefined();
  });

  it('puts events that fit their schemas, and tells a removal as one', async () => {
    await addComment(ports, { id: 'c1', status: 'published' });
    await decide(ports, 'mia', {
      id: 'c1',
      version: 2,
      action: 'remove',
      reason: 'illegal',
      message: 'Against the law.',
    });
    expect(eventTypes()).toEqual(['DecisionMade', 'CommentRemoved']);
    for (const { type, detail } of ports.put) {
      expect(OUTPUT_EVENTS[type as keyof typeof OUTPUT_EVENTS].safeParse(detail).error).toBeUndefined();
    }
    expect((await read('c1')).reason).toBe('Against the law.');
  });

  it('stands when the bus is down, and is settled once by whoever comes later', async () => {
    ports.waiting.add('token-1');
    await addComment(ports, { id: 'c1', token: 'token-1' });
    ports.breakBus(1);
    expect(await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' })).toMatchObject({ result: 'done' });
    expect((await read('c1')).owed).toBeDefined();
    expect(ports.put).toEqual([]);
    await settleOwed(ports, await read('c1'));
    await settleOwed(ports, await read('c1'));
    expect(eventTypes()).toEqual(['DecisionMade']);
    expect(ports.woken).toEqual(['token-1']);
    expect((await read('c1')).owed).toBeUndefined();
  });

  it('tells both when a decision falls on one that is still owed', async () => {
    await addComment(ports, { id: 'c1' });
    ports.breakBus(1);
    const first = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    await undo(ports, 'mia', first.decisionId ?? '', anybody);
    expect(ports.put.map(({ detail }) => (detail as { action: string }).action)).toEqual(['publish', 'undo']);
    expect((await read('c1')).owed).toBeUndefined();
  });

  it('is unchanged when the same moderator sends it again', async () => {
    await addComment(ports, { id: 'c1' });
    const first = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    const again = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    expect(again).toMatchObject({ result: 'unchanged', version: 3, decisionId: first.decisionId });
    expect(eventTypes()).toEqual(['DecisionMade']);
  });

  it('is a conflict for another moderator, who learns what was decided by whom', async () => {
    await addComment(ports, { id: 'c1' });
    await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    const late = await decide(ports, 'tom', { id: 'c1', version: 2, action: 'reject' });
    expect(late).toMatchObject({ result: 'conflict', version: 3, status: 'published', decidedBy: 'mia' });
  });

  it('falls once when many decide at the same moment', async () => {
    await addComment(ports, { id: 'c1' });
    const all = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((user) => decide(ports, user, { id: 'c1', version: 2, action: 'publish' })),
    );
    expect(all.filter(({ result }) => result === 'done')).toHaveLength(1);
    expect(all.filter(({ result }) => result === 'conflict')).toHaveLength(4);
    expect(eventTypes()).toEqual(['DecisionMade']);
  });

  it('counts published comments of thread and writer by the change of status alone', async () => {
    const comment = await addComment(ports, { id: 'c1' });
    const done = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    const store = storeOf(ports.table, ports.clock);
    expect(await store.threadCount('demo', comment.thread)).toBe(1);
    await undo(ports, 'mia', done.decisionId ?? '', anybody);
    expect(await store.threadCount('demo', comment.thread)).toBe(0);
  });

  it('is in the audit log, with what the judge had said', async () => {
    await addComment(ports, { id: 'c1' });
    ports.clock.wind(5000);
    await decide(ports, 'mia', { id: 'c1', version: 2, action: 'reject', reason: 'abuse' });
    const { rows } = await readAudit(ports.table, 'demo', { order: 'ascending', limit: 10 });
    expect(rows).toMatchObject([
      {
        by: 'user:mia',
        action: 'reject',
        reason: 'abuse',
        from: 'held',
        to: 'rejected',
        verdict: 'hold',
        waitedMs: 5000,
      },
    ]);
  });
});

describe('what an action does', () => {
  const TARGETS: Partial<Record<Status, Partial<Record<Action, Status>>>> = {
    held: { publish: 'published', restore: 'published', reject: 'rejected', spam: 'spam' },
    published: { remove: 'removed', hold: 'held' },
    rejected: { publish: 'published', restore: 'published' },
    spam: { publish: 'published', restore: 'published' },
    removed: { publish: 'published', restore: 'published' },
  };
  const STANDS: Partial<Record<Action, Status>> = {
    publish: 'published',
    restore: 'published',
    reject: 'rejected',
    spam: 'spam',
    remove: 'removed',
    hold: 'held',
  };
  const cases = STATUSES.flatMap((status) => ACTIONS.map((action) => [action, status] as const));

  it.each(cases)('%s on a %s comment follows the table of transitions', async (action, status) => {
    await addComment(ports, { id: 'c1', status });
    const { result, status: after } = await decide(ports, 'mia', { id: 'c1', version: 2, action });
    const target = TARGETS[status]?.[action];
    const idle = action === 'keep' || STANDS[action] === status ? 'unchanged' : 'conflict';
    const expected = status === 'erased' ? ['missing', undefined] : target ? ['done', target] : [idle, status];
    expect([result, after]).toEqual(expected);
  });

  it('holds under the version that it writes, so that its review is one of its own', async () => {
    await addComment(ports, { id: 'c1', status: 'published' });
    await decide(ports, 'mia', { id: 'c1', version: 2, action: 'hold' });
    expect(await read('c1')).toMatchObject({ status: 'held', version: 3, heldVersion: 3, heldAt: ports.clock.now() });
    expect(ports.started).toMatchObject([{ workflow: 'review', name: 'c1-3', input: { id: 'c1', version: 3 } }]);
  });

  it('keep dismisses reports and changes no status', async () => {
    await addComment(ports, { id: 'c1', status: 'published', reports: 3 });
    expect(await decide(ports, 'mia', { id: 'c1', version: 2, action: 'keep' })).toMatchObject({
      result: 'done',
      version: 3,
      status: 'published',
    });
    expect((await read('c1')).reports).toBe(0);
    expect(ports.started).toEqual([]);
  });

  it('keep leaves a held comment waiting under its token', async () => {
    ports.waiting.add('token-1');
    await addComment(ports, { id: 'c1', token: 'token-1', reports: 3 });
    await decide(ports, 'mia', { id: 'c1', version: 2, action: 'keep' });
    expect(await read('c1')).toMatchObject({ token: 'token-1', status: 'held' });
    expect(ports.woken).toEqual([]);
  });

  it.each([
    ['publish', { publishedRevision: 2, pendingRevision: null, status: 'published' }],
    ['reject', { publishedRevision: 1, pendingRevision: null, status: 'published' }],
    ['spam', { publishedRevision: 1, pendingRevision: null, status: 'published' }],
    ['remove', { pendingRevision: null, status: 'removed' }],
  ] as const)('%s decides an edit that waits under a published text', async (action, expected) => {
    await addComment(ports, { id: 'c1', status: 'published', revision: 2, pendingRevision: 2 });
    expect(await decide(ports, 'mia', { id: 'c1', version: 2, action })).toMatchObject({ result: 'done' });
    expect(await read('c1')).toMatchObject(expected);
  });

  it('restores a removed comment in the text that readers knew, under its first date', async () => {
    await addComment(ports, { id: 'c1', status: 'removed', revision: 2, publishedRevision: 1, publishedAt: 1000 });
    await decide(ports, 'mia', { id: 'c1', version: 2, action: 'restore' });
    expect(await read('c1')).toMatchObject({ status: 'published', publishedRevision: 1, publishedAt: 1000 });
  });
});

describe('undo', () => {
  it('brings back the state before with its timers, as a hold with a review of its own', async () => {
    const before = await addComment(ports, { id: 'c1', heldAt: 5, dueAt: 99, reports: 2 });
    const done = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    const undone = await undo(ports, 'mia', done.decisionId ?? '', anybody);
    expect(undone.result).toBe('done');
    const after = await read('c1');
    const { decisionId, ...rest } = after;
    const { token: _token, ...expected } = before;
    // Readers saw it: it stays listed, for the answers that came meanwhile.
    expect(rest).toEqual({ ...expected, version: 4, heldVersion: 4, publishedAt: expect.any(Number) });
    expect(decisionId).not.toBe(done.decisionId);
    expect(ports.started.at(-1)).toMatchObject({
      name: 'c1-4',
      input: { id: 'c1', version: 4, remindSeconds: 86_400 },
    });
    expect(ports.put.at(-1)?.detail).toMatchObject({ action: 'undo', undoes: done.decisionId, to: 'held' });
    expect(OUTPUT_EVENTS.DecisionMade.safeParse(ports.put.at(-1)?.detail).error).toBeUndefined();
  });

  it('is unchanged when it comes twice', async () => {
    await addComment(ports, { id: 'c1' });
    const done = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    await undo(ports, 'mia', done.decisionId ?? '', anybody);
    expect((await undo(ports, 'mia', done.decisionId ?? '', anybody)).result).toBe('unchanged');
  });

  it('is a conflict once something else happened to the comment', async () => {
    await addComment(ports, { id: 'c1' });
    const done = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'publish' });
    await decide(ports, 'tom', { id: 'c1', version: 3, action: 'remove' });
    expect((await undo(ports, 'mia', done.decisionId ?? '', anybody)).result).toBe('conflict');
  });

  it('takes back an undo', async () => {
    await addComment(ports, { id: 'c1' });
    const done = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'spam' });
    const undone = await undo(ports, 'mia', done.decisionId ?? '', anybody);
    expect((await undo(ports, 'mia', undone.comment?.decisionId ?? '', anybody)).result).toBe('done');
    expect(await read('c1')).toMatchObject({ status: 'spam', decidedBy: 'user:mia', version: 5 });
  });

  it('brings back an edit that a rejection dropped', async () => {
    await addComment(ports, { id: 'c1', status: 'published', revision: 2, pendingRevision: 2, heldAt: 5 });
    const done = await decide(ports, 'mia', { id: 'c1', version: 2, action: 'reject' });
    await undo(ports, 'mia', done.decisionId ?? '', anybody);
    expect(await read('c1')).toMatchObject({ status: 'published', pendingRevision: 2, heldVersion: 4, heldAt: 5 });
  });

  it('finds nothing under an id that nobody gave', async () => {
    expect((await undo(ports, 'mia', 'nothing', anybody)).result).toBe('missing');
  });
});
