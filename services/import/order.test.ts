import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { artran, chunks, collect, warningsOf } from './fixtures.ts';
import { HashTable } from './hash-table.ts';
import { importId } from './ids.ts';
import { type PlannedComment, importPlan } from './order.ts';

const file = (...comments: [id: string, parent?: string, page?: string][]) =>
  JSON.stringify(comments.map(([id, parent = '0', page = '/figs/']) => artran(id, { rid: parent, page_key: page })));

const plan = async (text: string, holdLimit?: number) => {
  const options = { site: 'demo', format: 'artalk' as const, ...(holdLimit !== undefined && { holdLimit }) };
  const items = await collect(importPlan(() => chunks(text, 4096), options));
  const comments = items.filter((item): item is PlannedComment => item.kind === 'comment');
  return { items, comments, placed: comments.map(({ sourceId, depth }) => `${sourceId}@${depth}`) };
};

describe('ids', () => {
  it('are the same for the same comment of the same export, and fit everywhere', () => {
    const id = importId('demo', 'disqus', '299619020');
    expect(id).toBe(importId('demo', 'disqus', '299619020'));
    expect(id).toMatch(/^imp_[A-Za-z0-9_-]{25}$/);
    expect(importId('demo', 'remark42', 'f1a7ba28')).toMatch(/^imp_[A-Za-z0-9_-]{22}$/);
    const others = [
      importId('other', 'disqus', '299619020'),
      importId('demo', 'isso', '299619020'),
      importId('demo', 'disqus', '29961902'),
    ];
    expect(new Set([id, ...others]).size).toBe(4);
  });
  it('stand in the order of the numbers that a source gave, so that an index is written in one place', () => {
    const ids = [1, 64, 200, 4096, 299_619_020, 6_012_345_678].map((n) => importId('demo', 'disqus', String(n)));
    expect(ids.toSorted()).toEqual(ids);
  });
  it('of our own comments stay', () => {
    expect(importId('demo', 'sluice', '01JABC')).toBe('01JABC');
  });
});

describe('the order of writing', () => {
  it('is that of the file where parents come first', async () => {
    const { placed, comments } = await plan(file(['1'], ['2', '1'], ['3'], ['4', '2']));
    expect(placed).toEqual(['1@0', '2@1', '3@0', '4@2']);
    expect(comments[3]?.parentId).toBe(comments[1]?.id);
  });

  it('holds replies back that come before their parents', async () => {
    expect((await plan(file(['4', '2'], ['2', '1'], ['3', '1'], ['1']))).placed).toEqual(['1@0', '2@1', '4@2', '3@1']);
  });

  it('keeps a reply to nobody at the top, and says so', async () => {
    const { placed, items } = await plan(file(['1', '77'], ['2', '1']));
    expect(placed).toEqual(['1@0', '2@1']);
    expect(warningsOf(items)).toEqual([
      'Comment 1 answers 77, which is not in the file; it stands at the top of its thread.',
    ]);
  });

  it('keeps a reply to another thread at the top, whichever came first', async () => {
    const early = await plan(file(['1'], ['2', '1', '/bees/']));
    const late = await plan(file(['2', '1', '/bees/'], ['1']));
    expect([early.placed, late.placed]).toEqual([
      ['1@0', '2@0'],
      ['1@0', '2@0'],
    ]);
    expect(warningsOf(late.items)).toEqual([
      'Comment 2 answers 1, which stands in another thread; it stands at the top of its thread.',
    ]);
  });

  it('cuts a circle at its first comment', async () => {
    const { placed, items } = await plan(file(['1', '3'], ['2', '1'], ['3', '2'], ['4', '4'], ['5', '3']));
    expect(placed).toEqual(['1@0', '2@1', '3@2', '5@3', '4@0']);
    expect(warningsOf(items)).toHaveLength(2);
  });

  it('leaves out an id that came before, and says where', async () => {
    const { placed, items } = await plan(file(['1'], ['1'], ['2', '1']));
    expect(placed).toEqual(['1@0', '2@1']);
    expect(items.find(({ kind }) => kind === 'skipped')).toMatchObject({ reason: 'The id 1 came before, at line 1.' });
  });

  it('counts a hundred levels', async () => {
    const chain = Array.from({ length: 100 }, (_, n): [string, string] => [String(n + 1), String(n)]).toReversed();
    expect((await plan(file(...chain))).placed.at(-1)).toBe('100@99');
  });

  it('hands out every comment once and after its parent, whatever the file, however little may be held', async () => {
    const comment = fc.tuple(
      fc.nat({ max: 30 }).map(String),
      fc.nat({ max: 30 }).map(String),
      fc.constantFrom('/a/', '/b/'),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(comment, { maxLength: 40 }),
        fc.constantFrom(1, 3, 1000),
        async (comments, holdLimit) => {
          const { comments: planned } = await plan(file(...comments), holdLimit);
          const seen = new Map<string, number>();
          for (const { id, parentId, depth } of planned) {
            expect(seen.has(id)).toBe(false);
            expect(depth).toBe(parentId === null ? 0 : seen.get(parentId)! + 1);
            seen.set(id, depth);
          }
          expect(seen.size).toBe(new Set(comments.map(([id]) => id)).size);
        },
      ),
      { numRuns: 300 },
    );
  });
});

it('numbers keys as a map would', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 2000 })), { maxLength: 3000 }), (keys) => {
      const table = new HashTable();
      const model = new Map<string, number>();
      for (const [high, low] of keys) {
        const key = `${high}:${low}`;
        if (!model.has(key)) model.set(key, model.size);
        expect(table.add(high, low)).toBe(model.get(key));
      }
      expect([table.size, table.find(9, 9)]).toEqual([model.size, -1]);
    }),
    { numRuns: 50 },
  );
});
