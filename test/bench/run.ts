import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import autocannon from 'autocannon';
import { Policy } from '../../shared/policy.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { localBus } from '../../infra/local/bus.ts';
import { localQueues } from '../../infra/local/queues.ts';
import { localTable } from '../../infra/local/table.ts';
import { LANES, topology } from '../../infra/topology.ts';
import { chanceOf, nameOf, remark } from '../faults/chance.ts';
import { freePort, PASSWORD, startChild, type Child } from '../faults/child.ts';
import { coldStart } from './cold-start.ts';
import { deskFigures } from './desk.ts';
import type { Load, Loaded } from './load.ts';

const SITE = 'bench';
const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));
const run = promisify(execFile);
const clock = { now: Date.now };

type Figures = Record<string, number | string>;

const HELP = `npm run bench -- [options]     the benchmarks, as a table and as bench.json (20 minutes; --only for a part)

  --only PART,…       throughput reads starts backlog growth decisions desk import cold
  --seconds N         of full load over HTTP (60)
  --backlog N         comments that wait when the server starts (100000)
  --imported N        comments of the file that is imported (200000)
  --stored N,…        sizes of the store at which a comment's cost is measured (1000 to 1000000)
  --profile DIR       a CPU profile of the server under load

The load generator runs on the same machine. Ratios are to what the machine does in the same run.
`;
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    backlog: { type: 'string', default: '100000' },
    imported: { type: 'string', default: '200000' },
    stored: { type: 'string', default: '1000,10000,100000,1000000' },
    only: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const SECONDS = Number(values.seconds);
const wants = (part: string) => !values.only || values.only.split(',').includes(part);

const work = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const figures: Figures = {};
const say = (name: string, value: number | string): void => {
  figures[name] = typeof value === 'number' ? Math.round(value * 100) / 100 : value;
  process.stdout.write(`  ${name.padEnd(58)} ${String(figures[name]).padStart(12)}\n`);
};

/** A folder with a site that holds nobody for being new. */
async function furnish(name: string): Promise<string> {
  const folder = join(work, name);
  const database = openDatabase(folder);
  const sites = sitesOf(localTable(database, clock), clock);
  await sites.put({ id: SITE, name: 'Bench', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
  await sites.putPolicy(SITE, Policy.parse({}), 0, 'bench');
  database.close();
  return folder;
}

async function load(child: Child, options: Partial<Load>): Promise<Loaded & { file: string }> {
  const file = join(work, `sent-${Date.now()}.json`);
  const full: Load = { port: child.port, site: SITE, seconds: SECONDS, connections: 64, seed: 1, file, ...options };
  const { stdout } = await run(process.execPath, [LOAD, JSON.stringify(full)], { maxBuffer: 1 << 20 });
  return { ...(JSON.parse(stdout) as Loaded), file };
}

/** Resolves once nothing waits in the intake. */
async function drained(child: Child, everyMs = 50): Promise<void> {
  for (;;) {
    const { intake } = (await child.call('GET', '/health')).body.queues;
    if (intake.depth + intake.inFlight === 0) return;
    await new Promise((done) => setTimeout(done, everyMs));
  }
}

/** Resident megabytes, now. */
function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Seconds of processor time so far, all threads. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const percentile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

type Decided = { status: string; publishedAt?: number; heldAt?: number; judgement?: { at: number } };

/** From sending to the decision that the store dates, for every comment of a load. */
function decisionTimes(folder: string, file: string): { times: number[]; undecided: number; held: number } {
  const { sqlite, close } = openDatabase(folder);
  const find = sqlite.prepare(`SELECT doc FROM item WHERE pk = ? AND sk = 'head'`);
  const times: number[] = [];
  let undecided = 0;
  let held = 0;
  for (const { id, at } of JSON.parse(readFileSync(file, 'utf8')) as { id: string; at: number }[]) {
    const row = find.get(`C#${id}`) as { doc: string } | undefined;
    const head = row && (JSON.parse(row.doc) as Decided);
    // A rejection is dated by its judgement, which the decision follows in the same run.
    const decidedAt =
      head?.publishedAt ?? head?.heldAt ?? (head?.status === 'rejected' ? head.judgement?.at : undefined);
    if (head?.status === 'held') held += 1;
    if (decidedAt === undefined) undecided += 1;
    else times.push(decidedAt - at);
  }
  close();
  return { times: times.toSorted((a, b) => a - b), undecided, held };
}

async function throughput(): Promise<void> {
  const folder = await furnish('throughput');
  const port = await freePort();
  const profile = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${values.profile}`, '--cpu-prof-interval=500'] : [];
  const child = startChild(folder, port, { nodeOptions: profile });
  await child.ready;
  const warm = await load(child, { seconds: 3, seed: 2 });
  await drained(child);
  const memory: number[] = [];
  const sampler = setInterval(() => memory.push(residentMb(child.pid)), 500);
  const cpu = cpuSeconds(child.pid);
  const began = performance.now();
  const full = await load(child, { seed: 3 });
  const backlogBegan = performance.now();
  await drained(child);
  const seconds = (performance.now() - began) / 1000;
  clearInterval(sampler);
  const sustained = full.accepted / seconds;
  say('accepted/s at full load', full.accepted / full.seconds);
  say('accepted → decided, comments/s sustained', sustained);
  say('  left to decide when the load ended, s', (performance.now() - backlogBegan) / 1000);
  say('  processor ms a comment, server', ((cpuSeconds(child.pid) - cpu) / full.accepted) * 1000);
  say('  p50 ms to 202', full.p50);
  say('  p99 ms to 202', full.p99);
  say('  refused', full.refused + warm.refused);
  const third = Math.ceil(memory.length / 3);
  const mean = (some: readonly number[]) => some.reduce((sum, n) => sum + n, 0) / some.length;
  say('  resident MB, first third of the load', mean(memory.slice(0, third)));
  say('  resident MB, last third', mean(memory.slice(-third)));

  const half = await load(child, { seed: 4, rate: sustained / 2, seconds: Math.max(5, SECONDS / 2) });
  await drained(child);
  await child.stop();
  const { times, undecided, held } = decisionTimes(folder, half.file);
  say('at half of that, comments/s', half.accepted / half.seconds);
  say('  p50 ms to decision', percentile(times, 0.5));
  say('  p99 ms to decision', percentile(times, 0.99));
  say('  undecided', undecided);
  say('  held, %', (held / Math.max(1, half.accepted)) * 100);
  bareInserts(folder, 64, sustained);
}

/** Rows that were left, inserted again into an empty table of the same shape, those of a group of comments in one transaction. */
function bareInserts(folder: string, together: number, sustained: number): void {
  const from = new DatabaseSync(join(folder, 'sluice.db'), { readOnly: true });
  const comments = (from.prepare(`SELECT count(*) AS n FROM item WHERE sk = 'head'`).get() as { n: number }).n;
  const rows = from.prepare('SELECT * FROM item ORDER BY id LIMIT 100000').all() as Record<
    string,
    string | number | null
  >[];
  const all = (from.prepare('SELECT count(*) AS n FROM item').get() as { n: number }).n;
  from.close();
  const bare = openDatabase(join(folder, 'bare'));
  const columns = Object.keys(rows[0] ?? {}).filter((name) => name !== 'id');
  const insert = bare.sqlite.prepare(
    `INSERT INTO item (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  const perComment = all / comments;
  const group = Math.round(together * perComment);
  const began = performance.now();
  for (let at = 0; at < rows.length; at += group) {
    bare.sqlite.exec('BEGIN IMMEDIATE');
    for (const row of rows.slice(at, at + group)) insert.run(...columns.map((name) => row[name] ?? null));
    bare.sqlite.exec('COMMIT');
  }
  const rate = rows.length / perComment / ((performance.now() - began) / 1000);
  bare.close();
  say(`SQLite alone, the rows left by ${together} comments in a group, comments/s`, rate);
  say('  rows a comment', perComment);
  say('  ours as a share of that, %', (sustained / rate) * 100);
}

/** A thread of a hundred comments, beside a bare server that answers the same bytes. */
async function reads(): Promise<void> {
  const folder = await furnish('reads');
  const child = startChild(folder, await freePort());
  await child.ready;
  const chance = chanceOf(5);
  const path = `/v1/sites/${SITE}/threads/long/comments`;
  for (let n = 0; n < 100; n++) {
    await child.call(
      'POST',
      path,
      { author: { name: nameOf(n) }, body: remark(chance) },
      { 'x-forwarded-for': `198.18.1.${n}` },
    );
  }
  await drained(child);
  const { body } = await child.call('GET', `${path}?limit=100`);
  const bytes = JSON.stringify(body);
  const bare = spawn(
    process.execPath,
    [
      '-e',
      `const body = Buffer.from(process.argv[1], 'utf8');
       const headers = { 'content-type': 'application/json', 'content-length': body.byteLength, etag: '"x"' };
       require('node:http').createServer((_, r) => { r.writeHead(200, headers); r.end(body); })
         .listen(0, '127.0.0.1', function () { console.log(this.address().port); });`,
      bytes,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = (await once(bare.stdout, 'data')) as [Buffer];
  const shoot = async (url: string) =>
    (await autocannon({ url, connections: 32, pipelining: 4, duration: 4, workers: 1 })).requests.average;
  const ours = await shoot(`http://127.0.0.1:${child.port}${path}?limit=100`);
  const theirs = await shoot(`http://127.0.0.1:${Number(line.toString())}/`);
  bare.kill();
  await child.stop();
  say('a thread of 100 comments, requests/s', ours);
  say('  comments in it', (body.comments as unknown[]).length);
  say('  a bare server with the same bytes, requests/s', theirs);
  say('  ours as a share of that, %', (ours / theirs) * 100);
}

async function starts(): Promise<void> {
  const folder = await furnish('starts');
  const times: number[] = [];
  for (let n = 0; n < 6; n++) {
    const port = await freePort();
    const began = performance.now();
    const child = startChild(folder, port);
    await child.ready;
    await child.call('GET', `/v1/sites/${SITE}/threads/none/comments`);
    // The first compiles what the others find compiled.
    if (n > 0) times.push(performance.now() - began);
    await child.stop();
  }
  say(
    'start to first request served, s (median of 5)',
    percentile(
      times.toSorted((a, b) => a - b),
      0.5,
    ) / 1000,
  );
}

/** Puts `count` events where a door would have put them, with nobody there to take them. */
async function putBacklog(folder: string, count: number, seed: number): Promise<void> {
  const database = openDatabase(folder);
  const bus = localBus(topology, localQueues(topology.queues, database, clock), database, clock);
  const chance = chanceOf(seed);
  for (let from = 0; from < count; from += 500) {
    await bus.put(
      Array.from({ length: Math.min(500, count - from) }, (_, index) => ({
        source: 'sluice.comments',
        type: 'CommentSubmitted',
        detail: {
          schema: 1,
          id: `s${seed}-${from + index}`,
          site: SITE,
          thread: `bench-${chance.between(1, 200)}`,
          author: { name: `${nameOf(from + index)} ${seed}` },
          body: remark(chance),
          lane: chance.one(LANES),
        },
      })),
    );
  }
  database.close();
}

async function drain(folder: string): Promise<{ seconds: number; cpu: number }> {
  const child = startChild(folder, await freePort());
  await child.ready;
  const began = performance.now();
  const cpu = cpuSeconds(child.pid);
  const { intake } = (await child.call('GET', '/health')).body.queues;
  if (intake.depth + intake.inFlight > 0) await drained(child, 100);
  const result = { seconds: (performance.now() - began) / 1000, cpu: cpuSeconds(child.pid) - cpu };
  await child.stop();
  return result;
}

async function backlog(): Promise<void> {
  const folder = await furnish('backlog');
  const count = Number(values.backlog);
  await putBacklog(folder, count, 11);
  const { seconds, cpu } = await drain(folder);
  say(`a backlog of ${count} drains, comments/s`, count / seconds);
  say('  processor ms a comment', (cpu / count) * 1000);
}

/** The same two thousand comments' worth of work on stores that hold ever more; filled by imports. */
async function growth(): Promise<void> {
  const folder = await furnish('growth');
  let stored = 0;
  for (const [index, target] of values.stored.split(',').map(Number).entries()) {
    if (target > stored) await importFile(await exportFile(target - stored, 20 + index), folder);
    await putBacklog(folder, 2000, 40 + index);
    const { cpu, seconds } = await drain(folder);
    stored = Math.max(stored, target) + 2000;
    say(`cost of a comment with ${target} stored, processor ms`, (cpu / 2000) * 1000);
    say('  comments/s', 2000 / seconds);
  }
}

/** A moderator's decision, one after the other. */
async function decisions(): Promise<void> {
  const folder = await furnish('decisions');
  const child = startChild(folder, await freePort());
  await child.ready;
  const ids: string[] = [];
  for (let n = 0; n < 60; n++) {
    const links = [1, 2, 3, 4].map((link) => `https://d${n}-${link}.example/`).join(' ');
    const { body } = await child.call(
      'POST',
      `/v1/sites/${SITE}/threads/decide-${n % 5}/comments`,
      { author: { name: nameOf(n) }, body: `${remark(chanceOf(n))} ${links}` },
      { 'x-forwarded-for': `198.18.2.${n}` },
    );
    ids.push(body.id);
  }
  await drained(child);
  const { body: session } = await child.call('POST', '/v1/moderation/sessions', { user: 'admin', password: PASSWORD });
  const headers = { authorization: `Bearer ${session.token}` };
  const times: number[] = [];
  for (const id of ids) {
    const { body: row } = await child.call('GET', `/v1/moderation/comments/${id}`, undefined, headers);
    const began = performance.now();
    const { body } = await child.call(
      'POST',
      '/v1/moderation/decisions',
      { decisions: [{ id, version: row.version, action: 'publish' }] },
      headers,
    );
    if (body.results?.[0]?.result === 'done') times.push(performance.now() - began);
  }
  await child.stop();
  const sorted = times.toSorted((a, b) => a - b);
  say('a decision, p50 ms', percentile(sorted, 0.5));
  say('  p99 ms', percentile(sorted, 0.99));
  say('  made', times.length);
}

/** An export of Disqus, in the order in which its comments came. */
async function exportFile(count: number, seed: number): Promise<string> {
  const file = join(work, `export-${seed}.xml`);
  const chance = chanceOf(seed);
  const out = createWriteStream(file);
  out.write('<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">\n');
  for (let thread = 0; thread < count / 50; thread++) {
    out.write(
      `<thread dsq:id="${thread}"><id/><link>https://bench.example/${seed}/${thread}/</link><title>Post</title></thread>\n`,
    );
  }
  for (let n = 0; n < count; n++) {
    const thread = chance.between(0, Math.ceil(count / 50) - 1);
    const link = n % 10 === 0 ? ` <a href="https://example${n % 500}.org/?a=1&amp;b=2">here</a>` : '';
    const writer = chance.between(0, count / 6);
    const whole = out.write(
      `<post dsq:id="${seed * 1e9 + n}"><message><![CDATA[<p>${remark(chance)}${link}</p><p>${remark(chance)}</p>]]></message>` +
        `<createdAt>${new Date(1.3e12 + n * 1e5).toISOString()}</createdAt><isDeleted>false</isDeleted><isSpam>${n % 30 === 0}</isSpam>` +
        `<author><email>reader${writer}@example.org</email><name>${nameOf(writer)}</name></author><thread dsq:id="${thread}"/></post>\n`,
    );
    if (!whole) await once(out, 'drain');
  }
  out.end('</disqus>\n');
  await once(out, 'finish');
  return file;
}

/** Into the bench's site; what the command took, in seconds and in MB of memory ten times a second. */
async function importFile(file: string, folder: string): Promise<{ seconds: number; memory: number[] }> {
  const command = [join(import.meta.dirname, '../../infra/sluice.ts'), 'import', file, '--site', SITE, '--json'];
  const began = performance.now();
  const running = run(process.execPath, command, { env: { ...process.env, SLUICE_DATA: folder } });
  const memory: number[] = [];
  const { pid } = running.child;
  const sampler = setInterval(() => pid !== undefined && memory.push(residentMb(pid)), 100);
  await running.finally(() => clearInterval(sampler));
  return { seconds: (performance.now() - began) / 1000, memory };
}

async function imports(): Promise<void> {
  const count = Number(values.imported);
  const file = await exportFile(count, 7);
  const folder = await furnish('imported');
  const { seconds, memory } = await importFile(file, folder);
  say(`an import of ${count}, comments/s`, count / seconds);
  say('  megabytes/s', statSync(file).size / 1e6 / seconds);
  say('  resident MB after a third of the time', Math.max(...memory.slice(0, Math.ceil(memory.length / 3))));
  say('  resident MB at most', Math.max(...memory));
  bareInserts(folder, 6000, count / seconds);
}

/** Bundled handlers beside an empty one. */
async function cold(): Promise<void> {
  for (const { name, ms, ratio, clients } of await coldStart()) {
    say(`cold start of ${name} (${clients} SDK clients), ms`, ms);
    say('  to an empty handler', ratio);
  }
}

say('load average before', loadavg()[0] ?? 0);
const desk = async () => deskFigures(await furnish('desk'), SITE, say);
const PARTS = { throughput, reads, starts, backlog, growth, decisions, desk, import: imports, cold };
for (const [name, part] of Object.entries(PARTS)) if (wants(name)) await part();
say('load average after', loadavg()[0] ?? 0);
rmSync(work, { recursive: true, force: true });
writeFileSync(
  'bench.json',
  `${JSON.stringify({ at: new Date().toISOString(), node: process.version, ...figures }, null, 2)}\n`,
);
