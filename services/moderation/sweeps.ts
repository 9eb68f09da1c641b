import { z } from 'zod';
import { ACTIONS, STATUSES, type Action } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { pad, strip } from '../../shared/store/keys.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { audit } from './audit-log.ts';
import type { Changes } from './changes.ts';
import { defined, Moment } from './comments.ts';
import { decide, undo } from './decide.ts';
import { mustBe, type Moderator } from './moderator.ts';

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

type Sweep = {
  id: string;
  site: string;
  by: string;
  action: Action;
  reason?: string;
  total: number;
  chunks: number;
  done: number;
  unchanged: number;
  conflicts: number;
  /** Chunks that are through, forwards or, while it is undone, backwards. */
  through: number;
  state: 'running' | 'done' | 'undoing' | 'undone';
  /** Nobody works on it after this: whoever asks goes on. */
  workedUntil: number;
  at: number;
  version: number;
};

const CHUNK = 100;
const WORK_LEASE_MS = 30_000;

const sweepKey = (id: string) => ({ pk: `SWEEP#${id}`, sk: 'sweep' });
const chunkKey = (id: string, chunk: number) => ({ pk: `SWEEP#${id}`, sk: `chunk#${pad(chunk)}` });

/**
 * One decision for all that is alike, as a job with progress and one undo.
 *
 * The ids are written down before the first is decided, in chunks; a chunk done twice is done once, since a decision is.
 * A job whose process died goes on when somebody asks for its progress.
 */
export function sweepRoutes(ports: Ports, changes: Changes): Route<Moderator>[] {
  const { table, clock, search, ids, log } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);

  const read = async (moderator: Moderator, id: string): Promise<Sweep> => {
    const item = await table.get(sweepKey(id));
    const sweep = item && strip<Sweep>(item);
    if (!sweep) throw new SluiceError('Request.NotFound', 'there is no such sweep', { hint: 'check the id' });
    mustBe(moderator, 'moderator', sweep.site);
    return sweep;
  };
  const save = async (sweep: Sweep, set: Partial<Sweep>): Promise<Sweep | undefined> => {
    const next = { ...sweep, ...set, version: sweep.version + 1 };
    const result = await table.write([{ put: { ...sweepKey(sweep.id), ...next }, if: { version: sweep.version } }]);
    return result.done ? next : undefined;
  };

  /** Works through the chunks that are left. Two workers on one job: the slower one loses its write and stops. */
  const work = async (first: Sweep): Promise<void> => {
    let sweep: Sweep | undefined = await save(first, { workedUntil: clock.now() + WORK_LEASE_MS });
    while (sweep && sweep.through < sweep.chunks && (sweep.state === 'running' || sweep.state === 'undoing')) {
      const count = await (sweep.state === 'running' ? decideChunk(sweep) : undoChunk(sweep));
      const through = sweep.through + 1;
      const ended: Sweep['state'] = sweep.state === 'running' ? 'done' : 'undone';
      sweep = await save(sweep, {
        ...count,
        through,
        workedUntil: clock.now() + WORK_LEASE_MS,
        ...(through === sweep.chunks && { state: ended }),
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const workQuietly = (sweep: Sweep): void => {
    work(sweep).catch((error: unknown) =>
      log.error({ err: error, sweep: sweep.id }, 'sweep stopped; it goes on when asked'),
    );
  };

  const decideChunk = async (sweep: Sweep) => {
    const { site, by, action, reason } = sweep;
    const item = await table.get(chunkKey(sweep.id, sweep.through));
    const wanted = (item?.ids ?? []) as string[];
    const heads = await store.getMany(wanted);
    const decisions: string[] = [];
    const note = `sweep ${sweep.id}`;
    const count = { done: sweep.done, unchanged: sweep.unchanged, conflicts: sweep.conflicts };
    for (const head of heads) {
      if (!head || head.site !== site) continue;
      const { result, decisionId, version, status } = await decide(ports, by, {
        id: head.id,
        version: head.version,
        action,
        reason,
        note,
      });
      // Decided by this sweep before its process died: undo must find it too.
      const before = result === 'unchanged' && decisionId && (await store.decision(decisionId))?.row.note === note;
      if (decisionId && (result === 'done' || before)) {
        decisions.push(decisionId);
        count.done++;
        changes.push({ site, commentId: head.id, type: 'decided', by, ...defined({ version, status }) });
      } else if (result === 'unchanged') count.unchanged++;
      else count.conflicts++;
    }
    await table.write([{ put: { ...chunkKey(sweep.id, sweep.through), ids: wanted, decisions } }]);
    return count;
  };

  const undoChunk = async (sweep: Sweep) => {
    const item = await table.get(chunkKey(sweep.id, sweep.chunks - 1 - sweep.through));
    const count = { done: sweep.done, conflicts: sweep.conflicts };
    for (const decisionId of (item?.decisions ?? []) as string[]) {
      const { result, comment } = await undo(ports, sweep.by, decisionId, () => undefined);
      if (result === 'conflict' || result === 'missing') count.conflicts++;
      else count.done++;
      if (result === 'done') {
        const { id: commentId, version, status, site } = comment;
        changes.push({ site, commentId, type: 'undone', by: sweep.by, version, status });
      }
    }
    return count;
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
      await table.write([{ put: { ...sweepKey(id), ...sweep }, if: 'absent' }]);
      await audit(ports, {
        site: query.site,
        by: `user:${caller.user}`,
        action: 'sweep',
        about: `${action}: ${unique.length} (${id})`,
        ...(reason !== undefined && { reason }),
      });
      workQuietly(sweep);
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
      if ((sweep.state === 'running' || sweep.state === 'undoing') && sweep.workedUntil < clock.now())
        workQuietly(sweep);
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
      const undoing = await save(sweep, {
        state: 'undoing',
        by: caller.user,
        through: 0,
        done: 0,
        conflicts: 0,
        workedUntil: 0,
      });
      if (!undoing) throw new SluiceError('Store.Busy', 'the sweep changed meanwhile', { hint: 'try again' });
      await audit(ports, { site: sweep.site, by: `user:${caller.user}`, action: 'sweep-undo', about: sweep.id });
      workQuietly(undoing);
      return { status: 202, body: shown(undoing) };
    },
  };

  return [start, progress, takeBack];
}

const shown = ({ chunks: _chunks, through: _through, workedUntil: _until, version: _version, ...told }: Sweep) => told;
