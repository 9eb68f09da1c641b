import { z } from 'zod';
import { PIPELINE_SOURCE } from '../../shared/events.ts';
import { JudgedStep, rememberedOf } from '../../shared/judged.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { remindSecondsOf } from '../../shared/review.ts';
import { RunTrace, traceOf } from '../../shared/trace.ts';

const Input = z.object({
  id: z.string(),
  version: z.number(),
  reason: z.string(),
  executionId: z.string(),
  trace: RunTrace.optional(),
  judged: JudgedStep,
});

/**
 * Holds a comment for a person; a doubtful edit of a published one waits as a pending revision instead.
 *
 * Answers the name of the `review` execution, made of the version that the hold wrote: so the second call of the same
 * hold starts nothing new.
 */
export const hold: Service = (ports) => {
  const { clock, table } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  return async (input) => {
    const { id, reason, executionId, trace, judged } = parse(Input, input, 'Internal.Bug');
    const { policy } = (await sites.rules((await store.mustGet(id)).site)).policy;
    const now = clock.now();
    const comment = await store.changeLatest(id, (current) => {
      const edit = current.status === 'published' && current.revision !== current.publishedRevision;
      const again = current.pendingRevision === current.revision;
      const reports = current.status === 'published' && reason === 'reports';
      if (!(current.status === 'received' || reports || (edit && !again))) return undefined;
      return {
        set: {
          ...(edit && !reports ? { pendingRevision: current.revision } : { status: 'held' as const }),
          heldAt: now,
          heldVersion: current.version + 1,
          holdReason: reason,
          ...rememberedOf(judged),
          dueAt: now + policy.reminderHours * 3_600_000,
        },
        by: reports ? 'reports' : 'policy',
        action: 'hold',
        reason,
        ...(trace && { trace: traceOf(trace, executionId, now) }),
      };
    });
    const waiting = comment.status === 'held' || comment.pendingRevision !== null;
    if (!waiting || comment.heldVersion === undefined)
      return { id, version: comment.version, next: 'done', review: '' };
    await ports.bus.put([
      {
        source: PIPELINE_SOURCE,
        type: 'CommentHeld',
        detail: {
          schema: 1,
          site: comment.site,
          id,
          thread: comment.thread,
          version: comment.version,
          at: new Date(now).toISOString(),
          reason,
        },
      },
    ]);
    ports.log.info({ commentId: id, site: comment.site, reason }, 'comment held');
    return {
      id,
      version: comment.heldVersion,
      next: 'review',
      review: `${id}-${comment.heldVersion}`,
      remindSeconds: remindSecondsOf(policy),
    };
  };
};
