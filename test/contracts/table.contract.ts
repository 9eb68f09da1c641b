import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Item, Table } from '../../shared/ports.ts';

export type TableRig = {
  table: Table;
  /** Lets so much time pass for the adapter's clock. */
  pass(ms: number): Promise<void>;
  /** Milliseconds since the epoch, by the adapter's clock. */
  now(): number;
  close(): Promise<void>;
};

/** Every promise of `Table`, asked of one adapter. A prefix of its own for each case: the table is shared. */
export function tableContract(adapter: string, rig: () => Promise<TableRig>): void {
  describe(`table contract, ${adapter}`, () => {
    let at: TableRig;
    let table: Table;
    let cases = 0;
    const run = `t${Date.now().toString(36)}`;
    const fresh = () => `${run}-${cases++}`;
    const seconds = () => Math.floor(at.now() / 1000);

    beforeAll(async () => {
      at = await rig();
      table = at.table;
    });
    afterAll(() => at.close());

    const fill = async (pk: string, sks: readonly string[], more: Partial<Item> = {}) => {
      for (const sk of sks) await table.write([{ put: { pk, sk, ...more } }]);
    };

    it('reads what was written, with every kind of JSON value', async () => {
      const pk = fresh();
      const item = {
        pk,
        sk: 'a',
        text: 'Grüße 👋 "x" \\ \u0000',
        empty: '',
        zero: 0,
        tiny: 1e-7,
        big: 9_007_199_254_740_991,
        huge: 1e21,
        yes: true,
        nothing: null,
        list: [1, 'two', { three: [] }],
        deep: { a: { b: { c: [null, false] } } },
      };
      expect(await table.write([{ put: item }])).toEqual({ done: true });
      expect(await table.get({ pk, sk: 'a' })).toEqual(item);
    });

    it('leaves out attributes that are undefined', async () => {
      const pk = fresh();
      await table.write([{ put: { pk, sk: 'a', gone: undefined, in: { side: undefined, kept: 1 } } }]);
      const item = await table.get({ pk, sk: 'a' });
      expect(JSON.stringify(item?.in)).toBe('{"kept":1}');
      expect(item?.gone).toBeUndefined();
    });

    it('answers undefined where nothing stands', async () => {
      expect(await table.get({ pk: fresh(), sk: 'a' })).toBeUndefined();
    });

    it('replaces the whole item on put', async () => {
      const pk = fresh();
      await table.write([{ put: { pk, sk: 'a', one: 1 } }]);
      await table.write([{ put: { pk, sk: 'a', two: 2 } }]);
      expect(await table.get({ pk, sk: 'a' })).toEqual({ pk, sk: 'a', two: 2 });
    });

    it('reads many in the order asked, a key twice too, undefined where there is none', async () => {
      const pk = fresh();
      await fill(pk, ['a', 'b']);
      const found = await table.getMany([
        { pk, sk: 'b' },
        { pk, sk: 'x' },
        { pk, sk: 'a' },
        { pk, sk: 'b' },
      ]);
      expect(found.map((item) => item?.sk)).toEqual(['b', undefined, 'a', 'b']);
      expect(await table.getMany([])).toEqual([]);
    });

    it('reads a hundred at once', async () => {
      const pk = fresh();
      const sks = Array.from({ length: 100 }, (_, n) => String(n).padStart(3, '0'));
      for (let from = 0; from < 100; from += 20) {
        await Promise.all(sks.slice(from, from + 20).map((sk) => table.write([{ put: { pk, sk } }])));
      }
      expect((await table.getMany(sks.map((sk) => ({ pk, sk })))).map((item) => item?.sk)).toEqual(sks);
    });

    describe('conditions', () => {
      it('puts where nothing stands, and says so where something does', async () => {
        const put: Item = { pk: fresh(), sk: 'a', n: 1 };
        expect(await table.write([{ put, if: 'absent' }])).toEqual({ done: true });
        expect(await table.write([{ put: { ...put, n: 2 }, if: 'absent' }])).toEqual({ done: false, failed: 0 });
        expect((await table.get(put))?.n).toBe(1);
      });

      it('puts over the version that it read, and over no other', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ put: { ...key, version: 1 } }]);
        expect(await table.write([{ put: { ...key, version: 2 }, if: { version: 1 } }])).toEqual({ done: true });
        expect(await table.write([{ put: { ...key, version: 2 }, if: { version: 1 } }])).toEqual({
          done: false,
          failed: 0,
        });
        expect(await table.write([{ put: { pk: fresh(), sk: 'a', version: 1 }, if: { version: 0 } }])).toMatchObject({
          done: false,
        });
      });

      it('deletes with and without a version; what is gone already is no error', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ put: { ...key, version: 3 } }]);
        expect(await table.write([{ delete: key, if: { version: 2 } }])).toEqual({ done: false, failed: 0 });
        expect(await table.write([{ delete: key, if: { version: 3 } }])).toEqual({ done: true });
        expect(await table.write([{ delete: key }])).toEqual({ done: true });
        expect(await table.get(key)).toBeUndefined();
      });

      it('lets one of many win a race', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ put: { ...key, version: 1 } }]);
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, by) => table.write([{ put: { ...key, by, version: 2 }, if: { version: 1 } }])),
        );
        expect(results.filter(({ done }) => done)).toHaveLength(1);
      });
    });

    describe('several writes', () => {
      it('are done together', async () => {
        const pk = fresh();
        await table.write([{ put: { pk, sk: 'old' } }, { put: { pk, sk: 'here', version: 4 } }]);
        expect(
          await table.write([
            { put: { pk, sk: 'new' }, if: 'absent' },
            { delete: { pk, sk: 'old' } },
            { add: { pk, sk: 'count' }, by: { total: 2 } },
            { check: { pk, sk: 'here' }, if: { version: 4 } },
            { check: { pk, sk: 'nowhere' }, if: 'absent' },
          ]),
        ).toEqual({ done: true });
        expect(sksOf(await table.query({ pk }))).toEqual(['count', 'here', 'new']);
        expect((await table.get({ pk, sk: 'count' }))?.total).toBe(2);
      });

      it.each([
        ['a put where something stands', 1, { put: { pk: '', sk: 'here' }, if: 'absent' }],
        ['a put over another version', 1, { put: { pk: '', sk: 'here', version: 9 }, if: { version: 8 } }],
        ['a delete of another version', 1, { delete: { pk: '', sk: 'here' }, if: { version: 8 } }],
        ['a check that does not hold', 1, { check: { pk: '', sk: 'here' }, if: 'absent' }],
        ['a check of another version', 1, { check: { pk: '', sk: 'here' }, if: { version: 8 } }],
      ] as const)('are none of them done after %s', async (_sentence, failed, bad) => {
        const pk = fresh();
        await table.write([{ put: { pk, sk: 'here', version: 1 } }]);
        const placed = JSON.parse(JSON.stringify(bad).replace('"pk":""', `"pk":${JSON.stringify(pk)}`));
        const result = await table.write([
          { put: { pk, sk: 'first' } },
          placed,
          { add: { pk, sk: 'count' }, by: { total: 1 } },
          { put: { pk, sk: 'last' } },
        ]);
        expect(result).toEqual({ done: false, failed });
        expect(sksOf(await table.query({ pk }))).toEqual(['here']);
      });

      it('name the first that failed', async () => {
        const pk = fresh();
        await fill(pk, ['b', 'c']);
        expect(
          await table.write([
            { put: { pk, sk: 'a' }, if: 'absent' },
            { put: { pk, sk: 'b' }, if: 'absent' },
            { put: { pk, sk: 'c' }, if: 'absent' },
          ]),
        ).toEqual({ done: false, failed: 1 });
      });

      it('may be a hundred, and none at all', async () => {
        const pk = fresh();
        const hundred = Array.from({ length: 100 }, (_, n) => ({ put: { pk, sk: String(n) } }));
        expect(await table.write(hundred)).toEqual({ done: true });
        expect((await table.query({ pk, limit: 1000 })).items).toHaveLength(100);
        expect(await table.write([])).toEqual({ done: true });
      });

      it('refuse a hundred and one, and one key twice', async () => {
        const pk = fresh();
        const many = Array.from({ length: 101 }, (_, n) => ({ put: { pk, sk: String(n) } }));
        await expect(table.write(many)).rejects.toMatchObject({ code: 'Internal.Bug' });
        await expect(
          table.write([{ put: { pk, sk: 'a' } }, { add: { pk, sk: 'a' }, by: { n: 1 } }]),
        ).rejects.toMatchObject({ code: 'Internal.Bug' });
      });
    });

    describe('writes in turn', () => {
      it('are done one after the other, each group whole, up to the first that fails', async () => {
        const pk = fresh();
        const item = (sk: string) => ({ put: { pk, sk, version: 1 }, if: 'absent' as const });
        expect(
          await table.writeInTurn([[item('a')], [item('b'), item('c')], [{ add: { pk, sk: 'n' }, by: { n: 2 } }]]),
        ).toEqual({ done: true });
        expect(await table.writeInTurn([[item('d')], [item('e'), item('b')], [item('f')]])).toEqual({
          done: false,
          failed: 1,
        });
        const { items } = await table.query({ pk });
        expect(items.map(({ sk }) => sk)).toEqual(['a', 'b', 'c', 'd', 'n']);
      });

      it('fail at the first, and write nothing', async () => {
        const pk = fresh();
        await table.write([{ put: { pk, sk: 'a', version: 2 } }]);
        const groups = [[{ put: { pk, sk: 'a', version: 3 }, if: { version: 1 } }], [{ put: { pk, sk: 'b' } }]];
        expect(await table.writeInTurn(groups)).toEqual({ done: false, failed: 0 });
        expect((await table.query({ pk })).items).toMatchObject([{ sk: 'a', version: 2 }]);
      });
    });

    describe('tallies', () => {
      it('begin at zero, add, and keep what else stands there', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ add: key, by: { n: 2 } }]);
        await table.write([{ add: key, by: { n: -1, m: 5 } }]);
        expect(await table.get(key)).toEqual({ ...key, n: 1, m: 5 });
      });

      it('answer the values after them', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ put: { ...key, name: 'kept', other: 7 } }]);
        expect(await table.increment(key, { n: 1 })).toEqual({ n: 1 });
        expect(await table.increment(key, { n: 2, m: 0.5 })).toEqual({ n: 3, m: 0.5 });
        expect(await table.get(key)).toEqual({ ...key, name: 'kept', other: 7, n: 3, m: 0.5 });
      });

      it('lose nothing when many add at once', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await Promise.all(Array.from({ length: 20 }, () => table.increment(key, { n: 1 })));
        expect((await table.get(key))?.n).toBe(20);
      });
    });

    describe('expiry', () => {
      it('hides an item from every reader once its time is past', async () => {
        const pk = fresh();
        const gsi1pk = fresh();
        await table.write([{ put: { pk, sk: 'a', gsi1pk, gsi1sk: 'a', expiresAt: seconds() + 10 } }]);
        expect(await table.get({ pk, sk: 'a' })).toBeDefined();
        await at.pass(11_000);
        expect(await table.get({ pk, sk: 'a' })).toBeUndefined();
        expect(await table.getMany([{ pk, sk: 'a' }])).toEqual([undefined]);
        expect((await table.query({ pk })).items).toEqual([]);
        expect((await table.query({ index: 'gsi1', pk: gsi1pk })).items).toEqual([]);
      });

      it('counts as absent for conditions', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ put: { ...key, version: 1, expiresAt: seconds() + 10 } }]);
        expect(await table.write([{ put: key, if: 'absent' }])).toMatchObject({ done: false });
        await at.pass(11_000);
        expect(await table.write([{ put: { ...key, version: 2 }, if: { version: 1 } }])).toMatchObject({ done: false });
        expect(await table.write([{ put: { ...key, n: 1 }, if: 'absent' }])).toEqual({ done: true });
        expect(await table.get(key)).toEqual({ ...key, n: 1 });
      });

      it('sets what a tally names first, once', async () => {
        const key = { pk: fresh(), sk: 'a' };
        await table.write([{ add: key, by: { n: 1 }, first: { since: 7 } }]);
        await table.write([{ add: key, by: { n: 1 }, first: { since: 9 } }]);
        expect(await table.get(key)).toMatchObject({ n: 2, since: 7 });
      });

      it('begins a tally anew', async () => {
        const [one, two, three] = [fresh(), fresh(), fresh()].map((pk) => ({ pk, sk: 'a' }));
        const expiresAt = seconds() + 10;
        await table.increment(one!, { n: 5 }, { expiresAt });
        await table.write([{ add: two!, by: { n: 5 }, expiresAt }]);
        await table.write([{ add: three!, by: { n: 5 }, expiresAt }]);
        await at.pass(11_000);
        const later = seconds() + 10;
        expect(await table.increment(one!, { n: 1 }, { expiresAt: later })).toEqual({ n: 1 });
        await table.write([{ add: two!, by: { n: 1 }, expiresAt: later }]);
        await table.write([{ put: { pk: fresh(), sk: 'a' } }, { add: three!, by: { n: 1 } }]);
        expect((await table.get(one!))?.n).toBe(1);
        expect((await table.get(two!))?.n).toBe(1);
        expect((await table.get(three!))?.n).toBe(1);
      });
    });

    describe('queries', () => {
      const SKS = ['A#1', 'A#2', 'A#3', 'B#1', 'B#2', 'C'];

      it.each([
        ['everything in order', {}, SKS],
        ['from a key on, inclusive', { from: 'B#1' }, ['B#1', 'B#2', 'C']],
        ['up to a key, inclusive', { to: 'A#2' }, ['A#1', 'A#2']],
        ['a range', { from: 'A#2', to: 'B#1' }, ['A#2', 'A#3', 'B#1']],
        ['a prefix', { prefix: 'B#' }, ['B#1', 'B#2']],
        ['a prefix from a key on', { prefix: 'A#', from: 'A#2' }, ['A#2', 'A#3']],
        ['a prefix up to a key', { prefix: 'A#', to: 'A#2' }, ['A#1', 'A#2']],
        ['nothing when the range is empty', { from: 'B', to: 'A' }, []],
        ['backwards', { order: 'descending', limit: 2 }, ['C', 'B#2']],
        ['a prefix backwards', { prefix: 'A#', order: 'descending' }, ['A#3', 'A#2', 'A#1']],
      ] as const)('list %s', async (_sentence, query, sks) => {
        const pk = fresh();
        await fill(pk, SKS);
        expect(sksOf(await table.query({ pk, ...query }))).toEqual(sks);
      });

      it('order sort keys by their bytes', async () => {
        const pk = fresh();
        const sks = ['Z', 'a', 'é', '\uFFFD', '😀'];
        await fill(pk, sks.toReversed());
        expect(sksOf(await table.query({ pk }))).toEqual(sks);
      });

      it.each(['ascending', 'descending'] as const)('page through %s, each item once, and end', async (order) => {
        const pk = fresh();
        await fill(pk, SKS);
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let pages = 0; pages < 10; pages++) {
          const page = await table.query({ pk, order, limit: 2, ...(cursor && { cursor }) });
          seen.push(...sksOf(page));
          cursor = page.cursor;
          if (!cursor) break;
        }
        expect(cursor).toBeUndefined();
        expect(seen).toEqual(order === 'ascending' ? SKS : SKS.toReversed());
      });

      it('end without a cursor when the last page is just full', async () => {
        const pk = fresh();
        await fill(pk, ['a', 'b']);
        expect((await table.query({ pk, limit: 2 })).cursor).toBeUndefined();
      });

      it('fill a page past items whose time is over', async () => {
        const pk = fresh();
        const expiresAt = seconds() + 10;
        await fill(pk, ['a', 'b', 'c'], { expiresAt });
        await fill(pk, ['d', 'e']);
        await at.pass(11_000);
        expect(sksOf(await table.query({ pk, limit: 2 }))).toEqual(['d', 'e']);
      });

      it('go on where the page before ended, though that item is gone meanwhile', async () => {
        const pk = fresh();
        await fill(pk, ['a', 'b', 'c']);
        const { cursor } = await table.query({ pk, limit: 2 });
        await table.write([{ delete: { pk, sk: 'b' } }]);
        expect(sksOf(await table.query({ pk, limit: 2, cursor: cursor! }))).toEqual(['c']);
      });

      it.each(['x', 'W10', 'bm90IGpzb24'])('refuse the cursor %j as the caller’s fault', async (cursor) => {
        await expect(table.query({ pk: fresh(), cursor })).rejects.toMatchObject({ code: 'Request.Invalid' });
      });

      it.each(['gsi1', 'gsi2', 'gsi3'] as const)('list an index, with items that share its keys: %s', async (index) => {
        const pk = fresh();
        const partition = fresh();
        const rows = [
          ['one', '1'],
          ['two', '2'],
          ['same', '2'],
          ['three', '3'],
        ];
        for (const [sk, sort] of rows) {
          await table.write([{ put: { pk, sk: sk!, [`${index}pk`]: partition, [`${index}sk`]: sort } }]);
        }
        await table.write([{ put: { pk, sk: 'out' } }]);
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let pages = 0; pages < 10; pages++) {
          const page = await table.query({
            index,
            pk: partition,
            limit: 1,
            order: 'descending',
            ...(cursor && { cursor }),
          });
          seen.push(...sksOf(page));
          cursor = page.cursor;
          if (!cursor) break;
        }
        expect(seen.toSorted()).toEqual(['one', 'same', 'three', 'two']);
        expect(seen[0]).toBe('three');
        expect(seen[3]).toBe('one');
        expect(sksOf(await table.query({ index, pk: partition, from: '3' }))).toEqual(['three']);
      });

      it('leave an item out of an index once it is put without the pair', async () => {
        const pk = fresh();
        const gsi2pk = fresh();
        await table.write([{ put: { pk, sk: 'a', gsi2pk, gsi2sk: '1' } }]);
        await table.write([{ put: { pk, sk: 'a' } }]);
        expect((await table.query({ index: 'gsi2', pk: gsi2pk })).items).toEqual([]);
      });
    });
  });
}

const sksOf = ({ items }: { items: readonly Item[] }) => items.map(({ sk }) => sk);
