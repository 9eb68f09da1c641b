import { z } from 'zod';
import { SluiceError, type ErrorCode } from '../../shared/errors.ts';
import { PIPELINE_SOURCE } from '../../shared/events.ts';
import { parse } from '../../shared/parse.ts';
import type { MailMessage, Service } from '../../shared/ports.ts';
import { parseJson } from '../../shared/strict-json.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import {
  NotifyMessage,
  notificationsOf,
  updateOf,
  type Notification,
  type NotificationChange,
} from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { usersOf } from '../../shared/store/users.ts';
import { saysBadAddress } from './bounces.ts';
import { compose } from './compose.ts';
import { mailingsOf, MAX_ITEMS, refOf, sameRef, type Mailing } from './mailings.ts';
import { readerOf, type Ready } from './reader.ts';

const Batch = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

/** No new message is begun after this: the function has 30 s, and a slow server takes up to 15 s for one. */
const BUDGET_MS = 12_000;
/** A send that began longer ago than this is dead: the function itself ends at 30 s. */
const SEND_LEASE_MS = 60_000;
/** A server that puts mail off is asked again for this long; then the queue's own receives end in its dead letters. */
const PATIENCE_MS = 3 * 86_400_000;
const FIRST_RETRY_S = 15;
const LAST_RETRY_S = 900;
const OF_NO_COMMENT: ReadonlySet<Notification['kind']> = new Set(['digest', 'sign-in', 'person']);
/** How often a write that lost a race is tried again before the message goes back to the queue. */
const RACES = 8;

/** The wait before the next attempt, in seconds: doubling from 15 to 900. */
export function retrySeconds(attempts: number): number {
  return Math.min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** Math.min(attempts - 1, 10));
}

/**
 * Sends the mail that `author-notify` and `remind` queued. An SQS batch with partial failures
 * (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
 *
 * Goes by the records, not by the messages: a message that comes twice, late, or for what is done already changes nothing.
 * What the server puts off comes back with a growing delay, as a new message: an outage uses up no receives.
 */
export const deliver: Service = (ports) => {
  const { table, clock, vault, log, bus } = ports;
  const notifications = notificationsOf(table);
  const mailings = mailingsOf(table, clock);
  const contacts = contactsOf(table, vault, clock);
  const read = readerOf({
    ports,
    store: storeOf(table, clock),
    sites: sitesOf(table, clock),
    contacts,
    users: usersOf(table, clock),
  });

  const again = (message: NotifyMessage, delaySeconds: number) =>
    ports.queues.notify!.send(JSON.stringify(message), { delaySeconds: Math.min(900, Math.max(0, delaySeconds)) });

  /** The mail that this message is to carry; undefined when it waits, was told otherwise, or must not be told. */
  const open = async (message: NotifyMessage): Promise<Mailing | undefined> => {
    for (let race = 0; race < RACES; race++) {
      const record = await notifications.get(message.commentId, message.recipient);
      if (record?.state !== 'queued' || record.partOf) return undefined;
      const ready = await read(record, message.site);
      if ('skip' in ready) {
        if (await notifications.update(record, { state: 'skipped', why: ready.skip, dueAt: undefined }))
          return undefined;
        continue;
      }
      const { emailHash, burst: window } = ready;
      if (!window) {
        const mailing = await mailings.open(message.site, [record]);
        if (mailing) return mailing;
        continue;
      }
      const now = clock.now();
      const ref = refOf(record);
      const known = await mailings.burst(emailHash, window.matter);
      const idle = !known || (known.until <= now && known.waiting.length === 0);
      if ((known && known.until > now) || (idle && window.firstWaits)) {
        const until = known && known.until > now ? known.until : now + window.ms;
        if (!(await mailings.wait(emailHash, window.matter, known, { until, ref }))) continue;
        await again(message, Math.ceil((until - now) / 1000));
        if (record.dueAt !== until) await notifications.update(record, { dueAt: until });
        return undefined;
      }
      const others = (known?.waiting ?? []).filter((other) => !sameRef(other, ref));
      const found = await notifications.getMany(others.slice(0, MAX_ITEMS - 1));
      const waiting = found.filter((other) => other?.state === 'queued' && !other.partOf) as Notification[];
      const rest = others.slice(MAX_ITEMS - 1);
      const mailing = await mailings.open(message.site, [record, ...waiting], {
        emailHash,
        matter: window.matter,
        known,
        ms: window.ms,
        rest,
      });
      if (mailing) return mailing;
    }
    throw new SluiceError('Store.Busy', `notification of ${message.commentId} changes too fast`, { hint: 'try again' });
  };

  /** Sends what is owed, once, and writes down what came of it. */
  const drive = async (mailing: Mailing, message: NotifyMessage): Promise<void> => {
    if (mailing.state === 'accepted') return announce(mailing);
    const now = clock.now();
    const left = mailing.state === 'sending' ? (mailing.startedAt ?? 0) + SEND_LEASE_MS - now : 0;
    // Another consumer is at it, or died at it: look again when its time is over.
    if (left > 0) return again(message, Math.ceil(left / 1000));

    const found = await notifications.getMany(mailing.items);
    const records = found.filter((one) => one !== undefined && (one.state === 'queued' || one.state === 'sending'));
    const all = (set: NotificationChange, of = records) => of.map((one) => updateOf(one!, set).write);

    // Two sends of which nobody knows the outcome: no third.
    if (mailing.tries >= 2) {
      const why = 'sent twice, the server confirmed neither';
      const end = await mailings.step(mailing, { state: 'accepted' }, all({ state: 'uncertain', why }));
      return end && mailings.close(end);
    }

    const looked = await Promise.all(
      records.map(async (record) => ({ record: record!, ready: await read(record!, mailing.site) })),
    );
    const ready: { record: Notification; ready: Ready }[] = [];
    const skipped = [];
    for (const { record, ready: answer } of looked) {
      if (!('skip' in answer)) ready.push({ record, ready: answer });
      else if (mailing.tries > 0) {
        const why = `outcome of a send unknown, then: ${answer.skip}`;
        skipped.push(updateOf(record, { state: 'uncertain', why }).write);
      } else skipped.push(updateOf(record, { state: 'skipped', why: answer.skip, partOf: undefined }).write);
    }
    const first = ready[0];
    if (!first) {
      const end = await mailings.step(mailing, { state: 'accepted' }, skipped);
      return end && mailings.close(end);
    }
    const composed = await compose(ports, ready.map((one) => one.ready) as [Ready, ...Ready[]]);
    const tries = mailing.tries + 1;
    const begun = ready.map(({ record }) => updateOf(record, { state: 'sending', tries, why: undefined }));
    const sending = await mailings.step(
      mailing,
      { state: 'sending', tries, startedAt: now, items: ready.map(({ record }) => refOf(record)) },
      [...begun.map(({ write }) => write), ...skipped],
    );
    // Somebody else took the step: theirs is the message that counts.
    if (!sending) return;

    const outcome = await attempt({ ...composed, to: first.ready.to, messageId: mailing.messageId });
    const end = (set: NotificationChange) => begun.map(({ next }) => updateOf(next, set).write);
    const fields = { commentId: mailing.driver.commentId, recipient: mailing.driver.recipient, tries };

    if (outcome.code === undefined) {
      const doubtful = tries > 1 && { why: 'sent again: the outcome of the first send is unknown' };
      const taken = await mailings.step(
        sending,
        { state: 'accepted' },
        end(doubtful ? { state: 'uncertain', ...doubtful } : { state: 'sent', said: outcome.why }),
      );
      log.info({ ...fields, items: ready.length, uncertain: tries > 1 }, 'mail sent');
      if (taken) await announce(taken);
      return;
    }
    log.warn({ ...fields, code: outcome.code, attempts: mailing.attempts + 1 }, 'mail not sent');
    if (outcome.code === 'Mail.Refused') {
      const state = tries > 1 ? ('uncertain' as const) : ('refused' as const);
      const done = await mailings.step(sending, { state: 'accepted' }, end({ state, why: outcome.why }));
      if (outcome.badAddress) await contacts.suppress(first.ready.emailHash, 'the mail server knows no such address');
      return done && mailings.close(done);
    }
    if (outcome.code === 'Mail.Transient') {
      // Definitely not taken: this send does not count.
      const attempts = mailing.attempts + 1;
      const failedSince = mailing.failedSince ?? now;
      const open = { state: 'open' as const, tries: tries - 1, attempts, failedSince, startedAt: undefined };
      await mailings.step(sending, open, end({ state: 'queued', tries: tries - 1, why: `put off: ${outcome.why}` }));
      if (clock.now() - failedSince < PATIENCE_MS) return again(message, retrySeconds(attempts));
      throw new SluiceError('Mail.Transient', 'the mail server put this off for three days', {
        hint: 'see to the mail server, then redrive',
      });
    }
    if (tries >= 2) {
      const done = await mailings.step(sending, { state: 'accepted' }, end({ state: 'uncertain', why: outcome.why }));
      return done && mailings.close(done);
    }
    await mailings.step(sending, { state: 'open', startedAt: undefined }, end({ state: 'queued', why: outcome.why }));
    await again(message, SEND_LEASE_MS / 1000);
  };

  /** Says that mail went out; then nothing is owed. A crash between the two says it twice. */
  const announce = async (mailing: Mailing): Promise<void> => {
    const records = await notifications.getMany(mailing.items);
    const told = records.filter(
      (record) => record !== undefined && (record.state === 'sent' || record.state === 'uncertain'),
    );
    const entries = told.flatMap((record) =>
      record && !OF_NO_COMMENT.has(record.kind)
        ? [
            {
              source: PIPELINE_SOURCE,
              type: 'NotificationSent',
              detail: {
                schema: 1,
                site: mailing.site,
                id: record.commentId,
                recipient: record.recipient,
                kind: record.kind,
                at: new Date(clock.now()).toISOString(),
              },
            },
          ]
        : [],
    );
    if (entries.length > 0) await bus.put(entries);
    await mailings.close(mailing);
  };

  /** Never throws: what is not known to have failed may have been sent. */
  const attempt = async (message: MailMessage): Promise<{ code?: ErrorCode; why: string; badAddress?: boolean }> => {
    try {
      const { response } = await ports.mail.send(message);
      return { why: response };
    } catch (error) {
      if (!(error instanceof SluiceError)) {
        log.error({ err: error }, 'the mail adapter failed');
        return { code: 'Mail.Uncertain', why: 'the mail adapter failed' };
      }
      const code = error.code === 'Mail.Transient' || error.code === 'Mail.Refused' ? error.code : 'Mail.Uncertain';
      return { code, why: error.message, badAddress: saysBadAddress(error.message) };
    }
  };

  const one = async (body: string): Promise<void> => {
    const message = parse(NotifyMessage, parseJson(body), 'Request.Malformed', 'only our own functions send here');
    const owed = await mailings.get(message);
    if (owed) await drive(owed, message);
    const mailing = await open(message);
    if (mailing) await drive(mailing, message);
  };

  return async (input) => {
    const { Records } = parse(Batch, input, 'Request.Malformed', 'this consumes a batch of SQS messages');
    const started = clock.now();
    const failed: string[] = [];
    // One recipient's messages in turn (they share a burst), different ones side by side.
    const lanes = Map.groupBy(Records, ({ body }) => /"recipient":"([^"]*)"/.exec(body)?.[1] ?? '');
    await Promise.all(
      [...lanes.values()].map(async (lane) => {
        for (const { messageId, body } of lane) {
          if (clock.now() - started > BUDGET_MS) {
            failed.push(messageId);
            continue;
          }
          try {
            await one(body);
          } catch (error) {
            failed.push(messageId);
            const code = error instanceof SluiceError ? error.code : 'Internal.Bug';
            log.error(
              { messageId, code, err: code === 'Internal.Bug' ? error : undefined },
              'notification not delivered',
            );
          }
        }
      }),
    );
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
};
