import type { Action } from '../../shared/comment.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { pad, strip, timeKey } from '../../shared/store/keys.ts';
import type { Changes } from './changes.ts';
import { decide, undo } from './decide.ts';

export type Sweep = {
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
  /** Nobody works on it after this: the reconciler goes on, or whoever asks. */
  workedUntil: number;
  at: number;
  version: number;
};

export const CHUNK = 100;
const WORK_LEASE_MS = 30_000;
const STOPPED = 'sweep stopped; the reconciler goes on with it';

const sweepKey = (id: string) => ({ pk: `SWEEP#${id}`, sk: 'sweep' });
export const chunkKey = (id: string, chunk: number) => ({ pk: `SWEEP#${id}`, sk: `chunk#${pad(chunk)}` });

/** Lists what is not through by the end of its lease; what is through is in no list. */
const LISTING = 'SWEEP';
const itemOf = (sweep: Sweep) => ({
  ...sweepKey(sweep.id),
  ...sweep,
  ...(isUnderWay(sweep) && { gsi3pk: LISTING, gsi3sk: timeKey(sweep.workedUntil, sweep.id) }),
});
const isUnderWay = ({ state }: Sweep): boolean => state === 'running' || state === 'undoing';

/**
 * The work of sweeps, a chunk at a time. A chunk done twice is done once, since a decision is; of two workers on one
 * sweep the slower one loses its write and stops.
 *
 * @param changes what the pages of moderators learn, where they are told by this process
 */
export function sweepWorkOf(ports: Ports, changes?: Pick<Changes, 'push'>) {
  const { table, clock, log } = ports;
  const store = storeOf(table, clock);

  const read = async (id: string): Promise<Sweep | undefined> => {
    const item = await table.get(sweepKey(id));
    return item && strip<Sweep>(item);
  };
  const save = async (sweep: Sweep, set: Partial<Sweep>): Promise<Sweep | undefined> => {
    const next = { ...sweep, ...set, version: sweep.version + 1 };
    const result = await table.write([{ put: itemOf(next), if: { version: sweep.version } }]);
    return result.done ? next : undefined;
  };

  /** Works through the chunks that are left, until a time. */
  const work = async (first: Sweep, until = Infinity): Promise<void> => {
    let sweep: Sweep | undefined = await save(first, { workedUntil: clock.now() + WORK_LEASE_MS });
    while (sweep && sweep.through < sweep.chunks && isUnderWay(sweep)) {
      const count = await (sweep.state === 'running' ? decideChunk(sweep) : undoChunk(sweep));
      const through = sweep.through + 1;
      const ended: Sweep['state'] = sweep.state === 'running' ? 'done' : 'undone';
      sweep = await save(sweep, {
        ...count,
        through,
        workedUntil: clock.now() + WORK_LEASE_MS,
        ...(through === sweep.chunks && { state: ended }),
      });
      if (clock.now() > until) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const workQuietly = (sweep: Sweep): void => {
    work(sweep).catch((error: unknown) => log.error({ err: error, sweep: sweep.id }, STOPPED));
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
        changes?.push({
          site,
          commentId: head.id,
          type: 'decided',
          by,
          ...(version !== undefined && { version }),
          ...(status !== undefined && { status }),
        });
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
        changes?.push({ site, commentId, type: 'undone', by: sweep.by, version, status });
      }
    }
    return count;
  };

  return {
    read,
    save,
    /** Begins in the background; what fails is logged, and goes on later. */
    begin: workQuietly,

    async add(sweep: Sweep): Promise<void> {
      await table.write([{ put: itemOf(sweep), if: 'absent' }]);
    },

    /** Goes on with one that nobody works on. */
    goOn(sweep: Sweep): void {
      if (isUnderWay(sweep) && sweep.workedUntil < clock.now()) workQuietly(sweep);
    },

    /** Goes on with all that nobody works on, until a time. Answers how many. */
    async goOnWithAll(until: number): Promise<number> {
      const to = String(clock.now()).padStart(13, '0');
      const { items } = await table.query({ index: 'gsi3', pk: LISTING, to, limit: CHUNK });
      let gone = 0;
      for (const sweep of items.map(strip<Sweep>)) {
        if (clock.now() > until) break;
        try {
          await work(sweep, until);
          log.warn({ sweep: sweep.id, site: sweep.site }, 'reconciled: a sweep that nobody worked on');
          gone += 1;
        } catch (error) {
          // The others go on.
          log.error({ err: error, sweep: sweep.id }, STOPPED);
        }
      }
      return gone;
    },
  };
}
