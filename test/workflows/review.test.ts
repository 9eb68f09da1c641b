import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service, Workflows } from '../../shared/ports.ts';
import { gate, LINKS, pipeline, type Pipeline } from './pipeline.ts';

const DAY_MS = 86_400_000;
let line: Pipeline;
afterEach(() => line.end());
const ended = () => expect.poll(() => line.executions().map(({ status }) => status), { timeout: 5000 });
const token = (id: string) => line.store.get(id).then((comment) => comment?.token);

/** Waits at the gate before the function runs, whenever `at` says so of its input. */
const pausing =
  (at: (input: { token?: string }) => boolean, door: ReturnType<typeof gate>) =>
  (real: Service): Service =>
  (ports) => {
    const handler = real(ports);
    return async (input, invocation) => {
      if (at(input as { token?: string })) await door.arrive();
      return handler(input, invocation);
    };
  };

async function held(id: string) {
  await line.submit(id, { body: LINKS });
  await line.quiet();
  expect(await line.status(id)).toBe('held');
}

/** What has to be true after one decision to publish, however it went. */
async function publishedOnce(id: string) {
  await ended().toEqual(['SUCCEEDED']);
  expect(await line.status(id)).toBe('published');
  expect(await line.publications(id)).toBe(1);
  expect(line.told('DecisionMade', id)).toBe(1);
  expect(line.told('CommentPublished', id)).toBe(1);
  expect(await line.total()).toBe(1);
  expect((await line.store.get(id))?.owed).toBeUndefined();
}

describe('a decision', () => {
  beforeEach(async () => {
    line = await pipeline();
    await held('c1');
    await expect.poll(() => token('c1')).toBeDefined();
  });

  it('wakes the review that waits, which publishes', async () => {
    expect(await line.decide('c1', 'publish')).toMatchObject({ result: 'done', status: 'published' });
    await publishedOnce('c1');
  });

  it.each(['reject', 'spam'] as const)('to %s ends the review too, and nothing is public', async (action) => {
    await line.decide('c1', action);
    await ended().toEqual(['SUCCEEDED']);
    expect(await line.total()).toBe(0);
    expect(line.told('CommentPublished', 'c1')).toBe(0);
  });

  it('made twice is made once', async () => {
    const { version } = await line.store.mustGet('c1');
    const decision = { id: 'c1', version, action: 'publish' } as const;
    const { decide } = await import('../../services/moderation/decide.ts');
    const results = await Promise.all([1, 2, 3].map(() => decide(line.ports, 'ada', decision)));
    expect(results.map(({ result }) => result).toSorted()).toEqual(['done', 'unchanged', 'unchanged']);
    await publishedOnce('c1');
  });

  it('of somebody else on the same version is a conflict', async () => {
    const { version } = await line.store.mustGet('c1');
    const { decide } = await import('../../services/moderation/decide.ts');
    await decide(line.ports, 'ada', { id: 'c1', version, action: 'publish' });
    expect(await decide(line.ports, 'bo', { id: 'c1', version, action: 'reject' })).toMatchObject({
      result: 'conflict',
      status: 'published',
    });
    await publishedOnce('c1');
  });

  it('on a hold that follows wakes the review of that hold', async () => {
    await line.decide('c1', 'publish');
    await ended().toEqual(['SUCCEEDED']);
    await line.decide('c1', 'hold');
    await expect.poll(() => line.executions().length).toBe(2);
    await expect.poll(() => token('c1')).toBeDefined();
    await line.decide('c1', 'reject');
    await ended().toEqual(['SUCCEEDED', 'SUCCEEDED']);
    expect(await line.status('c1')).toBe('rejected');
    expect(await line.total()).toBe(0);
  });
});

describe('a decision at a bad moment', () => {
  it('between the storing of the hold and its token is not waited for', async () => {
    const door = gate();
    line = await pipeline({ services: { 'await-decision': pausing(({ token }) => token !== undefined, door) } });
    await held('c1');
    await door.reached;
    expect(await token('c1')).toBeUndefined();
    expect(await line.decide('c1', 'publish')).toMatchObject({ result: 'done' });
    door.open();
    await expect.poll(() => line.executions().every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    expect(await line.status('c1')).toBe('published');
    expect(await line.publications('c1')).toBe(1);
    expect(line.told('DecisionMade', 'c1')).toBe(1);
    expect(await line.total()).toBe(1);
  });

  it('while a reminder replaces the token finds the review awake', async () => {
    const door = gate();
    line = await pipeline({ services: { remind: pausing(() => true, door) } });
    await held('c1');
    await expect.poll(() => token('c1')).toBeDefined();
    const before = await token('c1');
    await line.wind(DAY_MS + 1000);
    await door.reached;
    expect(await token('c1')).toBe(before);
    expect(await line.decide('c1', 'publish')).toMatchObject({ result: 'done' });
    door.open();
    await expect.poll(() => line.executions().every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    expect(await line.status('c1')).toBe('published');
    expect(await line.publications('c1')).toBe(1);
    expect(await line.total()).toBe(1);
  });

  it('after a reminder wakes by the newer token', async () => {
    line = await pipeline();
    await held('c1');
    await expect.poll(() => token('c1')).toBeDefined();
    const before = await token('c1');
    await line.wind(DAY_MS + 1000);
    await expect.poll(async () => (await token('c1')) !== before, { timeout: 5000 }).toBe(true);
    await line.decide('c1', 'publish');
    await publishedOnce('c1');
  });

  it('whose wake is lost is found by the reconciler', async () => {
    line = await pipeline();
    await held('c1');
    await expect.poll(() => token('c1')).toBeDefined();
    const lost: Workflows = {
      ...line.ports.workflows,
      succeed: () => Promise.reject(new Error('the process died here')),
    };
    expect(await line.decide('c1', 'publish', { workflows: lost })).toMatchObject({ result: 'done' });
    expect(line.executions()).toMatchObject([{ status: 'RUNNING' }]);
    expect((await line.store.get('c1'))?.owed).toBeDefined();
    await line.wind(60_000);
    await line.invoke('reconcile', {});
    await ended().toEqual(['SUCCEEDED']);
    expect(await line.publications('c1')).toBe(1);
    expect(line.told('CommentPublished', 'c1')).toBe(1);
    expect((await line.store.get('c1'))?.owed).toBeUndefined();
  });

  it('between its write and its wake meets the reminder, and is done once', async () => {
    line = await pipeline();
    await held('c1');
    await expect.poll(() => token('c1')).toBeDefined();
    const door = gate();
    const slow: Workflows = {
      ...line.ports.workflows,
      async succeed(key, output) {
        await door.arrive();
        return line.ports.workflows.succeed(key, output);
      },
    };
    const decided = line.decide('c1', 'publish', { workflows: slow });
    await door.reached;
    await line.wind(DAY_MS + 1000);
    await ended().toEqual(['SUCCEEDED']);
    door.open();
    expect(await decided).toMatchObject({ result: 'done' });
    await expect.poll(() => line.executions().every(({ status }) => status === 'SUCCEEDED')).toBe(true);
    expect(await line.publications('c1')).toBe(1);
    expect(await line.total()).toBe(1);
  });
});

describe('a comment that nobody decides', () => {
  it('goes on waiting, reminded each day', async () => {
    line = await pipeline();
    await held('c1');
    for (let day = 0; day < 3; day++) {
      await expect.poll(() => token('c1')).toBeDefined();
      const before = await token('c1');
      await line.wind(DAY_MS + 1000);
      await expect.poll(async () => (await token('c1')) !== before, { timeout: 5000 }).toBe(true);
    }
    expect(line.executions()).toMatchObject([{ status: 'RUNNING' }]);
    expect(await line.status('c1')).toBe('held');
  });
});
