import { hash64 } from './ids.ts';
import type { ImportAuthor, ImportFormat, ReadItem } from './record.ts';
import { HashTable } from './hash-table.ts';

export type Note = { line: number; reason: string };

export type Report = {
  format: ImportFormat | null;
  threads: number;
  comments: number;
  replies: number;
  authors: number;
  imported: number;
  unchanged: number;
  skipped: readonly Note[];
  warnings: readonly Note[];
  /** Notes beyond those listed. */
  more?: { skipped: number; warnings: number };
};

/** A garbage file must not make the report as large as itself. */
const NOTE_LIMIT = 10_000;

/**
 * Counts what a file holds while it is read, and what became of it.
 *
 * - `threads`: those that the source declares; for WordPress, the items with comments. Those left out count.
 * - `comments`: every comment found, pingbacks, trackbacks and others left out by name included; a record that cannot be
 *   read is no comment.
 * - `replies`: the comments that name a parent.
 * - `authors`: different writers of those comments, told apart by address (case ignored), else by name. One without
 *   either is nobody.
 * - `imported`, `unchanged`: comments written, and found as they are; told by the caller. So
 *   `comments = imported + unchanged + comments among skipped`.
 */
export class ReportCollector {
  format: ImportFormat | null = null;
  imported = 0;
  unchanged = 0;
  #threads = 0;
  #comments = 0;
  #replies = 0;
  readonly #authors = new HashTable();
  #authorsElsewhere = 0;
  readonly #notes = { skipped: [] as Note[], warning: [] as Note[] };
  readonly #counts = { skipped: 0, warning: 0 };

  /** Counts an item as it is read. */
  see(item: ReadItem): void {
    if (item.kind === 'thread') this.#threads++;
    else if (item.kind === 'comment') this.#comment(item.author, item.parentSourceId !== undefined);
    else {
      if (item.kind === 'skipped') {
        if (item.thread) this.#threads++;
        if (item.comment) this.#comment(item.comment.author, item.comment.reply);
      }
      this.note(item.kind, item.line, item.reason);
    }
  }

  /** Adds what another one counted, such as one on another thread. */
  absorb({ skipped, warnings, more, ...counted }: Report): void {
    this.format = counted.format ?? this.format;
    this.#threads += counted.threads;
    this.#comments += counted.comments;
    this.#replies += counted.replies;
    this.#authorsElsewhere += counted.authors;
    this.imported += counted.imported;
    this.unchanged += counted.unchanged;
    for (const { line, reason } of skipped) this.note('skipped', line, reason);
    for (const { line, reason } of warnings) this.note('warning', line, reason);
    this.#counts.skipped += more?.skipped ?? 0;
    this.#counts.warning += more?.warnings ?? 0;
  }

  /** Adds a line to the report for something that was counted before, such as a duplicate. */
  note(kind: 'skipped' | 'warning', line: number, reason: string): void {
    this.#counts[kind]++;
    if (this.#notes[kind].length < NOTE_LIMIT) this.#notes[kind].push({ line, reason });
  }

  #comment({ email, name }: ImportAuthor, reply: boolean): void {
    this.#comments++;
    if (reply) this.#replies++;
    const who = email === undefined ? name && `n:${name}` : `e:${email.toLowerCase()}`;
    if (who !== '') this.#authors.add(...hash64(who));
  }

  report(): Report {
    const more = {
      skipped: this.#counts.skipped - this.#notes.skipped.length,
      warnings: this.#counts.warning - this.#notes.warning.length,
    };
    return {
      format: this.format,
      threads: this.#threads,
      comments: this.#comments,
      replies: this.#replies,
      authors: this.#authors.size + this.#authorsElsewhere,
      imported: this.imported,
      unchanged: this.unchanged,
      skipped: this.#notes.skipped.toSorted(byLine),
      warnings: this.#notes.warning.toSorted(byLine),
      ...((more.skipped > 0 || more.warnings > 0) && { more }),
    };
  }
}

const byLine = (a: Note, b: Note) => a.line - b.line;
