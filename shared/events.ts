import { z } from 'zod';

/** EventBridge sources: what the world puts, and what Sluice says happened. */
export const COMMENTS_SOURCE = 'sluice.comments';
export const PIPELINE_SOURCE = 'sluice.pipeline';

export const Id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _, at most 64');
export const SiteId = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'lower-case letters, digits, dots and dashes');
export const ThreadKey = z.string().min(1).max(500);
const Name = z.string().min(1).max(400);
const Email = z.string().max(254);
const Url = z.string().max(2000);
const Body = z.string().min(1).max(65_536);
const Page = z.strictObject({ url: Url, title: z.string().max(500) });

/** How many submissions came in the minute of this one: of its writer from this client, and of unknown writers on its lane. */
const Pace = z.strictObject({ writer: z.int(), lane: z.int() });
export type Pace = z.infer<typeof Pace>;

/** What our door vouches for; the signature (vault purpose `door`) covers the comment's id and all of this. */
export const DoorNote = z.strictObject({
  contact: Id.optional(),
  writer: z.string().max(64),
  network: z.string().max(64).optional(),
  role: z.enum(['author', 'moderator']).optional(),
  authorId: z.string().max(64).optional(),
  elapsedMs: z.number().optional(),
  honeypot: z.boolean().optional(),
  pace: Pace.optional(),
  signature: z.string().max(64),
});
export type DoorNote = z.infer<typeof DoorNote>;

const schema = z.literal(1);
const site = SiteId;

/** What blog front ends, back ends and our own door put on the bus. Lengths here bound the wire; the policy rules. */
export const INPUT_EVENTS = {
  CommentSubmitted: z.strictObject({
    schema,
    id: Id.optional(),
    site,
    thread: ThreadKey,
    author: z.strictObject({ name: Name, email: Email.optional(), url: Url.optional() }),
    body: Body,
    parentId: Id.optional(),
    notifyReplies: z.boolean().optional(),
    page: Page.optional(),
    lane: z.string().max(40).optional(),
    submittedAt: z.iso.datetime().optional(),
    door: DoorNote.optional(),
  }),
  CommentEdited: z.strictObject({
    schema,
    site,
    id: Id,
    body: Body,
    /** Makes a repeat of this edit the same edit. */
    editId: Id,
    submittedAt: z.iso.datetime().optional(),
    door: z.strictObject({ signature: z.string().max(64) }).optional(),
    lane: z.string().max(40).optional(),
  }),
  CommentDeleted: z.strictObject({
    schema,
    site,
    id: Id,
    door: z.strictObject({ signature: z.string().max(64) }).optional(),
    lane: z.string().max(40).optional(),
  }),
  CommentReported: z.strictObject({
    schema,
    site,
    id: Id,
    /** Keyed hash of who reports: distinct ones count. */
    reporter: z.string().min(1).max(64),
    reason: z.string().min(1).max(40),
    note: z.string().max(1000).optional(),
    lane: z.string().max(40).optional(),
  }),
} as const;
export type InputEventType = keyof typeof INPUT_EVENTS;
export type CommentSubmitted = z.infer<(typeof INPUT_EVENTS)['CommentSubmitted']>;
export type CommentEdited = z.infer<(typeof INPUT_EVENTS)['CommentEdited']>;
export type CommentDeleted = z.infer<(typeof INPUT_EVENTS)['CommentDeleted']>;
export type CommentReported = z.infer<(typeof INPUT_EVENTS)['CommentReported']>;

const About = z.strictObject({
  schema,
  site,
  id: Id,
  thread: ThreadKey,
  version: z.int(),
  at: z.iso.datetime(),
  /** A webhook of the site wants to hear of this: the rule of `webhooks` matches it. */
  hooks: z.literal(true).optional(),
});

/** What Sluice says happened, for any consumer. None carries a text, an e-mail or an address. */
export const OUTPUT_EVENTS = {
  CommentPublished: About.extend({ revision: z.int(), parentId: Id.nullable() }),
  CommentHeld: About.extend({ reason: z.string() }),
  CommentRejected: About.extend({ reason: z.string() }),
  CommentRemoved: About.extend({ reason: z.string() }),
  DecisionMade: About.extend({
    decisionId: Id,
    by: z.string(),
    action: z.string(),
    reason: z.string().optional(),
    from: z.string(),
    to: z.string(),
    /** The text that was decided about. */
    revision: z.number().optional(),
    /** The decision that this one takes back. */
    undoes: Id.optional(),
  }),
  NotificationSent: z.strictObject({
    schema,
    site,
    id: Id,
    recipient: z.string(),
    kind: z.string(),
    at: z.iso.datetime(),
  }),
  DeadLettered: z.strictObject({
    schema,
    site: SiteId.optional(),
    deadLetterId: Id,
    reason: z.string(),
    at: z.iso.datetime(),
  }),
} as const;
export type OutputEventType = keyof typeof OUTPUT_EVENTS;
export type OutputEvent = {
  [Type in OutputEventType]: { type: Type; detail: z.infer<(typeof OUTPUT_EVENTS)[Type]> };
}[OutputEventType];

/** An event as EventBridge delivers it to a target. https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html */
export type BusEvent = {
  version: '0';
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  time: string;
  region: string;
  resources: readonly string[];
  detail: unknown;
};

/**
 * What the workflow adds when it puts a message back: `attempt` counts requeues.
 * Carried in the message, because the store may be what fails.
 */
export const Retry = z.strictObject({
  attempt: z.int().min(0),
  firstAt: z.number(),
  error: z.string(),
  cause: z.string().optional(),
});
export type Retry = z.infer<typeof Retry>;

/** The JSON Schemas of all events, for consumers in any language: `{name: schema}`. */
export function eventSchemas(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...INPUT_EVENTS, ...OUTPUT_EVENTS }).map(([name, type]) => [name, z.toJSONSchema(type)]),
  );
}
