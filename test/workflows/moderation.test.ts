import { afterEach, describe, expect, it } from 'vitest';
import { topology } from '../../infra/topology.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Service } from '../../shared/ports.ts';
import { messageOf } from '../../shared/store/dead-letters.ts';
import { LINKS, loseGroup, pipeline, type Pipeline } from './pipeline.ts';

let line: Pipeline;
afterEach(() => line.end());
const status = (id: string) => expect.poll(() => line.status(id), { timeout: 5000 });

/** Fails while `faulty` says so, before the function itself. */
const failing =
  (faulty: () => Error | undefined) =>
  (real: Service): Service =>
  (ports) => {
    const handler = real(ports);
    return async (input, invocation) => {
      const fault = faulty();
      if (fault) throw fault;
      return handler(input, invocation);
    };
  };
const down = () => Object.assign(new Error('the store next door is down'), { name: 'Upstream.Down' });

describe('an event that comes more than once', () => {
  it('is published once, at once or later', async () => {
    line = await pipeline();
    await Promise.all(Array.from({ length: 5 }, () => line.submit('twin')));
    await line.quiet();
    await line.submit('twin');
    await line.quiet();
    expect(await line.status('twin')).toBe('published');
    expect(await line.publications('twin')).toBe(1);
    expect(await line.total()).toBe(1);
    expect(await line.deadLetters()).toEqual([]);
  });

  it('is held once, and waited for by one review', async () => {
    line = await pipeline();
    await Promise.all(Array.from({ length: 5 }, () => line.submit('twin', { body: LINKS })));
    await line.quiet();
    expect(await line.status('twin')).toBe('held');
    expect(line.executions()).toMatchObject([{ status: 'RUNNING' }]);
  });

  it('with other words under the same id is a dead letter, and changes nothing', async () => {
    line = await pipeline();
    await line.submit('mine');
    await line.quiet();
    await line.submit('mine', { body: 'Somebody else under the same id.' });
    await line.quiet();
    await expect.poll(() => line.deadLetters()).toMatchObject([{ reason: 'Comment.IdTaken', commentId: 'mine' }]);
    expect((await line.store.revision('mine', 1))?.body).toBe('The mine remark stands alone.');
  });
});

describe('a reply', () => {
  it('before its parent waits, and is published after it', async () => {
    line = await pipeline();
    await line.submit('reply', { parentId: 'parent' });
    await line.quiet();
    expect(await line.status('reply')).toBe('received');
    await line.submit('parent');
    await line.quiet();
    await line.wind(5000);
    await status('reply').toBe('published');
    expect(await line.store.get('reply')).toMatchObject({ depth: 1, parentId: 'parent' });
    expect(await line.total()).toBe(2);
  });

  it('is released when its held parent is published, once', async () => {
    line = await pipeline();
    await line.submit('parent', { body: LINKS });
    await line.quiet();
    await line.submit('reply', { parentId: 'parent' });
    await line.submit('other', { parentId: 'parent' });
    await line.quiet();
    expect(await line.status('reply')).toBe('received');
    await line.decide('parent', 'publish');
    await status('reply').toBe('published');
    await status('other').toBe('published');
    expect(await line.publications('reply')).toBe(1);
    await expect.poll(() => line.store.parked('parent')).toEqual([]);
    expect(await line.total()).toBe(3);
  });

  it('is held with the reason when its held parent is rejected', async () => {
    line = await pipeline();
    await line.submit('parent', { body: LINKS });
    await line.quiet();
    await line.submit('reply', { parentId: 'parent' });
    await line.quiet();
    await line.decide('parent', 'reject');
    await status('reply').toBe('held');
    expect(await line.store.get('reply')).toMatchObject({ holdReason: 'parent-removed' });
  });

  it('to a parent that was removed is held with the reason', async () => {
    line = await pipeline();
    await line.submit('parent');
    await line.quiet();
    await line.decide('parent', 'remove');
    await line.submit('reply', { parentId: 'parent' });
    await status('reply').toBe('held');
    expect(await line.store.get('reply')).toMatchObject({ holdReason: 'parent-removed' });
  });

  it('that was written long ago waits for its parent like any other', async () => {
    line = await pipeline();
    const submittedAt = new Date(line.clock.now() - 7_200_000).toISOString();
    await line.submit('late', { parentId: 'first', submittedAt });
    await line.quiet();
    await line.submit('first');
    await line.quiet();
    await line.wind(5000);
    await status('late').toBe('published');
  });

  it('to a parent that nobody knows is held after an hour', async () => {
    line = await pipeline();
    await line.submit('orphan', { parentId: 'nobody-ever' });
    for (let look = 0; look < 20 && (await line.status('orphan')) !== 'held'; look++) {
      await line.quiet();
      await line.wind(900_000);
    }
    await status('orphan').toBe('held');
    expect(await line.store.get('orphan')).toMatchObject({ holdReason: 'parent-unknown' });
    expect(await line.deadLetters()).toEqual([]);
  });
});

describe('a fault that passes', () => {
  it('within the run is tried again there', async () => {
    let left = 1;
    const busy = () =>
      left-- > 0 ? new SluiceError('Store.Busy', 'somebody writes', { hint: 'try again' }) : undefined;
    line = await pipeline({ services: { publish: failing(busy) } });
    await line.submit('short');
    await status('short').toBe('published');
    expect(await line.publications('short')).toBe(1);
  });

  it('and took what a run had written from under it: its message stays, and comes again', async () => {
    let lost = false;
    line = await pipeline({
      services: {
        validate: (real) => (ports) => async (input) => {
          // The message is on disk, and what the run writes is not.
          line?.database.flush();
          return real(ports)(input);
        },
        'author-notify': (real) => (ports) => async (input) => {
          const answer = await real(ports)(input);
          if (!lost) loseGroup(line!.database);
          lost = true;
          return answer;
        },
      },
    });
    await line.submit('twice');
    await expect.poll(() => lost).toBe(true);
    expect(await line.status('twice')).toBeUndefined();
    await line.wind(topology.queues.intake!.visibilitySeconds * 1000 + 1);
    await status('twice').toBe('published');
    expect(await line.publications('twice')).toBe(1);
    await line.quiet();
  });

  it('and outlasts the run comes back with a growing delay, and ends well', async () => {
    let faulty = true;
    line = await pipeline({ services: { 'spam-check': failing(() => (faulty ? down() : undefined)) } });
    await line.submit('long');
    const delays = await delaysOf(6);
    expect(delays).toEqual([5, 10, 20, 40, 80, 160]);
    faulty = false;
    await line.wind(320_000);
    await status('long').toBe('published');
    expect(await line.publications('long')).toBe(1);
    expect(await line.deadLetters()).toEqual([]);
  });

  it('for a day is a dead letter with its reason, which a redrive publishes', { timeout: 60_000 }, async () => {
    let faulty = true;
    line = await pipeline({ services: { publish: failing(() => (faulty ? down() : undefined)) } });
    await line.submit('stuck');
    const delays = await delaysOf(200);
    expect(delays.slice(0, 8)).toEqual([5, 10, 20, 40, 80, 160, 320, 640]);
    expect(Math.max(...delays)).toBe(900);
    const waited = delays.reduce((sum, delay) => sum + delay, 0);
    expect(waited).toBeGreaterThan(86_400);
    expect(waited).toBeLessThan(86_400 + 1800);
    await expect
      .poll(() => line.deadLetters())
      .toMatchObject([
        { reason: 'Upstream.Down', commentId: 'stuck', source: 'intake', detail: 'the store next door is down' },
      ]);
    expect(await line.status('stuck')).toBe('received');
    faulty = false;
    const [letter] = await line.deadLetters();
    await line.queues.intake?.send(messageOf(letter!, line.ports.vault), { group: 'lane-00' });
    await status('stuck').toBe('published');
  });

  /** Winds the clock to each return of the one message that waits, until it does not come back. */
  async function delaysOf(most: number): Promise<number[]> {
    const delays: number[] = [];
    while (delays.length < most) {
      await line.quiet();
      const at = line.queues.intake?.nextAt();
      if (at === undefined) break;
      delays.push((at - line.clock.now()) / 1000);
      if (delays.length < most) await line.wind(at - line.clock.now());
    }
    return delays;
  }
});

describe('a fault for good is a dead letter at once, with its reason:', () => {
  it.each([
    ['an event without an author', { author: undefined }, 'Comment.Malformed', 'author'],
    ['a body of another type', { body: 7 }, 'Comment.Malformed', 'body'],
    ['an unknown field', { admin: true }, 'Comment.Malformed', 'admin'],
    ['a site that nobody made', { site: 'elsewhere' }, 'Site.Unknown', 'elsewhere'],
  ])('%s', async (_what, more, reason, words) => {
    line = await pipeline();
    await line.submit('bad', more);
    await expect.poll(() => line.deadLetters()).toMatchObject([{ reason, detail: expect.stringContaining(words) }]);
    expect(line.queues.intake?.nextAt()).toBeUndefined();
  });

  it('and an address that it carries stands in clear nowhere', async () => {
    line = await pipeline();
    await line.submit('bad', { author: { name: 'Ada', email: 'ada@people.example' }, admin: true });
    await expect.poll(() => line.deadLetters()).toMatchObject([{ reason: 'Comment.Malformed' }]);
    const [letter] = await line.deadLetters();
    const rows = line.database.sqlite.prepare('SELECT doc FROM item').all() as { doc: string }[];
    expect(rows.filter(({ doc }) => doc.includes('ada@people.example'))).toEqual([]);
    expect(messageOf(letter!, line.ports.vault)).toContain('ada@people.example');
  });
});
