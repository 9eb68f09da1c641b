import type { Clock, Table, Write } from '../../shared/ports.ts';
import { strip } from '../../shared/store/keys.ts';
import { updateOf, type Notification, type NotificationRef } from '../../shared/store/notifications.ts';

/** As many notifications as one mail lists; a write holds 100 items. */
export const MAX_ITEMS = 50;
/** As many as one burst remembers; what comes beyond starts the next one. */
const MAX_WAITING = 500;

/**
 * One mail that is owed: about one comment, or a burst of them. It stands from the decision to send it until its outcome is
 * told, so that a crash anywhere between finds what there was to do.
 *
 *     open ──► sending ──► accepted ──► (gone)
 *      ▲          │ not taken: open again, later
 *      └──────────┘ outcome unknown: open once more, then marked uncertain
 */
export type Mailing = {
  /** The notification whose queue message carries this mail. */
  driver: NotificationRef;
  items: readonly NotificationRef[];
  site: string;
  /** The driver's, on every attempt. */
  messageId: string;
  state: 'open' | 'sending' | 'accepted';
  /** Sends begun that the server did not definitely turn down. */
  tries: number;
  /** Sends that the server put off. */
  attempts: number;
  /** When the send under way began: a later consumer takes it for dead after a time. */
  startedAt?: number;
  /** When the server first put it off. */
  failedSince?: number;
  version: number;
};

/** Within a window, one mail an address and subject matter: what comes meanwhile waits here for the next. */
export type Burst = { until: number; waiting: readonly NotificationRef[]; version: number };

const mailingKey = ({ commentId, recipient }: NotificationRef) => ({ pk: `C#${commentId}`, sk: `M#${recipient}` });
const burstKey = (emailHash: string, matter: string) => ({ pk: `E#${emailHash}`, sk: `burst#${matter}` });

export const sameRef = (a: NotificationRef, b: NotificationRef) =>
  a.commentId === b.commentId && a.recipient === b.recipient;
export const refOf = ({ commentId, recipient }: NotificationRef): NotificationRef => ({ commentId, recipient });

const burstWrite = (
  emailHash: string,
  matter: string,
  known: Burst | undefined,
  next: Omit<Burst, 'version'>,
): Write => ({
  put: {
    ...burstKey(emailHash, matter),
    ...next,
    version: (known?.version ?? 0) + 1,
    // Outlives its window by a week: a waiting notification may be late by an outage.
    expiresAt: Math.ceil(next.until / 1000) + 7 * 86_400,
  },
  if: known ? { version: known.version } : 'absent',
});

export function mailingsOf(table: Table, clock: Clock) {
  return {
    async get(driver: NotificationRef): Promise<Mailing | undefined> {
      const item = await table.get(mailingKey(driver));
      return item && strip<Mailing>(item);
    },

    async burst(emailHash: string, matter: string): Promise<Burst | undefined> {
      const item = await table.get(burstKey(emailHash, matter));
      return item && strip<Burst>(item);
    },

    /** Puts a notification to those that wait. False when somebody else changed the burst. A full one takes no more. */
    async wait(
      emailHash: string,
      matter: string,
      known: Burst | undefined,
      { until, ref }: { until: number; ref: NotificationRef },
    ): Promise<boolean> {
      const waiting = known?.waiting ?? [];
      if (waiting.some((other) => sameRef(other, ref)) || waiting.length >= MAX_WAITING) return true;
      const result = await table.write([burstWrite(emailHash, matter, known, { until, waiting: [...waiting, ref] })]);
      return result.done;
    },

    /** Makes a mail of these notifications, all or nothing. Undefined when one of them changed meanwhile. */
    async open(
      site: string,
      records: readonly [Notification, ...Notification[]],
      window?: {
        emailHash: string;
        matter: string;
        known: Burst | undefined;
        ms: number;
        rest: readonly NotificationRef[];
      },
    ): Promise<Mailing | undefined> {
      const driver = refOf(records[0]);
      const items = records.map(refOf);
      const { messageId } = records[0];
      const mailing: Mailing = { driver, items, site, messageId, state: 'open', tries: 0, attempts: 0, version: 1 };
      const result = await table.write([
        { put: { ...mailingKey(driver), ...mailing }, if: 'absent' },
        ...records.map((record) => updateOf(record, { partOf: driver, dueAt: undefined }).write),
        ...(window
          ? [
              burstWrite(window.emailHash, window.matter, window.known, {
                until: clock.now() + window.ms,
                waiting: window.rest,
              }),
            ]
          : []),
      ]);
      return result.done ? mailing : undefined;
    },

    /** The mail and its notifications one step on, all or nothing. Undefined when somebody else was faster. */
    async step(
      mailing: Mailing,
      set: { [Field in keyof Mailing]?: Mailing[Field] | undefined },
      records: readonly Write[],
    ): Promise<Mailing | undefined> {
      const next = { ...mailing, ...set, version: mailing.version + 1 } as Mailing;
      for (const [field, value] of Object.entries(set)) {
        if (value === undefined) delete (next as Record<string, unknown>)[field];
      }
      const result = await table.write([
        { put: { ...mailingKey(mailing.driver), ...next }, if: { version: mailing.version } },
        ...records,
      ]);
      return result.done ? next : undefined;
    },

    /** Nothing is owed any more. */
    async close(mailing: Mailing): Promise<void> {
      await table.write([{ delete: mailingKey(mailing.driver), if: { version: mailing.version } }]);
    },
  };
}
