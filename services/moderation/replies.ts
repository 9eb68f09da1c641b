import { z } from 'zod';
import { signNote } from '../../shared/door-note.ts';
import { SluiceError } from '../../shared/errors.ts';
import { COMMENTS_SOURCE, type CommentSubmitted } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { checkDraft } from '../validate/check.ts';
import { audit } from './audit-log.ts';
import { hashOf } from './decide.ts';
import { may, type Moderator } from './moderator.ts';

const Reply = z.strictObject({
  body: z.string().min(1).max(65_536),
  /** The author in whose name it stands; without one it is the moderator's own. */
  author: z.string().max(64).optional(),
});

/** Replies from the queue: a comment like any other, that our door vouches for. */
export function replyRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, ids, bus, vault } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  return [
    {
      method: 'POST',
      path: '/v1/moderation/comments/:id/replies',
      summary: 'Replies to a comment as an author of the site, or as its moderator',
      access: 'moderator',
      body: Reply,
      responses: { 202: { description: '{id, status: received}' } },
      async handle({ caller, params, body, header, log }) {
        const { body: text, author: authorId }: z.infer<typeof Reply> = body;
        const parent = await store.get(params.id ?? '');
        if (!parent || !may(caller, parent.site)) {
          throw new SluiceError('Comment.Unknown', 'there is no such comment', { hint: 'check the id' });
        }
        if (parent.status !== 'published') {
          throw new SluiceError(
            'Comment.Conflict',
            `the comment is ${parent.status}: readers would not see the reply`,
            {
              hint: 'publish it first',
            },
          );
        }
        const { site, policy } = await sites.rules(parent.site);
        const author = site.authors.find(({ id }) => id === authorId);
        if (authorId !== undefined && !author) {
          throw new SluiceError('Request.Invalid', 'the site has no such author', {
            hint: 'take one of the authors of the site',
            fields: [{ pointer: '/author', detail: 'unknown' }],
          });
        }
        if (parent.depth + 1 > policy.policy.replyDepth) {
          throw new SluiceError('Request.Invalid', `replies go ${policy.policy.replyDepth} deep at most`, {
            hint: 'reply further up',
            fields: [{ pointer: '/body', detail: 'too deep here' }],
          });
        }
        const name = author?.name ?? caller.user;
        const checked = checkDraft({ author: { name }, body: text }, policy.policy, site);
        if (!checked.ok) {
          throw new SluiceError('Request.Invalid', 'the reply cannot be taken as it is', {
            hint: 'correct the fields named',
            fields: checked.faults,
          });
        }
        const key = header('idempotency-key');
        const id = key === undefined ? ids.next() : `r_${hashOf([caller.user, parent.id, key]).slice(0, 40)}`;
        const detail: CommentSubmitted = {
          schema: 1,
          id,
          site: site.id,
          thread: parent.thread,
          author: { name },
          body: checked.draft.body,
          parentId: parent.id,
          ...(parent.page && { page: parent.page }),
          submittedAt: new Date(clock.now()).toISOString(),
          door: signNote(vault, id, {
            writer: (author ? `author-${author.id}` : `moderator-${caller.user}`).slice(0, 64),
            role: author ? 'author' : 'moderator',
            ...(author && { authorId: author.id }),
          }),
        };
        await bus.put([{ id, source: COMMENTS_SOURCE, type: 'CommentSubmitted', detail }]);
        await audit(ports, { site: site.id, by: `user:${caller.user}`, action: 'reply', about: id });
        log.info({ commentId: id, site: site.id }, 'reply from the desk');
        return { status: 202, body: { id, status: 'received' } };
      },
    },
  ];
}
