import { z } from 'zod';
import type { Comment } from '../../shared/comment.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import {
  claimOf,
  messageIdOf,
  notificationsOf,
  UNCONFIRMED,
  UNPUBLISHED,
  type Notification,
  type NotifyMessage,
} from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { recipientsOfHeld, recipientsOfPublished, type Recipient, type Scene } from './recipients.ts';

const Input = z.object({
  id: z.string(),
  version: z.int(),
  kind: z.literal('held').optional(),
  /** What the step before knew of the comment: its site, and whether it is a reply or asks for replies. */
  site: z.string().optional(),
  asks: z.boolean().optional(),
});

/** So that nobody can make a site write to the whole world: what is over it is not asked on that day. */
export const CONFIRMATIONS_PER_SITE_AND_DAY = 200;
const DAY_MS = 86_400_000;

/**
 * Finds who asked to be told of a comment, and queues one message for each.
 *
 * Runs after publication and never before it. Twice is once: the record of a (comment, recipient) decides. A record whose
 * message may have been lost is sent again, for `deliver` goes by the record.
 */
export const authorNotify: Service = (ports) => {
  const { table, clock, vault, log, publicUrl } = ports;
  const store = storeOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const sites = sitesOf(table, clock);
  const notifications = notificationsOf(table);

  const hashOfContact = async (id: string | undefined) => (id ? (await contacts.get(id))?.emailHash : undefined);

  /** Undefined when nobody asked for anything: most comments, and they cost no further reads. */
  const sceneOf = async (comment: Comment): Promise<{ scene: Scene; undoSeconds: number } | undefined> => {
    const [{ site, policy }, thread, parent] = await Promise.all([
      sites.rules(comment.site),
      sites.thread(comment.site, comment.thread),
      comment.parentId ? store.get(comment.parentId) : undefined,
    ]);
    const askers = site.authors.some(({ notify }) => notify !== 'none');
    if (!askers && !comment.notifyReplies && !parent?.notifyReplies) return undefined;
    const [writer, parentHash] = await Promise.all([
      hashOfContact(comment.author.contact),
      hashOfContact(parent?.author.contact),
    ]);
    const authors = new Map(
      site.authors.flatMap(({ id, email }) => (email ? [[id, contacts.hashOf(email)] as const] : [])),
    );
    const moderators = new Set(site.moderatorEmails.map((email) => contacts.hashOf(email)));
    return {
      scene: { comment, parent, site, thread, hashes: { writer, parent: parentHash, authors, moderators } },
      undoSeconds: policy.policy.undoSeconds,
    };
  };

  const send = (
    comment: Comment,
    { kind, recipient }: Pick<Notification, 'kind' | 'recipient'>,
    delaySeconds: number,
  ) =>
    ports.queues.notify!.send(
      JSON.stringify({
        schema: 1,
        kind,
        commentId: comment.id,
        recipient,
        site: comment.site,
      } satisfies NotifyMessage),
      { delaySeconds },
    );

  const record = (comment: Comment, to: Pick<Notification, 'recipient' | 'kind' | 'state' | 'why'>): Notification => ({
    commentId: comment.id,
    ...to,
    messageId: messageIdOf(publicUrl, { commentId: comment.id, recipient: to.recipient }),
    at: clock.now(),
    tries: 0,
    version: 1,
  });

  /** Asks an address once in 30 days whether it wants mail: claim and record are one write, so neither is lost alone. */
  const askToConfirm = async (
    comment: Comment,
    contact: string,
    emailHash: string,
    delaySeconds: number,
  ): Promise<void> => {
    const recipient = `confirmation:${contact}`;
    const known = await notifications.get(comment.id, recipient);
    if (known) {
      const again =
        known.why === UNPUBLISHED ? await notifications.update(known, { state: 'queued', why: undefined }) : known;
      if (again?.state === 'queued') await send(comment, again, delaySeconds);
      return;
    }
    const day = Math.floor(clock.now() / DAY_MS);
    const tally = { pk: `S#${comment.site}`, sk: `confirmations#${day}` };
    const sent = Number((await table.get(tally))?.sent ?? 0);
    if (sent >= CONFIRMATIONS_PER_SITE_AND_DAY) {
      const why = `over ${CONFIRMATIONS_PER_SITE_AND_DAY} confirmations of this site today`;
      await notifications.claim(record(comment, { recipient, kind: 'confirmation', state: 'skipped', why }));
      log.warn({ site: comment.site, sent }, 'too many confirmations for one day');
      return;
    }
    const queued = record(comment, { recipient, kind: 'confirmation', state: 'queued' });
    const result = await table.write([
      claimOf(queued),
      contacts.confirmationClaim(emailHash),
      { add: tally, by: { sent: 1 }, expiresAt: Math.floor(clock.now() / 1000) + 172_800 },
    ]);
    if (result.done) await send(comment, queued, delaySeconds);
    else if (result.failed === 1) {
      const why = 'asked within the last 30 days';
      await notifications.claim(record(comment, { recipient, kind: 'confirmation', state: 'skipped', why }));
    }
  };

  /** @returns what becomes of the recipient now: told, not told and why, or told once the address is confirmed */
  const tell = async (comment: Comment, to: Recipient, delaySeconds: number): Promise<Notification['state']> => {
    const { recipient, kind } = to;
    const known = await notifications.get(comment.id, recipient);
    if (known?.state === 'queued') {
      // The run that claimed it may have died before its send.
      await send(comment, known, delaySeconds);
      return 'queued';
    }
    if (known?.state === 'skipped' && known.why === UNPUBLISHED) {
      const again = await notifications.update(known, { state: 'queued', why: undefined });
      if (again) await send(comment, again, delaySeconds);
      return 'queued';
    }
    if (known) return known.state;

    const why = to.skip ?? (to.emailHash && (await contacts.barred(to.emailHash, comment.site, comment.thread)));
    if (why) {
      await notifications.claim(record(comment, { recipient, kind, state: 'skipped', why }));
      return 'skipped';
    }
    const { emailHash } = to;
    if (kind === 'reply' && emailHash && !(await contacts.address(emailHash))?.confirmedAt) {
      const skipped = record(comment, { recipient, kind, state: 'skipped', why: UNCONFIRMED });
      await notifications.claim(skipped, [
        contacts.waitingWrite(emailHash, { commentId: comment.id, recipient, site: comment.site }),
      ]);
      // The click on the link may have come between the two reads above.
      if (!(await contacts.address(emailHash))?.confirmedAt) return 'skipped';
      const again = await notifications.update(skipped, { state: 'queued', why: undefined });
      if (again) await send(comment, again, delaySeconds);
      return 'queued';
    }
    const queued = record(comment, { recipient, kind, state: 'queued' });
    if (await notifications.claim(queued)) await send(comment, queued, delaySeconds);
    return 'queued';
  };

  return async (input) => {
    const { id, kind, site, asks } = parse(Input, input, 'Request.Malformed', 'give {id, version}');
    // Most comments end here, and the comment itself need not be read for it.
    if (site !== undefined && asks === false) {
      const { authors } = (await sites.rules(site)).site;
      if (authors.every(({ notify }) => notify === 'none')) return { queued: 0, skipped: 0 };
    }
    const comment = await store.mustGet(id);
    const held = kind === 'held';
    const wanted = held ? comment.status === 'held' : comment.status === 'published';
    if (comment.imported || !wanted) return { queued: 0, skipped: 0 };

    const found = await sceneOf(comment);
    if (!found) return { queued: 0, skipped: 0 };
    const { scene, undoSeconds } = found;
    const recipients = held ? recipientsOfHeld(scene) : recipientsOfPublished(scene);
    const states: Notification['state'][] = [];
    for (const to of recipients) states.push(await tell(comment, to, undoSeconds));

    if (!held) {
      // Whoever asks for replies is asked to confirm when their own comment is published; at the first reply, where that
      // was not done (a cap, an address that the store forgot).
      const { comment: own, parent, hashes } = scene;
      const waiting = recipients.find(({ kind: of, skip }) => of === 'reply' && skip === undefined);
      for (const [asker, emailHash] of [
        [own.notifyReplies ? own : undefined, hashes.writer],
        [waiting && parent, hashes.parent],
      ] as const) {
        if (!asker?.author.contact || !emailHash) continue;
        if ((await contacts.address(emailHash))?.confirmedAt) continue;
        if (await contacts.barred(emailHash, own.site, own.thread)) continue;
        await askToConfirm(own, asker.author.contact, emailHash, undoSeconds);
      }
    }
    const count = (state: Notification['state']) => states.filter((one) => one === state).length;
    const told = { queued: count('queued'), skipped: count('skipped') };
    if (states.length > 0) log.info({ commentId: id, ...told }, 'notifications queued');
    return told;
  };
};
