import type { Comment, LogRow } from '../../shared/comment.ts';
import type { Item, Key, Write } from '../../shared/ports.ts';
import { tallies } from '../../shared/store/comments.ts';
import { headItem, logKey, revisionKey } from '../../shared/store/keys.ts';
import type { Entry } from './prepare.ts';

/**
 * Whole comments as columns, ready to be written: they pass between threads at a third of the cost of objects.
 *
 * The rows of the comments follow each other in `rows`, the head first; `counts` says how many each has.
 */
export type Columns = {
  ids: string[];
  lines: number[];
  ats: number[];
  counts: number[];
  /** What its counters follow from: [site, thread, parent, status, published at, writer, submitted at] a comment. */
  tallied: (string | number | null)[];
  /** [pk, sk, version, gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk, JSON of the item] a row. */
  rows: (string | number | null)[];
};

export const TALLIED = 7;
export const ROW = 10;

/**
 * Writes the comments whose head is absent, with all their rows, and adds to the counters what follows from them, in one
 * transaction. For stores that can take thousands at once.
 *
 * @returns for each comment of each columns undefined, or the head that was there
 */
export type Load = (some: readonly Columns[]) => Promise<readonly (readonly (Item | undefined)[])[]>;

export const noColumns = (): Columns => ({ ids: [], lines: [], ats: [], counts: [], tallied: [], rows: [] });

/** Adds a comment's rows to the columns. */
export function addTo(columns: Columns, { line, comment, revisions, log }: Entry): void {
  columns.ids.push(comment.id);
  columns.lines.push(line);
  columns.ats.push(comment.submittedAt);
  columns.counts.push(1 + revisions.length + log.length);
  const { site, thread, parentId, status, publishedAt, author, submittedAt } = comment;
  columns.tallied.push(site, thread, parentId, status, publishedAt ?? null, author.key, submittedAt);
  addRow(columns.rows, headItem(comment));
  for (const text of revisions) addRow(columns.rows, { ...revisionKey(comment.id, text.revision), ...text });
  for (const row of log) addRow(columns.rows, { ...logKey(comment.id, row.version, part(row)), ...row });
}

/** A change stands where the pipeline writes it, since an undo looks it up there. */
export const part = (row: LogRow): string => (row.action === 'import' ? 'import' : 'change');

function addRow(rows: Columns['rows'], item: Item): void {
  rows.push(
    item.pk,
    item.sk,
    item.version ?? null,
    item.gsi1pk ?? null,
    item.gsi1sk ?? null,
    item.gsi2pk ?? null,
    item.gsi2sk ?? null,
    item.gsi3pk ?? null,
    item.gsi3sk ?? null,
    JSON.stringify(item),
  );
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
