import { z } from 'zod';
import { ACTIONS, STATUSES } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { audit } from './audit-log.ts';
import type { Changes } from './changes.ts';
import { defined, Moment } from './comments.ts';
import { mustBe, type Moderator } from './moderator.ts';
import { CHUNK, chunkKey, sweepWorkOf, type Sweep } from './sweep-work.ts';

/** What is alike: at least one of the likenesses is named, so that no sweep is of everything. */
const SweepQuery = z
  .strictObject({
    site: SiteId,
    status: z.enum(STATUSES).optional(),
    q: z.string().min(1).max(400).optional(),
    author: z.string().min(1).max(400).optional(),
    signal: z.string().min(1).max(80).optional(),
    network: z.string().min(1).max(64).optional(),
    linkHost: z.string().min(1).max(253).optional(),
    fingerprint: z.string().min(1).max(200).optional(),
    thread: z.string().min(1).max(500).optional(),
    since: Moment.optional(),
    until: Moment.optional(),
  })
  .refine(
    ({ q, author, signal, network, linkHost, fingerprint, thread }) =>
      [q, author, signal, network, linkHost, fingerprint, thread].some((one) => one !== undefined),
    'name what is alike: q, author, signal, network, linkHost, fingerprint or thread',
  );
const NewSweep = z.strictObject({
  query: SweepQuery,
  action: z.enum(ACTIONS),
  reason: z.string().max(40).optional(),
  /** What the moderator was shown: another number by now is refused. */
  expectTotal: z.int().min(1).max(10_000),
});

/**
 * One decision for all that is alike, as a job with progress and one undo.
 *
 * The ids are written down before the first is decided, in chunks. A job whose process died goes on with the next round of
 * the reconciler, or when somebody asks for its progress.
 */
export function sweepRoutes(ports: Ports, changes: Changes): Route<Moderator>[] {
  const { table, clock, search, ids } = ports;
  const work = sweepWorkOf(ports, changes);
  const sites = sitesOf(table, clock);

  const read = async (moderator: Moderator, id: string): Promise<Sweep> => {
    const sweep = await work.read(id);
    if (!sweep) throw new SluiceError('Request.NotFound', 'there is no such sweep', { hint: 'check the id' });
    mustBe(moderator, 'moderator', sweep.site);
    return sweep;
  };

  const start: Route<Moderator> = {
    method: 'POST',
    path: '/v1/moderation/sweeps',
    summary: 'Decides all that is alike, as a job; refused when there are more or fewer than expected by now',
    access: 'moderator',
    body: NewSweep,
    responses: { 202: { description: '{id, total, state, …}; GET …/sweeps/{id} for its progress' } },
    async handle({ caller, body }) {
      const { query, action, reason, expectTotal }: z.infer<typeof NewSweep> = body;
      mustBe(caller, 'moderator', query.site);
      const { policy } = await sites.rules(query.site);
      if (reason !== undefined && !policy.policy.reasons.includes(reason)) {
        throw new SluiceError('Request.Invalid', 'the reason is not one of the policy', {
          hint: 'take a code of the policy',
          fields: [{ pointer: '/reason', detail: `one of: ${policy.policy.reasons.join(', ')}` }],
        });
      }
      const found: string[] = [];
      let cursor: string | undefined;
      let total: number | undefined;
      do {
        const page = await search.comments({ ...defined(query), limit: CHUNK, ...(cursor && { cursor }) });
        total ??= page.total;
        found.push(...page.ids);
        cursor = page.nextCursor;
      } while (cursor && found.length <= expectTotal);
      const there = total ?? found.length;
      if (there !== expectTotal) {
        throw new SluiceError('Comment.Conflict', `${there} comments are alike by now, not ${expectTotal}`, {
          hint: 'look at them again',
        });
      }
      const unique = [...new Set(found)];
      const id = ids.next();
      const chunks = Math.ceil(unique.length / CHUNK);
      const sweep: Sweep = {
        id,
        site: query.site,
        by: caller.user,
        action,
        ...(reason !== undefined && { reason }),
        total: unique.length,
        chunks,
        done: 0,
        unchanged: 0,
        conflicts: 0,
        through: 0,
        state: 'running',
        workedUntil: 0,
        at: clock.now(),
        version: 1,
      };
      for (let chunk = 0; chunk < chunks; chunk++) {
        const part = unique.slice(chunk * CHUNK, (chunk + 1) * CHUNK);
        await table.write([{ put: { ...chunkKey(id, chunk), ids: part, decisions: [] } }]);
      }
      await work.add(sweep);
      await audit(ports, {
        site: query.site,
        by: `user:${caller.user}`,
        action: 'sweep',
        about: `${action}: ${unique.length} (${id})`,
        ...(reason !== undefined && { reason }),
      });
      work.begin(sweep);
      return { status: 202, body: shown(sweep), headers: { location: `/v1/moderation/sweeps/${id}` } };
    },
  };

  const progress: Route<Moderator> = {
    method: 'GET',
    path: '/v1/moderation/sweeps/:id',
    summary: 'How far a sweep is; goes on with one that a restart interrupted',
    access: 'moderator',
    responses: { 200: { description: '{id, total, done, unchanged, conflicts, state}' } },
    async handle({ caller, params }) {
      const sweep = await read(caller, params.id ?? '');
      work.goOn(sweep);
      return { status: 200, body: shown(sweep) };
    },
  };

  const takeBack: Route<Moderator> = {
    method: 'POST',
    path: '/v1/moderation/sweeps/:id/undo',
    summary: 'Takes back a whole sweep, as a job; what changed since stays',
    access: 'moderator',
    responses: { 202: { description: '{id, state: undoing, …}' } },
    async handle({ caller, params }) {
      const sweep = await read(caller, params.id ?? '');
      if (sweep.state === 'undoing' || sweep.state === 'undone') return { status: 202, body: shown(sweep) };
      if (sweep.state === 'running') {
        throw new SluiceError('Comment.Conflict', 'the sweep is still running', { hint: 'wait until it is done' });
      }
      const undoing = await work.save(sweep, {
        state: 'undoing',
        by: caller.user,
        through: 0,
        done: 0,
        conflicts: 0,
        workedUntil: 0,
      });
      if (!undoing) throw new SluiceError('Store.Busy', 'the sweep changed meanwhile', { hint: 'try again' });
      await audit(ports, { site: sweep.site, by: `user:${caller.user}`, action: 'sweep-undo', about: sweep.id });
      work.begin(undoing);
      return { status: 202, body: shown(undoing) };
    },
  };

  return [start, progress, takeBack];
}

const shown = ({ chunks: _chunks, through: _through, workedUntil: _until, version: _version, ...told }: Sweep) => told;
