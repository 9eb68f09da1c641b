import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricsOf } from './metrics.ts';

const rows = (...pairs: [number, 0 | 1][]) => pairs.map(([score, label]) => ({ score, label }));

describe('the figures', () => {
  it('are perfect for a perfect judge', () => {
    expect(metricsOf(rows([1, 1], [1, 1], [0, 0], [0, 0]))).toMatchObject({
      auc: 1,
      averagePrecision: 1,
      accuracy: 1,
      recallAtFpr1: 1,
      ece: 0,
      brier: 0,
    });
  });
  it('take ties together: one score for all is chance', () => {
    expect(metricsOf(rows([0.5, 1], [0.5, 0], [0.5, 1], [0.5, 0]))).toMatchObject({
      auc: 0.5,
      averagePrecision: 0.5,
      recallAtFpr1: 0,
      ece: 0,
      brier: 0.25,
    });
  });
  it('count spam found before the first false alarm', () => {
    expect(metricsOf(rows([0.9, 1], [0.8, 1], [0.7, 0], [0.6, 1], [0.1, 0]))).toMatchObject({
      recallAtFpr01: 2 / 3,
      recallAtPrecision99: 2 / 3,
      auc: 5 / 6,
    });
  });
  it('rank nothing where one class is missing', () => {
    expect(metricsOf(rows([0.9, 1]))).toMatchObject({
      auc: Number.NaN,
      recallAtFpr1: Number.NaN,
      brier: expect.closeTo(0.01),
    });
  });
  it('give an AUC that is the share of pairs in the right order', () => {
    const row = fc.record({
      score: fc.integer({ min: 0, max: 8 }).map((n) => n / 8),
      label: fc.constantFrom<(0 | 1)[]>(0, 1),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 2, maxLength: 40 }), (list) => {
        const spam = list.filter((r) => r.label === 1);
        const ham = list.filter((r) => r.label === 0);
        fc.pre(spam.length > 0 && ham.length > 0);
        const right = spam.flatMap((s) => ham.map((h) => (s.score > h.score ? 1 : s.score === h.score ? 0.5 : 0)));
        expect(metricsOf(list).auc).toBeCloseTo(right.reduce<number>((a, b) => a + b, 0) / right.length, 10);
      }),
    );
  });
});
