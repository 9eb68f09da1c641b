import { call, callSurely, Problem, query } from './api.ts';
import type { Action, DeskEvent, Page, Result, Row } from './types.ts';

/** What the desk lists: a status and what narrows it. */
export type Filters = {
  site: string;
  status: string;
  q: string;
  author: string;
  thread: string;
  signal: string;
  lang: string;
  network: string;
  linkHost: string;
  fingerprint: string;
  decidedBy: string;
  since: string;
  until: string;
  sort: string;
};

export const NO_FILTERS: Filters = {
  site: '',
  status: 'held',
  q: '',
  author: '',
  thread: '',
  signal: '',
  lang: '',
  network: '',
  linkHost: '',
  fingerprint: '',
  decidedBy: '',
  since: '',
  until: '',
  sort: '',
};

/**
 * One comment in the list. It keeps its place whatever happens to it, so that nothing moves under the hand:
 * what is decided stays, marked, until the list is read again.
 */
export type Entry = {
  row: Row;
  state: 'open' | 'sending' | 'done' | 'stale' | 'failed';
  action?: Action;
  decisionId?: string;
  /** Who was faster, or why it failed. */
  by?: string;
  why?: string;
  claimedUntil?: number;
};

export type Batch = { label: Action; decisions: { id: string; decisionId: string }[] };

const PAGE = 100;
const CHUNK = 100;
const CLAIM_MS = 60_000;

/** A day of the calendar as the moderator's own clock has it, in milliseconds since the epoch. */
const dayOf = (day: string, time: string): number | undefined =>
  day === '' ? undefined : new Date(`${day}T${time}`).getTime();

/** The list behind the queue: loads by page, decides at once, and takes in what others do. */
export class Queue {
  entries: Entry[] = [];
  byId = new Map<string, Entry>();
  total: number | undefined;
  partial = false;
  loading = false;
  /** Something was read: an empty list is one. */
  known = false;
  error: Problem | undefined;
  /** Held meanwhile, and not in the list yet. */
  fresh = 0;
  undoable: Batch[] = [];
  progress: { done: number; of: number } | undefined;
  readonly me: string;
  #cursor: string | null = '';
  #filters: Filters = NO_FILTERS;
  #generation = 0;
  #wanted = 0;
  /** The decision that was sent last: undo waits for its answer. */
  #last: Promise<unknown> = Promise.resolve();
  #heldBefore = new Map<string, { newest: string | null; total: number }>();
  #listeners = new Set<() => void>();

  constructor(me: string) {
    this.me = me;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  get more(): boolean {
    return this.#cursor !== null;
  }

  get decided(): number {
    return this.entries.filter(({ state }) => state === 'done' || state === 'stale').length;
  }

  /** Reads the list anew. */
  async read(filters: Filters): Promise<void> {
    this.#filters = filters;
    this.#generation++;
    this.#cursor = '';
    this.#wanted = 0;
    this.loading = false;
    this.error = undefined;
    this.fresh = 0;
    await this.want(PAGE, true);
  }

  /** Loads pages until this many rows are there. Called as one scrolls. */
  async want(rows: number, first = false): Promise<void> {
    this.#wanted = Math.max(this.#wanted, rows);
    if (this.loading) return;
    const generation = this.#generation;
    let start = first;
    const sort = this.#filters.sort || (this.#filters.status === 'held' ? 'oldest' : 'newest');
    this.loading = true;
    this.#changed();
    try {
      while (start || (this.entries.length < this.#wanted && this.#cursor !== null)) {
        const page = await call<Page>(
          'GET',
          `/v1/moderation/comments${query({
            ...this.#filters,
            since: dayOf(this.#filters.since, '00:00:00.000'),
            until: dayOf(this.#filters.until, '23:59:59.999'),
            sort,
            limit: PAGE,
            cursor: this.#cursor ?? undefined,
          })}`,
        );
        if (generation !== this.#generation) return;
        if (start) {
          this.entries = [];
          this.byId = new Map();
        }
        start = false;
        this.known = true;
        this.#cursor = page.nextCursor;
        this.total = page.total;
        this.partial = page.partial ?? false;
        for (const row of page.comments) this.#add(row);
        this.#changed();
      }
    } catch (error) {
      if (generation === this.#generation && error instanceof Problem) this.error = error;
    } finally {
      if (generation === this.#generation) {
        this.loading = false;
        this.#changed();
      }
    }
  }

  #add(row: Row): void {
    if (this.byId.has(row.id)) return;
    const entry: Entry = { row, state: 'open' };
    this.entries.push(entry);
    this.byId.set(row.id, entry);
  }

  /** A row as somebody just read it. */
  refresh(row: Row): void {
    const entry = this.byId.get(row.id);
    if (!entry || entry.row.version > row.version) return;
    entry.row = { ...entry.row, ...row, top: entry.row.top };
    this.#changed();
  }

  /** Marks the rows at once, then asks the server; what it refuses is said at the row. */
  decide(
    ids: readonly string[],
    action: Action,
    more: { reason?: string; message?: string; note?: string } = {},
  ): Promise<Batch> {
    const sent = this.#decide(ids, action, more);
    this.#last = sent;
    return sent;
  }

  async #decide(
    ids: readonly string[],
    action: Action,
    more: { reason?: string; message?: string; note?: string },
  ): Promise<Batch> {
    const entries = ids
      .map((id) => this.byId.get(id))
      .filter((entry) => entry !== undefined)
      .filter(({ state }) => state !== 'sending');
    for (const entry of entries) {
      entry.state = 'sending';
      entry.action = action;
      delete entry.why;
    }
    const batch: Batch = { label: action, decisions: [] };
    if (entries.length > CHUNK) this.progress = { done: 0, of: entries.length };
    this.#changed();
    for (let start = 0; start < entries.length; start += CHUNK) {
      const chunk = entries.slice(start, start + CHUNK);
      try {
        const { results } = await callSurely<{ results: Result[] }>('POST', '/v1/moderation/decisions', {
          decisions: chunk.map(({ row }) => ({ id: row.id, version: row.version, action, ...more })),
        });
        for (const [index, result] of results.entries()) {
          const entry = chunk[index];
          if (entry) this.#take(entry, result, batch);
        }
      } catch (error) {
        for (const entry of chunk) {
          entry.state = 'failed';
          entry.why = error instanceof Problem ? error.message : String(error);
        }
      }
      if (this.progress) this.progress = { ...this.progress, done: start + chunk.length };
      this.#changed();
    }
    this.progress = undefined;
    if (batch.decisions.length > 0) this.undoable.push(batch);
    this.#changed();
    return batch;
  }

  #take(entry: Entry, { result, version, status, decidedBy, decisionId }: Result, batch: Batch): void {
    if (result === 'done' || result === 'unchanged') {
      entry.state = 'done';
      entry.row = { ...entry.row, version: version ?? entry.row.version, status: status ?? entry.row.status };
      delete entry.by;
      if (decisionId) {
        entry.decisionId = decisionId;
        if (result === 'done') batch.decisions.push({ id: entry.row.id, decisionId });
      }
      if (entry.action === 'keep') entry.row.reports = 0;
    } else if (result === 'conflict') {
      entry.state = 'stale';
      entry.row = { ...entry.row, version: version ?? entry.row.version, status: status ?? entry.row.status };
      if (decidedBy) entry.by = decidedBy;
      else delete entry.by;
    } else {
      entry.state = 'failed';
      entry.why = result;
    }
  }

  /** Takes back a batch; answers what could not be taken back. */
  async undo(wanted?: Batch): Promise<{ undone: number; refused: string[] }> {
    if (!wanted) await this.#last;
    const batch = wanted ?? this.undoable.at(-1);
    if (!batch) return { undone: 0, refused: [] };
    this.undoable = this.undoable.filter((other) => other !== batch);
    const refused: string[] = [];
    let undone = 0;
    for (const { id, decisionId } of batch.decisions) {
      const entry = this.byId.get(id);
      try {
        const result = await callSurely<Result>('POST', `/v1/moderation/decisions/${decisionId}/undo`, undefined);
        undone++;
        if (entry) {
          entry.state = 'open';
          delete entry.decisionId;
          delete entry.action;
          entry.row = {
            ...entry.row,
            version: result.version ?? entry.row.version,
            status: result.status ?? entry.row.status,
          };
        }
      } catch (error) {
        refused.push(error instanceof Problem ? error.message : String(error));
      }
      this.#changed();
    }
    return { undone, refused };
  }

  /** What others did, as the feed tells it. */
  take(event: DeskEvent): void {
    const entry = this.byId.get(event.commentId);
    if (event.by === this.me) return;
    if (event.type === 'claimed' && entry && event.by) {
      entry.row = { ...entry.row, claimedBy: event.by };
      entry.claimedUntil = event.at + CLAIM_MS;
    } else if (event.type === 'released' && entry) {
      const { claimedBy: _gone, ...row } = entry.row;
      entry.row = row;
    } else if (
      (event.type === 'decided' || event.type === 'undone') &&
      entry &&
      (event.version ?? 0) > entry.row.version
    ) {
      entry.row = {
        ...entry.row,
        version: event.version ?? entry.row.version,
        status: (event.status ?? entry.row.status) as Row['status'],
      };
      entry.state = event.type === 'undone' ? 'open' : 'stale';
      if (event.by) entry.by = event.by;
    } else return;
    this.#changed();
  }

  /** What waits newest at each site, as the feed tells it: a newcomer is announced, not pushed into the list. */
  takeHeld(held: Record<string, { newest: string | null; total?: number }>): void {
    let more = 0;
    for (const [site, { newest, total = 0 }] of Object.entries(held)) {
      const known = this.#heldBefore.get(site);
      this.#heldBefore.set(site, { newest, total });
      const ours = this.#filters.site === '' || this.#filters.site === site;
      if (!known || !newest || known.newest === newest || this.byId.has(newest) || !ours) continue;
      // A newest one that was decided makes way for an older one: then there are fewer, not more.
      if (total > known.total || total === 0) more += Math.max(1, total - known.total);
    }
    if (more === 0 || this.#filters.status !== 'held') return;
    this.fresh += more;
    this.#changed();
  }

  /** The feed could not tell all: there may be more than the list knows. */
  missed(): void {
    this.fresh = Math.max(this.fresh, 1);
    this.#changed();
  }

  /** Leases end by themselves. */
  expireClaims(now: number): void {
    for (const entry of this.entries) {
      if (entry.claimedUntil !== undefined && entry.claimedUntil < now) {
        const { claimedBy: _gone, ...row } = entry.row;
        entry.row = row;
        delete entry.claimedUntil;
        this.#changed();
      }
    }
  }

  /** Where the hand goes after a decision: the next open one that nobody else looks at. */
  next(from: number): number {
    for (let index = from + 1; index < this.entries.length; index++) {
      if (this.#free(index)) return index;
    }
    for (let index = from - 1; index >= 0; index--) {
      if (this.#free(index)) return index;
    }
    return from;
  }

  #free(index: number): boolean {
    const entry = this.entries[index];
    return entry?.state === 'open' && (!entry.row.claimedBy || entry.row.claimedBy === this.me);
  }
}
