import type { Comment, LogRow } from '../../shared/comment.ts';
import type { Item, Key, Write } from '../../shared/ports.ts';
import { tallies } from '../../shared/store/comments.ts';
import { headItem, logKey, revisionKey } from '../../shared/store/keys.ts';
import type { Entry } from './prepare.ts';

/**
 * Whole comments as columns, ready to be written.
 *
 * The items of the comments follow each other, the head first; `counts` says how many each has. Their JSON stands as bytes:
 * the thread that writes them makes no text of it, and memory that both threads see is filled again and again.
 */
export type Columns = {
  ids: string[];
  lines: number[];
  ats: number[];
  counts: number[];
  /** What its counters follow from: [site, thread, parent, status, published at, writer, submitted at] a comment. */
  tallied: (string | number | null)[];
  /** [version, gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk] a head. */
  heads: (string | number | null)[];
  /** [sk, version] a further item, which no index lists. */
  others: (string | number | null)[];
  /** The items in UTF-8, and where each ends. */
  json: Uint8Array;
  ends: number[];
};

export const TALLIED = 7;
export const HEAD = 7;
export const OTHER = 2;
/** Where a batch's JSON begins to grow. */
const START_BYTES = 256 * 1024;

/**
 * Writes the comments whose head is absent, with all their rows, and adds to the counters what follows from them, in one
 * transaction. For stores that can take thousands at once.
 *
 * @returns for each comment of each columns undefined, or the head that was there
 */
export type Load = (some: readonly Columns[]) => Promise<readonly (readonly (Item | undefined)[])[]>;

/** @param memory for the JSON: what an earlier batch held there is gone */
export const noColumns = (memory: Uint8Array = new Uint8Array(START_BYTES)): Columns => ({
  ids: [],
  lines: [],
  ats: [],
  counts: [],
  tallied: [],
  heads: [],
  others: [],
  json: memory,
  ends: [],
});

/** Adds a comment's items to the columns. */
export function addTo(columns: Columns, { line, comment, revisions, log }: Entry): void {
  const { id, site, thread, parentId, status, publishedAt, author, submittedAt } = comment;
  columns.ids.push(id);
  columns.lines.push(line);
  columns.ats.push(submittedAt);
  columns.counts.push(1 + revisions.length + log.length);
  columns.tallied.push(site, thread, parentId, status, publishedAt ?? null, author.key, submittedAt);
  const head = headItem(comment);
  columns.heads.push(
    head.version ?? null,
    head.gsi1pk ?? null,
    head.gsi1sk ?? null,
    head.gsi2pk ?? null,
    head.gsi2sk ?? null,
    head.gsi3pk ?? null,
    head.gsi3sk ?? null,
  );
  addJson(columns, head);
  for (const text of revisions) addOther(columns, { ...revisionKey(id, text.revision), ...text });
  for (const row of log) addOther(columns, { ...logKey(id, row.version, part(row)), ...row });
}

/** A change stands where the pipeline writes it, since an undo looks it up there. */
export const part = (row: LogRow): string => (row.action === 'import' ? 'import' : 'change');

function addOther(columns: Columns, item: Item): void {
  columns.others.push(item.sk, item.version ?? null);
  addJson(columns, item);
}

const utf8 = new TextEncoder();

function addJson(columns: Columns, item: Item): void {
  const json = JSON.stringify(item);
  const from = columns.ends.at(-1) ?? 0;
  // No UTF-16 unit takes more than three bytes.
  if (from + 3 * json.length > columns.json.length) {
    const grown = new Uint8Array(2 * columns.json.length + 3 * json.length);
    grown.set(columns.json.subarray(0, from));
    columns.json = grown;
  }
  columns.ends.push(from + utf8.encodeInto(json, columns.json.subarray(from)).written);
}

/** What the comment at `index` adds to each counter. */
export function talliesAt({ tallied }: Columns, index: number) {
  const [site, thread, parentId, status, publishedAt, key, submittedAt] = tallied.slice(
    index * TALLIED,
    (index + 1) * TALLIED,
  );
  const after = { site, thread, parentId, status, publishedAt: publishedAt ?? undefined, author: { key }, submittedAt };
  return tallies({ status: 'received' }, after as unknown as Comment) as Extract<Write, { add: Key }>[];
}
