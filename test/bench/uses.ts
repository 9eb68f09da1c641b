/**
 * What one comment reads and writes, step by step, in the four ordinary cases: `node test/bench/uses.ts`.
 *
 * The same functions over a table in memory that counts as DynamoDB bills; requests to the table are SQL calls here.
 */
import { bytesOf, metered } from '../../infra/aws/meter.ts';
import { authorNotify } from '../../services/author-notify/handler.ts';
import { awaitDecision } from '../../services/await-decision/handler.ts';
import { doorOf } from '../../services/door/door.ts';
import { doorRoutes } from '../../services/door/routes.ts';
import { hold } from '../../services/hold/handler.ts';
import { decide } from '../../services/moderation/decide.ts';
import { publish } from '../../services/publish/handler.ts';
import { spamCheck } from '../../services/spam-check/handler.ts';
import { validate } from '../../services/validate/handler.ts';
import { serve } from '../../shared/http.ts';
import type { Ports, PutEntry, Service, Table } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { memoryPorts } from '../fakes.ts';

type Row = { gets: number; queries: number; writes: number; items: number; writeUnits: number; readUnits: number };
const KINDS = ['gets', 'queries', 'writes', 'items', 'writeUnits', 'readUnits'] as const;

const TEXT =
  'Thanks for writing this up. I ran into the same thing last week and your second example was what finally made it click, ' +
  'although I had to read it twice. One question: does it still hold when the list is empty, or would you guard against that first?';

let row: Row | undefined;
const memory = memoryPorts();
const billed = metered(memory.table, ({ writeUnits, readUnits, name }) => {
  if (!row) return;
  row.writeUnits += writeUnits;
  row.readUnits += readUnits;
  if (process.argv.includes('--names')) process.stderr.write(`${name} w${writeUnits} r${readUnits}\n`);
});
const count = <Name extends keyof Table>(method: Name, kind: keyof Row, items: (...args: never[]) => number) =>
  ((...args: never[]) => {
    if (row) row[kind]++;
    if (row && kind === 'writes') row.items += items(...args);
    if (row && kind === 'gets') row.gets += items(...args) - 1;
    return (billed[method] as (...all: never[]) => unknown)(...args);
  }) as Table[Name];
const table: Table = {
  get: count('get', 'gets', () => 1),
  getMany: count('getMany', 'gets', ((keys: readonly unknown[]) => keys.length) as never),
  query: count('query', 'queries', () => 1),
  write: count('write', 'writes', ((writes: readonly unknown[]) => writes.length) as never),
  writeInTurn: count(
    'writeInTurn',
    'writes',
    ((groups: readonly (readonly unknown[])[]) => groups.flat().length) as never,
  ),
  increment: count('increment', 'writes', () => 1),
};
const events: PutEntry[] = [];
const ports: Ports = {
  ...memory,
  table,
  bus: { put: async (entries) => (events.push(...entries), entries.map(() => 'e')) },
  workflows: { start: async () => 'started', succeed: async () => 'woken', fail: async () => 'woken' },
};
await sitesOf(memory.table, memory.clock).put({
  id: 'blog',
  name: 'A blog',
  origins: ['https://blog.example'],
  threadParams: [],
  authors: [],
  moderatorEmails: [],
});

const steps = new Map<string, Row>();
async function within<T>(step: string, work: () => Promise<T>): Promise<T> {
  row = steps.get(step) ?? { gets: 0, queries: 0, writes: 0, items: 0, writeUnits: 0, readUnits: 0 };
  steps.set(step, row);
  if (process.argv.includes('--names')) process.stderr.write(`- ${step}\n`);
  const result = await work();
  row = undefined;
  return result;
}
const unit = (name: string, service: Service) => {
  const handle = service(ports);
  return (input: unknown) => within(name, () => handle(input) as Promise<Record<string, unknown>>);
};
const app = serve(doorRoutes(doorOf(ports, { rateLimit: true })), {
  authenticate: async () => undefined,
  log: ports.log,
});
const run = {
  validate: unit('validate', validate),
  judge: unit('spam-check', spamCheck),
  publish: unit('publish', publish),
  notify: unit('author-notify', authorNotify),
  hold: unit('hold', hold),
  awaits: unit('await-decision', awaitDecision),
};
const trace = {
  startedAt: new Date(memory.clock.now()).toISOString(),
  Validate: { entered: new Date(memory.clock.now()).toISOString(), retries: 0 },
  Judge: { entered: new Date(memory.clock.now()).toISOString(), retries: 0 },
  Publish: { entered: new Date(memory.clock.now()).toISOString() },
};
const executionId =
  'arn:aws:states:us-east-1:000000000000:express:moderation-prod:2a0e3d8c-9a41-4b7e-8a57-0e3a3c1d9f11:7b0c1d2e-0000-4000-8000-000000000000';

let serial = 0;
async function comment(more: object, { held = false } = {}): Promise<string> {
  serial++;
  const response = await within('door', async () =>
    app.fetch(
      new Request('https://comments.example/v1/sites/blog/threads/post-1/comments', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `key-${serial}` },
        body: JSON.stringify({
          author: { name: `Reader ${serial}`, ...(more as { author?: object }).author },
          body: `${TEXT} ${['Alpha', 'Bravo', 'Charlie', 'Delta', 'Echo', 'Foxtrot', 'Golf', 'Hotel'][serial % 8]!.repeat(4)}`,
          page: { url: 'https://blog.example/post-1', title: 'A post about queues and lists' },
          ...more,
          ...((more as { author?: object }).author && {
            author: { name: `Reader ${serial}`, ...(more as { author?: object }).author },
          }),
        }),
      }),
      { client: `198.51.100.${serial}` },
    ),
  );
  if (response.status !== 202) throw new Error(await response.text());
  const event = events.pop()!;
  const { id } = event.detail as { id: string };
  const body = JSON.stringify({ id, 'detail-type': event.type, source: event.source, detail: event.detail });
  const placed = await run.validate({ record: { messageId: id, body, attributes: {} }, executionId });
  const judged = await run.judge({ ...placed, executionId });
  if (held) {
    const waits = await run.hold({ ...judged, id, version: 1, reason: 'score', executionId, trace });
    await run.awaits({ id, version: waits.version, token: 't'.repeat(600) });
    await within('decide', () => decide(ports, 'ada', { id, version: waits.version as number, action: 'publish' }));
    await run.publish({ id, version: waits.version, executionId });
    await run.notify({ id, version: (waits.version as number) + 1 });
  } else {
    const published = await run.publish({ ...judged, id, version: 1, executionId, trace });
    await run.notify({ ...published, id });
  }
  events.length = 0;
  memory.wind(1000);
  return id;
}

const print = (title: string) => {
  const sum: Row = { gets: 0, queries: 0, writes: 0, items: 0, writeUnits: 0, readUnits: 0 };
  const line = (name: string, cells: Row) =>
    `${name.padEnd(16)}${KINDS.map((kind) => String(Math.round(cells[kind] * 10) / 10).padStart(11)).join('')}\n`;
  process.stdout.write(`\n${title.padEnd(16)}${KINDS.map((kind) => kind.padStart(11)).join('')}\n`);
  for (const [name, cells] of steps) {
    process.stdout.write(line(name, cells));
    for (const kind of KINDS) sum[kind] += cells[kind];
  }
  process.stdout.write(line('all', sum));
  steps.clear();
};

await comment({});
steps.clear();
const parent = await comment({ author: { email: 'first@example.org' }, notifyReplies: true });
steps.clear();
await comment({});
print('anonymous');
await comment({ author: { email: 'some@example.org' } });
print('with e-mail');
await comment({ parentId: parent, author: { email: 'more@example.org' }, notifyReplies: true });
print('reply, notify');
await comment({}, { held: true });
print('held, approved');
if (process.argv.includes('--sizes')) {
  for (const item of memory.table.items.values()) process.stdout.write(`${bytesOf(item)} ${JSON.stringify(item)}\n`);
}
