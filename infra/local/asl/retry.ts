import type { Retrier } from './states.ts';
import type { Failure } from './failure.ts';
import { LONGEST_SECONDS } from './fields.ts';
import type { Children, Frame } from './types.ts';

/** Whether ErrorEquals names the failure. */
export function matchesError(errors: readonly string[], { error, aliases }: Failure, fromTask: boolean): boolean {
  return errors.some(
    (name) =>
      name === 'States.ALL' ||
      name === error ||
      aliases.includes(name) ||
      (name === 'States.TaskFailed' && fromTask && error !== 'States.Timeout'),
  );
}

/**
 * Uses up one attempt of the retrier that the failure is for.
 *
 * @returns milliseconds until the next attempt; undefined when there is none
 */
export function takeRetry(
  frame: Frame,
  retriers: readonly Retrier[],
  failure: Failure,
  fromTask: boolean,
  random: () => number,
): number | undefined {
  const index = retriers.findIndex(({ errors }) => matchesError(errors, failure, fromTask));
  const retrier = retriers[index];
  if (!retrier) return undefined;
  const used = frame.retries[index] ?? 0;
  if (used >= retrier.maxAttempts) return undefined;
  // No holes: a snapshot is JSON.
  for (let at = frame.retries.length; at < index; at += 1) frame.retries[at] = 0;
  frame.retries[index] = used + 1;
  frame.retryCount += 1;
  const delay = Math.min(
    retrier.intervalSeconds * retrier.backoffRate ** used,
    retrier.maxDelaySeconds,
    LONGEST_SECONDS,
  );
  return Math.round(1000 * delay * (retrier.fullJitter ? random() : 1));
}

/** Whether a Map still bears the iterations that failed. */
export function withinTolerance({ failed, results, toleratedCount, toleratedPercentage }: Children): boolean {
  const percentage = (100 * failed.length) / results.length;
  return (
    (toleratedCount === null || failed.length <= toleratedCount) &&
    (toleratedPercentage === null || percentage <= toleratedPercentage)
  );
}
