import { hash } from 'node:crypto';
import type { Comment, LogRow, Revision } from '../../shared/comment.ts';
import { writerKeyOf } from '../../shared/door-note.ts';
import { SluiceError } from '../../shared/errors.ts';
import { Policy } from '../../shared/policy.ts';
import type { Clock, Item, Key, Table, Write } from '../../shared/ports.ts';
import { tallies } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { headItem, headKey, logKey, revisionKey, strip, threadKey } from '../../shared/store/keys.ts';
import type { Author, Site, Thread } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import { fingerprint } from '../spam-check/fingerprint.ts';
import { BIDI, CONTROL, INVISIBLE } from '../validate/characters.ts';
import { checkDraft } from '../validate/check.ts';
import { excerpt, linksOf, plainText, render } from '../validate/markdown.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import type { PlanItem, PlannedComment } from './order.ts';
import type { ImportThread } from './record.ts';
import type { ReportCollector } from './report.ts';

/** One comment with all that is written in its moment. */
export type Entry = { line: number; comment: Comment; revisions: readonly Revision[]; log: readonly LogRow[] };

/** A comment that may be in the store already; another time tells another comment. */
type Wanted = { id: string; line: number; at?: number };

export type WriterOptions = {
  table: Table;
  vault: Vault;
  clock: Clock;
  site: Site;
  policy: Policy;
  report: ReportCollector;
  /** Counts what would be written, and writes nothing. */
  dryRun?: boolean;
  /** Transactions under way at once, 250 unless told: locally they share one commit. */
  atOnce?: number;
};

/** Comments looked up and written together. */
export const BATCH = 3000;
/** What one transaction of the table takes. */
const MOST_WRITES = 100;
const MOST_KEYS = 100;
const AT_ONCE = 250;
/** How often a store that is busy is asked again, each time after a longer wait. */
const TRIES = 8;
/** Remembered threads, contacts and names; past this they are looked up anew. */
const REMEMBERED = 50_000;
/** The longest body of any policy: what an earlier system took is not refused for a stricter rule of today. */
const BODY_BYTES = 16_384;
const NAME_CHARACTERS = 80;
const MAX_TITLE = 500;

/**
 * Writes what a plan hands out, in batches, through the table alone: no event, mail, webhook, reminder or review follows.
 *
 * A comment, its texts, its log row and what it adds to each counter are one transaction that asks that the comment is not
 * there yet. So an import that was cut anywhere can be run again, and each counter is exact after any number of runs.
 */
export function importWriter({ table, vault, clock, site, policy, report, ...options }: WriterOptions) {
  const { dryRun = false, atOnce = AT_ONCE } = options;
  const contacts = contactsOf(table, vault, clock);
  const contactIds = new Map<string, string>();
  const writers = new Map<string, string>();
  const threads = new Map<string, { stored: string; thread: Thread }>();
  /** Comments that could not be taken: their answers move to the top. */
  const left = new Set<string>();
  /** How deep those stand whose place changed by that. */
  const moved = new Map<string, number>();
  /** Comments that no reader sees, and those among them that have published answers. */
  const unlisted = new Set<string>();
  const answered = new Set<string>();
  const taken: Policy = { ...policy, bodyBytes: BODY_BYTES };
  const authors = new Map(site.authors.flatMap((author) => authorNames(author).map((name) => [name, author] as const)));
  let waiting: PlanItem[] = [];
  let waitingComments = 0;

  async function flush(): Promise<void> {
    const items = waiting;
    waiting = [];
    waitingComments = 0;
    for (const { line, key, ...thread } of items.filter((item) => item.kind === 'thread')) {
      const normal = keyOf(key);
      if (normal === undefined) report.note('warning', line, `The thread's key ${shortened(key)} cannot be kept.`);
      else await know(normal, thread, undefined);
    }
    const planned = items.filter((item) => item.kind === 'comment');
    for (const { id, status, parentId } of planned) {
      if (status !== 'published' && status !== 'deleted') unlisted.add(id);
      if (status === 'published' && parentId !== null && unlisted.has(parentId)) answered.add(parentId);
    }
    const fresh = await withoutKnown(planned);
    const entries: { entry: Entry; email: string | undefined }[] = [];
    for (const item of fresh) {
      const thread = keyOf(item.thread.key);
      const prepared =
        thread === undefined ? `The thread's key ${shortened(item.thread.key)} cannot be kept.` : prepare(item, thread);
      if (typeof prepared === 'string') {
        left.add(item.id);
        report.note('skipped', item.line, prepared);
        continue;
      }
      await know(thread as string, item.thread, item.at);
      entries.push(prepared);
    }
    if (dryRun) {
      report.imported += entries.length;
      return;
    }
    await exchange(entries);
    await writeThreads();
    await writeAll(entries.map(({ entry }) => entry));
    await listAnswered();
  }

  /** A published answer hangs below what readers see: an unpublished comment above it keeps its place, without its text. */
  async function listAnswered(): Promise<void> {
    await inTurns([...answered], async (id) => {
      const item = await table.get(headKey(id));
      const comment = item && strip<Comment>(item);
      if (!comment || comment.site !== site.id || comment.publishedAt !== undefined) return;
      const next = headItem({ ...comment, publishedAt: comment.submittedAt });
      // Who changes it meanwhile decides its place.
      await patiently(() => table.write([{ put: next, if: { version: comment.version } }]));
    });
    answered.clear();
  }

  /** Those that are not in the store; the others are counted. */
  async function withoutKnown<T extends Wanted>(wanted: readonly T[]): Promise<T[]> {
    const fresh: T[] = [];
    for (let from = 0; from < wanted.length; from += MOST_KEYS) {
      const some = wanted.slice(from, from + MOST_KEYS);
      const heads = await table.getMany(some.map(({ id }) => headKey(id)));
      some.forEach((item, index) => {
        const head = heads[index];
        if (!head) fresh.push(item);
        else found(item, head);
      });
    }
    return fresh;
  }

  function found({ id, line, at }: Wanted, head: Item): void {
    if (head.site !== site.id) {
      report.note('skipped', line, `Comment ${id} belongs to the site ${String(head.site)} already.`);
    } else if (at !== undefined && head.submittedAt !== at) {
      // Systems number their comments from 1: two blogs on one site would hide each other's in silence.
      const reason =
        'The site has another comment under this id, from another file: import this one into a site of its own.';
      report.note('skipped', line, reason);
    } else report.unchanged++;
  }

  function keyOf(key: string): string | undefined {
    try {
      return normaliseThreadKey(key, site.threadParams);
    } catch {
      return undefined;
    }
  }

  /** Takes what the file says of a thread where the store says nothing. */
  async function know(
    key: string,
    said: Pick<ImportThread, 'title' | 'url' | 'closed' | 'aliases'>,
    at: number | undefined,
  ): Promise<void> {
    let known = threads.get(key);
    if (!known) {
      const item = await table.get(threadKey(site.id, key));
      const thread = item && strip<Thread>(item);
      known = { stored: JSON.stringify(thread), thread: thread ?? { site: site.id, key } };
      threads.set(key, known);
    }
    const { thread } = known;
    const title = said.title && oneLine(said.title, MAX_TITLE);
    if (thread.title === undefined && title) thread.title = title;
    if (thread.url === undefined && said.url && /^https?:\/\//i.test(said.url) && URL.canParse(said.url)) {
      thread.url = new URL(said.url).href;
    }
    if (thread.closed === undefined && said.closed) thread.closed = true;
    if (thread.aliases === undefined && said.aliases && said.aliases.length > 0) thread.aliases = said.aliases;
    if (at !== undefined && (thread.firstAt === undefined || at < thread.firstAt)) thread.firstAt = at;
  }

  async function writeThreads(): Promise<void> {
    const puts: Write[] = [];
    const changed: Thread[] = [];
    for (const known of threads.values()) {
      const now = JSON.stringify(known.thread);
      if (known.stored === now) continue;
      known.stored = now;
      const { thread } = known;
      changed.push(thread);
      puts.push(
        { put: { ...threadKey(site.id, thread.key), ...thread } },
        { put: { pk: `S#${site.id}#threads`, sk: thread.key } },
      );
    }
    await inTurns(chunksOf(puts, MOST_WRITES), async (writes) => void (await patiently(() => table.write(writes))));
    for (const { key, aliases = [] } of changed) {
      for (const name of aliases) {
        // A key that stands for something here already stays as it is.
        const alias = keyOf(name);
        if (alias === undefined || alias === key) continue;
        const item = { ...threadKey(site.id, alias), site: site.id, key: alias, aliasOf: key };
        await patiently(() => table.write([{ put: item, if: 'absent' }]));
      }
    }
    if (threads.size > REMEMBERED) threads.clear();
  }

  function prepare(item: PlannedComment, thread: string): { entry: Entry; email: string | undefined } | string {
    const gone = item.status === 'deleted';
    const checked = checkDraft(
      {
        author: { name: 'x', email: item.author.email, url: item.author.url },
        body: gone ? 'x' : item.body.toWellFormed().replace(/\r\n?/g, '\n').replace(CONTROL, ''),
      },
      taken,
      { origins: [] },
    );
    let { email, url }: { email?: string | undefined; url?: string | undefined } = {};
    let body = '';
    let stripped = { bidi: 0, hidden: 0 };
    if (checked.ok) {
      ({ email, url } = checked.draft.author);
      ({ body } = checked.draft);
      stripped = checked.draft;
    } else {
      const fault = checked.faults.find(({ pointer }) => pointer === '/body');
      if (fault) return `The text ${fault.detail.replace(/; .*$/, '')}.`;
      for (const { pointer, detail } of checked.faults) {
        const what = pointer === '/author/email' ? 'e-mail address' : 'web address';
        report.note('warning', item.line, `The writer's ${what} ${detail.replace(/; .*$/, '')}; it is left out.`);
      }
      const faulty = new Set(checked.faults.map(({ pointer }) => pointer));
      return prepare(
        {
          ...item,
          author: {
            ...item.author,
            ...(faulty.has('/author/email') && { email: '' }),
            ...(faulty.has('/author/url') && { url: '' }),
          },
        },
        thread,
      );
    }
    if (gone) body = '';

    const { id, at, status, line } = item;
    let { parentId, depth } = item;
    if (parentId !== null && left.has(parentId)) {
      report.note('warning', line, 'Answers a comment that is not imported; it stands at the top of its thread.');
      parentId = null;
      depth = 0;
      moved.set(id, depth);
    } else if (parentId !== null && moved.has(parentId)) {
      depth = (moved.get(parentId) ?? 0) + 1;
      moved.set(id, depth);
    }

    const name = oneLine(item.author.name, NAME_CHARACTERS) || 'Anonymous';
    const author = item.author.isAuthor
      ? (authors.get(`e:${email?.toLowerCase() ?? ''}`) ?? authors.get(`n:${name.toLowerCase()}`))
      : undefined;
    const now = clock.now();
    const links = gone ? { hosts: [] } : linksOf(body, url);
    const shown = status === 'published';
    const comment: Comment = {
      id,
      site: site.id,
      thread,
      parentId,
      depth,
      status,
      version: 1,
      revision: 1,
      publishedRevision: shown ? 1 : null,
      pendingRevision: null,
      author: {
        name: gone && item.author.name === '' ? '' : name,
        ...(url && { url }),
        key: author ? `author-${author.id}` : keyOfWriter(name, email),
        ...(author && { role: 'author' as const, authorId: author.id }),
      },
      notifyReplies: false,
      lane: '',
      contentHash: hash(
        'sha256',
        JSON.stringify([site.id, thread, parentId, item.author.name, item.body]),
        'base64url',
      ).slice(0, 22),
      excerpt: gone ? '' : excerpt(body),
      fingerprint: gone ? '' : fingerprint(plainText(body)),
      linkHosts: links.hosts.slice(0, 20),
      lang: '',
      ...(stripped.bidi + stripped.hidden > 0 && { stripped: { bidi: stripped.bidi, hidden: stripped.hidden } }),
      submittedAt: at,
      // A tombstone keeps its place among what readers see.
      ...((shown || gone) && { publishedAt: at }),
      // No `heldVersion`: nothing waits for the decision, so nobody is reminded of it.
      ...(status === 'held' && { heldAt: at, holdReason: 'imported' }),
      ...(item.editedAt !== undefined && { editedAt: item.editedAt }),
      reports: 0,
      appeals: 0,
      imported: true,
    };
    return {
      entry: {
        line,
        comment,
        revisions: [
          { commentId: id, revision: 1, body, html: gone ? '' : render(body, { images: policy.images }), at },
        ],
        log: [{ commentId: id, version: 1, at: now, by: 'import', action: 'import', from: 'received', to: status }],
      },
      email,
    };
  }

  function keyOfWriter(name: string, email: string | undefined): string {
    const who = email ? `e:${email}` : `n:${name}`;
    let key = writers.get(who);
    if (key === undefined) {
      if (writers.size >= REMEMBERED) writers.clear();
      writers.set(who, (key = writerKeyOf(vault, site.id, { name, email })));
    }
    return key;
  }

  /** E-mail addresses against contacts, each once. */
  async function exchange(entries: readonly { entry: Entry; email: string | undefined }[]): Promise<void> {
    if (contactIds.size > REMEMBERED) contactIds.clear();
    const emails = new Set(entries.flatMap(({ email }) => (email && !contactIds.has(email) ? [email] : [])));
    await inTurns([...emails], async (email) => {
      contactIds.set(email, await patiently(() => contacts.exchange({ email })));
    });
    for (const { entry, email } of entries) {
      const contact = email && contactIds.get(email);
      if (contact) entry.comment.author.contact = contact;
    }
  }

  /** Entries that are not there yet, at most a batch. */
  async function writeAll(entries: readonly Entry[]): Promise<void> {
    await inTurns(transactionsOf(entries), async (group) => {
      let rest = group;
      // Each round somebody else wrote at least one of them meanwhile.
      while (rest.length > 0) {
        const writes = writesOf(rest);
        // More texts and log rows than a transaction takes go first; the head makes them count.
        while (writes.length > MOST_WRITES) {
          const early = writes.filter((write) => 'put' in write && write.put.sk !== 'head').slice(0, MOST_WRITES);
          if (early.length === 0) break;
          await patiently(() => table.write(early));
          for (const write of early) writes.splice(writes.indexOf(write), 1);
        }
        const result = await patiently(() => table.write(writes));
        if (result.done) {
          report.imported += rest.length;
          return;
        }
        const fresh = await withoutKnown(rest.map(wanted));
        rest = fresh.map(({ entry }) => entry);
      }
    });
  }

  async function inTurns<T>(work: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
    for (let from = 0; from < work.length; from += atOnce) {
      await Promise.all(work.slice(from, from + atOnce).map(one));
    }
  }

  return {
    /** Counts an item in the report, and writes it with those around it. */
    async take(item: PlanItem): Promise<void> {
      report.see(item);
      if (item.kind !== 'thread' && item.kind !== 'comment') return;
      waiting.push(item);
      if (item.kind === 'comment') waitingComments++;
      if (waitingComments >= BATCH || waiting.length >= 4 * BATCH) await flush();
    },

    /** Writes entries as they are: a comment of our own export with its texts and log. */
    async takeEntries(entries: readonly Entry[]): Promise<void> {
      const once = new Map(entries.map((entry) => [entry.comment.id, entry]));
      if (once.size < entries.length) {
        for (const entry of entries) {
          if (once.get(entry.comment.id) === entry) continue;
          report.note('skipped', entry.line, `The id ${entry.comment.id} comes again later.`);
        }
      }
      const fresh = await withoutKnown([...once.values()].map(wanted));
      if (dryRun) report.imported += fresh.length;
      else await writeAll(fresh.map(({ entry }) => entry));
    },

    /** Records a thread; `end` or the next batch writes it. */
    async takeThread({ premoderate, authorId, ...thread }: Omit<Thread, 'site'>): Promise<void> {
      const key = keyOf(thread.key);
      if (key === undefined) return;
      await know(key, thread, thread.firstAt);
      const known = threads.get(key)?.thread;
      if (known && premoderate !== undefined) known.premoderate ??= premoderate;
      if (known && authorId !== undefined) known.authorId ??= authorId;
    },

    async end(): Promise<void> {
      await flush();
      if (!dryRun) await writeThreads();
    },
  };
}

const wanted = (entry: Entry) => ({ id: entry.comment.id, line: entry.line, at: entry.comment.submittedAt, entry });

/** All that the entries put, and what they add to the counters, each counter once. */
function writesOf(entries: readonly Entry[]): Write[] {
  const writes: Write[] = [];
  const counters = new Map<string, { add: Key; by: Record<string, number>; first?: Record<string, number> }>();
  for (const { comment, revisions, log } of entries) {
    writes.push({ put: headItem(comment), if: 'absent' });
    for (const text of revisions) writes.push({ put: { ...revisionKey(comment.id, text.revision), ...text } });
    for (const row of log) writes.push({ put: { ...logKey(comment.id, row.version, part(row)), ...row } });
    for (const write of tallies({ status: 'received' }, comment)) {
      if (!('add' in write)) continue;
      const name = `${write.add.pk}\0${write.add.sk}`;
      const counter = counters.get(name);
      if (!counter) counters.set(name, { ...write, by: { ...write.by } });
      else for (const [field, step] of Object.entries(write.by)) counter.by[field] = (counter.by[field] ?? 0) + step;
    }
  }
  return [...writes, ...counters.values()];
}

/** A change stands where the pipeline writes it, since an undo looks it up there. */
const part = (row: LogRow): string => (row.action === 'import' ? 'import' : 'change');

/** Entries that fit into one transaction together; one that does not fit alone stands alone. */
function transactionsOf(entries: readonly Entry[]): Entry[][] {
  const groups: Entry[][] = [];
  let group: Entry[] = [];
  let size = 0;
  for (const entry of entries) {
    // Head, and at most three counters.
    const more = 4 + entry.revisions.length + entry.log.length;
    if (size + more > MOST_WRITES && group.length > 0) {
      groups.push(group);
      group = [];
      size = 0;
    }
    group.push(entry);
    size += more;
  }
  if (group.length > 0) groups.push(group);
  return groups;
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

function authorNames({ name, email }: Author): string[] {
  return [...(email ? [`e:${email.toLowerCase()}`] : []), `n:${name.toLowerCase()}`];
}

function oneLine(text: string, most: number): string {
  const line = text
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(CONTROL, '')
    .replace(BIDI, '')
    .replace(INVISIBLE, '')
    .normalize('NFC')
    .trim();
  return line.length <= most ? line : Array.from(line).slice(0, most).join('').trim();
}

const shortened = (text: string) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
