import { z } from 'zod';
import type { Comment } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { remindSecondsOf } from '../../shared/review.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';

const Input = z.object({ id: z.string(), version: z.number(), token: z.string().optional() });

const RACES = 8;
const DAY_S = 86_400;

/**
 * Keeps the token of a waiting `review` where a decision will find it.
 *
 * A comment that was decided before its token was kept answers the token itself: no decision depends on the order. Without a
 * token it says what to do next: the reviews of an earlier definition ask so.
 */
export const awaitDecision: Service = ({ table, clock, workflows }) => {
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  return async (input) => {
    const { id, version, token } = parse(Input, input, 'Internal.Bug');
    for (let race = 0; race < RACES; race++) {
      const comment = await store.get(id);
      const next = comment ? nextOf(comment, version) : 'done';
      if (token === undefined) {
        const { policy } = comment ? await sites.rules(comment.site) : { policy: undefined };
        return { next, remindSeconds: policy ? remindSecondsOf(policy.policy) : DAY_S };
      }
      if (!comment || next !== 'wait') {
        await workflows.succeed(token, { next });
        return { next };
      }
      if (await store.annotate(comment, { token })) return { next };
    }
    throw new SluiceError('Store.Busy', `comment ${id} changes too fast`, { hint: 'tried again by the workflow' });
  };
};

function nextOf(comment: Comment, version: number): 'wait' | 'publish' | 'reject' | 'done' {
  const waits = comment.status === 'held' || (comment.status === 'published' && comment.pendingRevision !== null);
  // A later hold has an execution of its own.
  if (waits) return comment.heldVersion === version ? 'wait' : 'done';
  if (comment.status === 'published') return 'publish';
  return comment.status === 'received' ? 'done' : 'reject';
}
