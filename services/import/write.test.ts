import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import type { Comment } from '../../shared/comment.ts';
import { Policy } from '../../shared/policy.ts';
import type { Item, Table } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { reconcile } from '../reconcile/handler.ts';
import { batcher } from './batch.ts';
import { commentsOf, exportRows } from './export.ts';
import { forgetEmail } from './forget.ts';
import { importId } from './ids.ts';
import { importPlan } from './order.ts';
import { importOwn } from './own.ts';
import { ReportCollector } from './report.ts';
import { encode } from './sluice.ts';
import { aliasesOf } from './thread-keys.ts';
import { importWriter } from './write.ts';

const SITE = 'blog';

async function blog(): Promise<MemoryPorts> {
  const ports = memoryPorts();
  await sitesOf(ports.table, ports.clock).put({
    id: SITE,
    name: 'Blog',
    origins: [],
    threadParams: [],
    authors: [],
    moderatorEmails: [],
  });
  return ports;
}

const STATUSES = ['approved', 'waiting', 'spam'];
/** Waline's rows: statuses, answers and addresses in one. */
const walineFile = (rows: readonly object[]) =>
  JSON.stringify({ type: 'waline', version: 1, time: 0, tables: ['Comment'], data: { Comment: rows, Users: [] } });
const walineRow = (id: number, more: object = {}) => ({
  objectId: String(id),
  nick: `Reader ${id % 7}`,
  mail: `r${id % 7}@example.org`,
  comment: `Text number ${id}`,
  url: `https://blog.example/post-${id % 3}/`,
  status: STATUSES[id % 3],
  insertedAt: '2020-02-03T04:05:06.000Z',
  ...more,
});
const FILE = walineFile(
  Array.from({ length: 200 }, (_, index) =>
    walineRow(index + 1, index > 20 && index % 5 === 0 ? { pid: String(index - 2), rid: String(index - 2) } : {}),
  ),
);

async function run(ports: MemoryPorts, text: string, table: Table = ports.table, dryRun = false) {
  const report = new ReportCollector();
  const { site, policy } = await sitesOf(ports.table, ports.clock).fresh(SITE);
  const writer = importWriter({ ...ports, table, site, report, dryRun });
  const aliases = await aliasesOf(ports, site);
  const batches = batcher({ ...ports, site, policy: policy.policy, aliases, report });
  const plan = importPlan(() => Readable.from([Buffer.from(text)]), {
    site: SITE,
    onFormat: (format) => (report.format = format),
  });
  for await (const item of plan) if (batches.take(item)) await writer.write([batches.batch()]);
  await writer.write([batches.batch()]);
  await writer.end();
  return report.report();
}

/** All that counts, without the times of the import and what is sealed anew each time. */
const state = (ports: MemoryPorts) =>
  [...ports.table.items.values()]
    .filter(({ pk }) => !pk.startsWith('K#'))
    .map((item) => JSON.stringify(item))
    .toSorted();

async function recount(ports: MemoryPorts): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for await (const comment of commentsOf(ports.table, SITE)) {
    if (comment.parentId && comment.publishedAt !== undefined) add(`C#${comment.parentId} replies listed`);
    if (comment.status === 'published') {
      add(`T#${SITE}#${comment.thread} count published`);
      if (comment.parentId) add(`C#${comment.parentId} replies published`);
    }
    if (['published', 'held', 'rejected', 'spam'].includes(comment.status)) {
      add(`W#${SITE}#${comment.author.key} history ${comment.status}`);
    }
  }
  return counts;
}

/** A thread's count stands in shares. */
const plus = (counts: Map<string, number>, name: string, value: number) =>
  [name, (counts.get(name) ?? 0) + value] as const;

function counted(ports: MemoryPorts): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of ports.table.items.values()) {
    if (!/^(count(#\d)?|replies|history)$/.test(item.sk)) continue;
    for (const [name, value] of Object.entries(item)) {
      // A day is no count.
      if (typeof value === 'number' && value !== 0 && name !== 'firstAt')
        counts.set(...plus(counts, `${item.pk} ${item.sk.replace(/#\d$/, '')} ${name}`, value));
    }
  }
  return counts;
}

it('imports every comment once, with counters that agree, also on a second run', async () => {
  const ports = await blog();
  expect(await run(ports, FILE)).toMatchObject({ format: 'waline', comments: 200, imported: 200, unchanged: 0 });
  const before = state(ports);
  expect(counted(ports)).toEqual(await recount(ports));
  expect(await run(ports, FILE)).toMatchObject({ imported: 0, unchanged: 200 });
  expect(state(ports)).toEqual(before);
  expect([ports.events, ports.mails, ports.queues.notify.messages]).toEqual([[], [], []]);
});

it.each(Array.from({ length: 12 }, (_, index) => [index * 3 + 1]))(
  'completes an import that was cut at write %i',
  async (cutAt) => {
    const whole = await blog();
    await run(whole, FILE);
    const ports = await blog();
    let writes = 0;
    const failing: Table = {
      ...ports.table,
      async write(some) {
        if (++writes === cutAt) throw new Error('cut');
        return ports.table.write(some);
      },
    };
    await run(ports, FILE, failing).catch(() => {});
    const report = await run(ports, FILE);
    expect(report.imported + report.unchanged).toBe(200);
    expect(counted(ports)).toEqual(await recount(ports));
    expect(state(ports)).toEqual(state(whole));
  },
);

it('writes nothing in a dry run, and reports the same', async () => {
  const ports = await blog();
  const before = state(ports);
  const dry = await run(ports, FILE, ports.table, true);
  expect(state(ports)).toEqual(before);
  expect(dry).toEqual(await run(ports, FILE));
});

it('reports a text over 16 KiB with its line, and keeps its answers at the top', async () => {
  const ports = await blog();
  const report = await run(
    ports,
    walineFile([
      walineRow(3, { comment: 'x'.repeat(17_000) }),
      walineRow(6, { pid: '3', rid: '3' }),
      walineRow(9, { nick: '', mail: '' }),
    ]),
  );
  expect(report).toMatchObject({ comments: 3, imported: 2 });
  expect(report.skipped).toMatchObject([{ reason: expect.stringContaining('17000 bytes') }]);
  const all: Comment[] = [];
  for await (const comment of commentsOf(ports.table, SITE)) all.push(comment);
  expect(all.every(({ parentId, depth }) => parentId === null && depth === 0)).toBe(true);
  expect(all.map(({ author }) => author.name).toSorted()).toEqual(['Anonymous', 'Reader 6']);
  expect(all.every(({ thread }) => /^\/post-\d$/.test(thread))).toBe(true);
});

it('starts no review for imported comments that are held', async () => {
  const ports = await blog();
  await run(ports, FILE);
  ports.wind(3_600_000);
  const started: unknown[] = [];
  ports.workflows.start = async (...call) => (started.push(call), 'started');
  expect(await reconcile(ports)({})).toMatchObject({ owed: 0, unwatched: 0, untold: 0 });
  expect(started).toEqual([]);
});

async function moveOwn(from: MemoryPorts, to: MemoryPorts) {
  const pieces = encode(exportRows(from, SITE, { contacts: true }), { contacts: true });
  const report = new ReportCollector();
  const { site } = await sitesOf(to.table, to.clock).fresh(SITE);
  const policy = Policy.parse({});
  const writer = importWriter({ ...to, site, report });
  const aliases = await aliasesOf(to, site);
  await importOwn(pieces, { ...to, site, policy, aliases, report, writer, dryRun: false });
  return report.report();
}

it('brings the comments of a key that leads elsewhere to where it leads', async () => {
  const from = await blog();
  await run(from, FILE);
  for (const bring of [(to: MemoryPorts) => run(to, FILE), (to: MemoryPorts) => moveOwn(from, to)]) {
    const to = await blog();
    const sites = sitesOf(to.table, to.clock);
    // The second alias leads elsewhere: the key is that of a thread.
    const moved = { site: SITE, key: '/renamed', aliases: ['/post-1', '/post-2'] };
    await sites.putThread(moved);
    await sites.putAliases({ ...moved, aliases: ['/post-1'] });
    expect(await bring(to)).toMatchObject({ imported: 200 });
    const threads = new Set<string>();
    for await (const { thread } of commentsOf(to.table, SITE)) threads.add(thread);
    expect([...threads].toSorted()).toEqual(['/post-0', '/post-2', '/renamed']);
    expect(await sites.thread(SITE, '/post-1')).toMatchObject({ key: '/renamed', firstAt: expect.any(Number) });
  }
});

it('leads readers to an answer below unpublished comments, however many stand between', async () => {
  const ports = await blog();
  const url = 'https://blog.example/a/';
  const row = (id: number, pid: number, status: string) =>
    walineRow(id, { url, status, ...(pid && { pid, rid: pid }) });
  const rows = [row(1, 0, 'approved'), row(2, 1, 'spam'), row(3, 2, 'waiting'), row(4, 3, 'approved')];
  await run(ports, walineFile(rows));
  const store = storeOf(ports.table, ports.clock);
  let above: string | null = null;
  for (const { objectId } of rows) {
    const { comments } = await store.level(SITE, '/a', above, { order: 'ascending', limit: 10 });
    const id = importId(SITE, 'waline', objectId);
    expect(comments.map((comment) => comment.id)).toEqual([id]);
    if (above !== null) expect((await store.replyCounts([above]))[0]).toMatchObject({ listed: 1 });
    above = id;
  }
});

it('gives a thread of the file its own key, though an earlier thread of it names that as another of its own', async () => {
  const ports = await blog();
  const report = new ReportCollector();
  const { site, policy } = await sitesOf(ports.table, ports.clock).fresh(SITE);
  const writer = importWriter({ ...ports, site, report });
  const batches = batcher({ ...ports, site, policy: policy.policy, aliases: new Map(), report });
  const thread = (key: string, aliases: string[]) => ({ kind: 'thread', line: 1, key, title: key, aliases }) as const;
  for (const one of [thread('/a', ['/b', '/c']), thread('/b', [])]) {
    batches.take(one);
    await writer.write([batches.batch()]);
  }
  await writer.end();
  const at = (key: string) => ports.table.items.get(`T#${SITE}#${key}\0thread`);
  expect(at('/b')).toMatchObject({ key: '/b', title: '/b' });
  expect(at('/b')).not.toHaveProperty('aliasOf');
  expect(at('/c')).toMatchObject({ aliasOf: '/a' });
});

it('exports to a file that imports back to the same state', async () => {
  const from = await blog();
  await run(from, FILE);
  const store = storeOf(from.table, from.clock);
  for await (const comment of commentsOf(from.table, SITE)) {
    if (comment.status !== 'published') continue;
    await store.change(comment, { set: { status: 'removed' }, by: 'user:ada', action: 'remove', reason: 'abuse' });
    break;
  }
  const to = await blog();
  expect(await moveOwn(from, to)).toMatchObject({ comments: 200, imported: 200, skipped: [] });
  expect(counted(to)).toEqual(counted(from));
  const kept = (item: Item) => /^(head|R#|L#|thread$)/.test(item.sk);
  const sorted = (ports: MemoryPorts) =>
    [...ports.table.items.values()].filter(kept).toSorted((a, b) => (a.pk + a.sk < b.pk + b.sk ? -1 : 1));
  expect(sorted(to)).toEqual(sorted(from));
  expect(await moveOwn(from, to)).toMatchObject({ imported: 0, unchanged: 200 });
});

it('forgets a person: no text, name or address is left, and the thread stands', async () => {
  const ports = await blog();
  await run(ports, FILE);
  const stored = { table: ports.table, vault: ports.vault, clock: ports.clock };
  const wanted = await forgetEmail(stored, 'R3@example.org', { dryRun: true });
  expect(wanted.comments.length).toBeGreaterThan(20);
  expect((await forgetEmail(stored, 'R3@example.org')).comments).toEqual(wanted.comments);
  const text = JSON.stringify([...ports.table.items.values()]);
  expect(text).not.toContain('Reader 3');
  expect(text).not.toContain('Text number 3"');
  expect(text).not.toContain(ports.vault.sign('contact', 'r3@example.org\n'));
  const store = storeOf(ports.table, ports.clock);
  for (const id of wanted.comments) {
    expect(await store.get(id)).toMatchObject({ status: 'erased', author: { name: '', key: '' }, excerpt: '' });
    expect(await store.allRevisions(id)).toEqual([]);
  }
  const published = [...counted(ports)].filter(([name]) => !name.startsWith('W#'));
  expect(published).toEqual(
    expect.arrayContaining([...(await recount(ports))].filter(([name]) => !name.startsWith('W#'))),
  );
  expect((await forgetEmail(stored, 'r3@example.org')).comments).toEqual([]);
});
