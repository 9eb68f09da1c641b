import type { Actor, Comment, Judgement, JudgedComment, LogRow, Revision, Status, Trace } from '../comment.ts';
import { mayBecome } from '../comment.ts';
import { SluiceError } from '../errors.ts';
import { judgedOf } from '../judged.ts';
import type { Clock, Item, Table, Write, WriteResult } from '../ports.ts';
import {
  commentOf,
  deskListing,
  headItem,
  headKey,
  judgementKey,
  logKey,
  parkedKey,
  repliesKey,
  revisionKey,
  strip,
  threadCountKey,
  threadCountKeys,
  threadListing,
  writerKey,
} from './keys.ts';

/** How often a write that lost a race is tried on the newer version before the caller hears `Store.Busy`. */
const RACES = 8;

/** Keys that are read at once. */
const MOST_KEYS = 100;

/** Parked replies that `parked` gives at once. */
export const PARKED_PAGE = 1000;

export type Change = {
  /** Fields to set; `undefined` removes one. `id`, `site`, `version` are not for callers. */
  set: Partial<Omit<Comment, 'id' | 'site' | 'version'>>;
  by: string;
  action: string;
  reason?: string;
  note?: string;
  decisionId?: string;
  decidedRevision?: number;
  trace?: Trace;
  /** A new text that comes with the change. */
  revision?: Revision;
  /** What else belongs to the same moment, such as the row of an audit log. */
  also?: readonly Write[];
};

export type Store = ReturnType<typeof storeOf>;

export type WholeComment = { comment: JudgedComment; revisions: readonly Revision[]; log: readonly LogRow[] };

/** Reading and writing of comments over the table. All changes go through `create`, `change` and `annotate`. */
export function storeOf(table: Table, clock: Clock) {
  const get = async (id: string): Promise<Comment | undefined> => {
    const item = await table.get(headKey(id));
    return item && commentOf(item);
  };

  const mustGet = async (id: string): Promise<Comment> => {
    const comment = await get(id);
    if (!comment) throw new SluiceError('Comment.Unknown', `no comment ${id}`, { hint: 'check the id' });
    return comment;
  };

  return {
    get,
    mustGet,

    /** In the order of the ids. */
    async getMany(ids: readonly string[]): Promise<readonly (Comment | undefined)[]> {
      const items = await table.getMany(ids.map(headKey));
      return items.map((item) => item && commentOf(item));
    },

    async revision(id: string, revision: number): Promise<Revision | undefined> {
      const item = await table.get(revisionKey(id, revision));
      return item && strip<Revision>(item);
    },

    async revisions(wanted: readonly { id: string; revision: number }[]): Promise<readonly (Revision | undefined)[]> {
      const items = await table.getMany(wanted.map(({ id, revision }) => revisionKey(id, revision)));
      return items.map((item) => item && strip<Revision>(item));
    },

    async allRevisions(id: string): Promise<readonly Revision[]> {
      const { items } = await table.query({ pk: `C#${id}`, prefix: 'R#', limit: 1000 });
      return items.map((item) => strip<Revision>(item));
    },

    async log(id: string): Promise<readonly LogRow[]> {
      const { items } = await table.query({ pk: `C#${id}`, prefix: 'L#', limit: 1000 });
      return items.map((item) => strip<LogRow>(item));
    },

    /** A comment with all its texts, its log and what was written of its judgement: one query where nobody reads the parts. */
    async whole(id: string): Promise<WholeComment | undefined> {
      const items: Item[] = [];
      let cursor: string | undefined;
      do {
        const page = await table.query({
          pk: `C#${id}`,
          from: 'J#',
          to: 'head',
          limit: 1000,
          ...(cursor && { cursor }),
        });
        items.push(...page.items);
        cursor = page.cursor;
      } while (cursor);
      const head = items.at(-1);
      if (head?.sk !== 'head') return undefined;
      const of = <T>(prefix: string) => items.flatMap((item) => (item.sk.startsWith(prefix) ? [strip<T>(item)] : []));
      const comment = commentOf(head);
      const judged = judgementKey(id, comment.judgement?.revision ?? comment.revision).sk;
      const judgement = items.find(({ sk }) => sk === judged);
      return {
        comment: withJudgement(comment, judgement && unpacked(judgement)),
        revisions: of<Revision>('R#'),
        log: of<LogRow>('L#'),
      };
    },

    /**
     * Stores a comment that nobody stored before: its first text, then the head. The text is the claim of the id.
     *
     * Twice is once: the same content answers the stored one. Throws `Comment.IdTaken` for other content.
     */
    async create(comment: Comment, text: Revision): Promise<{ comment: Comment; created: boolean }> {
      const { id, contentHash } = comment;
      const claim: Write = { put: { ...revisionKey(id, text.revision), ...text, contentHash }, if: 'absent' };
      const head: Write = { put: headItem(comment), if: 'absent' };
      const result = await table.writeInTurn([[claim], [head]]);
      if (result.done) return { comment, created: true };
      const [first, standing] = await table.getMany([claim.put, headKey(id)]);
      const stored = standing && commentOf(standing);
      // A text of before has no hash; a later edit has another one than the submission.
      const same = first?.contentHash ?? (stored && stored.revision > 1 ? contentHash : stored?.contentHash);
      if (same !== contentHash || (stored && stored.site !== comment.site)) {
        throw new SluiceError('Comment.IdTaken', `comment ${id} exists with other content`, {
          hint: 'give each comment an id of its own',
        });
      }
      if (stored) return { comment: stored, created: false };
      // A run before this one died between the two.
      if ((await table.write([head])).done) return { comment, created: true };
      return { comment: await mustGet(id), created: false };
    },

    /** Keeps a judgement beside its comment; the first one of a revision stands, and is answered. */
    async keepJudgement(id: string, judgement: Judgement): Promise<Judgement> {
      const key = judgementKey(id, judgement.revision);
      const { done } = await table.write([{ put: { ...key, ...packed(judgement) }, if: 'absent' }]);
      const standing = done ? undefined : await table.get(key);
      return standing ? unpacked(standing) : judgement;
    },

    /** The comments with all that was written of their judgements, in their order. */
    async judged(comments: readonly Comment[]): Promise<readonly JudgedComment[]> {
      const brief = comments.filter(({ judgement }) => judgement?.signals === undefined);
      const found = new Map<string, Judgement>();
      for (let from = 0; from < brief.length; from += MOST_KEYS) {
        const some = brief.slice(from, from + MOST_KEYS);
        const items = await table.getMany(
          some.map(({ id, judgement, revision }) => judgementKey(id, judgement?.revision ?? revision)),
        );
        for (const [index, item] of items.entries()) if (item) found.set(some[index]!.id, unpacked(item));
      }
      return comments.map((comment) => withJudgement(comment, found.get(comment.id)));
    },

    /** A judgement in place of an earlier one of the same revision; false when the comment changed meanwhile. */
    async rejudge(comment: Comment, judgement: Judgement, set: Partial<Comment>): Promise<boolean> {
      const head = headItem({ ...comment, ...set, judgement: judgedOf(judgement) });
      const whole = { ...judgementKey(comment.id, judgement.revision), ...packed(judgement) };
      return (await table.write([{ put: head, if: { version: comment.version } }, { put: whole }])).done;
    },

    /**
     * One change, however often it is tried: the head at `version + 1`, its log row, and the tallies that follow from the
     * statuses.
     *
     * The log row goes first and claims the version, then the head with the counts that readers see, then what is known of
     * the writer. A row that stands already was left by a run that died: then all is one transaction, as it is for a
     * person's decision. So the row of a version is always that of the head that has it.
     *
     * @returns the new head, or `conflict` with the head as it is now: somebody was faster
     */
    async change(
      comment: Comment,
      change: Change,
    ): Promise<{ done: true; comment: Comment } | { done: false; comment: Comment }> {
      const next: Comment = { ...comment, ...change.set, version: comment.version + 1 } as Comment;
      for (const [field, value] of Object.entries(change.set)) {
        if (value === undefined) delete (next as Record<string, unknown>)[field];
      }
      if (next.status !== 'received') delete next.parked;
      const row: LogRow = {
        commentId: comment.id,
        version: next.version,
        at: clock.now(),
        by: change.by,
        action: change.action,
        from: comment.status,
        to: next.status,
        ...(change.reason !== undefined && { reason: change.reason }),
        ...(change.note !== undefined && { note: change.note }),
        ...(change.decisionId !== undefined && { decisionId: change.decisionId }),
        ...(change.decidedRevision !== undefined && { decidedRevision: change.decidedRevision }),
        ...(change.trace && { trace: change.trace }),
        ...(change.by.startsWith('user:') && { before: overwritten(comment, change.set) }),
      };
      const head: Write = { put: headItem(next), if: { version: comment.version } };
      const log = { ...logKey(comment.id, next.version, 'change'), ...row };
      const text = change.revision && {
        put: { ...revisionKey(comment.id, change.revision.revision), ...change.revision },
      };
      const counts = tallies(comment, next);
      const ofWriter = counts.filter((one) => 'add' in one && one.add.sk === 'history');
      const shown = counts.filter((one) => !ofWriter.includes(one));
      const whole: Write[] = [head, { put: log }, ...(text ? [text] : []), ...counts];
      const decision = change.decisionId && {
        put: { pk: `X#${change.decisionId}`, sk: 'decision', commentId: comment.id, version: next.version },
      };
      let result: WriteResult;
      if (decision || change.also) {
        result = await table.write([...whole, ...(decision ? [decision] : []), ...(change.also ?? [])]);
      } else {
        const claim: Write = { put: log, if: 'absent' };
        result = await table.writeInTurn([[claim], [head, ...(text ? [text] : []), ...shown], ofWriter].filter(some));
        if (!result.done && result.failed === 0) result = await table.write(whole);
      }
      if (result.done) return { done: true, comment: next };
      return { done: false, comment: await mustGet(comment.id) };
    },

    /** A change that is right whatever happened meanwhile: tried again on the newest version while `next` asks for it. */
    async changeLatest(id: string, next: (comment: Comment) => Change | undefined): Promise<Comment> {
      let comment = await mustGet(id);
      for (let race = 0; race < RACES; race++) {
        const change = next(comment);
        if (!change) return comment;
        const result = await this.change(comment, change);
        if (result.done) return result.comment;
        comment = result.comment;
      }
      throw new SluiceError('Store.Busy', `comment ${id} changes too fast`, { hint: 'try again' });
    },

    /** Sets fields that are no change of the comment (token, debts): keeps the version, fails on another one. */
    async annotate(comment: Comment, set: Partial<Comment>): Promise<boolean> {
      const next = { ...comment, ...set } as Comment;
      for (const [field, value] of Object.entries(set)) {
        if (value === undefined) delete (next as Record<string, unknown>)[field];
      }
      const result = await table.write([{ put: headItem(next), if: { version: comment.version } }]);
      return result.done;
    },

    /** A row for what happened to a comment without changing it: a run's trace, an e-mail. */
    async note(row: LogRow, part: string): Promise<void> {
      await table.write([{ put: { ...logKey(row.commentId, row.version, part), ...row } }]);
    },

    /** The comment and log row of a decision, by its id. */
    async decision(decisionId: string): Promise<{ comment: Comment; row: LogRow } | undefined> {
      const pointer = await table.get({ pk: `X#${decisionId}`, sk: 'decision' });
      if (!pointer) return undefined;
      const id = String(pointer.commentId);
      const row = await table.get(logKey(id, Number(pointer.version), 'change'));
      const comment = await get(id);
      return row && comment ? { comment, row: strip<LogRow>(row) } : undefined;
    },

    /** What readers may see of one level, oldest first unless asked otherwise; `from` and `to` are inclusive. */
    async level(
      site: string,
      thread: string,
      parentId: string | null,
      page: { order: 'ascending' | 'descending'; limit: number; cursor?: string; from?: string; to?: string },
    ): Promise<{ comments: readonly Comment[]; cursor?: string }> {
      const { items, cursor } = await table.query({
        index: 'gsi1',
        pk: threadListing(site, thread, parentId),
        ...page,
      });
      return { comments: items.map(commentOf), ...(cursor && { cursor }) };
    },

    /** How many replies each comment has that are published, and that ever were (tombstones too), in the order of the ids. */
    async replyCounts(ids: readonly string[]): Promise<readonly { published: number; listed: number }[]> {
      const items = await table.getMany(ids.map(repliesKey));
      return items.map((item) => {
        const published = Math.max(0, Number(item?.published ?? 0));
        return { published, listed: Math.max(published, Number(item?.listed ?? 0)) };
      });
    },

    async threadCount(site: string, thread: string): Promise<number> {
      const shares = await table.getMany(threadCountKeys(site, thread), { stale: true });
      return Math.max(
        0,
        shares.reduce((sum, share) => sum + Number(share?.published ?? 0), 0),
      );
    },

    /** Newest first. */
    async newestPublished(site: string, limit: number): Promise<readonly Comment[]> {
      const { items } = await table.query({
        index: 'gsi2',
        pk: deskListing(site, 'published'),
        order: 'descending',
        limit,
      });
      return items.map(commentOf);
    },

    /** Puts a reply aside until its parent is decided; the event comes back as it was. */
    async park(parentId: string, id: string, event: unknown): Promise<void> {
      await table.write([{ put: { ...parkedKey(parentId, id), event } }]);
    },

    /** At most a page of them. */
    async parked(parentId: string): Promise<readonly { id: string; event: unknown }[]> {
      const { items } = await table.query({ pk: `C#${parentId}`, prefix: 'P#', limit: PARKED_PAGE });
      return items.map((item) => ({ id: item.sk.slice(2), event: item.event }));
    },

    async unpark(parentId: string, id: string): Promise<void> {
      await table.write([{ delete: parkedKey(parentId, id) }]);
    },

    /** May miss the last second: it is evidence. */
    async writerHistory(site: string, writer: string): Promise<WriterHistory | undefined> {
      const item = await table.get(writerKey(site, writer), { stale: true });
      if (!item) return undefined;
      const count = (name: string) => Math.max(0, Number(item[name] ?? 0));
      return {
        published: count('published'),
        rejected: count('rejected'),
        spam: count('spam'),
        held: count('held'),
        total: count('total'),
      };
    },
  };
}

/** The head's part of a judgement and the one that stands beside it, as one. */
function withJudgement(comment: Comment, beside: Judgement | undefined): JudgedComment {
  const { judgement, ...rest } = comment;
  if (judgement?.signals) return comment as JudgedComment;
  return beside ? { ...rest, judgement: { ...beside, ...judgement } } : rest;
}

type PackedSignal = readonly [name: string, weight: number, words: string];

/** Signals by place, not by name: so that an ordinary judgement is under a kilobyte, which is one unit to write. */
const packed = ({ signals, ...rest }: Judgement) => ({
  ...rest,
  signals: signals.map(({ name, weight, words }): PackedSignal => [name, weight, words]),
});

function unpacked(item: Item): Judgement {
  const { signals, ...rest } = strip<Omit<Judgement, 'signals'> & { signals: readonly PackedSignal[] }>(item);
  return { ...rest, signals: signals.map(([name, weight, words]) => ({ name, weight, words })) };
}

const some = (group: readonly unknown[]) => group.length > 0;

export type WriterHistory = { published: number; rejected: number; spam: number; held: number; total: number };

/** Refuses a change of status that the table of transitions does not have. */
export function assertTransition(comment: Comment, to: Status, by: Actor): void {
  if (!mayBecome(comment.status, to, by)) {
    throw new SluiceError('Comment.Conflict', `comment ${comment.id} is ${comment.status} and cannot become ${to}`, {
      hint: 'read the comment again',
    });
  }
}

/** The counters that follow from a change of status, so that no caller can forget one. */
export function tallies(before: Pick<Comment, 'status' | 'publishedAt'>, after: Comment): Write[] {
  // An undo may take a comment out of its listing again.
  const listed = Number(after.publishedAt !== undefined) - Number(before.publishedAt !== undefined);
  if (before.status === after.status && listed === 0) return [];
  const published = Number(after.status === 'published') - Number(before.status === 'published');
  const history: Record<string, number> = {};
  for (const status of ['published', 'rejected', 'spam', 'held'] as const) {
    const step = Number(after.status === status) - Number(before.status === status);
    if (step !== 0) history[status] = step;
  }
  return [
    ...(published === 0
      ? []
      : [{ add: threadCountKey(after.site, after.thread, after.author.key), by: { published } }]),
    ...(after.parentId && (published !== 0 || listed !== 0)
      ? [{ add: repliesKey(after.parentId), by: { published, listed } }]
      : []),
    ...(Object.keys(history).length > 0
      ? [{ add: writerKey(after.site, after.author.key), by: history, first: { firstAt: after.submittedAt } }]
      : []),
  ];
}

function overwritten(comment: Comment, set: object): Partial<Comment> {
  const before: Record<string, unknown> = {};
  for (const field of Object.keys(set)) before[field] = (comment as Record<string, unknown>)[field] ?? null;
  return before as Partial<Comment>;
}

/** Rewrites what undo restores: null means that the field was not there. */
export function restored(before: Partial<Comment>): Partial<Comment> {
  const NULLABLE = new Set(['publishedRevision', 'pendingRevision', 'parentId']);
  return Object.fromEntries(
    Object.entries(before).map(([field, value]) => [field, value === null && !NULLABLE.has(field) ? undefined : value]),
  ) as Partial<Comment>;
}
