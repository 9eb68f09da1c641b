import { STATUSES, type Comment, type LogRow, type Revision } from '../../shared/comment.ts';
import { writerKeyOf } from '../../shared/door-note.ts';
import { SluiceError } from '../../shared/errors.ts';
import { Id } from '../../shared/events.ts';
import { LANGUAGES } from '../../shared/languages.ts';
import { Policy } from '../../shared/policy.ts';
import type { Item, Table } from '../../shared/ports.ts';
import { contactIdOf, contactsOf } from '../../shared/store/contacts.ts';
import { pad, policyKey, strip } from '../../shared/store/keys.ts';
import { Author, sitesOf } from '../../shared/store/sites.ts';
import { render } from '../validate/markdown.ts';
import { decode, type ExportComment, type ExportRow } from './sluice.ts';
import { BATCH } from './batch.ts';
import { addTo, noColumns } from './load.ts';
import type { Entry, PreparerOptions } from './prepare.ts';
import { threadOf } from './thread-keys.ts';
import type { importWriter } from './write.ts';

const BODY_BYTES = 16_384;

type Target = PreparerOptions & {
  table: Table;
  writer: ReturnType<typeof importWriter>;
  dryRun: boolean;
};

/** A contact's id here, and where it has an address, the key by which the site knows the writer. */
type Known = { contact: string; writer?: string };

/** Contacts that are stored side by side: each by itself would wait for the disk. */
const CONTACTS_AT_ONCE = 250;

/**
 * Imports our own export to the state that it holds: versions, texts, logs, threads, and with `--contacts` the contacts.
 *
 * The policy and its versions come along where nobody has set one yet. What no file may bring is made anew: HTML from the
 * text, and from this instance's key the ids of contacts and the keys of writers with an address, so that the site knows
 * them when they come back, and when they ask to be forgotten. A comment that waited for its verdict is held.
 */
export async function importOwn(pieces: AsyncIterable<string>, target: Target): Promise<void> {
  const { table, vault, clock, site, report, writer, dryRun } = target;
  const sites = sitesOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const known = new Map<string, Known>();
  /** The keys of writers in the file, and here. */
  const writers = new Map<string, string>();
  const policies: Extract<ExportRow, { type: 'policy' }>[] = [];
  let waiting: Extract<ExportRow, { type: 'contact' }>[] = [];
  const { policy: standing } = await sites.fresh(site.id).catch(() => ({ policy: { version: 0, by: 'sluice' } }));
  const policyFree = standing.version === 0 || (standing.version === 1 && standing.by === 'sluice');
  let entries: Entry[] = [];

  const flush = async () => {
    const once = new Map(entries.map((entry) => [entry.comment.id, entry]));
    const comments = noColumns();
    for (const entry of entries) {
      if (once.get(entry.comment.id) === entry) addTo(comments, entry);
      else report.note('skipped', entry.line, `The id ${entry.comment.id} comes again later.`);
    }
    entries = [];
    await storeContacts();
    await writer.write([{ threads: [], comments, emails: [], answered: [] }]);
  };

  const takePolicy = (row: Extract<ExportRow, { type: 'policy' }>, line: number) => {
    const policy = Policy.safeParse(row.policy);
    if (!policy.success || !Number.isInteger(row.version) || row.version < 1) {
      report.note('skipped', line, 'The policy does not fit this version of Sluice.');
    } else if (!policyFree) {
      report.note('warning', line, `The site keeps its own policy, version ${standing.version}.`);
    } else policies.push({ ...row, policy: policy.data });
  };

  /** After the comments, which tell under which keys its trusted writers are known here. */
  const storePolicies = async () => {
    for (const { type: _type, policy, ...version } of policies) {
      const trustedWriters = policy.trustedWriters.map((key) => writers.get(key) ?? key);
      const put = { ...version, policy: { ...policy, trustedWriters } };
      await table.write([
        { put: { ...policyKey(site.id), ...put } },
        { put: { pk: `S#${site.id}`, sk: `policy#${pad(version.version)}`, ...put } },
      ]);
    }
  };

  const takeAuthor = async ({ type: _type, ...given }: Extract<ExportRow, { type: 'author' }>, line: number) => {
    const author = Author.safeParse(given);
    if (!author.success) report.note('skipped', line, 'The author of the site does not fit.');
    else if (!dryRun) {
      const { site: now } = await sites.fresh(site.id);
      if (now.authors.some(({ id }) => id === author.data.id)) return;
      await sites.put({ ...now, authors: [...now.authors, author.data] });
    }
  };

  const takeContact = (row: Extract<ExportRow, { type: 'contact' }>) => {
    waiting.push(row);
    if (isOver(row)) return;
    const { id, email, ip } = row;
    const contact = contactIdOf(vault, { email, client: ip });
    known.set(id, { contact, ...(email && { writer: writerKeyOf(vault, site.id, { email, name: '' }) }) });
  };
  const isOver = ({ expiresAt }: Extract<ExportRow, { type: 'contact' }>) =>
    expiresAt !== undefined && expiresAt * 1000 < clock.now();

  const storeContact = async (row: Extract<ExportRow, { type: 'contact' }>) => {
    const { email, ip, lang, confirmedAt, suppressed, unsubscribed } = row;
    const hash = email && contacts.hashOf(email);
    if (hash) {
      // Who wants no mail gets none, also when the contact itself is over.
      if (suppressed) await contacts.suppress(hash, 'suppressed before the import');
      if (unsubscribed?.all) await contacts.unsubscribe(hash, 'all');
      for (const name of unsubscribed?.threads ?? []) {
        const thread = threadOf(site, target.aliases, name);
        if (thread !== undefined) await contacts.unsubscribe(hash, `${site.id}#${thread}`);
      }
    }
    if (isOver(row)) return;
    const id = await contacts.exchange({ email, client: ip, lang: LANGUAGES.find((one) => one === lang) });
    if (hash && confirmedAt !== undefined) await contacts.confirm(hash, id);
  };

  const storeContacts = async () => {
    const some = waiting;
    waiting = [];
    if (!dryRun) await Promise.all(some.map(storeContact));
  };

  for await (const item of decode(pieces)) {
    if (item.kind === 'skipped') {
      report.see(item);
      continue;
    }
    const { row, line } = item;
    if (row.type === 'header' && (row.version as number) !== 1) {
      throw new SluiceError(
        'Import.Unreadable',
        `the export is of version ${String((row as { version: unknown }).version)}`,
        {
          hint: 'this Sluice reads version 1: upgrade it',
        },
      );
    } else if (row.type === 'policy') takePolicy(row, line);
    else if (row.type === 'author') await takeAuthor(row, line);
    else if (row.type === 'contact') {
      takeContact(row);
      if (waiting.length >= CONTACTS_AT_ONCE) await storeContacts();
    } else if (row.type === 'thread') {
      const { type: _type, closed, ...thread } = row;
      report.see({ kind: 'thread', line, key: row.key });
      const key = threadOf(site, target.aliases, row.key);
      if (key !== undefined) await writer.takeThread({ ...thread, key, ...(closed && { closed }) });
    } else if (row.type === 'comment') {
      const { comment } = row;
      report.see({
        kind: 'comment',
        line,
        sourceId: comment.id,
        thread: { key: comment.thread },
        ...(comment.parentId && { parentSourceId: comment.parentId }),
        author: { name: String(comment.author.name ?? '') },
        body: '',
        at: 0,
        status: 'held',
      });
      const entry = entryOf(row, line, target, known);
      if (typeof entry === 'string') report.note('skipped', line, entry);
      else {
        entries.push(entry);
        const { key } = row.comment.author;
        if (entry.comment.author.key !== key) writers.set(key, entry.comment.author.key);
      }
      if (entries.length >= BATCH) await flush();
    }
  }
  await flush();
  if (!dryRun) await storePolicies();
  await writer.end();
}

/** The row as it is written, or why it cannot be. */
function entryOf(
  row: ExportComment,
  line: number,
  { site, policy, aliases, clock }: Target,
  writers: ReadonlyMap<string, Known>,
): Entry | string {
  const given = plain<Comment>(row.comment);
  const { id, status, version, revision, submittedAt, parentId } = given;
  const numbers = [version, revision, submittedAt, given.depth].every((value) => Number.isFinite(value));
  if (!Id.safeParse(id).success || !STATUSES.includes(status) || !numbers) return 'The comment is not whole.';
  if (parentId !== null && !Id.safeParse(parentId).success) return 'The comment does not say what it answers.';
  const thread = threadOf(site, aliases, given.thread);
  if (thread === undefined) return 'The key of its thread cannot be kept.';
  const revisions: Revision[] = [];
  for (const text of row.revisions) {
    if (typeof text?.body !== 'string' || !Number.isInteger(text.revision)) return 'One of its texts is not whole.';
    if (Buffer.byteLength(text.body) > BODY_BYTES) return `A text of it is longer than ${BODY_BYTES} bytes.`;
    const html = text.body === '' ? '' : render(text.body, { images: policy.images });
    revisions.push({
      commentId: id,
      revision: text.revision,
      body: text.body,
      html,
      at: Number(text.at) || submittedAt,
    });
  }
  const log = row.log.map((one) => ({ ...plain<LogRow>(one), commentId: id }));
  if (log.some(({ version }) => !Number.isInteger(version))) return 'A row of its log is not whole.';

  // Nothing waits for its decision here, and nothing is owed.
  const { token: _token, owed: _owed, heldVersion: _held, dueAt: _due, ...rest } = given;
  const { contact, url, ...author } = rest.author;
  const known = contact === undefined ? undefined : writers.get(contact);
  return {
    line,
    comment: {
      ...rest,
      ...(status === 'received' && { status: 'held', heldAt: clock.now(), holdReason: 'imported' }),
      site: site.id,
      thread,
      parentId,
      author: {
        ...author,
        name: String(author.name ?? ''),
        ...(typeof url === 'string' && /^https?:\/\//i.test(url) && { url }),
        ...(known && { contact: known.contact }),
        ...(known?.writer && author.role === undefined && { key: known.writer }),
      },
      imported: true,
    },
    revisions,
    log,
  };
}

/** Without what is the table's own: a file must not choose where it is written. */
function plain<T>(given: object): T {
  const { expiresAt: _expiresAt, ...rest } = strip<Record<string, unknown>>(given as Item);
  return rest as T;
}
