import { randomUUID } from 'node:crypto';
import type { BusEvent } from '../../shared/events.ts';
import type { Bus, Clock, PutEntry } from '../../shared/ports.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Rule, Topology } from '../topology.ts';
import type { Database, Writes } from './database.ts';
import { compilePattern } from './patterns.ts';
import type { LocalQueue } from './queues.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

export type LocalBus = {
  /** `time` (ms since the epoch, default now) and `resources` are what a direct `PutEvents` may say besides. */
  put(entries: readonly (PutEntry & { time?: number; resources?: readonly string[] })[]): ReturnType<Bus['put']>;
  /** The same bus, which takes an entry as soon as it stands in the open group. */
  inOrder: Bus;
  onEvent(listener: (event: BusEvent) => void): void;
};

/**
 * The bus: each event goes to the queue of every rule that matches, all in one group, so that a put that was answered is
 * in its queues.
 *
 * An event that a target will not take (its size) goes to the rule's dead letters, as EventBridge does.
 */
export function localBus(
  { rules }: Pick<Topology, 'rules'>,
  queues: Record<string, LocalQueue>,
  database: Database,
  clock: Clock,
): LocalBus {
  const compiled = Object.entries(rules).map(([name, rule]) => ({ name, rule, matches: compilePattern(rule.pattern) }));
  let listeners: ((event: BusEvent) => void)[] = [];

  const putBy =
    ({ write, writeOne }: Writes): LocalBus['put'] =>
    async (entries) => {
      const events = entries.map(({ id, source, type, detail, time, resources }): BusEvent => ({
        version: '0',
        id: id ?? randomUUID(),
        'detail-type': type,
        source,
        account: ACCOUNT,
        time: new Date(time ?? clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
        region: REGION,
        resources: resources ?? [],
        detail,
      }));
      const deliveries = events.flatMap((event) => {
        const suits = matching(event);
        const body = suits.length > 0 ? JSON.stringify(event) : '';
        return suits.map((rule) => ({ ...rule, body }));
      });
      // An event that nobody listens for costs no write, and one that one queue takes is one statement.
      const [first] = deliveries;
      if (first && deliveries.length === 1) await writeOne(() => deliver(first));
      else if (first) await write(() => deliveries.forEach(deliver));
      for (const event of events) for (const listener of listeners) listener(event);
      return events.map(({ id }) => id);
    };

  const matching = (event: BusEvent) => compiled.filter(({ matches }) => matches(event));

  const deliver = ({ name, rule, body }: { name: string; rule: Rule; body: string }): void => {
    try {
      const { messageGroup: group } = rule.target;
      queueOf(queues, rule.target.queue).enqueue(body, group ? { group } : {});
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'Queue.TooLarge')) throw error;
      const letter = {
        source: rule.target.queue,
        reason: error.code,
        detail: `rule ${name}: ${error.message}`,
        message: body,
      };
      queueOf(queues, rule.deadLetter).enqueue(JSON.stringify(letter));
    }
  };

  return {
    put: putBy(database),
    inOrder: { put: putBy(database.inOrder) },
    onEvent(listener) {
      listeners = [...listeners, listener];
    },
  };
}

function queueOf(queues: Record<string, LocalQueue>, name: string): LocalQueue {
  const queue = queues[name];
  if (!queue)
    throw new SluiceError('Topology.Unsupported', `no queue ${name}`, { hint: 'declare it in infra/topology.ts' });
  return queue;
}
