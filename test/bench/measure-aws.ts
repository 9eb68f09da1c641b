/**
 * What one comment uses on AWS: every read and write of the table by name, events, messages, log lines and processor time
 * of each function, counted while comments run through door, functions and decisions in this process.
 *
 * `node test/bench/measure-aws.ts` writes infra/aws/measurements.json, which `npm run cost` reads.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { EntryMeasure, Measurements } from '../../infra/aws/cost-model.ts';
import { bytesOf, metered } from '../../infra/aws/meter.ts';
import { authorNotify } from '../../services/author-notify/handler.ts';
import { awaitDecision } from '../../services/await-decision/handler.ts';
import { doorOf } from '../../services/door/door.ts';
import { doorRoutes } from '../../services/door/routes.ts';
import { hold } from '../../services/hold/handler.ts';
import { decide } from '../../services/moderation/decide.ts';
import { publish } from '../../services/publish/handler.ts';
import { reconcile } from '../../services/reconcile/handler.ts';
import { reject } from '../../services/reject/handler.ts';
import { spamCheck } from '../../services/spam-check/handler.ts';
import { validate } from '../../services/validate/handler.ts';
import { serve } from '../../shared/http.ts';
import type { Ports, Service, Table } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { chanceOf, nameOf, remark } from '../faults/chance.ts';
import { memoryPorts } from '../fakes.ts';

const COMMENTS = 300;
/** One in so many leaves an e-mail; all writers are new here, which is the dearest case. */
const WITH_EMAIL = 2;
/** What is waited for, against one request to the table: a transaction of DynamoDB, an event put. */
const TRANSACTION = 2.5;
const PUT = 3;
/** An entry of an index that carries keys alone. */
const ENTRY_BYTES = 300;
/** As long as they are there. */
const ARN =
  'arn:aws:states:us-east-1:000000000000:express:moderation-prod:2a0e3d8c-9a41-4b7e-8a57-0e3a3c1d9f11:7b0c1d2e-0000-4000-8000-000000000000';
/** Honest words, about 280 bytes, as in the published thread samples. */
function textOf(n: number): string {
  const chance = chanceOf(n);
  let text = remark(chance);
  while (text.length < 250) text += ` ${remark(chance)}`;
  return text;
}

type Tally = {
  calls: number;
  cpuMs: number;
  logBytes: number;
  events: number;
  eventBytes: number;
  sends: number;
  /** Of all calls, and how far the present one got. */
  rounds: number;
  depth: number;
  uses: Map<string, { count: number; writeUnits: number; readUnits: number }>;
};

export async function measure(): Promise<Measurements> {
  const tallies = new Map<string, Tally>();
  let current: Tally | undefined;
  const tallyOf = (name: string) => {
    const tally = tallies.get(name) ?? {
      calls: 0,
      cpuMs: 0,
      logBytes: 0,
      events: 0,
      eventBytes: 0,
      sends: 0,
      rounds: 0,
      depth: 0,
      uses: new Map(),
    };
    tallies.set(name, tally);
    return tally;
  };
  const memory = memoryPorts();
  /** What is begun at the same time is waited for once. */
  const waited = async <T>(rounds: number, work: () => Promise<T>): Promise<T> => {
    const [tally, begun] = [current, current?.depth ?? 0];
    const result = await work();
    if (tally) tally.depth = Math.max(tally.depth, begun + rounds);
    return result;
  };
  const roundsOf = (group: readonly unknown[]) => (group.length > 1 ? TRANSACTION : 1);
  const waiting: { id: string; 'detail-type': string; source: string; time: string; detail: unknown }[] = [];
  const inRounds = (table: Table): Table => ({
    get: (...asked) => waited(1, () => table.get(...asked)),
    getMany: (...asked) => waited(1, () => table.getMany(...asked)),
    query: (asked) => waited(1, () => table.query(asked)),
    write: (writes) => waited(roundsOf(writes), () => table.write(writes)),
    writeInTurn: (groups) =>
      waited(
        groups.reduce((sum, group) => sum + roundsOf(group), 0),
        () => table.writeInTurn(groups),
      ),
    increment: (...asked) => waited(1, () => table.increment(...asked)),
  });
  const ports: Ports = {
    ...memory,
    log: pino(
      { level: 'info', base: { function: 'function', stage: 'prod' } },
      { write: (line: string) => void (current && (current.logBytes += Buffer.byteLength(line))) },
    ),
    table: inRounds(
      metered(memory.table, ({ name, writeUnits, readUnits }) => {
        if (!current) return;
        const use = current.uses.get(name) ?? { count: 0, writeUnits: 0, readUnits: 0 };
        current.uses.set(name, {
          count: use.count + 1,
          writeUnits: use.writeUnits + writeUnits,
          readUnits: use.readUnits + readUnits,
        });
      }),
    ),
    bus: {
      async put(entries) {
        await waited(PUT, async () => {});
        for (const { source, type, detail } of entries) {
          const body = JSON.stringify(detail);
          if (current) {
            current.events += Math.max(1, Math.ceil(Buffer.byteLength(body) / 65_536));
            current.eventBytes += Buffer.byteLength(body);
          }
          if (source === 'sluice.comments') {
            waiting.push({
              id: `e${waiting.length}`,
              'detail-type': type,
              source,
              time: new Date(ports.clock.now()).toISOString(),
              detail,
            });
          }
        }
        return entries.map((_, index) => `e${index}`);
      },
    },
    workflows: { start: async () => 'started', succeed: async () => 'woken', fail: async () => 'woken' },
  };
  const inside = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const tally = tallyOf(name);
    current = tally;
    tally.depth = 0;
    const before = process.cpuUsage();
    try {
      return await work();
    } finally {
      const { user, system } = process.cpuUsage(before);
      tally.cpuMs += (user + system) / 1000;
      tally.calls++;
      tally.rounds += tally.depth;
      current = undefined;
    }
  };
  const unit = (name: string, service: Service) => {
    const handle = service(ports);
    return (input: unknown) =>
      inside(name, () => handle(input)) as Promise<{ next: string; version: number; reason: string }>;
  };

  await sitesOf(memory.table, memory.clock).put({
    id: 'blog',
    name: 'A blog',
    origins: ['https://blog.example'],
    threadParams: [],
    authors: [],
    moderatorEmails: [],
  });
  const door = doorOf(ports, { rateLimit: true });
  const app = serve(doorRoutes(door), { authenticate: async () => undefined, log: ports.log });
  const functions = {
    validate: unit('validate', validate),
    judge: unit('spam-check', spamCheck),
    publish: unit('publish', publish),
    follow: unit('follow', publish),
    notify: unit('author-notify', authorNotify),
    hold: unit('hold', hold),
    reject: unit('reject', reject),
    awaits: unit('await-decision', awaitDecision),
  };
  const at = new Date(memory.clock.now()).toISOString();
  const entered = { entered: at, retries: 0 };
  const trace = { startedAt: at, Validate: entered, Judge: entered, Publish: { entered: at } };

  const submit = async (n: number) => {
    const response = await inside('door submit', async () =>
      app.fetch(
        new Request(`https://comments.example/v1/sites/blog/threads/post-${n % 20}/comments`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': `key-${n}` },
          body: JSON.stringify({
            author: { name: nameOf(n), ...(n % WITH_EMAIL === 0 && { email: `reader${n}@example.org` }) },
            body: textOf(n),
            page: { url: `https://blog.example/post-${n % 20}`, title: 'A post' },
          }),
        }),
        { client: `198.51.${n % 200}.${n % 250}` },
      ),
    );
    const { statusUrl } = (await response.json()) as { statusUrl: string };
    const event = waiting.pop()!;
    const { id } = event.detail as { id: string };
    // SQS hands the function the event as text, inside its own record.
    await functions.validate({
      record: { messageId: id, body: JSON.stringify(event), attributes: {} },
      executionId: 'arn:aws:states:us-east-1:000000000000:express:moderation:x:y',
    });
    return { id, statusUrl };
  };
  const poll = (statusUrl: string) =>
    inside('door status', async () => app.fetch(new Request(statusUrl), { client: '198.51.100.1' }));

  // Warm: the first hundred are not counted, since a function that is compiled once runs many times.
  for (let n = 0; n < 100 + COMMENTS; n++) {
    if (n === 100) tallies.clear();
    memory.wind(700);
    const { id, statusUrl } = await submit(n);
    const judged = await functions.judge({ id, version: 1, executionId: ARN });
    // A twentieth is held and decided by a person, a twentieth rejected: the shares of the cost model.
    if (n % 20 === 0) {
      const held = await functions.hold({ ...judged, id, reason: 'score', executionId: ARN, trace });
      await functions.awaits({ id, version: held.version, token: 't'.repeat(600) });
      await inside('decide', () => decide(ports, 'ada', { id, version: held.version, action: 'publish' } as never));
      await functions.follow({ id, version: held.version, executionId: ARN });
      await functions.notify({ id, version: held.version + 1 });
    } else if (n % 20 === 1) {
      await functions.reject({ ...judged, id, reason: 'score', executionId: ARN, trace });
    } else {
      const published = await functions.publish({ ...judged, id, executionId: ARN, trace });
      await functions.notify({ ...published, id });
    }
    await poll(statusUrl);
  }
  const mend = unit('reconcile', reconcile);
  await mend({});

  // What expires is not kept; every hundred bytes of overhead an item and an entry are counted.
  const kept = [...memory.table.items.values()].filter(({ expiresAt }) => expiresAt === undefined);
  const bytes = kept.reduce((sum, item) => {
    const all = bytesOf(item) + 100;
    return sum + all + (item.gsi1pk ? all : 0) + (item.gsi2pk ? ENTRY_BYTES : 0) + (item.gsi3pk ? ENTRY_BYTES : 0);
  }, 0);
  const storedBytes = Math.round(bytes / (100 + COMMENTS));

  const entries: Record<string, EntryMeasure> = Object.fromEntries(
    [...tallies].map(([name, { calls, cpuMs, logBytes, events, eventBytes, sends, rounds, uses }]) => [
      name,
      {
        cpuMs: round(cpuMs / calls),
        logBytes: Math.round(logBytes / calls),
        events: round(events / calls),
        eventBytes: Math.round(eventBytes / calls),
        sends: round(sends / calls),
        rounds: round(rounds / calls),
        table: Object.fromEntries(
          [...uses].map(([use, { writeUnits, readUnits }]) => [
            use,
            { writeUnits: round(writeUnits / calls), readUnits: round(readUnits / calls) },
          ]),
        ),
      },
    ]),
  );
  return {
    measuredAt: new Date().toISOString().slice(0, 10),
    node: process.version,
    comments: COMMENTS,
    storedBytes,
    entries,
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

if (import.meta.main) {
  const measurements = await measure();
  writeFileSync(
    join(import.meta.dirname, '../../infra/aws/measurements.json'),
    `${JSON.stringify(measurements, null, 2)}\n`,
  );
  for (const [name, { cpuMs, rounds, table }] of Object.entries(measurements.entries)) {
    const sum = (unit: 'writeUnits' | 'readUnits') =>
      Object.values(table)
        .reduce((all, use) => all + use[unit], 0)
        .toFixed(1);
    process.stdout.write(
      `${name}: ${cpuMs} ms, ${rounds} rounds, ${sum('writeUnits')} writes, ${sum('readUnits')} reads\n`,
    );
  }
}
