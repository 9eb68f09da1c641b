import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Item, Key, Query, Table, Write, WriteResult } from '../../shared/ports.ts';
import type { Database, Writes } from './database.ts';

type DocRow = { doc: string };
type PageRow = { doc: string; sort: string; pk: string; sk: string };

/** Items deleted in one go once they expired. */
const SWEEP_BATCH = 500;

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html */
const MOST_WRITES = 100;

/** A write whose condition did not hold: takes back its group, and is answered, not thrown. */
class Failed extends Error {
  readonly index: number;
  constructor(index: number) {
    super('condition');
    this.index = index;
  }
}

/**
 * The table over SQLite.
 *
 * @param onWrite told each item as it is written, inside the group: for caches that must never be staler than the store
 */
export function localTable(
  database: Writes,
  clock: Clock,
  onWrite: (item: Item) => void = () => {},
): Table & { sweep(): Promise<number> } {
  const { sqlite } = database;
  const seconds = () => Math.floor(clock.now() / 1000);
  // By number: node:sqlite looks up each name at each call, which made a put half as dear again.
  const COLUMNS = 'pk, sk, version, expires_at, doc, gsi1pk, gsi1sk, gsi2pk, gsi2sk, gsi3pk, gsi3sk';
  const VALUES = '?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11';
  const SET = `version = ?3, expires_at = ?4, doc = ?5, gsi1pk = ?6, gsi1sk = ?7, gsi2pk = ?8, gsi2sk = ?9, gsi3pk = ?10,
    gsi3sk = ?11`;

  const getOne = sqlite.prepare(
    'SELECT doc FROM item WHERE pk = ?1 AND sk = ?2 AND (expires_at IS NULL OR expires_at > ?3)',
  );
  const put = sqlite.prepare(
    `INSERT INTO item (${COLUMNS}) VALUES (${VALUES}) ON CONFLICT (pk, sk) DO UPDATE SET ${SET}`,
  );
  // An expired item is absent, though its row may still stand.
  const putAbsent = sqlite.prepare(
    `INSERT INTO item (${COLUMNS}) VALUES (${VALUES}) ON CONFLICT (pk, sk) DO UPDATE SET ${SET}
      WHERE item.expires_at IS NOT NULL AND item.expires_at <= ?12`,
  );
  const putVersion = sqlite.prepare(
    `UPDATE item SET ${SET} WHERE pk = ?1 AND sk = ?2 AND version = ?12 AND (expires_at IS NULL OR expires_at > ?13)`,
  );
  const remove = sqlite.prepare('DELETE FROM item WHERE pk = ?1 AND sk = ?2');
  const removeVersion = sqlite.prepare(
    'DELETE FROM item WHERE pk = ?1 AND sk = ?2 AND version = ?3 AND (expires_at IS NULL OR expires_at > ?4)',
  );
  const sweepSome = sqlite.prepare(
    'DELETE FROM item WHERE id IN (SELECT id FROM item WHERE expires_at IS NOT NULL AND expires_at <= $now LIMIT $max)',
  );

  const read = (key: Key): Item | undefined => {
    const row = getOne.get(key.pk, key.sk, seconds()) as DocRow | undefined;
    return row && (JSON.parse(row.doc) as Item);
  };

  /** In the order of `COLUMNS`. */
  const valuesOf = (item: Item) =>
    [
      item.pk,
      item.sk,
      item.version ?? null,
      item.expiresAt ?? null,
      JSON.stringify(item),
      item.gsi1pk ?? null,
      item.gsi1sk ?? null,
      item.gsi2pk ?? null,
      item.gsi2sk ?? null,
      item.gsi3pk ?? null,
      item.gsi3sk ?? null,
    ] as const;

  const add = (
    key: Key,
    by: Record<string, number>,
    expiresAt: number | undefined,
    first?: Record<string, number>,
  ): Item => {
    const next: Item = { ...first, ...(read(key) ?? key), ...(expiresAt !== undefined && { expiresAt }) };
    for (const [name, step] of Object.entries(by)) next[name] = Number(next[name] ?? 0) + step;
    put.run(...valuesOf(next));
    onWrite(next);
    return next;
  };

  const apply = (write: Write, index: number): void => {
    if ('put' in write) {
      const changes =
        write.if === undefined
          ? put.run(...valuesOf(write.put)).changes
          : write.if === 'absent'
            ? putAbsent.run(...valuesOf(write.put), seconds()).changes
            : putVersion.run(...valuesOf(write.put), write.if.version, seconds()).changes;
      if (changes === 0) throw new Failed(index);
      onWrite(write.put);
    } else if ('delete' in write) {
      const { pk, sk } = write.delete;
      if (write.if === undefined) remove.run(pk, sk);
      else if (removeVersion.run(pk, sk, write.if.version, seconds()).changes === 0) throw new Failed(index);
    } else if ('add' in write) {
      add(write.add, write.by, write.expiresAt, write.first);
    } else {
      const found = read(write.check);
      const holds = write.if === 'absent' ? found === undefined : found?.version === write.if.version;
      if (!holds) throw new Failed(index);
    }
  };

  return {
    async get(key) {
      return read(key);
    },
    async getMany(keys) {
      return keys.map(read);
    },
    async query(query) {
      return page(query, sqlite, seconds());
    },
    async write(writes): Promise<WriteResult> {
      assertTransactable(writes);
      try {
        // One write is one statement, or a look and one statement.
        const write = writes.length === 1 ? database.writeOne : database.write;
        return await write(() => {
          writes.forEach(apply);
          return { done: true } as const;
        });
      } catch (error) {
        if (error instanceof Failed) return { done: false, failed: error.index };
        throw error;
      }
    },
    async writeInTurn(groups) {
      groups.forEach(assertTransactable);
      // All in this turn, so that they share one commit: whatever a crash takes, it takes them all.
      const taken: Promise<unknown>[] = [];
      for (const [index, group] of groups.entries()) {
        let failed = false;
        const write = group.length === 1 ? database.writeOne : database.write;
        const written = write(() => {
          try {
            group.forEach(apply);
          } catch (error) {
            failed = true;
            throw error;
          }
        });
        taken.push(written);
        if (!failed) continue;
        const outcomes = await Promise.allSettled(taken);
        const fault = outcomes.find((one) => one.status === 'rejected' && !(one.reason instanceof Failed));
        if (fault?.status === 'rejected') throw fault.reason;
        return { done: false, failed: index };
      }
      await Promise.all(taken);
      return { done: true };
    },
    async increment(key, by, { expiresAt } = {}) {
      const item = await database.writeOne(() => add(key, by, expiresAt));
      return Object.fromEntries(Object.keys(by).map((name) => [name, Number(item[name])]));
    },
    /** Deletes expired items, at most a batch; how many. */
    async sweep() {
      return database.write(() => Number(sweepSome.run({ $now: seconds(), $max: SWEEP_BATCH }).changes));
    },
  };
}

/** What DynamoDB refuses in one transaction is refused here too, so that it is found here. */
function assertTransactable(writes: readonly Write[]): void {
  if (writes.length < 2) return;
  const keys = new Set(
    writes.map((write) => {
      const { pk, sk } =
        'put' in write ? write.put : 'delete' in write ? write.delete : 'add' in write ? write.add : write.check;
      return `${pk}\n${sk}`;
    }),
  );
  if (writes.length > MOST_WRITES || keys.size < writes.length) {
    throw new SluiceError('Internal.Bug', `${writes.length} writes on ${keys.size} keys`, {
      hint: `at most ${MOST_WRITES} in one transaction, and no key twice`,
    });
  }
}

const statements = new WeakMap<object, Map<string, ReturnType<Database['sqlite']['prepare']>>>();

function page(
  { index, pk, from, to, prefix, order = 'ascending', limit = 100, cursor }: Query,
  sqlite: Database['sqlite'],
  now: number,
): { items: readonly Item[]; cursor?: string } {
  const [pkColumn, sortColumn] = index ? ([`${index}pk`, `${index}sk`] as const) : (['pk', 'sk'] as const);
  const down = order === 'descending';
  const low = prefix !== undefined && (from === undefined || prefix > from) ? prefix : from;
  const high = prefix !== undefined && (to === undefined || `${prefix}\u{10ffff}` < to) ? `${prefix}\u{10ffff}` : to;
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const bound: (string | number)[] = [pk, now];
  const by = (value: string | number): string => `?${bound.push(value)}`;
  const sql = `SELECT doc, ${sortColumn} AS sort, pk, sk FROM item
    WHERE ${pkColumn} = ?1 AND (expires_at IS NULL OR expires_at > ?2)
    ${low === undefined ? '' : `AND ${sortColumn} >= ${by(low)}`} ${high === undefined ? '' : `AND ${sortColumn} <= ${by(high)}`}
    ${after ? `AND (${sortColumn}, pk, sk) ${down ? '<' : '>'} (${after.map(by).join(', ')})` : ''}
    ORDER BY ${sortColumn} ${down ? 'DESC' : 'ASC'}, pk ${down ? 'DESC' : 'ASC'}, sk ${down ? 'DESC' : 'ASC'} LIMIT ${by(limit + 1)}`;
  let prepared = statements.get(sqlite);
  if (!prepared) statements.set(sqlite, (prepared = new Map()));
  let statement = prepared.get(sql);
  if (!statement) prepared.set(sql, (statement = sqlite.prepare(sql)));
  const rows = statement.all(...bound) as PageRow[];
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map((row) => JSON.parse(row.doc) as Item),
    ...(rows.length > limit &&
      last && { cursor: Buffer.from(JSON.stringify([last.sort, last.pk, last.sk])).toString('base64url') }),
  };
}

function readCursor(cursor: string): [string, string, string] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 3 && parts.every((part) => typeof part === 'string')) {
      return parts as [string, string, string];
    }
  } catch {
    // Falls through to the same answer.
  }
  throw new SluiceError('Request.Invalid', 'the cursor is not one of ours', {
    hint: 'take nextCursor from the page before',
  });
}
