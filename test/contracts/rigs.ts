import { localQueues } from '../../infra/local/queues.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { localTable } from '../../infra/local/table.ts';
import type { QueueSpec } from '../../infra/topology.ts';
import type { Queue } from '../../shared/ports.ts';
import type { QueueRig } from './queue.contract.ts';
import type { TableRig } from './table.contract.ts';

/** A clock that stands until it is wound. */
export function woundClock(nowMs = Date.now()): { now(): number; wind(ms: number): void } {
  let at = nowMs;
  return {
    now: () => at,
    wind(ms) {
      at += ms;
    },
  };
}

export async function tableRig(): Promise<TableRig> {
  const clock = woundClock();
  const database = openDatabase(':memory:');
  return {
    table: localTable(database, clock),
    now: clock.now,
    pass: async (ms) => clock.wind(ms),
    close: async () => database.close(),
  };
}

export async function queueRig(): Promise<QueueRig> {
  const clock = woundClock();
  const database = openDatabase(':memory:');
  let made = 0;
  return {
    async queue({ visibilitySeconds, maxMessageBytes, maxReceives }) {
      const name = `queue-${++made}`;
      const specs: Record<string, QueueSpec> = {
        [name]: {
          visibilitySeconds,
          retentionDays: 14,
          maxMessageBytes,
          deadLetter: { queue: `${name}-dead`, maxReceives },
          fair: true,
        },
        [`${name}-dead`]: { visibilitySeconds: 60, retentionDays: 14, maxMessageBytes: 1_048_576 },
      };
      const queues = localQueues(specs, database, clock);
      return { queue: queues[name] as Queue, dead: queues[`${name}-dead`] as Queue };
    },
    pass: async (ms) => clock.wind(ms),
    close: async () => database.close(),
  };
}
