import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { SluiceError } from '../../shared/errors.ts';

/** Numbered, forward only: the place in the list is the number. */
const MIGRATIONS = [
  `CREATE TABLE item (
     id INTEGER PRIMARY KEY, pk TEXT NOT NULL, sk TEXT NOT NULL, version INTEGER, expires_at INTEGER, doc TEXT NOT NULL,
     gsi1pk TEXT, gsi1sk TEXT, gsi2pk TEXT, gsi2sk TEXT, gsi3pk TEXT, gsi3sk TEXT, UNIQUE (pk, sk)
   ) STRICT;
   CREATE INDEX item_gsi1 ON item (gsi1pk, gsi1sk) WHERE gsi1pk IS NOT NULL;
   CREATE INDEX item_gsi2 ON item (gsi2pk, gsi2sk) WHERE gsi2pk IS NOT NULL;
   CREATE INDEX item_gsi3 ON item (gsi3pk, gsi3sk) WHERE gsi3pk IS NOT NULL;
   CREATE INDEX item_expiry ON item (expires_at) WHERE expires_at IS NOT NULL;
   CREATE VIRTUAL TABLE comment_text USING fts5 (comment_id UNINDEXED, body, author, tokenize = 'unicode61 remove_diacritics 2');
   CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;

   CREATE TABLE message (
     id INTEGER PRIMARY KEY, uuid TEXT NOT NULL, queue TEXT NOT NULL, lane TEXT NOT NULL, body TEXT NOT NULL,
     visible_at INTEGER NOT NULL, receive_count INTEGER NOT NULL DEFAULT 0, receipt TEXT, sent_at INTEGER NOT NULL,
     first_received_at INTEGER
   ) STRICT;
   CREATE INDEX message_next ON message (queue, lane, visible_at, id);
   CREATE UNIQUE INDEX message_receipt ON message (receipt) WHERE receipt IS NOT NULL;

   CREATE TABLE definition (hash TEXT PRIMARY KEY, workflow TEXT NOT NULL, body TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
   CREATE TABLE execution (
     id INTEGER PRIMARY KEY, workflow TEXT NOT NULL, name TEXT NOT NULL, definition TEXT NOT NULL, status TEXT NOT NULL,
     snapshot TEXT, pending TEXT NOT NULL, input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT,
     started_at INTEGER NOT NULL, ended_at INTEGER, UNIQUE (workflow, name)
   ) STRICT;
   CREATE INDEX execution_running ON execution (status) WHERE status = 'RUNNING';
   CREATE INDEX execution_started ON execution (workflow, started_at);
   CREATE TABLE history (execution INTEGER NOT NULL, id INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (execution, id)) STRICT, WITHOUT ROWID;
   CREATE TABLE timer (execution INTEGER NOT NULL, timer TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (execution, timer)) STRICT, WITHOUT ROWID;
   CREATE INDEX timer_due ON timer (at);
   CREATE TABLE token (token TEXT PRIMARY KEY, execution INTEGER NOT NULL, task TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE INDEX token_execution ON token (execution);`,
  `CREATE TABLE express (
     id INTEGER PRIMARY KEY, workflow TEXT NOT NULL, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL, status TEXT NOT NULL,
     subject TEXT, input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT, started_at INTEGER NOT NULL,
     ended_at INTEGER NOT NULL, events TEXT NOT NULL, bytes INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX express_started ON express (started_at);
   CREATE INDEX express_subject ON express (subject);
   CREATE INDEX execution_at ON execution (started_at);
   CREATE INDEX execution_name ON execution (name);`,
  // Texts are taken in anew, each with its writer's key beside the name.
  `DELETE FROM comment_text; DELETE FROM mark WHERE name = 'comment_text';`,
  // Whose texts went: what else holds them is searched for them together, since each search reads it all.
  `CREATE TABLE forgotten (comment_id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
   CREATE TRIGGER item_text_deleted AFTER DELETE ON item WHEN old.sk >= 'R#' AND old.sk < 'R$'
   BEGIN INSERT OR IGNORE INTO forgotten VALUES (substr(old.pk, 3)); END;`,
];

/** Under load a group takes what comes in this time: fewer fsyncs, and a page that many change is written once. */
const LONGEST_GROUP_MS = 5;

/** How one writes; all writes of a process are in order, and so are their commits. */
export type Writes = {
  sqlite: DatabaseSync;
  /**
   * Runs `work` now, inside the open group, and resolves with its result once the group is on disk: one fsync for all
   * that came while turn after turn of the event loop brought more, for 5 ms at most. What `work` throws takes back its own
   * writes alone, and is thrown at once.
   */
  write<T>(work: () => T): Promise<T>;
  /** As `write`, for work that changes the database in one statement alone, which takes itself back when it fails. */
  writeOne<T>(work: () => T): Promise<T>;
};

export type Database = Writes & {
  /**
   * Writes that resolve as soon as they stand in the open group, not yet on disk: for steps whose message is their
   * durability. What follows from them is committed with them or after them. A caller that lets its message go looks
   * whether a group was lost meanwhile.
   */
  inOrder: Writes;
  /** How many groups could not be committed so far. */
  lost(): number;
  /** Commits what is open, now. */
  flush(): void;
  close(): void;
};

/**
 * Opens, and where needed makes, the database of an instance.
 *
 * WAL with `synchronous=FULL`: a commit returns after its fsync. https://sqlite.org/pragma.html#pragma_synchronous
 *
 * @param folder `:memory:` for a database that nobody keeps
 */
export function openDatabase(folder: string): Database {
  if (folder !== ':memory:') mkdirSync(folder, { recursive: true, mode: 0o700 });
  const sqlite = new DatabaseSync(folder === ':memory:' ? folder : join(folder, 'sluice.db'));
  // A comment's rows take 3 KB together: of pages of 4 KB a third would stay empty. A database that is there keeps its own.
  // What is deleted or replaced leaves no trace in the file: a message that was handled holds the words of a comment.
  sqlite.exec(`PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
    PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = ON; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;
    PRAGMA wal_autocheckpoint = 2000;`);
  migrate(sqlite);

  const begin = sqlite.prepare('BEGIN IMMEDIATE');
  const commit = sqlite.prepare('COMMIT');
  const savepoint = sqlite.prepare('SAVEPOINT work');
  const release = sqlite.prepare('RELEASE work');
  let open = false;
  let openedAt = 0;
  /** Writes in the open group, waited for or not. */
  let joined = 0;
  let lost = 0;
  let waiting: { resolve(): void; reject(error: unknown): void }[] = [];

  const flush = () => {
    if (!open) return;
    open = false;
    const group = waiting;
    waiting = [];
    try {
      commit.run();
    } catch (cause) {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
      lost += 1;
      const error = new SluiceError('Store.Busy', 'the group could not be committed', {
        hint: 'look at disk space and permissions of SLUICE_DATA',
        cause,
      });
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  };

  /** Closes the group once nothing joins it any more, or it was open long enough. */
  const turn = (before: number): void => {
    const now = joined;
    if (now === before || performance.now() - openedAt > LONGEST_GROUP_MS) flush();
    else setImmediate(turn, now);
  };

  /** Does `work` in the open group, or opens one. */
  const enter = <T>(work: () => T): T => {
    if (!open) {
      try {
        begin.run();
      } catch (cause) {
        throw new SluiceError('Store.Busy', 'another process is writing', { hint: 'try again', cause });
      }
      openedAt = performance.now();
      open = true;
      joined = 0;
      setImmediate(turn, 0);
    }
    joined += 1;
    return work();
  };

  /** Takes back what `work` wrote when it throws. */
  const whole =
    <T>(work: () => T) =>
    (): T => {
      savepoint.run();
      try {
        const result = work();
        release.run();
        return result;
      } catch (error) {
        sqlite.exec('ROLLBACK TO work; RELEASE work');
        throw error;
      }
    };

  const onDisk = async <T>(work: () => T): Promise<T> => {
    const result = enter(work);
    await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    return result;
  };
  const atOnce = async <T>(work: () => T): Promise<T> => enter(work);

  return {
    sqlite,
    flush,
    write: (work) => onDisk(whole(work)),
    writeOne: onDisk,
    inOrder: { sqlite, write: (work) => atOnce(whole(work)), writeOne: atOnce },
    lost: () => lost,
    close() {
      flush();
      sqlite.close();
    },
  };
}

function migrate(sqlite: DatabaseSync): void {
  const version = (sqlite.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
  if (version > MIGRATIONS.length) {
    throw new SluiceError('Config.Invalid', `the data folder was written by a newer Sluice (schema ${version})`, {
      hint: 'upgrade Sluice, or point SLUICE_DATA elsewhere',
    });
  }
  for (const [index, sql] of MIGRATIONS.entries()) {
    if (index >= version) sqlite.exec(`BEGIN; ${sql}; PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}

export type { StatementSync };
