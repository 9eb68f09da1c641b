import type { Item, Key, Query, Table, Write } from '../../shared/ports.ts';
import { INDEXES, type IndexName } from './table-schema.ts';

/** One request to the table as DynamoDB bills it. */
export type Use = {
  /** What is done to which kind of item: `put C#/head`. */
  name: string;
  writeUnits: number;
  readUnits: number;
};

const KB = 1024;

/**
 * A table that notes what each request would cost on demand, index copies and transactions included.
 *
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
 */
export function metered(table: Table, note: (use: Use) => void): Table {
  const readOf = (verb: string, key: Key, item: Item | undefined, stale = false) =>
    note({
      name: `${verb} ${kindOf(key)}`,
      writeUnits: 0,
      readUnits: Math.max(1, Math.ceil(bytesOf(item ?? {}) / (4 * KB))) * (stale ? 0.5 : 1),
    });
  const find = async (key: Key) => table.get(key);
  const written = async (writes: readonly Write[], twice: boolean) => {
    const before = await Promise.all(writes.map((one) => find(keyOf(one))));
    const result = await table.write(writes);
    const after = await Promise.all(writes.map((one) => find(keyOf(one))));
    for (const [index, one] of writes.entries()) {
      const [was, is] = [before[index], after[index]];
      const own = Math.max(1, Math.ceil(Math.max(bytesOf(was ?? {}), bytesOf(is ?? {})) / KB));
      note({
        name: `${verbOf(one)} ${kindOf(keyOf(one))}`,
        writeUnits: own * (twice ? 2 : 1) + (result.done ? indexUnits(was, is) : 0),
        readUnits: 0,
      });
    }
    return result;
  };

  return {
    async get(key, options) {
      const item = await table.get(key, options);
      readOf('get', key, item, options?.stale);
      return item;
    },
    async getMany(keys, options) {
      const items = await table.getMany(keys, options);
      for (const [index, key] of keys.entries()) readOf('get', key, items[index], options?.stale);
      return items;
    },
    async query(query: Query) {
      const page = await table.query(query);
      const carries = query.index ? INDEXES[query.index] : 'ALL';
      const bytes = page.items.reduce((sum, item) => sum + (carries === 'ALL' ? bytesOf(item) : KEY_BYTES), 0);
      const units = Math.max(1, Math.ceil(bytes / (4 * KB)));
      note({
        name: `query ${query.index ?? 'table'} ${kindOf({ pk: query.pk, sk: query.prefix ?? '' })}`,
        writeUnits: 0,
        readUnits: query.index ? units / 2 : units,
      });
      if (carries === 'KEYS_ONLY') for (const item of page.items) readOf('get', item, item);
      return page;
    },
    // A lone tally goes as a transaction, so that its token keeps a repeat from adding twice.
    write: (writes) => written(writes, writes.length > 1 || writes.some((one) => 'add' in one || 'check' in one)),
    async writeInTurn(groups) {
      for (const [index, group] of groups.entries()) {
        if (!(await written(group, group.length > 1)).done) return { done: false, failed: index };
      }
      return { done: true };
    },
    async increment(key, by, options) {
      const answer = await table.increment(key, by, options);
      note({ name: `increment ${kindOf(key)}`, writeUnits: 1, readUnits: 0 });
      return answer;
    },
  };
}

/** Table keys and index keys of one entry. */
const KEY_BYTES = 220;

/** Of all indexes: one write to appear, change or go; two to move; none when nothing that it carries changed. */
export function indexUnits(was: Item | undefined, is: Item | undefined): number {
  return (Object.keys(INDEXES) as IndexName[]).reduce((sum, index) => {
    const at = (item: Item | undefined) => item?.[`${index}pk`] && [item[`${index}pk`], item[`${index}sk`]].join('\n');
    const [from, to] = [at(was), at(is)];
    const carried = (item: Item | undefined) =>
      INDEXES[index] === 'ALL' ? Math.max(1, Math.ceil(bytesOf(item ?? {}) / KB)) : 1;
    if (!from && !to) return sum;
    if (from !== to) return sum + (from ? carried(was) : 0) + (to ? carried(is) : 0);
    return sum + (INDEXES[index] === 'ALL' ? Math.max(carried(was), carried(is)) : 0);
  }, 0);
}

const keyOf = (one: Write): Key =>
  'put' in one ? one.put : 'delete' in one ? one.delete : 'add' in one ? one.add : one.check;
const verbOf = (one: Write) => ('put' in one ? 'put' : 'delete' in one ? 'delete' : 'add' in one ? 'add' : 'check');

/** The kind of an item from its key: letters before the first separator, without the ids. */
export function kindOf({ pk, sk }: Key): string {
  const head = pk.split('#')[0] ?? '';
  const tail = /^[A-Z]#/.test(sk)
    ? sk.slice(0, 1)
    : /^[a-z-]+$/.test(sk)
      ? sk
      : sk.replace(/#.*$/, '').replace(/^\d+$/, '…');
  return `${head}/${tail}`;
}

/**
 * As DynamoDB counts: names and texts in UTF-8, a number by its digits, three bytes and one an element for containers.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
export function bytesOf(value: unknown): number {
  if (value === undefined) return 0;
  if (value === null || typeof value === 'boolean') return 1;
  if (typeof value === 'number') return Math.ceil(String(value).replace(/^0+|[-.]/g, '').length / 2) + 1;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return 3 + value.reduce<number>((sum, one) => sum + 1 + bytesOf(one), 0);
  return Object.entries(value as object).reduce(
    (sum, [name, one]) => (one === undefined ? sum : sum + 1 + Buffer.byteLength(name) + bytesOf(one)),
    3,
  );
}
