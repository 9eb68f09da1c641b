/**
 * Where the default policy draws its lines. Derived from data by training, never by taste: see docs/model-card.md.
 */
export type Thresholds = {
  /** P(spam) from which a person looks. */
  holdAt: number;
  /** P(spam) from which the policy rejects by itself. */
  rejectAt: number;
  /** P(toxic) from which a person looks; toxicity never rejects. */
  toxicityHoldAt: number;
};

/**
 * The defaults of a site's policy. `toxicityHoldAt` as derived when the shipped model was trained (a test holds it against the
 * model file). The other two stand above the model's own, because a new site is always one that the model never saw
 * (`npm run evaluate -- DIR --loso` derives them): from `holdAt` at most 1 % of the honest comments of a blog that was left out
 * are held; nobody sees what is rejected, so that `rejectAt` is where next to no honest comment of a source left out came.
 */
export const DEFAULT_THRESHOLDS: Thresholds = { holdAt: 0.977, rejectAt: 0.999, toxicityHoldAt: 0.808 };

export type Verdict = 'publish' | 'hold' | 'reject';

/** The verdict that the scores alone give; a site's policy adds its deterministic signals. */
export function verdictOf(
  scores: { score: number; toxicity: number },
  thresholds: Thresholds = DEFAULT_THRESHOLDS,
): Verdict {
  if (scores.score >= thresholds.rejectAt) return 'reject';
  return scores.score >= thresholds.holdAt || scores.toxicity >= thresholds.toxicityHoldAt ? 'hold' : 'publish';
}

/** Share of honest comments that a hold may take, on every blog: on one that the model knows, and on one that it never saw. */
export const HOLD_FPR = 0.005;
export const UNSEEN_HOLD_FPR = 0.01;
/** Share of honest comments that the policy may reject, over all. */
export const REJECT_FPR = 0.001;
/** A blog with fewer honest comments than this cannot tell half a percent from one bad label. */
const LEAST_HAM = 200;

/** The least threshold, in steps of a thousandth, at which at most `rate` of the scores reach it. */
export function thresholdFor(scores: readonly number[], rate: number): number {
  const sorted = scores.toSorted((a, b) => b - a);
  const over = sorted[Math.floor(rate * sorted.length)] ?? 0;
  return Math.min(0.9999, Math.floor(over * 1000 + 1) / 1000);
}

/**
 * Derives the spam thresholds from scores of comments that the model was not trained on.
 *
 * @param ham scores of honest comments by source; `blog` marks the sources whose regulars must not be held
 * @param holdRate share of a blog's honest comments that may be held
 */
export function deriveThresholds(
  ham: readonly { blog: boolean; scores: readonly number[] }[],
  holdRate = HOLD_FPR,
): Pick<Thresholds, 'holdAt' | 'rejectAt'> {
  const blogs = ham.filter(({ blog, scores }) => blog && scores.length >= LEAST_HAM);
  const holdAt = Math.max(0.5, ...blogs.map(({ scores }) => thresholdFor(scores, holdRate)));
  const all = thresholdFor(
    ham.flatMap(({ scores }) => scores),
    REJECT_FPR,
  );
  return { holdAt, rejectAt: Math.max(holdAt, all) };
}
