import type { Item, Write } from '../../shared/ports.ts';
import { ROW, talliesAt, type Columns, type Load } from '../../services/import/load.ts';
import type { Database, StatementSync } from './database.ts';

/**
 * Writes imported comments by the thousand: none is looked up before it is written, and each counter is added to once.
 *
 * Beside a running server the transactions stay small, by the caller's batches.
 */
export function localLoad({ sqlite, write }: Database): { load: Load; settle(): Promise<void> } {
  const COLUMNS = 'pk, sk, version, gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk, doc';
  const putAbsent = sqlite.prepare(
    `INSERT INTO item (${COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (pk, sk) DO NOTHING`,
  );
  const putText = sqlite.prepare(
    `INSERT INTO item (pk, sk, version, doc) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (pk, sk) DO UPDATE SET version = ?3, doc = ?4`,
  );
  const get = sqlite.prepare('SELECT doc FROM item WHERE pk = ?1 AND sk = ?2');
  const read = (pk: string, sk: string) => JSON.parse((get.get(pk, sk) as { doc: string }).doc) as Item;
  const settled = sqlite.prepare(`INSERT OR REPLACE INTO mark VALUES ('imported', ?1)`);
  const adding = new Map<string, StatementSync>();

  /** One statement for each set of counted fields. */
  function add({ add: { pk, sk }, by, first }: Adding): void {
    const names = Object.keys(by);
    const firsts = Object.keys(first ?? {});
    const shape = `${names.join()} ${firsts.join()}`;
    let statement = adding.get(shape);
    if (!statement) {
      const sums = [
        ...names.map((name, index) => `'$.${name}', coalesce(doc ->> '$.${name}', 0) + ?${index + 4}`),
        ...firsts.map((name, index) => `'$.${name}', coalesce(doc ->> '$.${name}', ?${index + 4 + names.length})`),
      ];
      statement = sqlite.prepare(
        `INSERT INTO item (pk, sk, doc) VALUES (?1, ?2, ?3) ON CONFLICT (pk, sk) DO UPDATE SET doc = json_set(doc, ${sums.join()})`,
      );
      adding.set(shape, statement);
    }
    statement.run(
      pk,
      sk,
      JSON.stringify({ ...first, pk, sk, ...by }),
      ...Object.values(by),
      ...Object.values(first ?? {}),
    );
  }

  const load: Load = async (some) => {
    // Keys come in no order, so each commit touches the index all over: what is written back seldom is written once. A
    // commit does not wait for the disk: what a power cut takes, it takes from the end, and the next run brings it again.
    sqlite.exec('PRAGMA wal_autocheckpoint = 16000; PRAGMA cache_size = -131072; PRAGMA synchronous = NORMAL');
    return write(() => {
      const counters = new Map<string, Adding>();
      const found = some.map((columns) => insert(columns, counters));
      counters.forEach(add);
      return found;
    });
  };

  /** All rows of the columns' comments that are not there. */
  function insert(columns: Columns, counters: Map<string, Adding>): (Item | undefined)[] {
    const { counts, rows } = columns;
    let at = 0;
    return counts.map((count, index) => {
      const head = at;
      at += count * ROW;
      const [pk, sk] = rows.slice(head, head + 2) as [string, string];
      // What the comment is made of came with the index: one statement decides, and nobody comes between.
      const values = rows.slice(head, head + ROW) as Values;
      if (putAbsent.run(...values).changes === 0) return read(pk, sk);
      for (let row = head + ROW; row < at; row += ROW) {
        putText.run(rows[row]!, rows[row + 1]!, rows[row + 2]!, rows[row + 9]!);
      }
      for (const write of talliesAt(columns, index)) {
        const name = `${write.add.pk}\0${write.add.sk}`;
        const counter = counters.get(name);
        if (!counter) counters.set(name, { ...write, by: { ...write.by } });
        else for (const [field, step] of Object.entries(write.by)) counter.by[field] = (counter.by[field] ?? 0) + step;
      }
      return undefined;
    });
  }

  return {
    load,
    /** Returns once all that was loaded is on disk. */
    async settle() {
      sqlite.exec('PRAGMA synchronous = FULL');
      // A commit that waits for the disk waits for all before it.
      await write(() => settled.run(Date.now()));
    },
  };
}

type Adding = Extract<Write, { add: unknown }>;
type Value = string | number | null;
type Values = [Value, Value, Value, Value, Value, Value, Value, Value, Value, Value];
