import type { Item, Write } from '../../shared/ports.ts';
import { headKey } from '../../shared/store/keys.ts';
import { HEAD, OTHER, talliesAt, type Columns, type Load } from '../../services/import/load.ts';
import type { Database, StatementSync } from './database.ts';

/**
 * Writes imported comments by the thousand: none is looked up before it is written, and each counter is added to once.
 *
 * Beside a running server the transactions stay small, by the caller's batches.
 */
export function localLoad({ sqlite, write }: Database): { load: Load; settle(): Promise<void> } {
  // The JSON comes as bytes, which become text without being looked at.
  const putAbsent = sqlite.prepare(
    `INSERT INTO item (pk, sk, version, gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk, doc)
      VALUES (?1, 'head', ?2, ?3, ?4, ?5, ?6, ?7, ?8, CAST(?9 AS TEXT)) ON CONFLICT (pk, sk) DO NOTHING`,
  );
  const putOther = sqlite.prepare(
    `INSERT INTO item (pk, sk, version, doc) VALUES (?1, ?2, ?3, CAST(?4 AS TEXT))
      ON CONFLICT (pk, sk) DO UPDATE SET version = ?3, doc = excluded.doc`,
  );
  const get = sqlite.prepare('SELECT doc FROM item WHERE pk = ?1 AND sk = ?2');
  const headOf = (pk: string) => JSON.parse((get.get(pk, 'head') as { doc: string }).doc) as Item;
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
    // Written back seldom, a page that many commits touch is written once. A commit does not wait for the disk: what a
    // power cut takes, it takes from the end, and the next run brings it again.
    sqlite.exec('PRAGMA wal_autocheckpoint = 8000; PRAGMA synchronous = NORMAL');
    return write(() => {
      const counters = new Map<string, Adding>();
      const found = some.map((columns) => insert(columns, counters));
      counters.forEach(add);
      return found;
    });
  };

  /** All items of the columns' comments that are not there. */
  function insert(columns: Columns, counters: Map<string, Adding>): (Item | undefined)[] {
    const { counts, heads, others, json, ends } = columns;
    let next = 0;
    let other = 0;
    const nextJson = () => json.subarray(ends[next - 1] ?? 0, ends[next++]);
    return counts.map((count, index) => {
      const { pk } = headKey(columns.ids[index]!);
      const values = heads.slice(index * HEAD, (index + 1) * HEAD) as Head;
      // What the comment is made of came with the index: one statement decides, and nobody comes between.
      if (putAbsent.run(pk, ...values, nextJson()).changes === 0) {
        next += count - 1;
        other += (count - 1) * OTHER;
        return headOf(pk);
      }
      for (let left = count - 1; left > 0; left--, other += OTHER) {
        putOther.run(pk, others[other]!, others[other + 1]!, nextJson());
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
type Head = [Value, Value, Value, Value, Value, Value, Value];
