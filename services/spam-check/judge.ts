import type { Signal, Verdict } from '../../shared/comment.ts';
import { isOpen } from '../../shared/hours.ts';
import type { Policy } from '../../shared/policy.ts';
import { FORM_SIGNALS, TEXT_SIGNALS, type WeighedSignal } from './signals.ts';

/** Log-odds of spam before any signal, where no model speaks: P = 0.08, so that a plain comment is published. */
export const BIAS = -2.5;

/** What decided. `clean`: nothing spoke against it. */
export type Reason =
  | 'author'
  | 'trusted'
  | 'clean'
  | 'banned'
  | 'blocklist'
  | 'imitation'
  | 'score'
  | 'toxicity'
  | 'links'
  | 'first-comment'
  | 'premoderation'
  | 'hours'
  | 'away'
  | 'heat';

export type Findings = {
  signals: readonly WeighedSignal[];
  /** P(spam) of a model as log-odds. It takes the place of the bias and of what the rules read off the text. */
  modelLogOdds?: number;
  /** What the model names as its reasons; shown, and not counted again. */
  modelSignals?: readonly Signal[];
  /** P(toxic), 0..1. */
  toxicity?: number;
};

export type Context = {
  trusted: boolean;
  role?: 'author' | 'moderator';
  firstComment: boolean;
  /** Links in the body. */
  links: number;
  /** Comments in the thread within the last minute, this one too. */
  threadPerMinute?: number;
  nowMs: number;
};

export type Outcome = {
  verdict: Verdict;
  /** P(spam), 0..1. */
  score: number;
  /** Heaviest first. */
  signals: readonly Signal[];
  /** What decided, strongest first; never empty. */
  reasons: readonly Reason[];
};

/**
 * Weighs the signals of one comment under one policy.
 *
 * Pure, so that a backtest can replay last year's comments under next year's policy. Authors and moderators of the site are
 * always published; trusted writers unless a blocklist, or a score that would reject others, speaks against them.
 */
export function judge(findings: Findings, policy: Policy, context: Context): Outcome {
  const signals = counted(findings);
  const base = findings.modelLogOdds ?? BIAS;
  const score = sigmoid(base + sum(signals));
  const shown: Signal[] = [
    ...signals.map(({ name, weight, words }) => ({ name, weight, words })),
    ...(findings.modelSignals ?? []),
  ];
  shown.sort((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1));
  const outcome = (verdict: Verdict, reasons: readonly Reason[]): Outcome => ({
    verdict,
    score,
    signals: shown,
    reasons,
  });

  if (context.role) return outcome('publish', ['author']);
  const listed = signals.filter(({ name }) => name === 'blocklist-term' || name === 'link-host-blocked');
  if (listed.some(({ rule }) => rule === 'reject')) return outcome('reject', ['blocklist']);
  // Without what the form told, there must be doubt left: honeypot and timing never reject alone.
  const withoutForm = sigmoid(base + sum(signals.filter(({ name }) => !FORM_SIGNALS.has(name))));
  const damning = score >= policy.rejectAt && withoutForm >= Math.min(policy.holdAt, policy.rejectAt);
  if (context.trusted) {
    const doubts: Reason[] = [
      ...(listed.length > 0 ? ['blocklist' as const] : []),
      ...(damning ? ['score' as const] : []),
    ];
    return doubts.length > 0 ? outcome('hold', doubts) : outcome('publish', ['trusted']);
  }
  if (damning) return outcome('reject', ['score']);

  const wary = score >= policy.holdAt / 2 || context.firstComment;
  const holds: Record<Exclude<Reason, 'author' | 'trusted' | 'clean' | 'banned'>, boolean> = {
    blocklist: listed.length > 0,
    imitation: signals.some(({ name, rule }) => name === 'imitates' && rule === 'hold'),
    score: score >= policy.holdAt || score >= policy.rejectAt,
    toxicity: (findings.toxicity ?? 0) >= policy.toxicityHoldAt,
    // A limit of 0 would hold comments without links: it is read as "any link".
    links: context.links >= Math.max(1, policy.linksBeforeHold),
    'first-comment': policy.holdFirst && context.firstComment,
    premoderation: policy.premoderate,
    hours: policy.hours.some((hours) => isOpen(hours, context.nowMs)),
    away: policy.holdUntil !== null && context.nowMs < policy.holdUntil && wary,
    heat: policy.heatPerMinute !== null && (context.threadPerMinute ?? 0) > policy.heatPerMinute && wary,
  };
  const reasons = (Object.keys(holds) as (keyof typeof holds)[]).filter((reason) => holds[reason]);
  return reasons.length > 0 ? outcome('hold', reasons) : outcome('publish', ['clean']);
}

/** With a model, what the rules read off the text weighs nothing: the model has read it too. */
function counted({ signals, modelLogOdds }: Findings): readonly WeighedSignal[] {
  if (modelLogOdds === undefined) return signals;
  return signals.map((signal) => (TEXT_SIGNALS.has(signal.name) ? { ...signal, weight: 0 } : signal));
}

function sum(signals: readonly Signal[]): number {
  return signals.reduce((total, { weight }) => total + weight, 0);
}

function sigmoid(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
