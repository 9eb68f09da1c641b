import { z } from 'zod';
import type { Comment } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { JudgedStep, rememberedOf } from '../../shared/judged.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { assertTransition, storeOf } from '../../shared/store/comments.ts';
import { RunTrace, traceOf } from '../../shared/trace.ts';
import { tellGone, tellPublished } from './consequences.ts';

const Input = z.object({
  id: z.string(),
  version: z.number().optional(),
  executionId: z.string(),
  /** Of the run that judged the comment; a review has none. */
  trace: RunTrace.optional(),
  judged: JudgedStep,
});

/**
 * Makes the newest revision what readers see, says so on the bus, and releases the replies that waited.
 *
 * Called again it changes nothing and repeats only the event. A review, which has no trace, changes nothing either: it asks
 * for what follows from a person's decision, whichever that was. Throws `Comment.Waits` when there is none yet.
 */
export const publish: Service = (ports) => {
  const { clock, table } = ports;
  const store = storeOf(table, clock);

  /** What a decision left to say; `version` is the hold that the review stands for. */
  const follow = async (comment: Comment, version: number | undefined): Promise<'notify' | 'done'> => {
    if (comment.status === 'held' || (comment.status === 'published' && comment.pendingRevision !== null)) {
      // A later hold has a review of its own.
      if (comment.heldVersion !== version) return 'done';
      throw new SluiceError('Comment.Waits', `comment ${comment.id} waits for a person`, { hint: 'decide it' });
    }
    if (comment.status !== 'published') {
      await tellGone(ports, store, comment);
      return 'done';
    }
    await tellPublished(ports, store, comment);
    return 'notify';
  };

  return async (input) => {
    const { id, version, executionId, trace, judged } = parse(Input, input, 'Internal.Bug');
    if (!trace) {
      const comment = await store.get(id);
      if (!comment) return { id, next: 'done' };
      const next = await follow(comment, version);
      ports.log.info({ commentId: id, site: comment.site, status: comment.status }, 'decision followed');
      return { id, version: comment.version, next };
    }
    const comment = await store.changeLatest(id, (now) => {
      const first = now.status === 'received';
      // Only the verdict on this very revision publishes it: a late repeat of an older event must not.
      const edit =
        now.status === 'published' &&
        now.revision !== now.publishedRevision &&
        judged?.revision === now.revision &&
        judged.verdict === 'publish';
      if (!first && !edit) return undefined;
      if (first) assertTransition(now, 'published', 'policy');
      return {
        set: {
          status: 'published',
          publishedRevision: now.revision,
          pendingRevision: null,
          publishedAt: now.publishedAt ?? clock.now(),
          ...rememberedOf(judged),
        },
        by: 'policy',
        action: edit ? 'publish-edit' : 'publish',
        trace: traceOf(trace, executionId, clock.now()),
      };
    });
    if (comment.status !== 'published') return { id, version: comment.version, next: 'done' };
    await tellPublished(ports, store, comment);
    ports.log.info({ commentId: id, site: comment.site }, 'comment published');
    const asks = comment.notifyReplies || comment.parentId !== null;
    return { id, version: comment.version, next: 'notify', site: comment.site, asks };
  };
};
