import type { Comment, LogRow, Revision, Status } from '../../shared/comment.ts';
import type { Language } from '../../shared/languages.ts';
import type { PolicyVersion } from '../../shared/policy.ts';
import { isRow } from './fields.ts';
import { jsonElements } from './json.ts';
import { type ImportStatus, type ReadItem, type Skipped, skipped, warning } from './record.ts';

/**
 * Sluice's own export: JSON Lines, one row a line, the header first and the end last.
 *
 * Order: header, policy, authors, contacts, then each thread followed by its comments. It imports back to the same state.
 */
export type ExportHeader = {
  type: 'header';
  format: 'sluice';
  version: 1;
  site: string;
  /** Milliseconds since the epoch. */
  exportedAt: number;
  /** Whether contact rows follow. Without them the file holds no e-mail or client address. */
  contacts: boolean;
};
export type ExportPolicy = { type: 'policy' } & PolicyVersion;
export type ExportAuthor = { type: 'author'; id: string; name: string; email?: string; notify: string };
/** The contact as plain text: an export is the one place where it leaves its encryption. */
export type ExportContact = {
  type: 'contact';
  id: string;
  email?: string;
  ip?: string;
  lang?: Language;
  confirmedAt?: number;
  expiresAt?: number;
  suppressed?: boolean;
  /** What the person wants no mail about: anything, or threads by their key. */
  unsubscribed?: { all?: boolean; threads: readonly string[] };
};
export type ExportThread = {
  type: 'thread';
  key: string;
  url?: string;
  title?: string;
  closed: boolean;
  aliases?: readonly string[];
  /** When its first comment came: the policy may close threads by age. */
  firstAt?: number;
  premoderate?: boolean;
  authorId?: string;
};
export type ExportComment = {
  type: 'comment';
  comment: Comment;
  revisions: readonly Revision[];
  log: readonly LogRow[];
};
/** A file without it was cut. */
export type ExportEnd = { type: 'end'; threads: number; comments: number };
export type ExportRow =
  | ExportHeader
  | ExportPolicy
  | ExportAuthor
  | ExportContact
  | ExportThread
  | ExportComment
  | ExportEnd;

const TYPES = new Set(['header', 'policy', 'author', 'contact', 'thread', 'comment', 'end']);

/**
 * The rows as lines. Without `contacts`, contact rows and the references to them stay behind, and site authors lose their
 * address. What is only true of this instance (a waiting task's token, work that is owed) is never written.
 *
 * @param rows header to comments; the end row is made here
 */
export async function* encode(
  rows: AsyncIterable<Exclude<ExportRow, ExportEnd>> | Iterable<Exclude<ExportRow, ExportEnd>>,
  options: { contacts: boolean },
): AsyncGenerator<string> {
  let threads = 0;
  let comments = 0;
  for await (const row of rows) {
    if (row.type === 'contact' && !options.contacts) continue;
    if (row.type === 'thread') threads++;
    if (row.type === 'comment') comments++;
    yield `${JSON.stringify(portable(row, options.contacts))}\n`;
  }
  yield `${JSON.stringify({ type: 'end', threads, comments } satisfies ExportEnd)}\n`;
}

function portable(row: ExportRow, contacts: boolean): ExportRow {
  if (row.type === 'header') return { ...row, contacts };
  if (row.type === 'author' && !contacts) {
    const { email: _email, ...rest } = row;
    return rest;
  }
  if (row.type !== 'comment') return row;
  const { token: _token, owed: _owed, ...comment } = row.comment;
  if (contacts) return { ...row, comment };
  const { contact: _contact, ...author } = comment.author;
  return { ...row, comment: { ...comment, author } };
}

/** The rows of an export, whole. What cannot be read comes as `skipped`, by line; a file that was cut says so last. */
export async function* decode(
  pieces: AsyncIterable<string>,
): AsyncGenerator<{ kind: 'row'; line: number; row: ExportRow } | Skipped> {
  let line = 0;
  let comments = 0;
  let ended = false;
  for await (const item of jsonElements(pieces, { root: 'elements' })) {
    line = item.line;
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    if (!isExportRow(item.value)) {
      yield skipped(line, 'A row of an export of Sluice was expected here.');
      continue;
    }
    const row = item.value;
    if (row.type === 'comment') comments++;
    if (row.type === 'end') {
      ended = true;
      if (row.comments !== comments) {
        yield skipped(line, `The file says that it holds ${row.comments} comments; ${comments} could be read.`);
      }
    }
    yield { kind: 'row', line, row };
  }
  if (!ended) yield skipped(line, 'The file has no last row, so it was cut; there may have been more.');
}

function isExportRow(value: unknown): value is ExportRow {
  if (!isRow(value) || typeof value['type'] !== 'string' || !TYPES.has(value['type'])) return false;
  if (value['type'] === 'thread') return typeof value['key'] === 'string' && value['key'] !== '';
  if (value['type'] !== 'comment') return true;
  const { comment, revisions, log } = value;
  return (
    isRow(comment) &&
    typeof comment['id'] === 'string' &&
    typeof comment['thread'] === 'string' &&
    isRow(comment['author']) &&
    Array.isArray(revisions) &&
    Array.isArray(log)
  );
}

export const STATUS: Record<Status, ImportStatus> = {
  received: 'held',
  held: 'held',
  published: 'published',
  rejected: 'rejected',
  removed: 'rejected',
  spam: 'spam',
  deleted: 'deleted',
  erased: 'deleted',
};

/**
 * Our own export as any other one: the newest text and the nearest status, for a dry run or a report. To import the same
 * state (revisions, log, policy, versions) take `decode`.
 */
export async function* readSluice(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const contacts = new Map<string, ExportContact>();
  const threads = new Map<string, ExportThread>();
  for await (const item of decode(pieces)) {
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    const { line, row } = item;
    if (row.type === 'contact') contacts.set(row.id, row);
    if (row.type === 'thread') {
      threads.set(row.key, row);
      const { key, url, title, aliases, closed } = row;
      yield {
        kind: 'thread',
        line,
        key,
        ...(url && { url }),
        ...(title && { title }),
        ...(aliases && { aliases }),
        ...(closed && { closed }),
      };
    }
    if (row.type === 'header' && (row.version as number) !== 1) {
      yield warning(
        line,
        `The export is of version ${String((row as { version: unknown }).version)}; version 1 is known here.`,
      );
    }
    if (row.type !== 'comment') continue;
    const { comment, revisions } = row;
    const shown = revisions.find(({ revision }) => revision === (comment.publishedRevision ?? comment.revision));
    const thread = threads.get(comment.thread);
    const contact = comment.author.contact === undefined ? undefined : contacts.get(comment.author.contact);
    const { name, url, role } = comment.author;
    yield {
      kind: 'comment',
      line,
      sourceId: comment.id,
      thread: {
        key: comment.thread,
        ...(thread?.url && { url: thread.url }),
        ...(thread?.title && { title: thread.title }),
      },
      ...(comment.parentId && { parentSourceId: comment.parentId }),
      author: {
        name,
        ...(contact?.email && { email: contact.email }),
        ...(url && { url }),
        ...(contact?.ip && { ip: contact.ip }),
        ...(role === 'author' && { isAuthor: true }),
      },
      body: STATUS[comment.status] === 'deleted' ? '' : (shown?.body ?? ''),
      at: comment.submittedAt,
      status: STATUS[comment.status] ?? 'held',
      ...(comment.editedAt !== undefined && { editedAt: comment.editedAt }),
    };
  }
}
