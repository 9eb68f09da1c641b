import { z } from 'zod';
import type { Trace } from './comment.ts';

const Entered = z.object({ entered: z.string(), retries: z.number().optional() }).nullable();

/** What a workflow tells its last state of the run: when each state was entered. */
export const RunTrace = z.object({ startedAt: z.string() }).catchall(z.union([Entered, z.string()]));

/** The run's one row in the comment's log; the last state lasts until now. */
export function traceOf(run: z.infer<typeof RunTrace>, executionId: string, nowMs: number, attempt = 0): Trace {
  const { startedAt, ...states } = run;
  const entered = Object.entries(states)
    .flatMap(([name, state]) =>
      state && typeof state === 'object' ? [{ name, at: Date.parse(state.entered), retries: state.retries ?? 0 }] : [],
    )
    .sort((a, b) => a.at - b.at);
  return {
    executionId,
    workflow: 'moderation',
    attempt,
    startedAt: Date.parse(startedAt),
    states: entered.map(({ name, at, retries }, index) => ({
      name,
      ms: Math.max(0, (entered[index + 1]?.at ?? nowMs) - at),
      retries,
    })),
  };
}
