import type { Comment } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';

const HOUR_MS = 3_600_000;

/**
 * What is due for a comment that waits: the policy's default, else messages, each once in its window.
 *
 * Without `defaultAfterHours` a comment waits on.
 */
export function dueOf(
  comment: Pick<Comment, 'heldAt' | 'submittedAt'>,
  policy: Policy,
  now: number,
): { default?: 'publish' | 'reject'; reminderMs: number; escalationMs?: number } {
  const waitedMs = now - (comment.heldAt ?? comment.submittedAt);
  const { defaultAfterHours, defaultAction, reminderHours, escalationHours } = policy;
  const escalationMs = escalationHours * HOUR_MS;
  return {
    ...(defaultAfterHours !== null && waitedMs >= defaultAfterHours * HOUR_MS && { default: defaultAction }),
    reminderMs: reminderHours * HOUR_MS,
    ...(waitedMs >= escalationMs && { escalationMs }),
  };
}
