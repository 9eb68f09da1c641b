import type { Comment, Revision } from '../../shared/comment.ts';
import type { Language } from '../../shared/languages.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import type { Store } from '../../shared/store/comments.ts';
import { NEWS, REVIEW, type Contacts } from '../../shared/store/contacts.ts';
import { commentOf, deskListing } from '../../shared/store/keys.ts';
import { UNCONFIRMED, UNPUBLISHED, type Notification } from '../../shared/store/notifications.ts';
import type { Users } from '../../shared/store/users.ts';
import { adminAddresses } from '../remind/admins.ts';
import type { Site, Sites, Thread } from '../../shared/store/sites.ts';

/** All that one notification says, read at the moment of sending. */
export type Ready = {
  kind: Notification['kind'];
  to: string;
  emailHash: string;
  site: Site;
  policy: Policy;
  /** Within `ms`, one mail an address and matter; with `firstWaits` even the first is collected (an author's digest). */
  burst?: { matter: string; ms: number; firstWaits: boolean };
  about?: { comment: Comment; revision: Revision; parent?: Comment; thread?: Thread };
  /** Contact id, for a confirmation and for the link to one's own data. */
  contact?: string;
  lang?: Language;
  /** The link of an author who signs in: works once, until then (ms). */
  signIn?: { id: string; until: number };
  digest?: { waiting: number; more: boolean; first: readonly Comment[]; escalated: boolean };
};

/** How long the link that signs an author in works. */
export const SIGN_IN_MINUTES = 15;

const DAY_MS = 86_400_000;
/** A digest lists so many, and counts no further than the second. */
const DIGEST_LISTED = 10;
const DIGEST_COUNTED = 1000;

/** Looks again at everything on which a notification depends: `skip` says why it must not be sent now. */
export function readerOf({
  ports: { table, clock },
  store,
  sites,
  contacts,
  users,
}: {
  ports: Pick<Ports, 'table' | 'clock'>;
  store: Store;
  sites: Sites;
  contacts: Contacts;
  users: Users;
}) {
  const addressOf = async (
    { recipient }: Notification,
    site: Site,
  ): Promise<{ email: string; emailHash: string; contact?: string; lang?: Language } | undefined> => {
    const [word, id = ''] = splitOnce(recipient);
    if (word === 'contact' || word === 'confirmation' || word === 'person') {
      const found = await contacts.email(id);
      return found && { ...found, contact: id };
    }
    const emails =
      word === 'sign-in'
        ? site.authors.flatMap(({ email }) => (email && contacts.hashOf(email) === id ? [email] : []))
        : word === 'author'
          ? site.authors.filter((author) => author.id === id).map(({ email }) => email)
          : await moderatorAddresses(site, id);
    const [email] = emails;
    return email ? { email, emailHash: contacts.hashOf(email) } : undefined;
  };

  const moderatorAddresses = async (site: Site, hash: string): Promise<readonly string[]> => {
    const own = site.moderatorEmails.filter((email) => contacts.hashOf(email) === hash);
    if (own.length > 0) return own;
    return (await adminAddresses(users, site.id)).filter((email) => contacts.hashOf(email) === hash);
  };

  const digestOf = async (site: string, escalated: boolean): Promise<Ready['digest'] & object> => {
    const { items, cursor } = await table.query({
      index: 'gsi2',
      pk: deskListing(site, 'held'),
      order: 'ascending',
      limit: DIGEST_COUNTED,
    });
    const first = await store.judged(items.slice(0, DIGEST_LISTED).map(commentOf));
    return { waiting: items.length, more: cursor !== undefined, first, escalated };
  };

  return async (record: Notification, siteId: string): Promise<Ready | { skip: string }> => {
    const { site, policy } = await sites.rules(siteId);
    const { kind, commentId } = record;
    const address = await addressOf(record, site);
    if (!address) return { skip: 'no address: expired, forgotten, or taken off the site' };
    const { emailHash, lang } = address;
    const base = { kind, to: address.email, emailHash, site, policy: policy.policy, ...(lang && { lang }) };

    if (kind === 'person') {
      if (record.at + DAY_MS <= clock.now()) return { skip: 'too late' };
      // Who wants no mail may still ask for what is kept; who called our mail spam is left alone.
      const why = (await contacts.address(emailHash))?.suppressed;
      return why === undefined ? { ...base, contact: address.contact ?? '' } : { skip: why };
    }

    if (kind === 'sign-in') {
      const until = record.at + SIGN_IN_MINUTES * 60_000;
      if (until <= clock.now()) return { skip: 'too late' };
      const why = (await contacts.address(emailHash))?.suppressed;
      return why === undefined ? { ...base, signIn: { id: commentId.slice('sign-in:'.length), until } } : { skip: why };
    }
    if (kind === 'digest') {
      const barred = await contacts.barred(emailHash, site.id, REVIEW);
      if (barred) return { skip: barred };
      const digest = await digestOf(site.id, record.escalated === true);
      return digest.waiting === 0 ? { skip: 'nothing waits any more' } : { ...base, digest };
    }

    const comment = await store.get(commentId);
    if (!comment || comment.imported) return { skip: UNPUBLISHED };
    const author = site.authors.find(({ id }) => record.recipient === `author:${id}`);
    const digest = kind === 'author' && author?.notify === 'digest';
    const barred =
      (await contacts.barred(emailHash, site.id, kind === 'held' ? REVIEW : comment.thread)) ??
      (digest ? await contacts.barred(emailHash, site.id, NEWS) : undefined);
    if (barred) return { skip: barred };
    if (kind === 'held' ? comment.status !== 'held' : comment.status !== 'published') {
      return { skip: kind === 'held' ? 'no longer held' : UNPUBLISHED };
    }
    const confirmed = (await contacts.address(emailHash))?.confirmedAt !== undefined;
    if (kind === 'confirmation') {
      return confirmed ? { skip: 'confirmed already' } : { ...base, contact: address.contact ?? '' };
    }
    if (kind === 'reply' && !confirmed) return { skip: UNCONFIRMED };

    const [revision, parent, thread] = await Promise.all([
      store.revision(commentId, comment.publishedRevision ?? comment.revision),
      comment.parentId ? store.get(comment.parentId) : undefined,
      sites.thread(comment.site, comment.thread),
    ]);
    if (!revision) return { skip: UNPUBLISHED };
    if (kind === 'reply' && parent?.status !== 'published') {
      return { skip: 'the comment replied to is no longer published' };
    }
    return {
      ...base,
      about: { comment, revision, ...(parent?.status === 'published' && { parent }), ...(thread && { thread }) },
      ...burstOf(kind, comment, policy.policy, digest),
    };
  };
}

function burstOf(kind: Notification['kind'], comment: Comment, policy: Policy, digest: boolean): Pick<Ready, 'burst'> {
  if (digest) {
    return { burst: { matter: `digest#${comment.site}`, ms: DAY_MS, firstWaits: true } };
  }
  const ms = policy.notifyBurstMinutes * 60_000;
  if (ms === 0) return {};
  // A flood of held comments falls on all threads at once.
  const matter = kind === 'held' ? `held#${comment.site}` : `${kind}#${comment.site}#${comment.thread}`;
  return { burst: { matter, ms, firstWaits: false } };
}

function splitOnce(recipient: string): [string, string | undefined] {
  const colon = recipient.indexOf(':');
  return colon < 0 ? [recipient, undefined] : [recipient.slice(0, colon), recipient.slice(colon + 1)];
}
