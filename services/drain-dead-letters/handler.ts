import { z } from 'zod';
import { PIPELINE_SOURCE } from '../../shared/events.ts';
import { parse } from '../../shared/parse.ts';
import type { Service } from '../../shared/ports.ts';
import { SluiceError } from '../../shared/errors.ts';
import { deadLettersOf, type DeadLetter } from '../../shared/store/dead-letters.ts';
import { sitesOf } from '../../shared/store/sites.ts';

const Batch = z.object({
  Records: z.array(
    z.object({
      messageId: z.string(),
      body: z.string(),
      eventSourceARN: z.string(),
      attributes: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** What our workflow and bus send: the message with the reason beside it. */
const Fault = z.object({ source: z.string(), reason: z.string(), detail: z.string(), message: z.string() });

/** Takes dead letters from their queues into the store, where nothing expires unseen. */
export const drainDeadLetters: Service = ({ table, bus, clock, vault, log }) => {
  const letters = deadLettersOf(table);
  const sites = sitesOf(table, clock);
  /** A letter of a site that nobody made stands among those of none: in a list of its own nobody would see it. */
  const known = async (letter: DeadLetter): Promise<DeadLetter> => {
    if (letter.site === undefined) return letter;
    try {
      await sites.rules(letter.site);
      return letter;
    } catch (error) {
      if (!(error instanceof SluiceError && error.code === 'Site.Unknown')) throw error;
      const { site: _unknown, ...rest } = letter;
      return rest;
    }
  };
  return async (input) => {
    const { Records } = parse(Batch, input, 'Internal.Bug');
    const failed: { itemIdentifier: string }[] = [];
    for (const record of Records) {
      try {
        const read = await known(letterOf(record, clock.now()));
        const letter: DeadLetter = { ...read, body: vault.seal(kept(read.body)), sealed: true };
        await letters.put(letter);
        await bus.put([
          {
            source: PIPELINE_SOURCE,
            type: 'DeadLettered',
            detail: {
              schema: 1,
              ...(letter.site && { site: letter.site }),
              deadLetterId: letter.id,
              reason: letter.reason,
              at: new Date(clock.now()).toISOString(),
            },
          },
        ]);
        log.warn(
          { deadLetterId: letter.id, commentId: letter.commentId, source: letter.source, reason: letter.reason },
          'dead letter',
        );
      } catch (error) {
        log.error({ err: error, messageId: record.messageId }, 'dead letter not drained');
        failed.push({ itemIdentifier: record.messageId });
      }
    }
    return { batchItemFailures: failed };
  };
};

function letterOf(record: z.infer<typeof Batch>['Records'][number], nowMs: number): DeadLetter {
  const queue = record.eventSourceARN.split(':').at(-1) ?? '';
  const fault = Fault.safeParse(parsed(record.body));
  const body = fault.success ? fault.data.message : record.body;
  const event = parsed(body) as
    | {
        detail?: { site?: unknown; id?: unknown; lane?: unknown };
        id?: unknown;
        retry?: { attempt?: number; firstAt?: number };
        site?: unknown;
        commentId?: unknown;
      }
    | undefined;
  const site = stringOf(event?.detail?.site ?? event?.site, /^[a-z0-9][a-z0-9.-]{0,62}$/);
  const commentId = stringOf(event?.detail?.id ?? event?.commentId ?? event?.id, /^[A-Za-z0-9_-]{1,64}$/);
  const lane = stringOf(event?.detail?.lane, /^.{1,40}$/);
  return {
    id: record.messageId,
    ...(site && { site }),
    ...(commentId && { commentId }),
    source: fault.success ? fault.data.source : queue.replace(/^(.*\.)?/, '').replace(/-dead$/, ''),
    reason: fault.success ? fault.data.reason : 'Queue.MaxReceives',
    attempts: (event?.retry?.attempt ?? 0) + 1,
    firstAt: event?.retry?.firstAt ?? nowMs,
    detail: fault.success ? messageOf(fault.data.detail) : 'received as often as its queue allows, and never finished',
    body,
    ...(lane && { group: lane }),
  };
}

/**
 * What is over the bus's own bound was over every queue's too: no redrive could send it, and an item of DynamoDB holds 400 KB.
 * So its beginning is kept, to be looked at.
 */
const kept = (body: string): string => (Buffer.byteLength(body) > MAX_KEPT_BYTES ? body.slice(0, MAX_CUT) : body);
const MAX_KEPT_BYTES = 262_144;
const MAX_CUT = 32_768;

/** A Lambda's cause is JSON; its message is what a person wants to read. */
function messageOf(cause: string): string {
  const inner = parsed(cause);
  const message = inner && typeof inner === 'object' && 'errorMessage' in inner ? String(inner.errorMessage) : cause;
  return message.slice(0, 1000);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const stringOf = (value: unknown, shape: RegExp): string | undefined =>
  typeof value === 'string' && shape.test(value) ? value : undefined;
