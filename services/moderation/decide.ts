import { createHash } from 'node:crypto';
import { ACTION_TARGET, type Action, type Comment, type LogRow, mayBecome, type Status } from '../../shared/comment.ts';
import { PIPELINE_SOURCE } from '../../shared/events.ts';
import type { Ports, PutEntry } from '../../shared/ports.ts';
import { reviewOf } from '../../shared/review.ts';
import { restored, storeOf, type Change, type Store } from '../../shared/store/comments.ts';
import { reportersOf } from '../../shared/store/reporters.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { auditWrite } from './audit-log.ts';

export type Decision = {
  id: string;
  /** The version that the moderator saw. */
  version: number;
  action: Action;
  /** A code of the policy. */
  reason?: string | undefined;
  /** For moderators alone. */
  note?: string | undefined;
  /** For the writer. */
  message?: string | undefined;
};

export type Result = {
  id: string;
  result: 'done' | 'unchanged' | 'conflict' | 'forbidden' | 'missing';
  version?: number;
  status?: Status;
  decidedBy?: string;
  decisionId?: string;
};

export type DecisionPorts = Pick<Ports, 'table' | 'clock' | 'ids' | 'bus' | 'workflows' | 'log'>;

/** What a decision sets, `unchanged` when the comment stands there already, `impossible` from its status. */
export function plan(
  comment: Comment,
  { action, reason, message }: Pick<Decision, 'action' | 'reason' | 'message'>,
  { by, decisionId, now }: { by: string; decisionId: string; now: number },
): Fields | 'unchanged' | 'impossible' {
  const mark = { decidedBy: by, decisionId, owed: { decisionId, since: now } };
  const told = message ?? reason;
  if (action === 'keep') {
    if (comment.reports === 0 && !comment.queued) return 'unchanged';
    const waits = comment.status !== 'published' || comment.pendingRevision !== null;
    return { ...mark, ...dismissal(comment), ...(!waits && { heldAt: undefined, dueAt: undefined }) };
  }

  // An edit that waits under a published text: the decision is about the edit, the comment stays.
  const pending = comment.status === 'published' ? comment.pendingRevision : null;
  if (pending !== null && (action === 'publish' || action === 'restore')) {
    return { ...mark, publishedRevision: pending, pendingRevision: null, heldAt: undefined, dueAt: undefined };
  }
  if (pending !== null && (action === 'reject' || action === 'spam')) {
    return { ...mark, pendingRevision: null, heldAt: undefined, dueAt: undefined };
  }

  const to = ACTION_TARGET[action];
  if (comment.status === to) return 'unchanged';
  if (!mayBecome(comment.status, to, 'moderator')) return 'impossible';
  switch (to) {
    case 'published':
      return {
        ...mark,
        status: to,
        // What was removed comes back as readers knew it; all else as the moderator sees it, the newest text.
        publishedRevision:
          comment.status === 'removed' ? (comment.publishedRevision ?? comment.revision) : comment.revision,
        pendingRevision: null,
        publishedAt: comment.publishedAt ?? now,
        ...NOT_WAITING,
        ...dismissal(comment),
        reason: undefined,
      };
    case 'held':
      return {
        ...mark,
        status: to,
        heldAt: now,
        heldVersion: comment.version + 1,
        holdReason: reason ?? 'moderator',
        pendingRevision: null,
      };
    default:
      return { ...mark, status: to, pendingRevision: null, ...NOT_WAITING, ...dismissal(comment), reason: told };
  }
}

/** `undefined` takes a field away. */
type Fields = { [Name in keyof Change['set']]: Change['set'][Name] | undefined };

const NOT_WAITING = { heldAt: undefined, dueAt: undefined, holdReason: undefined };

/** A decision answers the reporters so far: they bring the comment to the queue no second time. */
function dismissal({ reports, reportWeight, publishedRevision, dismissed }: Comment): Fields {
  const none = { reports: 0, reportWeight: undefined, queued: undefined };
  if (reports === 0 || publishedRevision === null) return none;
  const before: { reports: number; weight?: number } =
    dismissed?.revision === publishedRevision ? dismissed : { reports: 0 };
  return {
    ...none,
    dismissed: {
      revision: publishedRevision,
      reports: before.reports + reports,
      weight: (before.weight ?? before.reports) + (reportWeight ?? reports),
    },
  };
}

/** What a decision says of those who reported the comment; another look says nothing yet. */
const FOUND: Record<Action, 'right' | 'wrong' | undefined> = {
  keep: 'wrong',
  publish: 'wrong',
  restore: 'wrong',
  reject: 'right',
  spam: 'right',
  remove: 'right',
  hold: undefined,
};

/**
 * Makes a decision final in one conditional write, then settles what follows from it.
 *
 * Twice is once: the same moderator's repeat of a decision that stands is `unchanged`. A comment that changed since the
 * moderator saw it is a `conflict`, with the state that it has now.
 */
export async function decide(ports: DecisionPorts, user: string, decision: Decision): Promise<Result> {
  const { result, owing } = await writeDecision(ports, user, decision);
  if (owing) await settleQuietly(ports, owing);
  return result;
}

/** The first half of `decide`: what is `owing` stands, and `settleQuietly` does what follows from it. */
export async function writeDecision(
  ports: Pick<DecisionPorts, 'table' | 'clock' | 'ids'>,
  user: string,
  decision: Decision,
): Promise<{ result: Result; owing?: Comment }> {
  const { table, clock, ids } = ports;
  const store = storeOf(table, clock);
  const by = `user:${user}`;
  const comment = await store.get(decision.id);
  if (!comment || comment.status === 'erased') return { result: { id: decision.id, result: 'missing' } };
  if (comment.version !== decision.version) return { result: await lost(store, comment, by, decision) };

  const decisionId = ids.next();
  const now = clock.now();
  const set = plan(comment, decision, { by, decisionId, now });
  if (set === 'unchanged') return { result: { ...stateOf(comment), result: 'unchanged' } };
  if (set === 'impossible') return { result: { ...stateOf(comment), result: 'conflict' } };
  // A decision about a waiting edit answers no reports of the text that stands.
  const found = set.dismissed && FOUND[decision.action];
  const written = await store.change(comment, {
    set: set as Change['set'],
    by,
    action: decision.action,
    ...(decision.reason !== undefined && { reason: decision.reason }),
    ...(decision.note !== undefined && { note: decision.note }),
    decisionId,
    decidedRevision:
      comment.status === 'published'
        ? (comment.pendingRevision ?? comment.publishedRevision ?? comment.revision)
        : comment.revision,
    also: [
      auditWrite({
        id: decisionId,
        site: comment.site,
        at: now,
        by,
        action: decision.action,
        commentId: comment.id,
        version: comment.version + 1,
        from: comment.status,
        to: set.status ?? comment.status,
        ...(decision.reason !== undefined && { reason: decision.reason }),
        ...(comment.judgement && { verdict: comment.judgement.verdict, score: comment.judgement.score }),
        ...(comment.heldAt !== undefined && { waitedMs: now - comment.heldAt }),
      }),
      ...(found ? await reportersOf(table).answer(comment, found, decisionId, now) : []),
    ],
  });
  if (!written.done) return { result: await lost(store, written.comment, by, decision) };
  return { result: { ...stateOf(written.comment), result: 'done' }, owing: written.comment };
}

export type Undone =
  | { result: 'done' | 'unchanged' | 'conflict'; comment: Comment }
  | { result: 'missing'; comment?: undefined };

/**
 * The state before a decision, with its timers, as a decision of its own. Only while nothing else happened to the comment.
 *
 * @param mayUndo asked with the comment's site before anything is written
 */
export async function undo(
  ports: DecisionPorts,
  user: string,
  decisionId: string,
  mayUndo: (comment: Comment) => void,
): Promise<Undone> {
  const { table, clock, ids } = ports;
  const store = storeOf(table, clock);
  const by = `user:${user}`;
  const found = await store.decision(decisionId);
  if (!found) return { result: 'missing' };
  const { comment, row } = found;
  mayUndo(comment);
  if (comment.version !== row.version) return { result: await repeated(store, comment, by, decisionId), comment };
  if (!row.before) return { result: 'conflict', comment };

  const undoId = ids.next();
  const now = clock.now();
  // What readers saw once stays listed, as a tombstone: answers that came meanwhile hang on it.
  const {
    owed: _owed,
    token: _token,
    decisionId: _decision,
    heldVersion: _held,
    publishedAt: _first,
    ...before
  } = restored(row.before);
  const back = before.status ?? comment.status;
  const waits = back === 'held' || (before.pendingRevision ?? null) !== null;
  const written = await store.change(comment, {
    set: {
      ...before,
      decisionId: undoId,
      owed: { decisionId: undoId, since: now },
      // A hold of its own: its `review` is another execution than the one that the decision woke.
      ...(waits && { heldVersion: comment.version + 1 }),
    },
    by,
    action: 'undo',
    decisionId: undoId,
    also: [
      auditWrite({
        id: undoId,
        site: comment.site,
        at: now,
        by,
        action: 'undo',
        commentId: comment.id,
        version: comment.version + 1,
        from: comment.status,
        to: back,
        undoes: decisionId,
      }),
      ...((before.reports ?? 0) > 0 ? await reportersOf(table).unanswer(comment, decisionId, now) : []),
    ],
  });
  if (!written.done)
    return { result: await repeated(store, written.comment, by, decisionId), comment: written.comment };
  await settleQuietly(ports, written.comment);
  return { result: 'done', comment: written.comment };
}

/**
 * What follows from a decision, until nothing is owed any more: its events, and the wake of whoever waits.
 *
 * Idempotent: a crash in between repeats, and never forgets. The reconciler calls it for what a crash left. Telling and
 * waking share a commit; only when both are through is nothing owed.
 */
export async function settle(ports: DecisionPorts, comment: Comment, row: LogRow): Promise<void> {
  const { table, clock, bus, workflows, log } = ports;
  const store = storeOf(table, clock);
  if (row.decisionId === undefined) return;

  // A decision on top of one that was still owed: both are told, in their order.
  const rows = [row];
  for (let depth = 0; depth < OWED_IN_A_ROW; depth++) {
    const earlier = rows[0]?.before?.owed;
    const found = earlier && (await store.decision(earlier.decisionId));
    if (!found) break;
    rows.unshift(found.row);
  }
  const waitsAnew = comment.status === 'held' || comment.pendingRevision !== null;
  // `keep` decides nothing of what waits: it goes on waiting, under its token.
  const wakes = row.action !== 'keep' || !waitsAnew;
  const wake = async (decisionId: string): Promise<void> => {
    const woken = comment.token !== undefined && (await workflows.succeed(comment.token, { decisionId })) === 'woken';
    if (waitsAnew || (!woken && row.action !== 'keep')) {
      const policy = waitsAnew ? (await sitesOf(table, clock).rules(comment.site)).policy.policy : undefined;
      await workflows.start('review', reviewOf(comment.id, comment.version, policy));
    }
  };
  await Promise.all([
    bus.put(rows.flatMap((each) => eventsOf(comment, each))),
    ...(wakes ? [wake(row.decisionId)] : []),
  ]);

  // Read again: a review that was just started may have left its own token here, and that one stays.
  const fresh = await store.get(comment.id);
  if (fresh?.version !== comment.version) return; // The newer decision's own settling goes on from there.
  const paid = { owed: undefined, ...(wakes && fresh.token === comment.token && { token: undefined }) };
  if (!(await store.annotate(fresh, paid as object))) {
    log.info({ commentId: comment.id }, 'settled an older decision');
  }
}

const OWED_IN_A_ROW = 20;

/** Settles what a comment owes, if it owes anything: for the reconciler. */
export async function settleOwed(ports: DecisionPorts, comment: Comment): Promise<void> {
  if (!comment.owed) return;
  const found = await storeOf(ports.table, ports.clock).decision(comment.owed.decisionId);
  if (found && found.comment.version === comment.version) await settle(ports, found.comment, found.row);
}

/** The decision stands whatever happens here; the reconciler tries again. */
export async function settleQuietly(ports: DecisionPorts, comment: Comment): Promise<void> {
  try {
    await settleOwed(ports, comment);
  } catch (error) {
    ports.log.warn({ commentId: comment.id, decisionId: comment.decisionId, err: error }, 'decision not settled yet');
  }
}

function eventsOf(comment: Comment, row: LogRow): PutEntry[] {
  const about = {
    schema: 1,
    site: comment.site,
    id: comment.id,
    thread: comment.thread,
    version: row.version,
    at: new Date(row.at).toISOString(),
  };
  const undoes = row.action === 'undo' ? row.before?.decisionId : undefined;
  return [
    {
      ...(row.decisionId && { id: row.decisionId }),
      source: PIPELINE_SOURCE,
      type: 'DecisionMade',
      detail: {
        ...about,
        decisionId: row.decisionId,
        by: row.by,
        action: row.action,
        ...(row.reason !== undefined && { reason: row.reason }),
        from: row.from,
        to: row.to,
        ...(row.decidedRevision !== undefined && { revision: row.decidedRevision }),
        ...(typeof undoes === 'string' && { undoes }),
      },
    },
    ...(row.to === 'removed' && row.from !== 'removed'
      ? [
          {
            id: `${row.decisionId}-removed`,
            source: PIPELINE_SOURCE,
            type: 'CommentRemoved',
            detail: { ...about, reason: row.reason ?? row.action },
          },
        ]
      : []),
  ];
}

/** The comment is of another version than expected: our own repeat, or somebody was faster. */
async function lost(store: Store, comment: Comment, by: string, decision: Decision): Promise<Result> {
  if (comment.version === decision.version + 1 && comment.decisionId !== undefined && comment.decidedBy === by) {
    const found = await store.decision(comment.decisionId);
    const row = found?.row;
    if (row?.version === comment.version && row.by === by && row.action === decision.action) {
      return { ...stateOf(comment), result: 'unchanged' };
    }
  }
  return { ...stateOf(comment), result: 'conflict' };
}

/** An undo that comes twice is no conflict. */
async function repeated(
  store: Store,
  comment: Comment,
  by: string,
  decisionId: string,
): Promise<'unchanged' | 'conflict'> {
  const last = comment.decisionId === undefined ? undefined : await store.decision(comment.decisionId);
  const same =
    last?.row.version === comment.version &&
    last.row.by === by &&
    last.row.action === 'undo' &&
    last.row.before?.decisionId === decisionId;
  return same ? 'unchanged' : 'conflict';
}

function stateOf(comment: Comment): Omit<Result, 'result'> {
  return {
    id: comment.id,
    version: comment.version,
    status: comment.status,
    ...(comment.decidedBy !== undefined && { decidedBy: comment.decidedBy.replace(/^user:/, '') }),
    ...(comment.decisionId !== undefined && { decisionId: comment.decisionId }),
  };
}

/** For an Idempotency-Key: the same body is the same hash. */
export const hashOf = (value: unknown): string =>
  createHash('sha256').update(JSON.stringify(value)).digest('base64url');
