import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Queue, QueueMessage } from '../../shared/ports.ts';

export type QueueRig = {
  /** A new, empty queue. After `maxReceives` a message is in the dead letters. */
  queue(settings: { visibilitySeconds: number; maxMessageBytes: number; maxReceives: number }): Promise<{
    queue: Queue;
    dead: Queue;
  }>;
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
  /** Why the adapter's far end cannot show a message's group; unset when it can. */
  groupsUnseen?: string;
  /** Why the adapter's far end refuses characters beyond the basic plane; unset when it takes them. */
  astralRefused?: string;
};

const SETTINGS = { visibilitySeconds: 2, maxMessageBytes: 4096, maxReceives: 3 };

/** Every promise of `Queue`, asked of one adapter; a queue of its own for each case. */
export function queueContract(adapter: string, rig: () => Promise<QueueRig>): void {
  describe(`queue contract, ${adapter}`, () => {
    let at: QueueRig;
    beforeAll(async () => {
      at = await rig();
    });
    afterAll(() => at.close());

    it('hands over the JSON that was sent, whatever characters it holds', async () => {
      const { queue } = await at.queue(SETTINGS);
      const body = JSON.stringify({ text: 'Grüße ✓\n\u0000\uFFFF"<&>\uD800' });
      const before = Date.now();
      await queue.send(body);
      const [message] = await queue.receive(1);
      expect(message).toMatchObject({ receiveCount: 1 });
      expect(JSON.parse(message!.body)).toEqual(JSON.parse(body));
      expect(message!.id).toMatch(/./);
      expect(message!.sentAt).toBeGreaterThan(before - 86_400_000);
    });

    it('hands over an emoji', async ({ skip }) => {
      if (at.astralRefused) skip(at.astralRefused);
      const { queue } = await at.queue(SETTINGS);
      await queue.send('"👋"');
      expect(bodies(await queue.receive(1))).toEqual(['"👋"']);
    });

    it('shows a message again once its visibility timeout has passed, and counts', async () => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('c1');
      expect(await queue.receive(1)).toMatchObject([{ body: 'c1', receiveCount: 1 }]);
      expect(await queue.receive(1)).toEqual([]);
      await at.pass(2100);
      expect(await queue.receive(1)).toMatchObject([{ body: 'c1', receiveCount: 2 }]);
    });

    it('removes for good, and takes a second removal', async () => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('c1');
      const [message] = await queue.receive(1);
      await queue.remove(message!.receipt);
      await queue.remove(message!.receipt);
      await at.pass(2100);
      expect(await queue.receive(1)).toEqual([]);
    });

    it('takes no harm from a change of visibility after the removal', async () => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('c1');
      const [message] = await queue.receive(1);
      await queue.remove(message!.receipt);
      await queue.changeVisibility(message!.receipt, 0);
      expect(await queue.receive(1)).toEqual([]);
    });

    it('shows at once what a consumer gives back, and hides for longer what needs longer', async () => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('back');
      const [back] = await queue.receive(1);
      await queue.changeVisibility(back!.receipt, 0);
      const [again] = await queue.receive(1);
      expect(again).toMatchObject({ body: 'back', receiveCount: 2 });
      await queue.changeVisibility(again!.receipt, 30);
      await at.pass(2100);
      expect(await queue.receive(1)).toEqual([]);
    });

    it('delays', async () => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('later', { delaySeconds: 1 });
      expect(await queue.receive(1)).toEqual([]);
      expect(await queue.attributes()).toMatchObject({ delayed: 1 });
      await at.pass(1100);
      expect(bodies(await queue.receive(1))).toEqual(['later']);
    });

    it('hands over at most as many as asked for, all of them in the end, each to one receiver', async () => {
      const { queue } = await at.queue(SETTINGS);
      const sent = Array.from({ length: 25 }, (_, n) => `m${n}`);
      for (const body of sent) await queue.send(body);
      expect((await queue.receive(3)).length).toBeLessThanOrEqual(3);
      const rest = await drain(queue);
      expect(new Set(bodies(rest)).size).toBe(rest.length);
      expect(rest.length).toBeGreaterThanOrEqual(22);
    });

    it('moves a message to the dead letters after its last receive', async () => {
      const { queue, dead } = await at.queue(SETTINGS);
      await queue.send('poison');
      for (let receives = 0; receives < 3; receives++) {
        const [message] = await queue.receive(1);
        expect(message).toMatchObject({ body: 'poison', receiveCount: receives + 1 });
        await queue.changeVisibility(message!.receipt, 0);
      }
      expect(await queue.receive(1)).toEqual([]);
      expect(bodies(await dead.receive(1))).toEqual(['poison']);
    });

    it('takes a message of just its size, and refuses one byte more, counted in UTF-8', async () => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('x'.repeat(4096));
      await queue.send('é'.repeat(2048));
      await expect(queue.send('x'.repeat(4097))).rejects.toMatchObject({ code: 'Queue.TooLarge' });
      await expect(queue.send('é'.repeat(2048) + 'x')).rejects.toMatchObject({ code: 'Queue.TooLarge' });
    });

    it('counts what waits, what is in flight and what is delayed', async () => {
      const { queue } = await at.queue(SETTINGS);
      expect(await queue.attributes()).toEqual({ depth: 0, inFlight: 0, delayed: 0 });
      await queue.send('a');
      await queue.send('b');
      await queue.send('c', { delaySeconds: 60 });
      await queue.receive(1);
      expect(await queue.attributes()).toEqual({ depth: 1, inFlight: 1, delayed: 1 });
    });

    it('takes messages of many groups and hands over all of them', async ({ skip }) => {
      const { queue } = await at.queue(SETTINGS);
      await queue.send('a1', { group: 'lane-01' });
      await queue.send('b1', { group: 'lane-02' });
      await queue.send('none');
      const messages = await drain(queue);
      expect(bodies(messages).toSorted()).toEqual(['a1', 'b1', 'none']);
      if (at.groupsUnseen) skip(at.groupsUnseen);
      expect(messages.find(({ body }) => body === 'a1')?.group).toBe('lane-01');
    });
  });
}

const bodies = (messages: readonly QueueMessage[]) => messages.map(({ body }) => body);
const drain = async (queue: Queue) => {
  const all: QueueMessage[] = [];
  for (let receives = 0; receives < 50; receives++) {
    const some = await queue.receive(10);
    if (some.length === 0) break;
    all.push(...some);
  }
  return all;
};
