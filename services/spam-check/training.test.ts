import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { metricsOf } from './metrics.ts';
import { assess, parseModel, shippedModel } from './model.ts';
import { verdictOf } from './thresholds.ts';
import { readCorpora, readRows, train, writtenRows } from './training.ts';
import type { Row } from './training.ts';

const GOODS = ['watches', 'loans', 'followers', 'pills', 'essays'];
const TOPICS = ['the parser', 'your layout', 'the cache', 'this test', 'the port'];
const made: Row[] = Array.from({ length: 120 }, (_, i) => {
  const spam = i % 2 === 0;
  const goods = GOODS[Math.floor(i / 2) % 5]!;
  const topic = TOPICS[Math.floor(i / 2) % 5]!;
  return {
    id: `m${i}`,
    source: i % 3 ? 'one' : 'two',
    lang: 'en',
    kind: 'blog',
    text: spam
      ? `Buy cheap ${goods} now, order ${i} at best price`
      : `I think ${topic} breaks in case ${i}, why is that?`,
    author: spam ? `Best ${goods}` : 'Ann',
    label: spam ? 'spam' : 'ham',
    fold: Math.floor(i / 10) % 5,
  };
});

const keep = (row: Row) => row.fold !== 4;

const weights = (rows: Row[]) => {
  const { meta } = train(readCorpora(rows), keep, '');
  return [meta.spam.bias, meta.spam.calibration, meta.thresholds];
};

describe('training', () => {
  it('makes the same bytes from the same rows, and a judge of rows it has not seen', () => {
    const once = train(readCorpora(made), keep, '2026-01-01');
    const twice = train(readCorpora(made), keep, '2026-01-01');
    expect(Buffer.from(once.bytes).equals(twice.bytes)).toBe(true);
    const model = parseModel(once.bytes);
    const scored = made
      .filter((row) => !keep(row))
      .map((row) => ({
        score: assess(row, undefined, model).score,
        label: row.label === 'spam' ? (1 as const) : (0 as const),
      }));
    expect(metricsOf(scored).auc).toBeGreaterThan(0.95);
    expect(once.meta.sources.map(({ source, rows }) => [source, rows])).toEqual([
      ['one', made.filter((r) => keep(r) && r.source === 'one').length],
      ['two', made.filter((r) => keep(r) && r.source === 'two').length],
    ]);
  });
  it('is not moved by rows that it may not see', () => {
    const poison = made.map((row): Row =>
      row.fold === 4 ? { ...row, label: 'spam', text: 'I think why is that' } : row,
    );
    expect(weights(poison)).toEqual(weights(made));
  });
});

describe('the comments that were written for training', () => {
  const rows = writtenRows();
  it('are few, each once, spam and honest in many languages', () => {
    expect(rows.length).toBeLessThan(1_000);
    expect(new Set(rows.map(({ text, author }) => `${author}\n${text}`)).size).toBe(rows.length);
    for (const label of ['spam', 'ham'] as const)
      expect(new Set(rows.filter((row) => row.label === label).map(({ lang }) => lang)).size).toBeGreaterThan(20);
  });
  it('have what training reads, and nothing else', () => {
    const wrong = rows.filter(
      ({ text, label, lang, author, link, ...rest }) =>
        !text?.trim() ||
        !/^(spam|ham)$/.test(label) ||
        !/^[a-z]{2}$/.test(lang) ||
        [author, link].some((value) => value !== undefined && typeof value !== 'string') ||
        Object.keys(rest).some((key) => !['id', 'source', 'kind', 'fold'].includes(key)),
    );
    expect(wrong).toEqual([]);
  });
});

const data = process.env['SLUICE_TEST_DATA'];
const folder = data ? join(data, 'spam') : '';
const there = folder !== '' && existsSync(folder);
if (!there) process.stderr.write('real comments are not measured: SLUICE_TEST_DATA is unset or holds no spam/\n');
describe.skipIf(!there)('on real comments (SLUICE_TEST_DATA)', () => {
  it('the shipped model holds at most 1 % of the honest comments of each blog, and separates the axes', () => {
    const rows = readRows(folder);
    const judged = rows.map((row) => ({ row, ...assess(row) }));
    const blogs = Map.groupBy(
      judged.filter(({ row }) => row.kind === 'blog' && row.label === 'ham'),
      ({ row }) => row.source,
    );
    const overheld = [...blogs]
      .filter(([, list]) => list.length >= 20)
      .map(([source, list]) => [source, list.filter((judged) => verdictOf(judged) !== 'publish').length / list.length])
      .filter(([, held]) => Number(held) > 0.01);
    expect(overheld).toEqual([]);
    // It has seen these rows: this guards against a broken file, it does not measure.
    const spam = judged.filter(({ row }) => row.toxic === undefined);
    expect(
      metricsOf(spam.map(({ row, score }) => ({ score, label: row.label === 'spam' ? 1 : 0 }))).auc,
    ).toBeGreaterThan(0.99);
    const indonesian = spam.filter(({ row }) => row.lang === 'id');
    expect(
      indonesian.filter(({ toxicity }) => toxicity >= shippedModel().meta.thresholds.toxicityHoldAt).length /
        indonesian.length,
    ).toBeLessThan(0.002);
  }, 60_000);
});
