import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PUBLIC_STATUS } from './status.ts';
import type { Comment } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { COMMENTS_SOURCE } from '../../shared/events.ts';
import type { Call, Reply } from '../../shared/http.ts';
import { languageOf } from '../../shared/languages.ts';
import { checkDraft } from '../validate/check.ts';
import type { Door } from './door.ts';
import { takeTurn } from './limits.ts';
import { clientOf, refused } from './submit.ts';

export const Edit = z.strictObject({ body: z.string().max(65_536) });
export const Appeal = z.strictObject({ text: z.string().min(1).max(2000) });
export const Report = z.strictObject({ reason: z.string().min(1).max(40), note: z.string().max(1000).optional() });

/** The writer's own comment, by the capability. Until `validate` has stored it there is only the id. */
async function own(door: Door, call: Call): Promise<{ id: string; comment: Comment }> {
  const id = call.params.id ?? '';
  const given = /^Bearer (.+)$/i.exec(call.header('authorization') ?? '')?.[1];
  if (!given)
    throw new SluiceError('Session.Required', 'no capability came along', {
      hint: 'send Authorization: Bearer {capability}',
    });
  if (!door.ports.vault.verify('capability', id, given)) {
    throw new SluiceError('Capability.Refused', 'the capability belongs to another comment', {
      hint: 'use the one from the submission',
    });
  }
  const comment = await door.store.get(id);
  if (!comment || comment.status === 'erased')
    throw new SluiceError('Comment.NotYet', 'the comment is not stored yet', { hint: 'try again in a moment' });
  return { id, comment };
}

function assertWindow(comment: Comment, editMinutes: number, nowMs: number): void {
  if (nowMs > comment.submittedAt + editMinutes * 60_000) {
    throw new SluiceError('Comment.Closed', `a comment can be changed for ${editMinutes} minutes`, {
      hint: 'write another one, or ask the site',
    });
  }
}

/** Puts the edit as an event: it is judged like the first text. */
export async function edit(door: Door, call: Call): Promise<Reply> {
  const { ports, sites, rateLimit } = door;
  const { id, comment } = await own(door, call);
  const { body }: z.infer<typeof Edit> = call.body;
  const { site, policy } = await sites.rules(comment.site);
  assertWindow(comment, policy.policy.editMinutes, ports.clock.now());
  if (!['received', 'held', 'published'].includes(comment.status)) {
    throw new SluiceError('Comment.Closed', 'this comment can no longer be changed', { hint: 'write another one' });
  }
  const checked = checkDraft({ author: { name: comment.author.name }, body }, policy.policy, site);
  if (!checked.ok) {
    throw refused(checked.faults, languageOf(call.header('accept-language')));
  }
  if (rateLimit)
    await takeTurn(ports.table, ports.clock, policy.policy, {
      site: comment.site,
      client: `edit ${clientOf(ports, call.client).key}`,
      known: true,
    });
  // The same text twice is the same edit, so that a network retry is no second revision.
  const editId = createHash('sha256')
    .update(`${comment.revision}\n${checked.draft.body}`)
    .digest('base64url')
    .slice(0, 32);
  await ports.bus.put([
    {
      source: COMMENTS_SOURCE,
      type: 'CommentEdited',
      detail: {
        schema: 1,
        site: comment.site,
        id,
        body: checked.draft.body,
        editId,
        submittedAt: new Date(ports.clock.now()).toISOString(),
        ...(comment.lane && { lane: comment.lane }),
      },
    },
  ]);
  ports.log.info({ commentId: id }, 'edit submitted');
  return { status: 202, body: { id, status: PUBLIC_STATUS[comment.status] } };
}

export async function remove(door: Door, call: Call): Promise<Reply> {
  const { ports } = door;
  const { id, comment } = await own(door, call);
  if (comment.status === 'deleted') return { status: 202, body: { id, status: 'deleted' } };
  await ports.bus.put([
    {
      source: COMMENTS_SOURCE,
      type: 'CommentDeleted',
      detail: { schema: 1, site: comment.site, id, ...(comment.lane && { lane: comment.lane }) },
    },
  ]);
  ports.log.info({ commentId: id }, 'deletion submitted');
  return { status: 202, body: { id, status: PUBLIC_STATUS[comment.status] } };
}

/** One look more by a person: held again with the writer's words, in the queue at once. `reconcile` starts what reminds of it. */
export async function appeal(door: Door, call: Call): Promise<Reply> {
  const { ports, sites, store } = door;
  const { id, comment } = await own(door, call);
  const { text }: z.infer<typeof Appeal> = call.body;
  const { policy } = (await sites.rules(comment.site)).policy;
  const at = ports.clock.now();
  await store.changeLatest(id, (now) => {
    if (now.status === 'held' && now.appeal?.text === text) return undefined;
    if (now.status !== 'rejected' || now.appeals >= policy.appeals) {
      throw new SluiceError('Comment.Closed', 'there is no appeal for this comment', { hint: 'write to the site' });
    }
    return {
      set: {
        status: 'held',
        appeal: { text, at },
        appeals: now.appeals + 1,
        heldAt: at,
        heldVersion: now.version + 1,
        holdReason: 'appeal',
      },
      by: 'writer',
      action: 'appeal',
    };
  });
  ports.log.info({ commentId: id }, 'appeal held');
  return { status: 202, body: { id, status: 'waiting' } };
}

export async function report(door: Door, call: Call): Promise<Reply> {
  const { ports, store, sites, rateLimit } = door;
  const id = call.params.id ?? '';
  const { reason, note }: z.infer<typeof Report> = call.body;
  const comment = await store.get(id);
  if (!comment || comment.status !== 'published')
    throw new SluiceError('Comment.Unknown', 'no published comment has this id', { hint: 'check the id' });
  const client = clientOf(ports, call.client);
  const { policy } = (await sites.rules(comment.site)).policy;
  if (rateLimit)
    await takeTurn(ports.table, ports.clock, policy, {
      site: comment.site,
      client: `report ${client.key}`,
      known: true,
    });
  await ports.bus.put([
    {
      source: COMMENTS_SOURCE,
      type: 'CommentReported',
      detail: { schema: 1, site: comment.site, id, reporter: client.key, reason, ...(note && { note }) },
    },
  ]);
  ports.log.info({ commentId: id }, 'report submitted');
  return { status: 202, body: { id, status: 'received' } };
}
