import { randomUUID } from 'node:crypto';
import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Queue, QueueMessage } from '../../shared/ports.ts';
import type { QueueSpec } from '../topology.ts';
import type { Database, Writes } from './database.ts';

type MessageRow = {
  id: number;
  uuid: string;
  lane: string;
  body: string;
  receive_count: number;
  sent_at: number;
};

/** A backlog is counted again only after this many times what its last count took: who asks all day does not slow it. */
const RECOUNT_AFTER = 50;
/** Fewer than this are counted each time. */
const FEW = 500;

export type LocalQueue = Queue & {
  name: string;
  spec: QueueSpec;
  /** The same queue for steps whose message is their durability: resolves as soon as it stands in the open group. */
  inOrder: Pick<Queue, 'send' | 'receive' | 'remove'>;
  /** Puts a message inside a group that is open already: for the bus, which writes all targets at once. Its id. */
  enqueue(body: string, options?: { delaySeconds?: number; group?: string }): string;
  /** Calls back when something may be visible, until what it answers is called. */
  onArrival(listener: () => void): () => void;
  /** Calls them, once for all that this turn of the event loop brings: for whom winds the clock. */
  arrived(): void;
  /** When the next message becomes visible, in ms since the epoch. */
  nextAt(): number | undefined;
};

/**
 * SQS standard queues over SQLite: visibility timeout, delay, maximum receives into a dead-letter queue, message groups
 * served in turn.
 *
 * Messages that a dead process had in flight are visible at once, and keep their receive count.
 */
export function localQueues(
  specs: Record<string, QueueSpec>,
  database: Database,
  clock: Clock,
): Record<string, LocalQueue> {
  const { sqlite } = database;
  sqlite.exec('UPDATE message SET visible_at = 0, receipt = NULL WHERE receipt IS NOT NULL');

  // By number: node:sqlite looks up each name at each call.
  const insert = sqlite.prepare(
    'INSERT INTO message (uuid, queue, lane, body, visible_at, sent_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)',
  );
  const heads = sqlite.prepare(
    `SELECT id, uuid, lane, body, receive_count, sent_at FROM message
      WHERE queue = ?1 AND lane = ?2 AND visible_at <= ?3 ORDER BY visible_at, id LIMIT ?4`,
  );
  const hide = sqlite.prepare(
    `UPDATE message SET visible_at = ?1, receipt = ?2, receive_count = receive_count + 1,
       first_received_at = coalesce(first_received_at, ?3) WHERE id = ?4`,
  );
  const bury = sqlite.prepare(
    `UPDATE message SET queue = $dead, lane = '', visible_at = $now, receipt = NULL, receive_count = 0 WHERE id = $id`,
  );
  const drop = sqlite.prepare('DELETE FROM message WHERE receipt = ?1');
  const show = sqlite.prepare(
    'UPDATE message SET visible_at = $at, receipt = iif($at <= $now, NULL, receipt) WHERE receipt = $receipt',
  );
  const tally = sqlite.prepare(
    `SELECT count(*) AS total, coalesce(sum(receipt IS NOT NULL AND visible_at > $now), 0) AS inFlight,
       coalesce(sum(receipt IS NULL AND visible_at > $now), 0) AS delayed FROM message WHERE queue = $queue`,
  );
  const soonest = sqlite.prepare('SELECT min(visible_at) AS at FROM message WHERE queue = $queue AND lane = $lane');
  const eldest = sqlite.prepare(
    `SELECT sent_at AS at FROM message WHERE queue = $queue AND lane = $lane AND visible_at <= $now
      ORDER BY visible_at, id LIMIT 1`,
  );
  // From lane to lane through the index: DISTINCT would read every message.
  const lanesOf = sqlite.prepare(
    `WITH RECURSIVE next (lane) AS (
       SELECT min(lane) FROM message WHERE queue = $queue UNION ALL
       SELECT (SELECT min(lane) FROM message WHERE queue = $queue AND lane > next.lane) FROM next WHERE lane IS NOT NULL)
     SELECT lane FROM next WHERE lane IS NOT NULL`,
  );

  const queues: Record<string, LocalQueue> = {};
  const arrivals: Record<string, () => void> = {};
  const lanesByQueue = new Map(
    Object.keys(specs).map((name) => [
      name,
      new Set((lanesOf.all({ $queue: name }) as { lane: string }[]).map(({ lane }) => lane)),
    ]),
  );
  for (const [name, spec] of Object.entries(specs)) {
    const lanes = lanesByQueue.get(name) as Set<string>;
    let turn = 0;
    let counted: { depth: number; inFlight: number; delayed: number; until: number } | undefined;
    let listeners: (() => void)[] = [];
    let announced = false;
    // What arrived need not be on disk yet: who receives it writes after it.
    const arrived = (arrivals[name] = () => {
      if (announced) return;
      announced = true;
      setImmediate(() => {
        announced = false;
        for (const listener of listeners) listener();
      });
    });

    const enqueue: LocalQueue['enqueue'] = (body, { delaySeconds = 0, group = '' } = {}) => {
      const bytes = Buffer.byteLength(body);
      if (bytes > spec.maxMessageBytes) {
        throw new SluiceError('Queue.TooLarge', `${bytes} bytes, and ${name} takes ${spec.maxMessageBytes}`, {
          hint: 'send less',
        });
      }
      const lane = spec.fair ? group : '';
      lanes.add(lane);
      const now = clock.now();
      const id = randomUUID();
      insert.run(id, name, lane, body, now + delaySeconds * 1000, now);
      arrived();
      return id;
    };

    /** One from each lane in turn, until `max` are there or all lanes are dry. */
    const pick = (max: number, now: number): MessageRow[] => {
      const order = [...lanes];
      const from = turn % Math.max(1, order.length);
      const inTurn = [...order.slice(from), ...order.slice(0, from)];
      const share = Math.max(1, Math.ceil(max / Math.max(1, order.length)));
      const picked = new Map<number, MessageRow>();
      const busy: string[] = [];
      for (const lane of inTurn) {
        if (picked.size === max) break;
        const rows = heads.all(name, lane, now, Math.min(share, max - picked.size)) as MessageRow[];
        for (const row of rows) picked.set(row.id, row);
        if (rows.length === share) busy.push(lane);
      }
      // A lone busy lane may use what the others left.
      for (const lane of share < max ? busy : []) {
        if (picked.size === max) break;
        for (const row of heads.all(name, lane, now, max) as MessageRow[]) {
          if (picked.size < max) picked.set(row.id, row);
        }
      }
      turn = from + 1;
      return [...picked.values()];
    };

    const by = ({ write, writeOne }: Writes): LocalQueue['inOrder'] => ({
      async send(body, options) {
        await writeOne(() => void enqueue(body, options));
      },
      async receive(max) {
        const now = clock.now();
        return write(() => {
          const taken: QueueMessage[] = [];
          for (const row of pick(max, now)) {
            if (spec.deadLetter && row.receive_count >= spec.deadLetter.maxReceives) {
              bury.run({ $dead: spec.deadLetter.queue, $now: now, $id: row.id });
              lanesByQueue.get(spec.deadLetter.queue)?.add('');
              arrivals[spec.deadLetter.queue]?.();
              continue;
            }
            const receipt = randomUUID();
            hide.run(now + spec.visibilitySeconds * 1000, receipt, now, row.id);
            taken.push({
              id: row.uuid,
              receipt,
              body: row.body,
              receiveCount: row.receive_count + 1,
              sentAt: row.sent_at,
              ...(row.lane && { group: row.lane }),
            });
          }
          return taken;
        });
      },
      async remove(receipt) {
        await writeOne(() => drop.run(receipt));
      },
    });

    queues[name] = {
      name,
      spec,
      enqueue,
      arrived,
      ...by(database),
      inOrder: by(database.inOrder),
      onArrival(listener) {
        listeners = [...listeners, listener];
        return () => {
          listeners = listeners.filter((each) => each !== listener);
        };
      },
      nextAt() {
        // Lanes that ran dry go, and those come in which another process wrote (`redrive` beside the server).
        lanes.clear();
        for (const { lane } of lanesOf.all({ $queue: name }) as { lane: string }[]) lanes.add(lane);
        let next: number | undefined;
        for (const lane of lanes) {
          const { at } = soonest.get({ $queue: name, $lane: lane }) as { at: number | null };
          if (at !== null && (next === undefined || at < next)) next = at;
        }
        return next;
      },
      async changeVisibility(receipt, seconds) {
        const now = clock.now();
        await database.writeOne(() => show.run({ $at: now + seconds * 1000, $receipt: receipt, $now: now }));
        arrived();
      },
      async oldestAt() {
        const $now = clock.now();
        const heads = (lanesOf.all({ $queue: name }) as { lane: string }[]).flatMap(
          ({ lane }) => eldest.all({ $queue: name, $lane: lane, $now }) as { at: number }[],
        );
        return heads.length === 0 ? undefined : Math.min(...heads.map(({ at }) => at));
      },
      async attributes() {
        const began = performance.now();
        if (!counted || began > counted.until) {
          const { total, inFlight, delayed } = tally.get({ $queue: name, $now: clock.now() }) as {
            total: number;
            inFlight: number;
            delayed: number;
          };
          const ended = performance.now();
          counted = {
            depth: total - inFlight - delayed,
            inFlight,
            delayed,
            until: total < FEW ? 0 : ended + (ended - began) * RECOUNT_AFTER,
          };
        }
        const { depth, inFlight, delayed } = counted;
        return { depth, inFlight, delayed };
      },
    };
  }
  return queues;
}

/** Sends from beside a running server: the row alone, in this process's own write. */
export function queueNamesOf(
  specs: Record<string, QueueSpec>,
  database: Database,
  clock: Clock,
): (queue: string, body: string, group?: string) => Promise<void> {
  const insert = database.sqlite.prepare(
    'INSERT INTO message (uuid, queue, lane, body, visible_at, sent_at) VALUES ($uuid, $queue, $lane, $body, $now, $now)',
  );
  return async (queue, body, group = '') => {
    const spec = specs[queue];
    if (!spec)
      throw new SluiceError('Request.Invalid', `there is no queue ${queue}`, { hint: 'see infra/topology.ts' });
    await database.write(() =>
      insert.run({ $uuid: randomUUID(), $queue: queue, $lane: spec.fair ? group : '', $body: body, $now: clock.now() }),
    );
  };
}
