import { z } from 'zod';
import type { Comment } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { storeOf, type Change } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { strip } from '../../shared/store/keys.ts';
import {
  claimOf,
  messageIdOf,
  notificationsOf,
  type Notification,
  type NotifyMessage,
} from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { usersOf } from '../../shared/store/users.ts';
import { auditWrite } from '../moderation/audit-log.ts';
import { plan } from '../moderation/decide.ts';
import { adminAddresses } from './admins.ts';
import { dueOf } from './due.ts';

const Input = z.object({ id: z.string(), version: z.int() });

/** When a moderator was last written to about a site: the window of the next digest begins there. */
type Window = { at: number; digest: string; version: number };

/**
 * What is due for a held comment: the policy's default, a reminder, an escalation.
 *
 * However many comments call, a moderator gets one message a window: the claim of the window decides, and the digest, made
 * when it is sent, tells of all that wait.
 *
 * @returns decided: the comment waits no longer
 */
export const remind: Service = (ports) => {
  const { table, clock, vault, log, ids, publicUrl } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const notifications = notificationsOf(table);

  /**
   * Claims window and record in one write, then sends; who claimed before and died before the send sends again. An
   * escalation begins the digest's window too: one message, not both.
   */
  const digest = async (
    site: string,
    email: string,
    { windowMs, escalated, askedBy }: { windowMs: number; escalated: boolean; askedBy: string },
  ): Promise<void> => {
    const recipient = `moderator:${contacts.hashOf(email)}`;
    const keys = [...(escalated ? ['escalation'] : []), 'digest'].map((word) => ({
      pk: `S#${site}`,
      sk: `${word}#${recipient}`,
    }));
    const known = (await table.getMany(keys)).map((item) => item && strip<Window>(item));
    const [own] = known;
    const now = clock.now();
    // Reminders of the same comments come a little early or late: a tenth of the window is no second mail.
    if (own && now - own.at < windowMs * 0.9) {
      const record = await notifications.get(own.digest, recipient);
      if (record?.state === 'queued' && record.askedBy === askedBy) await send(site, record);
      return;
    }
    const commentId = `digest:${site}:${now}${escalated ? ':escalated' : ''}`;
    const record: Notification = {
      commentId,
      recipient,
      kind: 'digest',
      state: 'queued',
      messageId: messageIdOf(publicUrl, { commentId, recipient }),
      at: now,
      tries: 0,
      escalated,
      askedBy,
      version: 1,
    };
    const result = await table.write([
      claimOf(record),
      ...keys.map((key, i) => {
        const before = known[i];
        const window: Window = { at: now, digest: commentId, version: (before?.version ?? 0) + 1 };
        return { put: { ...key, ...window }, if: before ? { version: before.version } : ('absent' as const) };
      }),
    ]);
    if (result.done) await send(site, record);
  };

  const send = (site: string, { commentId, recipient }: Notification) =>
    ports.queues.notify!.send(
      JSON.stringify({ schema: 1, kind: 'digest', commentId, recipient, site } satisfies NotifyMessage),
    );

  /** The policy's default, as a decision like any other; false when somebody decided meanwhile. */
  const decide = async (comment: Comment, action: 'publish' | 'reject'): Promise<boolean> => {
    const decisionId = ids.next();
    const now = clock.now();
    const set = plan(comment, { action }, { by: 'policy', decisionId, now });
    if (set === 'unchanged' || set === 'impossible') return false;
    const result = await store.change(comment, {
      set: set as Change['set'],
      by: 'policy',
      action: 'default',
      decisionId,
      also: [
        auditWrite({
          id: decisionId,
          site: comment.site,
          at: now,
          by: 'policy',
          action: `default: ${action}`,
          commentId: comment.id,
          version: comment.version + 1,
          from: comment.status,
          to: set.status ?? comment.status,
        }),
      ],
    });
    if (result.done) log.info({ commentId: comment.id, action }, 'the policy decided after its time');
    return result.done;
  };

  return async (input) => {
    const { id, version } = parse(Input, input, 'Request.Malformed', 'give {id, version}');
    const comment = await store.mustGet(id);
    const waits = comment.status === 'held' || comment.pendingRevision !== null;
    // A later hold has a review of its own, and reminds of itself.
    if (!waits || (comment.heldVersion !== undefined && comment.heldVersion > version)) return { decided: true };

    const { site, policy } = await sites.rules(comment.site);
    const due = dueOf(comment, policy.policy, clock.now());
    if (due.default) {
      if (await decide(comment, due.default)) return { decided: true };
      throw new SluiceError('Store.Busy', `comment ${id} changed while its default was due`, { hint: 'try again' });
    }
    if (comment.imported) return { decided: false };
    const askedBy = `${id}-${version}`;
    if (due.escalationMs !== undefined) {
      const admins = await adminAddresses(usersOf(table, clock), site.id);
      for (const email of new Set([...site.moderatorEmails, ...admins])) {
        await digest(site.id, email, { windowMs: due.escalationMs, escalated: true, askedBy });
      }
    }
    for (const email of site.moderatorEmails) {
      await digest(site.id, email, { windowMs: due.reminderMs, escalated: false, askedBy });
    }
    return { decided: false };
  };
};
