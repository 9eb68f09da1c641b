import { afterEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../infra/local/database.ts';
import { localQueues } from '../infra/local/queues.ts';
import { topology } from '../infra/topology.ts';
import { woundClock } from './contracts/rigs.ts';
import { pipeline, type Pipeline } from './workflows/pipeline.ts';

let line: Pipeline;
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
async function begin(options: Parameters<typeof pipeline>[0] = {}): Promise<void> {
  line = await pipeline(options);
  ends.push(line.end);
}

type Batch = { Records: { messageId: string; body: string }[] };

describe('of a batch from a queue', () => {
  /** Learns nothing, and answers for each batch what a test says. */
  const learning = (answer: (batch: Batch) => string[]) => {
    const taken: string[] = [];
    const learn = () => () => async (input: unknown) => {
      const batch = input as Batch;
      taken.push(...batch.Records.map(({ body }) => body));
      return { batchItemFailures: answer(batch).map((itemIdentifier) => ({ itemIdentifier })) };
    };
    return { taken, learn };
  };
  const sent = async (bodies: readonly string[]) => {
    for (const body of bodies) await line.queues.learn!.send(body);
  };
  const again = async () => {
    await line.wind(topology.queues.learn!.visibilitySeconds * 1000 + 1);
    await new Promise((done) => setTimeout(done, 50));
  };

  it('the messages that failed come again, and no others', async () => {
    let sick = true;
    const { taken, learn } = learning(({ Records }) =>
      sick ? Records.filter(({ body }) => body === 'b').map(({ messageId }) => messageId) : [],
    );
    await begin({ services: { learn } });
    await sent(['a', 'b', 'c']);
    await expect.poll(() => taken.toSorted()).toEqual(['a', 'b', 'c']);
    sick = false;
    await again();
    await expect.poll(() => taken.toSorted()).toEqual(['a', 'b', 'b', 'c']);
    expect(await line.queues.learn!.attributes()).toEqual({ depth: 0, inFlight: 0, delayed: 0 });
  });

  it('all come again when the answer names a message that was not in it', async () => {
    let sick = true;
    const { taken, learn } = learning(() => (sick ? ['nobody'] : []));
    await begin({ services: { learn } });
    await sent(['a']);
    await expect.poll(() => taken).toEqual(['a']);
    sick = false;
    await again();
    await expect.poll(() => taken).toEqual(['a', 'a']);
  });
});

it('a message waits for longer than a queue of AWS would keep it', async () => {
  const clock = woundClock();
  const database = openDatabase(':memory:');
  const { faults } = localQueues(topology.queues, database, clock);
  await faults!.send('still here');
  clock.wind((topology.queues.faults!.retentionDays + 1) * 86_400_000);
  expect(await faults!.receive(1)).toMatchObject([{ body: 'still here' }]);
  database.close();
});

it('an Express execution is named as a Standard one', async () => {
  await begin();
  await line.submit('plain');
  await expect.poll(() => line.status('plain')).toBe('published');
  const traces = (await line.store.log('plain')).flatMap(({ trace }) => (trace ? [trace.executionId] : []));
  expect(traces).toEqual([expect.stringMatching(/^arn:aws:states:us-east-1:\d{12}:execution:moderation:/)]);
});
