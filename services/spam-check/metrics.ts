/**
 * The figures that judge the judge: what they are is fixed by the usual definitions, ties taken together.
 *
 * Pure. Agreement with an independent implementation is tested.
 */
export type Scored = { score: number; label: 0 | 1 };
export type Metrics = {
  n: number;
  positives: number;
  /** Area under the ROC curve; NaN with one class alone, as are the next four. */
  auc: number;
  averagePrecision: number;
  recallAtPrecision99: number;
  recallAtFpr1: number;
  recallAtFpr01: number;
  accuracy: number;
  /** Expected calibration error over ten equal bins. */
  ece: number;
  brier: number;
};
export const METRICS = [
  'auc',
  'averagePrecision',
  'accuracy',
  'recallAtPrecision99',
  'recallAtFpr1',
  'recallAtFpr01',
  'ece',
  'brier',
] as const satisfies (keyof Metrics)[];

export function metricsOf(rows: readonly Scored[]): Metrics {
  const n = rows.length;
  const positives = rows.reduce((sum, { label }) => sum + label, 0);
  const negatives = n - positives;
  let right = 0;
  let brier = 0;
  const bins = Array.from({ length: 10 }, () => ({ score: 0, label: 0 }));
  for (const { score, label } of rows) {
    if (score >= 0.5 === (label === 1)) right++;
    brier += (score - label) ** 2;
    const bin = bins[Math.min(9, Math.floor(score * 10))]!;
    bin.score += score;
    bin.label += label;
  }
  const ece = bins.reduce((sum, bin) => sum + Math.abs(bin.score - bin.label), 0) / n;
  const sorted = rows.toSorted((a, b) => b.score - a.score);
  let [tp, fp, auc, averagePrecision, recallAtPrecision99, recallAtFpr1, recallAtFpr01] = [0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < n;) {
    let j = i;
    let hits = 0;
    while (j < n && sorted[j]!.score === sorted[i]!.score) hits += sorted[j++]!.label;
    const misses = j - i - hits;
    auc += misses * (tp + hits / 2);
    tp += hits;
    fp += misses;
    const precision = tp / (tp + fp);
    averagePrecision += (precision * hits) / positives;
    if (precision >= 0.99) recallAtPrecision99 = tp / positives;
    if (fp <= 0.01 * negatives) recallAtFpr1 = tp / positives;
    if (fp <= 0.001 * negatives) recallAtFpr01 = tp / positives;
    i = j;
  }
  const both = positives > 0 && negatives > 0;
  const or = (value: number) => (both ? value : Number.NaN);
  return {
    n,
    positives,
    auc: or(auc / (positives * negatives)),
    averagePrecision: or(averagePrecision),
    recallAtPrecision99: or(recallAtPrecision99),
    recallAtFpr1: or(recallAtFpr1),
    recallAtFpr01: or(recallAtFpr01),
    accuracy: right / n,
    ece,
    brier: brier / n,
  };
}
