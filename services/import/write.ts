import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Item, Key, Table, Write } from '../../shared/ports.ts';
import { tallies } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { commentOf, headItem, headKey, strip, threadKey } from '../../shared/store/keys.ts';
import type { Site, Thread } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import type { Batch, Said } from './batch.ts';
import { HashTable } from './hash-table.ts';
import { hash64 } from './ids.ts';
import { talliesAt, type Columns, type Load } from './load.ts';
import { oneLine } from './prepare.ts';
import type { ReportCollector } from './report.ts';
import { threadKeyOf } from './thread-keys.ts';

export type WriterOptions = {
  table: Table;
  vault: Vault;
  clock: Clock;
  site: Site;
  report: ReportCollector;
  /** Writes thousands at once, where the store can; else transactions of the table. */
  load?: Load;
  /** Counts what would be written, and writes nothing. */
  dryRun?: boolean;
};

/** What one transaction of the table takes. */
const MOST_WRITES = 100;
const MOST_KEYS = 100;
/** Transactions under way at once; where a store takes thousands they share one commit. */
const AT_ONCE = 250;
const AT_ONCE_IN_BULK = 10_000;
/** How often a store that is busy is asked again, each time after a longer wait. */
const TRIES = 8;
/** Remembered threads; past this they are looked up anew. */
const REMEMBERED = 50_000;
const MAX_TITLE = 500;

/**
 * Writes what was prepared, through the store alone: no event, mail, webhook, reminder or review follows.
 *
 * A comment, its texts, its log row and what it adds to each counter are one transaction that asks that the comment is not
 * there yet. So an import that was cut anywhere can be run again, and each counter is exact after any number of runs.
 */
export function importWriter({ table, vault, clock, site, report, ...options }: WriterOptions) {
  const { dryRun = false, load = tableLoad(table) } = options;
  const atOnce = options.load ? AT_ONCE_IN_BULK : AT_ONCE;
  const contacts = contactsOf(table, vault, clock);
  /** Addresses whose contacts are there: each costs some bytes, and asked for again it would cost a write. */
  const exchanged = new HashTable();
  const threads = new Map<string, Thread>();
  const changed = new Set<string>();

  /**
   * A published answer hangs below what readers see: the unpublished comments above it keep their place, without their
   * text, up to the first that readers see anyway.
   */
  async function listAnswered(answered: readonly string[]): Promise<void> {
    let level = new Set(answered);
    while (level.size > 0) {
      const above = new Set<string>();
      await inTurns([...level], atOnce, async (id) => {
        const item = await table.get(headKey(id));
        const comment = item && commentOf(item);
        if (!comment || comment.site !== site.id) return;
        if (comment.publishedAt === undefined) {
          const next = { ...comment, publishedAt: comment.submittedAt };
          const head: Write = { put: headItem(next), if: { version: comment.version } };
          // Who changes it meanwhile decides its place. Its parent counts it among what readers have.
          await patiently(() => table.write([head, ...tallies(comment, next)]));
        }
        // An import that was cut may have listed this one and none above it.
        if (comment.status !== 'published' && comment.parentId !== null) above.add(comment.parentId);
      });
      level = above;
    }
  }

  /** Counts a comment as written, or says why it is not. */
  function tell(columns: Columns, index: number, head: Item | undefined): void {
    const id = columns.ids[index]!;
    const line = columns.lines[index]!;
    if (head === undefined) report.imported++;
    else if (head.site !== site.id) {
      report.note('skipped', line, `Comment ${id} belongs to the site ${String(head.site)} already.`);
    } else if (head.submittedAt !== columns.ats[index]) {
      // Systems number their comments from 1: two blogs on one site would hide each other's in silence.
      const reason =
        'The site has another comment under this id, from another file: import this one into a site of its own.';
      report.note('skipped', line, reason);
    } else report.unchanged++;
  }

  /** Takes what the file says of a thread where the store says nothing. */
  async function know({ key, firstAt, ...said }: Said): Promise<Thread> {
    let thread = threads.get(key);
    if (!thread) {
      const item = await table.get(threadKey(site.id, key));
      // Keys that led elsewhere were followed already: this one was claimed since, by a thread of the same file.
      const known = item !== undefined && item.aliasOf === undefined;
      if (!known) changed.add(key);
      threads.set(key, (thread = known ? strip<Thread>(item) : { site: site.id, key }));
    }
    const before = { ...thread };
    const title = said.title && oneLine(said.title, MAX_TITLE);
    if (title) thread.title ??= title;
    if (thread.url === undefined && said.url && /^https?:\/\//i.test(said.url) && URL.canParse(said.url)) {
      thread.url = new URL(said.url).href;
    }
    if (said.closed) thread.closed ??= true;
    if (said.aliases && said.aliases.length > 0) thread.aliases ??= said.aliases;
    if (firstAt !== undefined && (thread.firstAt === undefined || firstAt < thread.firstAt)) thread.firstAt = firstAt;
    if (Object.entries(thread).some(([field, value]) => before[field as keyof Thread] !== value)) changed.add(key);
    return thread;
  }

  async function writeThreads(): Promise<void> {
    const puts: Write[] = [...changed].flatMap((key) => [
      { put: { ...threadKey(site.id, key), ...threads.get(key) } },
      { put: { pk: `S#${site.id}#threads`, sk: key } },
    ]);
    const aliases = [...changed].flatMap((key) => (threads.get(key)?.aliases ?? []).map((name) => ({ key, name })));
    changed.clear();
    await Promise.all([
      inTurns(chunksOf(puts, MOST_WRITES), atOnce, async (some) => void (await patiently(() => table.write(some)))),
      inTurns(aliases, atOnce, async ({ key, name }) => {
        const alias = threadKeyOf(site, name);
        if (alias === undefined || alias === key) return;
        // A key that stands for something here already stays as it is.
        const item = { ...threadKey(site.id, alias), site: site.id, key: alias, aliasOf: key };
        await patiently(() => table.write([{ put: item, if: 'absent' }]));
      }),
    ]);
    if (threads.size > REMEMBERED) threads.clear();
  }

  return {
    /** Writes batches whole; resolves once they are stored. */
    async write(batches: readonly Batch[]): Promise<void> {
      for (const { threads: said } of batches) for (const thread of said) await know(thread);
      if (dryRun) {
        for (const { comments } of batches) {
          const heads = await headsOf(table, comments);
          comments.ids.forEach((_id, index) => tell(comments, index, heads[index]));
        }
        return;
      }
      const emails = new Set(batches.flatMap((batch) => batch.emails));
      const unknown = [...emails].filter((email) => exchanged.find(...hash64(email)) < 0);
      // Side by side: what a store writes in one turn shares a commit, and each commit waits for the disk.
      const [found] = await Promise.all([
        patiently(() => load(batches.map(({ comments }) => comments))),
        inTurns(unknown, atOnce, async (email) => void (await patiently(() => contacts.exchange({ email })))),
        writeThreads(),
      ]);
      for (const email of unknown) exchanged.add(...hash64(email));
      for (const [place, { comments }] of batches.entries()) {
        found[place]!.forEach((head, index) => tell(comments, index, head));
      }
      await listAnswered([...new Set(batches.flatMap(({ answered }) => answered))]);
    },

    /** Records what our own export says of a thread; `end` or the next batch writes it. */
    async takeThread({ premoderate, authorId, ...said }: Omit<Thread, 'site'>): Promise<void> {
      const thread = await know(said);
      if (premoderate !== undefined && thread.premoderate === undefined) thread.premoderate = premoderate;
      if (authorId !== undefined && thread.authorId === undefined) thread.authorId = authorId;
      changed.add(said.key);
    },

    async end(): Promise<void> {
      if (!dryRun) await writeThreads();
    },
  };
}

async function headsOf(table: Table, { ids }: Columns): Promise<(Item | undefined)[]> {
  const heads: (Item | undefined)[] = [];
  for (const some of chunksOf(ids, MOST_KEYS)) heads.push(...(await table.getMany(some.map(headKey))));
  return heads;
}

/** `Load` over any table: comments share transactions, and each that was there is asked for first. */
export function tableLoad(table: Table): Load {
  const loadOne = async (columns: Columns) => {
    const found = await headsOf(table, columns);
    const firsts: number[] = [];
    let at = 0;
    for (const count of columns.counts) {
      firsts.push(at);
      at += count;
    }
    const fresh = found.flatMap((head, index) => (head ? [] : [index]));
    await inTurns(transactionsOf(columns, fresh), AT_ONCE, async (group) => {
      let rest = group;
      // Each round somebody else wrote at least one of them meanwhile.
      while (rest.length > 0) {
        const writes = writesOf(columns, rest, firsts);
        // More texts and log rows than a transaction takes go first; the head makes them count.
        while (writes.length > MOST_WRITES) {
          const early = writes.filter((write) => 'put' in write && write.put.sk !== 'head').slice(0, MOST_WRITES);
          if (early.length === 0) break;
          await patiently(() => table.write(early));
          for (const write of early) writes.splice(writes.indexOf(write), 1);
        }
        if ((await patiently(() => table.write(writes))).done) return;
        const heads = await table.getMany(rest.map((index) => headKey(columns.ids[index]!)));
        rest.forEach((index, place) => (found[index] = heads[place]));
        rest = rest.filter((index) => found[index] === undefined);
      }
    });
    return found;
  };
  return async (some) => {
    const found: (Item | undefined)[][] = [];
    for (const columns of some) found.push(await loadOne(columns));
    return found;
  };
}

const utf8 = new TextDecoder();

/**
 * All that the comments put, and what they add to the counters, each counter once.
 *
 * @param firsts which item is each comment's first
 */
function writesOf(columns: Columns, indices: readonly number[], firsts: readonly number[]): Write[] {
  const { counts, json, ends } = columns;
  const writes: Write[] = [];
  const counters = new Map<string, { add: Key; by: Record<string, number>; first?: Record<string, number> }>();
  for (const index of indices) {
    for (let place = 0; place < counts[index]!; place++) {
      const item = firsts[index]! + place;
      const put = JSON.parse(utf8.decode(json.subarray(ends[item - 1] ?? 0, ends[item]))) as Item;
      writes.push(place === 0 ? { put, if: 'absent' } : { put });
    }
    for (const write of talliesAt(columns, index)) {
      const name = `${write.add.pk}\0${write.add.sk}`;
      const counter = counters.get(name);
      if (!counter) counters.set(name, { ...write, by: { ...write.by } });
      else for (const [field, step] of Object.entries(write.by)) counter.by[field] = (counter.by[field] ?? 0) + step;
    }
  }
  return [...writes, ...counters.values()];
}

/** Comments that fit into one transaction together; one that does not fit alone stands alone. */
function transactionsOf({ counts }: Columns, indices: readonly number[]): number[][] {
  const groups: number[][] = [];
  let group: number[] = [];
  let size = 0;
  for (const index of indices) {
    // At most three counters.
    const more = 3 + counts[index]!;
    if (size + more > MOST_WRITES && group.length > 0) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(index);
    size += more;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

async function inTurns<T>(work: readonly T[], atOnce: number, one: (item: T) => Promise<void>): Promise<void> {
  for (const some of chunksOf(work, atOnce)) await Promise.all(some.map(one));
}

const chunksOf = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SluiceError) || error.code !== 'Store.Busy' || attempt >= TRIES) throw error;
      await new Promise((done) => setTimeout(done, 25 * 2 ** attempt * (0.5 + Math.random() / 2)));
    }
  }
}
