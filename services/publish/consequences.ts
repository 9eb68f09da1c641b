import type { Comment } from '../../shared/comment.ts';
import { COMMENTS_SOURCE, PIPELINE_SOURCE } from '../../shared/events.ts';
import type { Ports } from '../../shared/ports.ts';
import { PARKED_PAGE, type Store } from '../../shared/store/comments.ts';

type Needs = Pick<Ports, 'bus' | 'clock'>;

/** Says that readers see the comment, and releases the replies that waited for it. Again is harmless. */
export async function tellPublished(ports: Needs, store: Store, comment: Comment): Promise<void> {
  await ports.bus.put([
    {
      source: PIPELINE_SOURCE,
      type: 'CommentPublished',
      detail: {
        ...about(ports, comment),
        revision: comment.publishedRevision ?? comment.revision,
        parentId: comment.parentId,
      },
    },
  ]);
  await releaseParked(ports, store, comment.id);
}

/**
 * Says that a comment is not public, and releases the replies that waited for it: they are held with that reason.
 *
 * @returns false for a comment of which there is nothing to say: it waits, or readers see it
 */
export async function tellGone(ports: Needs, store: Store, comment: Comment): Promise<boolean> {
  const type =
    comment.status === 'rejected' || comment.status === 'spam'
      ? 'CommentRejected'
      : comment.status === 'removed' || comment.status === 'deleted' || comment.status === 'erased'
        ? 'CommentRemoved'
        : undefined;
  if (!type) return false;
  await ports.bus.put([
    {
      source: PIPELINE_SOURCE,
      type,
      detail: { ...about(ports, comment), reason: comment.reason ?? comment.status },
    },
  ]);
  await releaseParked(ports, store, comment.id);
  return true;
}

const about = ({ clock }: Needs, { site, id, thread, version }: Comment) => ({
  schema: 1,
  site,
  id,
  thread,
  version,
  at: new Date(clock.now()).toISOString(),
});

/** Sends the events of replies that waited for this comment once more; `validate` looks at the parent anew. */
async function releaseParked({ bus }: Needs, store: Store, parentId: string): Promise<void> {
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
