/**
 * What moderators add on a site that the model never saw: the source is left out of training, half of it streams past
 * the judge as comments would, the other half measures.
 */
import { random } from './fit.ts';
import { learn } from './learn.ts';
import { metricsOf } from './metrics.ts';
import { assess } from './model.ts';
import { linesSvg } from './plots.ts';
import { EMPTY_SITE } from './lesson.ts';
import type { Model } from './model.ts';
import type { Row } from './training.ts';

export type CurvePoint = {
  source: string;
  decisions: number;
  auc: number;
  /** Spam that reaches the hold threshold, and ham that does. */
  recall: number;
  fpr: number;
};

export const STEPS = [0, 10, 20, 50, 100, 200];
const REPEATS = 5;
/** Sources with enough of both classes to split in halves. */
const LEAST = 40;

/**
 * Streams the learning half past the judge. A person decides what was held, and marks as spam what got through; an
 * honest comment that was published teaches nothing, as in the product.
 */
export function learningCurve(
  rows: readonly Row[],
  modelWithout: (source: string) => Model,
  only?: readonly string[],
): CurvePoint[] {
  const points: CurvePoint[] = [];
  for (const [source, group] of Map.groupBy(rows, (row) => row.source)) {
    const spam = group.filter((row) => row.label === 'spam').length;
    if (only ? !only.includes(source) : Math.min(spam, group.length - spam) < LEAST) continue;
    const model = modelWithout(source);
    const { holdAt } = model.meta.thresholds;
    const sums = new Map<number, { n: number; auc: number; recall: number; fpr: number }>();
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      const next = random(100 + repeat);
      const shuffled = group.map((row) => ({ row, at: next() })).toSorted((a, b) => a.at - b.at);
      // Halves by fold, so that near copies are on one side.
      const teach = shuffled.filter(({ row }) => (row.fold + repeat) % 5 < 3).map(({ row }) => row);
      const test = shuffled.filter(({ row }) => (row.fold + repeat) % 5 >= 3).map(({ row }) => row);
      let site = EMPTY_SITE;
      let decisions = 0;
      const measure = () => {
        const scored = test.map((row) => ({
          score: assess(row, site, model).score,
          label: row.label === 'spam' ? (1 as const) : (0 as const),
        }));
        const share = (label: 0 | 1) => {
          const of = scored.filter((s) => s.label === label);
          return of.filter((s) => s.score >= holdAt).length / of.length;
        };
        const sum = sums.get(decisions) ?? { n: 0, auc: 0, recall: 0, fpr: 0 };
        sums.set(decisions, {
          n: sum.n + 1,
          auc: sum.auc + metricsOf(scored).auc,
          recall: sum.recall + share(1),
          fpr: sum.fpr + share(0),
        });
      };
      measure();
      for (const row of teach) {
        const held = assess(row, site, model).score >= holdAt;
        if (!held && row.label === 'ham') continue;
        decisions++;
        site = learn(
          site,
          {
            ...row,
            decisionId: String(decisions).padStart(6, '0'),
            commentId: row.id,
            by: 'curve',
            axis: 'spam',
            label: row.label === 'spam' ? 1 : 0,
          },
          model,
        );
        if (STEPS.includes(decisions)) measure();
        if (decisions >= STEPS.at(-1)!) break;
      }
    }
    for (const [decisions, { n, auc, recall, fpr }] of [...sums].toSorted(([a], [b]) => a - b))
      if (n === REPEATS) points.push({ source, decisions, auc: auc / n, recall: recall / n, fpr: fpr / n });
  }
  return points;
}

export function curveSvg(points: readonly CurvePoint[]): string {
  const lines = [...Map.groupBy(points, ({ source }) => source)].map(([name, list]) => ({
    name,
    points: list.map(({ decisions, auc }) => ({ x: decisions, y: auc })),
  }));
  return linesSvg('AUC on a source the model never saw, by decisions of its moderators', STEPS, lines, 0.7);
}
