import { z } from 'zod';
import { JudgedStep, rememberedOf } from '../../shared/judged.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { RunTrace, traceOf } from '../../shared/trace.ts';
import { tellGone } from '../publish/consequences.ts';

const Input = z.object({
  id: z.string(),
  version: z.number().optional(),
  reason: z.string().optional(),
  executionId: z.string(),
  trace: RunTrace.optional(),
  judged: JudgedStep,
});

/**
 * Rejects a comment, or follows a decision that took one from readers: the event, and the replies that waited (they are
 * held with that reason). A rejected edit leaves the published revision as it is.
 */
export const reject: Service = (ports) => {
  const { clock, table } = ports;
  const store = storeOf(table, clock);
  return async (input) => {
    const { id, reason, executionId, trace, judged } = parse(Input, input, 'Internal.Bug');
    const comment = await store.changeLatest(id, (now) => {
      const edit =
        now.status === 'published' &&
        trace !== undefined &&
        now.publishedRevision !== now.revision &&
        judged?.revision === now.revision &&
        judged.verdict === 'reject';
      if (edit && now.pendingRevision === null && now.reason !== `edit-${now.revision}`) {
        return {
          set: { reason: `edit-${now.revision}`, ...rememberedOf(judged) },
          by: 'policy',
          action: 'reject-edit',
          ...(trace && { trace: traceOf(trace, executionId, clock.now()) }),
        };
      }
      if (now.status !== 'received') return undefined;
      return {
        set: { status: 'rejected', reason: reason ?? 'policy', ...rememberedOf(judged) },
        by: 'policy',
        action: 'reject',
        reason: reason ?? 'policy',
        ...(trace && { trace: traceOf(trace, executionId, clock.now()) }),
      };
    });
    if (!(await tellGone(ports, store, comment))) return { id, version: comment.version, next: 'done' };
    ports.log.info({ commentId: id, site: comment.site, status: comment.status }, 'comment not public');
    return { id, version: comment.version, next: 'done' };
  };
};
