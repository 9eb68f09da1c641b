import { z } from 'zod';

const probability = z.number().min(0).max(1);
const term = z.string().min(1).max(200);

/**
 * A site's rules, one versioned document. Every field has its default, so `{}` is a policy.
 *
 * `holdAt` and `rejectAt` are P(spam); `toxicityHoldAt` is P(toxic).
 */
export const Policy = z.strictObject({
  bodyBytes: z.int().min(1).max(16_384).default(16_384).describe('Longest body, UTF-8 bytes'),
  nameCharacters: z.int().min(1).max(80).default(80).describe('Longest name, characters'),
  replyDepth: z.int().min(0).max(20).default(5).describe('Deepest reply; a top-level comment is 0'),
  editMinutes: z.number().min(0).max(10_080).default(15).describe('How long a writer may edit or delete'),
  clientPerMinute: z.int().min(1).default(5),
  clientPerHour: z.int().min(1).default(60),
  sitePerMinute: z.int().min(1).default(600).describe('Submissions of unknown writers'),
  holdFirst: z.boolean().default(false).describe('Hold the first comment of a writer'),
  premoderate: z.boolean().default(false).describe('Hold everything but trusted writers'),
  // Derived from data: docs/model-card.md; a test of spam-check holds these three against the model.
  holdAt: probability.default(0.977),
  rejectAt: probability.default(0.999),
  toxicityHoldAt: probability.default(0.808),
  linksBeforeHold: z.int().min(0).default(3).describe('This many links are held'),
  blocklist: z
    .array(
      z.strictObject({ term, action: z.enum(['hold', 'reject']).default('hold'), expiresAt: z.number().optional() }),
    )
    .max(2000)
    .default([]),
  linkHostBlocklist: z
    .array(
      z.strictObject({
        host: term,
        action: z.enum(['hold', 'reject']).default('hold'),
        expiresAt: z.number().optional(),
      }),
    )
    .max(2000)
    .default([]),
  trustedWriters: z.array(term).max(2000).default([]).describe('Writer keys that skip holding'),
  trustAfter: z.int().min(1).default(5).describe('Published comments, none rejected, before a writer is trusted'),
  reportersToQueue: z.int().min(1).default(3),
  reportsHide: z.boolean().default(false),
  appeals: z.int().min(0).max(5).default(1),
  reminderHours: z.number().min(1).max(8760).default(24),
  escalationHours: z.number().min(1).max(8760).default(72),
  defaultAfterHours: z.number().min(1).max(8760).nullable().default(null),
  defaultAction: z.enum(['publish', 'reject']).default('reject'),
  closeAfterDays: z.number().min(1).nullable().default(null),
  eraseAfterDays: z.int().min(1).nullable().default(null).describe('Names and texts of older comments are erased'),
  notifyBurstMinutes: z.number().min(0).max(1440).default(10),
  undoSeconds: z.number().min(0).max(900).default(10),
  images: z.boolean().default(false),
  reasons: z
    .array(z.string().regex(/^[a-z][a-z0-9-]{0,39}$/))
    .max(40)
    .default(['abuse', 'off-topic', 'illegal', 'personal-data', 'duplicate', 'other']),
  providers: z
    .strictObject({
      akismet: z.boolean().default(false),
      bedrock: z.boolean().default(false),
      bedrockPerDay: z.int().min(0).default(200),
    })
    .prefault({}),
  hours: z
    .array(
      z.strictObject({
        days: z.array(z.int().min(0).max(6)).min(1).max(7).describe('0 is Sunday'),
        from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
        to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
        timeZone: z.string().max(60).default('UTC'),
      }),
    )
    .max(20)
    .default([])
    .describe('While one of these is open, everything but trusted writers is held'),
  holdUntil: z.number().nullable().default(null).describe('Away until then (ms): hold more, end by itself'),
  heatPerMinute: z.int().min(1).nullable().default(null).describe('A thread over this rate holds more until it cools'),
});
export type Policy = z.infer<typeof Policy>;

export const DEFAULT_POLICY: Policy = /* @__PURE__ */ Object.freeze(/* @__PURE__ */ Policy.parse({}));

/** A policy as it stands in the store. */
export type PolicyVersion = { policy: Policy; version: number; by: string; at: number };
