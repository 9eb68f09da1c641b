import type { Database } from './database.ts';

/** Comments in one statement's list. */
const AT_ONCE = 200;

/**
 * What this runtime keeps of comments outside the table: the full-text index, the inputs and histories of runs that have
 * ended, and messages that wait for delivery or have failed. Freed pages are overwritten, and the write-ahead log is emptied where nobody else reads it.
 */
export async function forgetTexts(database: Database, ids: readonly string[]): Promise<void> {
  const { sqlite } = database;
  sqlite.exec(`INSERT INTO comment_text (comment_text, rank) VALUES ('secure-delete', 1)`);
  const text = sqlite.prepare('DELETE FROM comment_text WHERE comment_id IN (SELECT value FROM json_each($ids))');
  const runs = sqlite.prepare(
    `SELECT id FROM execution WHERE status <> 'RUNNING'
        AND EXISTS (SELECT 1 FROM json_each($ids) WHERE instr(execution.input, value) > 0)`,
  );
  const history = sqlite.prepare('DELETE FROM history WHERE execution = $id');
  // The row stays: its name keeps the same run from starting twice.
  const blank = sqlite.prepare(
    `UPDATE execution SET input = '{}', output = NULL, error = NULL, cause = NULL, snapshot = NULL, pending = '[]' WHERE id = $id`,
  );
  const express = sqlite.prepare('DELETE FROM express WHERE subject IN (SELECT value FROM json_each($ids))');
  // In a message the id stands between quotes: one that only begins alike is another.
  const messages = sqlite.prepare(
    `DELETE FROM message WHERE EXISTS (SELECT 1 FROM json_each($ids) WHERE instr(body, '"' || value || '"') > 0)`,
  );
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const $ids = JSON.stringify(ids.slice(from, from + AT_ONCE));
    await database.write(() => {
      text.run({ $ids });
      express.run({ $ids });
      messages.run({ $ids });
      for (const { id } of runs.all({ $ids }) as { id: number }[]) {
        history.run({ $id: id });
        blank.run({ $id: id });
      }
    });
  }
  // Beside a running server somebody else may have begun a group already.
  database.flush();
  sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)');
}
