import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Table, Write } from '../ports.ts';
import { notificationKey, strip } from './keys.ts';

/** Names one notification. */
export type NotificationRef = { commentId: string; recipient: string };

/** Who was told of a comment, who was not, and why: one record a (comment, recipient). */
export type Notification = NotificationRef & {
  /**
   * `recipient` is `contact:{id}`, `author:{id}`, `confirmation:{contact id}`, `moderator:{hash of the address}`,
   * `sign-in:{hash of the address}` or `person:{contact id}`: stable, no address. A moderators' digest, an author's sign-in and
   * the link to one's own data are no comment's: their `commentId` is `digest:{site}:{ms}`, `sign-in:{id}` and
   * `person:{site}:{day}`.
   */
  kind: 'reply' | 'author' | 'held' | 'confirmation' | 'digest' | 'sign-in' | 'person';
  state: 'queued' | 'sending' | 'sent' | 'skipped' | 'refused' | 'uncertain';
  why?: string;
  messageId: string;
  at: number;
  /** Sends begun, so that an unknown outcome is tried once more and no oftener. */
  tries: number;
  /** Not before this, while a burst is collected. */
  dueAt?: number;
  /** The notification whose message carries the mail that tells of this one too. */
  partOf?: NotificationRef;
  /** A digest to escalate with, or the run that asked for it. */
  escalated?: boolean;
  askedBy?: string;
  /** Epoch seconds after which the record itself goes; most stay with their comment. */
  expiresAt?: number;
  /** What the mail server said when it took the mail. */
  said?: string;
  version: number;
};

/** Fields to set; `undefined` removes one. */
export type NotificationChange = { [Field in keyof Notification]?: Notification[Field] | undefined };

/** A message of the queue `notify`. It names a record and holds no address and nothing that a reader typed. */
export const NotifyMessage = z.strictObject({
  schema: z.literal(1),
  kind: z.enum(['reply', 'author', 'held', 'confirmation', 'digest', 'sign-in', 'person']),
  commentId: z.string().min(1).max(200),
  recipient: z.string().min(1).max(200),
  site: z.string().min(1).max(63),
});
export type NotifyMessage = z.infer<typeof NotifyMessage>;

/** Why a record is `skipped`, where a later event may change that. */
export const UNPUBLISHED = 'no longer published';
export const UNCONFIRMED = 'address not confirmed yet';

/** The same for every attempt at one notification, so that a repeat is recognisable (RFC 5322, 3.6.4). */
export function messageIdOf(publicUrl: string, { commentId, recipient }: NotificationRef): string {
  const left = createHash('sha256').update(`${commentId}\n${recipient}`).digest('hex').slice(0, 40);
  return `<${left}@${mailHost(publicUrl)}>`;
}

/** The right side of our Message-IDs and of the sender's address, where the settings name none. */
export function mailHost(publicUrl: string): string {
  const { hostname } = new URL(publicUrl);
  return /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(hostname) ? hostname : 'localhost';
}

export type Notifications = ReturnType<typeof notificationsOf>;

/** The write that claims a record, for callers that claim more in the same moment. */
export const claimOf = (notification: Notification): Write => ({
  put: { ...notificationKey(notification.commentId, notification.recipient), ...notification },
  if: 'absent',
});

/** The write that moves a record one version on, and the record after it. */
export function updateOf(notification: Notification, set: NotificationChange): { next: Notification; write: Write } {
  const next = { ...notification, ...set, version: notification.version + 1 } as Notification;
  for (const [field, value] of Object.entries(set)) {
    if (value === undefined) delete (next as Record<string, unknown>)[field];
  }
  return {
    next,
    write: {
      put: { ...notificationKey(next.commentId, next.recipient), ...next },
      if: { version: notification.version },
    },
  };
}

export function notificationsOf(table: Table) {
  return {
    /** False when the record is there already: somebody was told, or will be. `also` is written in the same moment. */
    async claim(notification: Notification, also: readonly Write[] = []): Promise<boolean> {
      const result = await table.write([claimOf(notification), ...also]);
      return result.done;
    },

    async get(commentId: string, recipient: string): Promise<Notification | undefined> {
      const item = await table.get(notificationKey(commentId, recipient));
      return item && strip<Notification>(item);
    },

    /** In the order of the references, at most 100. */
    async getMany(refs: readonly NotificationRef[]): Promise<readonly (Notification | undefined)[]> {
      const items = await table.getMany(refs.map(({ commentId, recipient }) => notificationKey(commentId, recipient)));
      return items.map((item) => item && strip<Notification>(item));
    },

    /** Undefined when somebody else changed it since it was read. */
    async update(notification: Notification, set: NotificationChange): Promise<Notification | undefined> {
      const { next, write } = updateOf(notification, set);
      return (await table.write([write])).done ? next : undefined;
    },

    async of(commentId: string): Promise<readonly Notification[]> {
      const { items } = await table.query({ pk: `C#${commentId}`, prefix: 'N#', limit: 1000 });
      return items.map((item) => strip<Notification>(item));
    },
  };
}
