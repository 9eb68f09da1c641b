import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { QueueMessage } from '../../shared/ports.ts';
import { localBus } from '../../infra/local/bus.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { localQueues, type LocalQueue } from '../../infra/local/queues.ts';
import { LANES, topology } from '../../infra/topology.ts';
import { busContract } from './bus.contract.ts';
import { clockIdsContract } from './clock-ids.contract.ts';
import { mailContract } from './mail.contract.ts';
import { queueContract } from './queue.contract.ts';
import { busRig, clockIdsRig, mailRig, queueRig, tableRig, workflowsRig, woundClock } from './rigs.ts';
import { tableContract } from './table.contract.ts';
import { workflowsContract } from './workflows.contract.ts';

tableContract('SQLite', tableRig);
queueContract('SQLite', queueRig);
busContract('SQLite', busRig);
mailContract('SMTP', mailRig);
workflowsContract('SQLite', workflowsRig);
clockIdsContract('one process', clockIdsRig);

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});
const bodies = (messages: readonly QueueMessage[]) => messages.map(({ body }) => body);

function queuesIn(folder: string, clock = woundClock()) {
  const database = openDatabase(folder);
  ends.push(() => database.close());
  const queues = localQueues(topology.queues, database, clock);
  return { database, queues, clock, intake: queues.intake as LocalQueue };
}

describe('lanes', () => {
  it('are served in turn: a flood in one does not hold up another', async () => {
    const { intake } = queuesIn(':memory:');
    for (let n = 0; n < 200; n++) await intake.send(`flood-${n}`, { group: 'lane-00' });
    await intake.send('calm-1', { group: 'lane-01' });
    await intake.send('calm-2', { group: 'lane-02' });
    expect(bodies(await intake.receive(4))).toEqual(expect.arrayContaining(['calm-1', 'calm-2']));
  });

  it('leave the turns that they do not use to the one that is busy', async () => {
    const { intake } = queuesIn(':memory:');
    for (let n = 0; n < 10; n++) await intake.send(`flood-${n}`, { group: 'lane-00' });
    await intake.send('calm', { group: 'lane-01' });
    expect(await intake.receive(10)).toHaveLength(10);
    expect(await intake.receive(10)).toHaveLength(1);
  });

  it('keep their order', async () => {
    const { intake } = queuesIn(':memory:');
    for (let n = 0; n < 5; n++) await intake.send(`m${n}`, { group: 'lane-03' });
    expect(bodies(await intake.receive(5))).toEqual(['m0', 'm1', 'm2', 'm3', 'm4']);
  });
});

describe('a message in flight of a process that died', () => {
  const folderOf = () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-queue-'));
    ends.push(() => rmSync(folder, { recursive: true }));
    return folder;
  };

  it('is visible at once to the next, and keeps its count', async () => {
    const folder = folderOf();
    const before = queuesIn(folder);
    await before.intake.send('c1', { group: 'lane-04' });
    await before.intake.send('later', { delaySeconds: 60 });
    expect(await before.intake.receive(1)).toMatchObject([{ receiveCount: 1 }]);
    const after = queuesIn(folder, before.clock);
    expect(await after.intake.receive(10)).toMatchObject([{ body: 'c1', receiveCount: 2, group: 'lane-04' }]);
  });

  it('is a dead letter after as many crashes as its queue allows, seen without another start', async () => {
    const folder = folderOf();
    const first = queuesIn(folder);
    await first.intake.send('poison');
    let now = first;
    for (let crash = 0; crash < 8; crash++) {
      expect(await now.intake.receive(1)).toHaveLength(1);
      now = queuesIn(folder, first.clock);
    }
    let arrivals = 0;
    now.queues['intake-dead']?.onArrival(() => {
      arrivals += 1;
    });
    expect(await now.intake.receive(1)).toEqual([]);
    expect(arrivals).toBe(1);
    expect(bodies((await now.queues['intake-dead']?.receive(1)) ?? [])).toEqual(['poison']);
  });
});

describe('rules', () => {
  const busOf = () => {
    const rig = queuesIn(':memory:');
    const bus = localBus(topology, rig.queues, rig.database, rig.clock);
    const put = (detail: object) => bus.put([{ source: 'sluice.comments', type: 'CommentSubmitted', detail }]);
    return { ...rig, bus, put };
  };

  it.each(LANES)('send an event of %s to the intake in that lane', async (lane) => {
    const { intake, put } = busOf();
    await put({ lane });
    expect(await intake.receive(10)).toMatchObject([{ group: lane }]);
  });

  it.each([
    ['no lane', {}],
    ['a lane that is none', { lane: 'lane-99' }],
    ['a lane that is no text', { lane: 7 }],
    ['a lane of null', { lane: null }],
  ])('send an event with %s to the intake once, in none', async (_what, detail) => {
    const { intake, put } = busOf();
    await put(detail);
    const messages = await intake.receive(10);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.group).toBeUndefined();
  });

  it('take no event of another source', async () => {
    const { intake, bus } = busOf();
    await bus.put([{ source: 'somebody.else', type: 'CommentSubmitted', detail: {} }]);
    expect(await intake.attributes()).toEqual({ depth: 0, inFlight: 0, delayed: 0 });
  });

  it('put what the intake will not take among their dead letters, with the reason', async () => {
    const { queues, intake, put } = busOf();
    await put({ lane: 'lane-00', body: 'x'.repeat(70_000) });
    expect(await intake.receive(1)).toEqual([]);
    const [dead] = (await queues['rule-dead']?.receive(1)) ?? [];
    expect(JSON.parse(dead?.body ?? '{}')).toMatchObject({ source: 'intake', reason: 'Queue.TooLarge' });
  });

  it('take all entries of a put or none', async () => {
    const { intake, bus } = busOf();
    const big: { self?: unknown } = {};
    big.self = big;
    const entry = (detail: unknown) => ({ source: 'sluice.comments', type: 'CommentSubmitted', detail });
    await expect(bus.put([entry({ lane: 'lane-00' }), entry(big)])).rejects.toThrow(/circular/i);
    expect(await intake.receive(1)).toEqual([]);
  });
});
