import { z } from 'zod';
import { ACTIONS } from '../../shared/comment.ts';
import { SluiceError, type FieldFault } from '../../shared/errors.ts';
import { Id } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import type { Changes } from './changes.ts';
import { hashOf, settleQuietly, undo, writeDecision, type Decision, type Result } from './decide.ts';
import { may, mustBe, type Moderator } from './moderator.ts';

const Decisions = z.strictObject({
  decisions: z
    .array(
      z.strictObject({
        id: Id,
        version: z.int().min(1),
        action: z.enum(ACTIONS),
        reason: z.string().max(40).optional(),
        note: z.string().max(2000).optional(),
        message: z.string().max(1000).optional(),
      }),
    )
    .min(1)
    .max(100)
    .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'each comment once'),
});

const REMEMBERED_SECONDS = 86_400;
const AT_ONCE = 10;

export function decisionRoutes(ports: Ports, changes: Changes): Route<Moderator>[] {
  const { table, clock } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);

  /** Throws `Request.Invalid` naming each reason that its site's policy does not have. */
  const checkReasons = async (moderator: Moderator, decisions: readonly Decision[]) => {
    const heads = await store.getMany(decisions.map(({ id }) => id));
    const fields: FieldFault[] = [];
    for (const [index, { reason }] of decisions.entries()) {
      const head = heads[index];
      if (reason === undefined || !head || !may(moderator, head.site)) continue;
      const { reasons } = (await sites.rules(head.site)).policy.policy;
      if (!reasons.includes(reason)) {
        fields.push({ pointer: `/decisions/${index}/reason`, detail: `one of: ${reasons.join(', ')}` });
      }
    }
    if (fields.length > 0) {
      throw new SluiceError('Request.Invalid', 'a reason is not one of the policy', {
        hint: 'take a code of the policy',
        fields,
      });
    }
    return heads;
  };

  const one = async (moderator: Moderator, decision: Decision, site: string | undefined): Promise<Written> => {
    if (site === undefined) return { result: { id: decision.id, result: 'missing' } };
    if (!may(moderator, site)) return { result: { id: decision.id, result: 'forbidden' } };
    const written = await writeDecision(ports, moderator.user, decision);
    if (written.owing) changes.push(changeOf(site, moderator.user, 'decided', written.result));
    return written;
  };

  const decisions: Route<Moderator> = {
    method: 'POST',
    path: '/v1/moderation/decisions',
    summary: 'Decides up to 100 comments, each at the version that was seen; each has its own result',
    access: 'moderator',
    body: Decisions,
    responses: { 200: { description: '{results: [{id, result, version, status, decidedBy, decisionId}]}' } },
    async handle({ caller, body, header }) {
      const wanted: z.infer<typeof Decisions> = body;
      const key = header('idempotency-key')?.slice(0, 200);
      const remembered = key && { pk: `I#${hashOf([caller.user, key])}`, sk: 'decisions' };
      const hash = hashOf(wanted);
      const before = remembered ? await table.get(remembered) : undefined;
      if (before && before.hash !== hash) {
        throw new SluiceError('Request.KeyReused', 'the Idempotency-Key was used with other decisions', {
          hint: 'make a key for each call',
        });
      }
      if (before) return { status: 200, body: { results: before.results } };

      const heads = await checkReasons(caller, wanted.decisions);
      const siteOf = new Map(heads.map((head) => [head?.id, head?.site]));
      const written = await inParts(wanted.decisions, (decision) => one(caller, decision, siteOf.get(decision.id)));
      const results = written.map(({ result }) => result);
      const remember = async (): Promise<void> => {
        if (!remembered) return;
        const expiresAt = Math.floor(clock.now() / 1000) + REMEMBERED_SECONDS;
        await table.write([{ put: { ...remembered, hash, results, expiresAt } }]);
      };
      // Decided is decided; what is left shares its commits.
      await Promise.all([
        remember(),
        inParts(written, async ({ owing }) => {
          if (owing) await settleQuietly(ports, owing);
        }),
      ]);
      return { status: 200, body: { results } };
    },
  };

  const takeBack: Route<Moderator> = {
    method: 'POST',
    path: '/v1/moderation/decisions/:decisionId/undo',
    summary: 'The state before a decision, with its timers, while nothing else happened to the comment',
    access: 'moderator',
    responses: { 200: { description: '{id, result, version, status, decisionId}' } },
    async handle({ caller, params }) {
      const undone = await undo(ports, caller.user, params.decisionId ?? '', (comment) =>
        mustBe(caller, 'moderator', comment.site),
      );
      if (undone.result === 'missing') {
        throw new SluiceError('Request.NotFound', 'there is no such decision', { hint: 'check the decisionId' });
      }
      const { comment, result } = undone;
      const decidedBy = comment.decidedBy?.replace(/^user:/, '');
      if (result === 'conflict') {
        const state = `${comment.status} at version ${comment.version}${decidedBy ? ` by ${decidedBy}` : ''}`;
        throw new SluiceError('Comment.Conflict', `the comment has changed since that decision: it is ${state}`, {
          hint: 'read the comment again and decide anew',
        });
      }
      const { id, site, version, status, decisionId } = comment;
      if (result === 'done') changes.push({ site, commentId: id, type: 'undone', by: caller.user, version, status });
      return { status: 200, body: { id, result, version, status, ...(decidedBy && { decidedBy }), decisionId } };
    },
  };

  return [decisions, takeBack];
}

type Written = Awaited<ReturnType<typeof writeDecision>>;

/** In the order of `all`, so many side by side that their durable writes share a commit. */
async function inParts<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let start = 0; start < all.length; start += AT_ONCE) {
    done.push(...(await Promise.all(all.slice(start, start + AT_ONCE).map(work))));
  }
  return done;
}

const changeOf = (site: string, by: string, type: string, { id, version, status }: Result) => ({
  site,
  commentId: id,
  type,
  by,
  ...(version !== undefined && { version }),
  ...(status !== undefined && { status }),
});
