import { randomUUID } from 'node:crypto';
import type { BusEvent } from '../../shared/events.ts';
import type { Bus, Clock, PutEntry } from '../../shared/ports.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Topology } from '../topology.ts';
import type { Database } from './database.ts';
import { compilePattern } from './patterns.ts';
import type { LocalQueue } from './queues.ts';

export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

export type LocalBus = {
  /** `time` (ms since the epoch, default now) and `resources` are what a direct `PutEvents` may say besides. */
  put(entries: readonly (PutEntry & { time?: number; resources?: readonly string[] })[]): ReturnType<Bus['put']>;
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

  return {
    onEvent(listener) {
      listeners = [...listeners, listener];
    },
    async put(entries) {
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
      const reached = new Set<LocalQueue>();
      const routed = events.some((event) => compiled.some(({ matches }) => matches(event)));
      // An event that nobody listens for costs no write.
      if (routed)
        await database.write(() => {
          for (const event of events) {
            const body = JSON.stringify(event);
            for (const { name, rule, matches } of compiled) {
              if (!matches(event)) continue;
              const queue = queueOf(queues, rule.target.queue);
              try {
                queue.enqueue(body, rule.target.messageGroup ? { group: rule.target.messageGroup } : {});
                reached.add(queue);
              } catch (error) {
                if (!(error instanceof SluiceError && error.code === 'Queue.TooLarge')) throw error;
                const dead = queueOf(queues, rule.deadLetter);
                dead.enqueue(
                  JSON.stringify({
                    source: rule.target.queue,
                    reason: error.code,
                    detail: `rule ${name}: ${error.message}`,
                    message: body,
                  }),
                );
                reached.add(dead);
              }
            }
          }
        });
      for (const queue of reached) queue.arrived();
      for (const event of events) for (const listener of listeners) listener(event);
      return events.map(({ id }) => id);
    },
  };
}

function queueOf(queues: Record<string, LocalQueue>, name: string): LocalQueue {
  const queue = queues[name];
  if (!queue)
    throw new SluiceError('Topology.Unsupported', `no queue ${name}`, { hint: 'declare it in infra/topology.ts' });
  return queue;
}
