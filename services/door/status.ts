import { z } from 'zod';
import type { Comment, Status } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Door } from './door.ts';

/** What the writer may know of each status; erased is 404. */
export const PUBLIC_STATUS: Record<Exclude<Status, 'erased'>, string> & { erased: undefined } = {
  received: 'received',
  held: 'waiting',
  published: 'published',
  rejected: 'rejected',
  spam: 'rejected',
  removed: 'removed',
  deleted: 'deleted',
  erased: undefined,
};

export const StatusQuery = z.strictObject({ token: z.string().max(64) });

/** Until `validate` has stored the comment, a valid token answers `received`; a dead letter answers `delayed`. */
export async function readStatus(
  { ports, store, sites, deadLetters }: Door,
  id: string,
  token: string,
): Promise<{ status: string; reason?: string; appeal?: boolean }> {
  if (!ports.vault.verify('status', id, token)) {
    throw new SluiceError('Comment.Unknown', 'no comment has this id and token', {
      hint: 'use the statusUrl of the submission',
    });
  }
  const comment = await store.get(id);
  if (comment?.status === 'erased')
    throw new SluiceError('Comment.Unknown', 'the comment was erased', { hint: 'nothing is left of it' });
  if (!comment || comment.status === 'received') {
    return { status: (await deadLetters.ofComment(id)) ? 'delayed' : 'received' };
  }
  const { appeals } = (await sites.rules(comment.site)).policy.policy;
  const appeal = comment.status === 'rejected' && comment.appeals < appeals;
  const reason = reasonOf(comment);
  return { status: PUBLIC_STATUS[comment.status], ...(reason && { reason }), ...(appeal && { appeal }) };
}

/** Why a comment is not shown, in a reader's words: one of the policy's reasons, or a ban's own. */
function reasonOf({ status, reason, holdReason }: Comment): string | undefined {
  if (status === 'spam') return 'spam';
  // A ban that holds is no secret either; the other rules that hold are the site's own business.
  if (status === 'held') return holdReason?.startsWith('banned') ? holdReason : undefined;
  if (status !== 'rejected' && status !== 'removed') return undefined;
  // What the policy rejects by itself: by the judge's score, or by a list that is the site's own business.
  if (reason === 'score') return 'spam';
  return reason === 'blocklist' ? undefined : reason;
}
