import type { Policy } from './policy.ts';

/**
 * The `review` execution of one hold, or of one decision, of a comment.
 *
 * @param version the one that the hold or decision wrote: started twice is started once
 * @param policy says when to remind; without it the workflow reminds after a day
 */
export const reviewOf = (id: string, version: number, policy?: Policy) => ({
  name: `${id}-${version}`,
  input: { id, version, ...(policy && { remindSeconds: remindSecondsOf(policy) }) },
});

export const remindSecondsOf = ({ reminderHours }: Policy): number => Math.round(reminderHours * 3600);
