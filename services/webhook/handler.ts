import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import { OUTPUT_EVENTS } from '../../shared/events.ts';
import { parse } from '../../shared/parse.ts';
import type { Ports, Service } from '../../shared/ports.ts';
import { parseJson } from '../../shared/strict-json.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { HOOK_EVENTS, webhooksOf, type Webhook } from '../../shared/store/webhooks.ts';
import { permalink } from '../deliver/permalink.ts';
import { post, type Network } from './post.ts';
import { signed, type About, type HookedEvent } from './payload.ts';

const Batch = z.object({ Records: z.array(z.object({ messageId: z.string(), body: z.string() })) });

const HookEvent = z.enum(HOOK_EVENTS);
/** From the rule: an event for all webhooks of its site. */
const FromBus = z.object({ 'detail-type': HookEvent, detail: z.unknown() });
/** From ourselves: one more try at one of them. */
const Again = z.strictObject({
  site: z.string().max(63),
  hook: z.string().max(64),
  type: HookEvent,
  detail: z.unknown(),
  /** Missing after a redrive: the time begins anew. */
  attempts: z.int().default(0),
  firstAt: z.number().optional(),
  /** A test that a person asked for: not tried again. */
  once: z.literal(true).optional(),
});
type Again = z.infer<typeof Again>;

/** A receiver is tried for this long; then the message becomes a dead letter. */
export const PATIENCE_MS = 86_400_000;
const FIRST_RETRY_S = 5;
const LAST_RETRY_S = 900;
/** No delivery is begun after this: the function has 30 s, and one takes up to 10. */
const BUDGET_MS = 15_000;

/** The wait before the next attempt, in seconds: tripling from 5 to 900. */
export const retrySeconds = (attempts: number): number =>
  Math.min(LAST_RETRY_S, FIRST_RETRY_S * 3 ** Math.min(attempts - 1, 8));

/**
 * Tells the webhooks of a site what happened. An SQS batch with partial failures.
 *
 * One that does not answer with 2xx is tried again, alone, with a growing delay for 24 hours; then it becomes a dead letter,
 * which a redrive sends anew. One that answers 410 is turned off (Standard Webhooks). What waits is a message of the queue:
 * nothing else waits for it.
 */
export const webhook: Service = (ports) => webhookOver(ports);

/** @param network for tests; the public internet otherwise */
export const webhookOver = (ports: Ports, network?: Network): ReturnType<Service> => {
  const { table, clock, log } = ports;
  const webhooks = webhooksOf(table);
  const deliverTo = deliveryOf(ports, network);

  const attempt = async (hook: Webhook, message: Again): Promise<void> => {
    const event = eventOf(message);
    const answer = await deliverTo(message.site, hook, event);
    const now = clock.now();
    const fields = { site: message.site, hook: hook.id, commentId: event.detail.id, words: answer.words };
    const before = (await webhooks.last(message.site, hook.id))?.failures ?? 0;
    const failures = answer.ok ? 0 : before + 1;
    await webhooks.noteDelivery(message.site, hook.id, { at: now, ok: answer.ok, words: answer.words, failures });
    if (answer.ok) return log.info(fields, 'webhook delivered');
    log.warn(fields, 'webhook not delivered');
    if (message.once) return undefined;
    if (answer.status === 410) return turnOff(message.site, hook.id);
    const attempts = message.attempts + 1;
    const firstAt = message.firstAt ?? now;
    const delaySeconds = Math.min(LAST_RETRY_S, Math.max(retrySeconds(attempts), answer.retryAfterSeconds ?? 0));
    if (!answer.never && now + delaySeconds * 1000 - firstAt < PATIENCE_MS) {
      await ports.queues.webhooks!.send(JSON.stringify({ ...message, attempts, firstAt }), { delaySeconds });
      return undefined;
    }
    const { attempts: _attempts, firstAt: _firstAt, ...afresh } = message;
    await ports.queues.faults!.send(
      JSON.stringify({
        source: 'webhooks',
        reason: 'Webhook.Refused',
        detail: `${attempts} attempts at ${new URL(hook.url).host}; the last one: ${answer.words}`,
        message: JSON.stringify(afresh),
      }),
    );
    return undefined;
  };

  /** The receiver said that it is gone for good. A race lost is mended by its next 410. */
  const turnOff = async (site: string, id: string): Promise<void> => {
    const why = 'the receiver answered 410 Gone';
    await webhooks.change(site, (hooks) =>
      hooks.map((hook) => (hook.id === id ? { ...hook, enabled: false, why } : hook)),
    );
  };

  const one = async (body: string): Promise<void> => {
    const read = parseJson(body);
    const fromBus = FromBus.safeParse(read);
    if (!fromBus.success) {
      const message = parse(Again, read, 'Request.Malformed', 'only our own rule and function send here');
      const hook = (await webhooks.list(message.site)).find(({ id, enabled }) => enabled && id === message.hook);
      return hook && attempt(hook, message);
    }
    const { 'detail-type': type, detail } = fromBus.data;
    const { site } = eventOf({ type, detail }).detail;
    const hooks = (await webhooks.list(site)).filter(({ enabled, events }) => enabled && events.includes(type));
    // Each for itself: what one of them lacks becomes a message of its own.
    const outcomes = await Promise.allSettled(
      hooks.map((hook) => attempt(hook, { site, hook: hook.id, type, detail, attempts: 0 })),
    );
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return undefined;
  };

  return async (input) => {
    const { Records } = parse(Batch, input, 'Request.Malformed', 'this consumes a batch of SQS messages');
    const started = clock.now();
    const failed: string[] = [];
    await Promise.all(
      Records.map(async ({ messageId, body }) => {
        try {
          if (clock.now() - started > BUDGET_MS) failed.push(messageId);
          else await one(body);
        } catch (error) {
          failed.push(messageId);
          const code = error instanceof SluiceError ? error.code : 'Internal.Bug';
          log.error({ messageId, code, err: code === 'Internal.Bug' ? error : undefined }, 'webhook message failed');
        }
      }),
    );
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  };
};

/** Posts one event to one webhook, with what the store says of its comment now. */
function deliveryOf(
  { table, clock, vault, publicUrl }: Pick<Ports, 'table' | 'clock' | 'vault' | 'publicUrl'>,
  network?: Network,
) {
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);

  const aboutOf = async ({ detail }: HookedEvent): Promise<About> => {
    const [{ site }, comment] = await Promise.all([sites.rules(detail.site), store.get(detail.id)]);
    const known = comment?.site === site.id ? comment : undefined;
    const thread = known && (await sites.thread(site.id, known.thread));
    const title = thread?.title ?? known?.page?.title;
    return {
      siteName: site.name,
      moderateUrl: `${publicUrl}/moderate`,
      ...(known && { comment: known, permalink: permalink(publicUrl, known, thread?.url) }),
      ...(title && { title }),
    };
  };

  return async (site: string, hook: Webhook, event: HookedEvent) => {
    const about = await aboutOf({ ...event, detail: { ...event.detail, site } });
    const holding = (hook.previous ?? []).filter(({ until }) => until > clock.now());
    const secrets = [hook, ...holding].map(({ secret }) => vault.open(secret));
    const { body, headers } = signed(hook, secrets, event, about, clock.now());
    return post(hook.url, body, headers, network);
  };
}

function eventOf({ type, detail }: Pick<Again, 'type' | 'detail'>): HookedEvent {
  const read = parse(OUTPUT_EVENTS[type] as z.ZodType<HookedEvent['detail']>, detail, 'Request.Malformed');
  return { type, detail: read };
}
