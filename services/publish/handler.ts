import { z } from 'zod';
import { COMMENTS_SOURCE, PIPELINE_SOURCE } from '../../shared/events.ts';
import { parse } from '../../shared/parse.ts';
import type { Ports, Service } from '../../shared/ports.ts';
import { assertTransition, PARKED_PAGE, storeOf, type Store } from '../../shared/store/comments.ts';
import { RunTrace, traceOf } from '../../shared/trace.ts';

const Input = z.object({
  id: z.string(),
  version: z.number().optional(),
  executionId: z.string(),
  trace: RunTrace.optional(),
});

/**
 * Makes the newest revision what readers see, says so on the bus, and releases the replies that waited.
 *
 * Called again, or after a person's decision wrote the status, it changes nothing and repeats only the event.
 */
export const publish: Service = (ports) => {
  const { clock, table } = ports;
  const store = storeOf(table, clock);
  return async (input) => {
    const { id, executionId, trace } = parse(Input, input, 'Internal.Bug');
    const comment = await store.changeLatest(id, (now) => {
      const first = now.status === 'received';
      // Only the verdict on this very revision publishes it: a late repeat of an older event must not.
      const edit =
        now.status === 'published' &&
        trace !== undefined &&
        now.revision !== now.publishedRevision &&
        now.judgement?.revision === now.revision &&
        now.judgement.verdict === 'publish';
      if (!first && !edit) return undefined;
      if (first) assertTransition(now, 'published', 'policy');
      return {
        set: {
          status: 'published',
          publishedRevision: now.revision,
          pendingRevision: null,
          publishedAt: now.publishedAt ?? clock.now(),
        },
        by: 'policy',
        action: edit ? 'publish-edit' : 'publish',
        ...(trace && { trace: traceOf(trace, executionId, clock.now()) }),
      };
    });
    if (comment.status !== 'published') return { id, version: comment.version, next: 'done' };
    await ports.bus.put([
      {
        source: PIPELINE_SOURCE,
        type: 'CommentPublished',
        detail: {
          schema: 1,
          site: comment.site,
          id,
          thread: comment.thread,
          version: comment.version,
          at: new Date(clock.now()).toISOString(),
          revision: comment.publishedRevision ?? comment.revision,
          parentId: comment.parentId,
        },
      },
    ]);
    await releaseParked(ports, store, id);
    ports.log.info({ commentId: id, site: comment.site, executionId }, 'comment published');
    return { id, version: comment.version, next: 'notify' };
  };
};

/** Sends the events of replies that waited for this comment once more; `validate` looks at the parent anew. */
export async function releaseParked({ bus }: Pick<Ports, 'bus'>, store: Store, parentId: string): Promise<void> {
  let waiting: Awaited<ReturnType<Store['parked']>>;
  do {
    waiting = await store.parked(parentId);
    for (const { id, event } of waiting) {
      await bus.put([{ source: COMMENTS_SOURCE, type: 'CommentSubmitted', detail: event }]);
      await store.unpark(parentId, id);
    }
    // Not until none is left: under a parent that waits anew they would be parked again, and again.
  } while (waiting.length === PARKED_PAGE);
}
