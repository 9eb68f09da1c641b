import { beforeEach, describe, expect, it } from 'vitest';
import type { Action } from '../../shared/comment.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { decide, undo } from '../moderation/decide.ts';
import { addComment, addSite, memoryPorts, type Memory } from '../moderation/testing/memory.ts';
import { inForce } from '../spam-check/lesson.ts';
import { lessonsOf } from '../spam-check/lessons.ts';
import { assess } from '../spam-check/model.ts';
import { learn } from './handler.ts';

let ports: Memory;
beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
});

/** Decides as `user`; returns the decision's id. */
async function decided(id: string, action: Action, { reason, user = 'mia' }: { reason?: string; user?: string } = {}) {
  const { version } = await storeOf(ports.table, ports.clock).mustGet(id);
  const made = await decide(ports, user, { id, version, action, ...(reason && { reason }) });
  expect(made.result).toBe('done');
  return made.decisionId!;
}

/** What the learn queue would carry. */
const events = () =>
  ports.put
    .filter(({ type }) => type === 'DecisionMade')
    .map(({ id, type, detail }) => ({
      messageId: String(id),
      body: JSON.stringify({ 'detail-type': type, detail }),
    }));

/** What the site has learned from these events: an axis and a label each, as far as they count. */
async function learned(Records = events()) {
  expect(await learn(ports)({ Records })).toEqual({ batchItemFailures: [] });
  const { lessons } = await lessonsOf(ports.table, ports.clock).of('demo');
  return (['spam', 'toxicity'] as const).flatMap((axis) =>
    inForce(lessons, axis).map(({ label }) => `${axis} ${label}`),
  );
}

describe('learning from decisions', () => {
  it.each<
    [sentence: string, status: 'held' | 'published' | 'rejected' | 'removed', Action, string | undefined, string[]]
  >([
    ['spam teaches spam', 'held', 'spam', undefined, ['spam 1']],
    ['publishing what was held teaches honesty', 'held', 'publish', undefined, ['spam 0']],
    ['restoring what was rejected teaches honesty', 'rejected', 'restore', undefined, ['spam 0']],
    ['rejecting for abuse teaches toxicity alone', 'held', 'reject', 'abuse', ['toxicity 1']],
    ['rejecting as off-topic teaches nothing', 'held', 'reject', 'off-topic', []],
    ['rejecting without a reason teaches nothing', 'held', 'reject', undefined, []],
    ['removing teaches nothing, abuse or not', 'published', 'remove', 'abuse', []],
    ['restoring what was removed teaches nothing', 'removed', 'restore', undefined, []],
  ])('%s', async (_sentence, status, action, reason, expected) => {
    await addComment(ports, { id: 'c1', status });
    await decided('c1', action, reason ? { reason } : {});
    expect(await learned()).toEqual(expected);
  });

  it('learns a decision once, however often its event comes', async () => {
    await addComment(ports, { id: 'c1' });
    await decided('c1', 'spam');
    await learned();
    const before = structuredClone(await ports.table.get({ pk: 'S#demo', sk: 'lessons' }));
    expect(await learned([...events(), ...events()])).toEqual(['spam 1']);
    expect(await ports.table.get({ pk: 'S#demo', sk: 'lessons' })).toEqual(before);
  });

  it('forgets what was undone, whether the undo comes after its decision or before it', async () => {
    await addComment(ports, { id: 'c1' });
    const spam = await decided('c1', 'spam');
    const [decision] = events();
    await undo(ports, 'mia', spam, () => undefined);
    const both = events();
    expect(await learned([both[1]!, decision!])).toEqual([]);
    expect(await learned([decision!, both[1]!])).toEqual([]);
    // And when its event comes once more, after a later decision.
    await decided('c1', 'publish');
    expect(await learned(events())).toEqual(['spam 0']);
    expect(await learned([decision!])).toEqual(['spam 0']);
  });

  it('believes the newest decision about a comment, in whatever order they come', async () => {
    await addComment(ports, { id: 'c1' });
    await decided('c1', 'spam');
    await decided('c1', 'restore', { user: 'ann' });
    expect(await learned(events().toReversed())).toEqual(['spam 0']);
  });

  it('learns the text that was decided about: a refused edit does not make spam of the published text', async () => {
    const comment = await addComment(ports, { id: 'c1', status: 'published', body: 'My kiln needs a thermocouple.' });
    const store = storeOf(ports.table, ports.clock);
    await store.change(comment, {
      set: { revision: 2, pendingRevision: 2 },
      by: 'writer',
      action: 'edit',
      revision: { commentId: 'c1', revision: 2, body: 'Zanzibar mortgage voucher!', html: '', at: 0 },
    });
    await decided('c1', 'spam');
    expect(await learned()).toEqual(['spam 1']);
    const site = await lessonsOf(ports.table, ports.clock).of('demo');
    const shift = (text: string) => assess({ text }, site).logOdds - assess({ text }).logOdds;
    expect(shift('Zanzibar mortgage voucher!')).toBeGreaterThan(0.1);
    expect(shift('My kiln needs a thermocouple.')).toBeCloseTo(0, 6);
  });

  it('does not learn from what the policy decided by itself', async () => {
    await addComment(ports, { id: 'c1' });
    await decided('c1', 'spam');
    const [event] = events();
    expect(await learned([{ ...event!, body: event!.body.replace('user:mia', 'policy') }])).toEqual([]);
  });
});
