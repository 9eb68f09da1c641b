import { SluiceError } from '../../shared/errors.ts';
import { Clock, type Row } from './fields.ts';
import { issoComment, urlOf } from './isso.ts';
import type { ReadItem } from './record.ts';

/** Whole rows, oldest first within a thread: `id` grows with time, so parents come before their replies. */
const COMMENTS = 'SELECT * FROM comments WHERE tid = ? ORDER BY id';
const THREADS = 'SELECT id, uri, title FROM threads ORDER BY id';
const STRAYS = 'SELECT * FROM comments WHERE tid IS NULL OR tid NOT IN (SELECT id FROM threads) ORDER BY id';

/**
 * Isso's own database (`comments.db`), opened read-only. `line` is the comment's or thread's row id.
 *
 * Throws `Import.Unreadable` when it is no database of Isso's, or when it breaks off.
 */
export async function* readIssoDatabase(path: string): AsyncGenerator<ReadItem> {
  const { DatabaseSync } = await import('node:sqlite');
  let database;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const clock = new Clock();
    const comments = database.prepare(COMMENTS);
    for (const row of database.prepare(THREADS).iterate()) {
      const key = String(row['uri'] ?? '');
      const title = String(row['title'] ?? '').trim();
      const thread = { key, ...urlOf(key), ...(title !== '' && { title }) };
      yield { kind: 'thread', line: Number(row['id']), ...thread };
      for (const comment of comments.iterate(row['id'] as number)) {
        yield* issoComment(comment as Row, thread, Number(comment['id']), clock, '');
      }
    }
    for (const row of database.prepare(STRAYS).iterate()) {
      yield {
        kind: 'skipped',
        line: Number(row['id']),
        reason: `Comment ${row['id']} belongs to thread ${row['tid']}, which is not in the database.`,
        comment: { author: { name: String(row['author'] ?? '') }, reply: row['parent'] !== null },
      };
    }
  } catch (cause) {
    throw new SluiceError('Import.Unreadable', `The database cannot be read as Isso's: ${(cause as Error).message}`, {
      hint: 'give a copy of comments.db made while Isso was stopped, or with `sqlite3 comments.db .backup`',
      cause,
    });
  } finally {
    database?.close();
  }
}
