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
 * The defaults of a site's policy. `holdAt` and `toxicityHoldAt` as derived when the shipped model was trained (a test holds
 * them against the model file). `rejectAt` stands above the model's own: nobody sees what is rejected, and of sites that a
 * model never saw 0.63 % of the honest comments reach 0.971, and 0.1 % this (`npm run evaluate -- DIR --loso`).
 */
export const DEFAULT_THRESHOLDS: Thresholds = { holdAt: 0.918, rejectAt: 0.999, toxicityHoldAt: 0.815 };

export type Verdict = 'publish' | 'hold' | 'reject';

/** The verdict that the scores alone give; a site's policy adds its deterministic signals. */
export function verdictOf(
  scores: { score: number; toxicity: number },
  thresholds: Thresholds = DEFAULT_THRESHOLDS,
): Verdict {
  if (scores.score >= thresholds.rejectAt) return 'reject';
  return scores.score >= thresholds.holdAt || scores.toxicity >= thresholds.toxicityHoldAt ? 'hold' : 'publish';
}

/** Share of honest comments that the default hold may take, on every blog; and that the policy may reject, over all. */
export const HOLD_FPR = 0.005;
/** A blog with fewer honest comments than this cannot tell half a percent from one bad label. */
const LEAST_HAM = 100;
export const REJECT_FPR = 0.001;

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
 */
export function deriveThresholds(
  ham: readonly { blog: boolean; scores: readonly number[] }[],
): Pick<Thresholds, 'holdAt' | 'rejectAt'> {
  const blogs = ham.filter(({ blog, scores }) => blog && scores.length >= LEAST_HAM);
  const holdAt = Math.max(0.5, ...blogs.map(({ scores }) => thresholdFor(scores, HOLD_FPR)));
  const all = thresholdFor(
    ham.flatMap(({ scores }) => scores),
    REJECT_FPR,
  );
  return { holdAt, rejectAt: Math.max(holdAt, all) };
}
