import type { Table } from '../ports.ts';
import { notificationKey, strip } from './keys.ts';

/** Who was told of a comment, who was not, and why: one record a (comment, recipient). */
export type Notification = {
  commentId: string;
  /** `contact:{id}`, `author:{id}`, `moderators` … stable, no address. */
  recipient: string;
  kind: 'reply' | 'author' | 'held' | 'confirmation';
  state: 'queued' | 'sending' | 'sent' | 'skipped' | 'refused' | 'uncertain';
  why?: string;
  messageId: string;
  at: number;
  /** Sends begun, so that an unknown outcome is tried once more and no oftener. */
  tries: number;
  version: number;
};

export type Notifications = ReturnType<typeof notificationsOf>;

export function notificationsOf(table: Table) {
  return {
    /** False when the record is there already: somebody was told, or will be. */
    async claim(notification: Notification): Promise<boolean> {
      const result = await table.write([
        { put: { ...notificationKey(notification.commentId, notification.recipient), ...notification }, if: 'absent' },
      ]);
      return result.done;
    },

    async get(commentId: string, recipient: string): Promise<Notification | undefined> {
      const item = await table.get(notificationKey(commentId, recipient));
      return item && strip<Notification>(item);
    },

    /** False when somebody else changed it since it was read. */
    async update(notification: Notification, set: Partial<Notification>): Promise<Notification | undefined> {
      const next = { ...notification, ...set, version: notification.version + 1 };
      const result = await table.write([
        { put: { ...notificationKey(next.commentId, next.recipient), ...next }, if: { version: notification.version } },
      ]);
      return result.done ? next : undefined;
    },

    async of(commentId: string): Promise<readonly Notification[]> {
      const { items } = await table.query({ pk: `C#${commentId}`, prefix: 'N#', limit: 1000 });
      return items.map((item) => strip<Notification>(item));
    },
  };
}
