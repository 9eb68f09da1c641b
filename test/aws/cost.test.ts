import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { curve } from '../../infra/aws/cost-curve.ts';
import { bill, PATHS, readMeasurements, readPrices } from '../../infra/aws/cost-model.ts';
import { bytesOf, indexUnits, metered, type Use } from '../../infra/aws/meter.ts';
import { topology } from '../../infra/topology.ts';
import { memoryTable } from '../fakes.ts';

const from = { measurements: readMeasurements(), prices: readPrices() };

describe('the bill', () => {
  it('adds up, line by line', () => {
    const { lines, usd } = bill(1_000_000, from);
    for (const line of lines) expect(line.quantity * line.price).toBeCloseTo(line.usd, 6);
    expect(lines.reduce((sum, line) => sum + line.usd, 0)).toBeCloseTo(usd, 6);
    expect(new Set(lines.map(({ group }) => group))).toEqual(new Set(['use', 'mail', 'fixed']));
  });

  it('grows with comments, but for what is fixed', () => {
    const of = (comments: number, group: string) =>
      bill(comments, from)
        .lines.filter((line) => line.group === group)
        .reduce((sum, line) => sum + line.usd, 0);
    expect(of(2_000_000, 'use')).toBeCloseTo(2 * of(1_000_000, 'use'), 3);
    expect(of(0, 'use')).toBe(0);
    expect(of(2_000_000, 'fixed')).toBe(of(0, 'fixed'));
  });

  it('names every write and read of the table', () => {
    const written = bill(1, from).lines.filter(({ service, unit }) => service === 'DynamoDB' && unit.includes('write'));
    expect(written.map(({ what }) => what)).toContain('publish: put C/head');
    expect(written.length).toBeGreaterThan(15);
  });

  it('is at most 20 USD a million comments to the verdict', () => {
    const { lines } = bill(1_000_000, from);
    const usd = lines.filter(({ part }) => part === 'pipeline').reduce((sum, line) => sum + line.usd, 0);
    expect(usd).toBeLessThan(20);
  });

  it('has a source for every price', () => {
    for (const { usd, unit, source } of Object.values(from.prices)) {
      expect(usd).toBeGreaterThan(0);
      expect(unit).not.toBe('');
      expect(source).not.toBe('');
    }
  });

  it('counts states that the workflows have', () => {
    const statesOf = (name: string) =>
      Object.keys((JSON.parse(readFileSync(topology.workflows[name]!.file, 'utf8')) as { States: object }).States);
    expect(statesOf('moderation')).toEqual(expect.arrayContaining([...PATHS.published]));
    expect(statesOf('review')).toEqual(expect.arrayContaining([...new Set(PATHS.review)]));
  });

  it('draws a curve', () => {
    const picture = curve([1e3, 1e6, 1e9].map((comments) => bill(comments, from)));
    expect(picture).toMatch(/^<svg /);
    expect(picture).not.toMatch(/NaN|undefined|<script/);
  });
});

describe('the meter', () => {
  it('counts as DynamoDB does: kilobytes up, twice in a transaction, indexes by what they carry', async () => {
    const uses: Use[] = [];
    const table = metered(
      memoryTable(() => 0),
      (use) => uses.push(use),
    );
    const big = { pk: 'C#1', sk: 'head', text: 'x'.repeat(1500), gsi2pk: 'Q#s#held', gsi2sk: '1' };
    await table.write([{ put: big }]);
    await table.write([
      { put: { ...big, gsi2pk: 'Q#s#published', gsi1pk: 'T#s', gsi1sk: '1' } },
      { put: { pk: 'T#s', sk: 'count' } },
    ]);
    await table.get({ pk: 'C#1', sk: 'head' });
    expect(uses).toEqual([
      { name: 'put C/head', writeUnits: 2 + 1, readUnits: 0 },
      // Two kilobytes, twice; out of one listing and into another; whole into the third.
      { name: 'put C/head', writeUnits: 4 + 2 + 2, readUnits: 0 },
      { name: 'put T/count', writeUnits: 2, readUnits: 0 },
      { name: 'get C/head', writeUnits: 0, readUnits: 1 },
    ]);
  });

  it('bills no write to an index of keys when the keys stay', () => {
    const item = { pk: 'a', sk: 'b', gsi2pk: 'Q', gsi2sk: '1' };
    expect(indexUnits(item, { ...item, more: 1 })).toBe(0);
    expect(indexUnits(item, undefined)).toBe(1);
    expect(bytesOf('é')).toBe(2);
  });
});
