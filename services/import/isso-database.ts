import { statSync } from 'node:fs';
import { SluiceError } from '../../shared/errors.ts';
import { Clock, type Row } from './fields.ts';
import { issoComment, urlOf } from './isso.ts';
import { skipped, type ImportComment, type ReadItem } from './record.ts';

/**
 * Whole rows as they lie in the file: `id` grows with time, so parents come before their replies. By thread would read the
 * table once for each, since Isso has no index for it.
 */
const COMMENTS = 'SELECT * FROM comments ORDER BY id';
const THREADS = 'SELECT id, uri, title FROM threads ORDER BY id';
const COUNT = 'SELECT count(*) AS count FROM comments';

/** Comments between two words of progress. */
const STEP = 1000;

/**
 * Isso's own database (`comments.db`), opened read-only. `line` is the comment's or thread's row id.
 *
 * Throws `Import.Unreadable` when it is no database of Isso's, or when it breaks off.
 *
 * @param onProgress told how many bytes of the file are read, by the share of its comments
 */
export async function* readIssoDatabase(
  path: string,
  onProgress: (bytes: number) => void = () => {},
): AsyncGenerator<ReadItem> {
  const { DatabaseSync } = await import('node:sqlite');
  let database;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    const threads = new Map<unknown, ImportComment['thread']>();
    for (const row of database.prepare(THREADS).iterate()) {
      const key = String(row['uri'] ?? '');
      const title = String(row['title'] ?? '').trim();
      const thread = { key, ...urlOf(key), ...(title !== '' && { title }) };
      threads.set(row['id'], thread);
      yield { kind: 'thread', line: Number(row['id']), ...thread };
    }
    const bytes = statSync(path).size;
    const count = Number(database.prepare(COUNT).get()?.['count']);
    const clock = new Clock();
    let read = 0;
    for (const row of database.prepare(COMMENTS).iterate()) {
      const line = Number(row['id']);
      const thread = threads.get(row['tid']);
      if (thread !== undefined) yield* issoComment(row as Row, thread, line, clock, '');
      else {
        yield {
          ...skipped(line, `Comment ${line} belongs to thread ${row['tid']}, which is not in the database.`),
          comment: { author: { name: String(row['author'] ?? '') }, reply: row['parent'] !== null },
        };
      }
      if (++read % STEP === 0) onProgress(Math.round((bytes * read) / count));
    }
    onProgress(bytes);
  } catch (cause) {
    throw new SluiceError('Import.Unreadable', `The database cannot be read as Isso's: ${(cause as Error).message}`, {
      hint: 'give a copy of comments.db made while Isso was stopped, or with `sqlite3 comments.db .backup`',
      cause,
    });
  } finally {
    database?.close();
  }
}
