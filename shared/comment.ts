/** The words of the domain and the one table of what may become of a comment. */

export const STATUSES = ['received', 'published', 'held', 'rejected', 'spam', 'removed', 'deleted', 'erased'] as const;
export type Status = (typeof STATUSES)[number];

/** Who changes a status. `undo` returns to the state before and is checked against the log, not this table. */
export type Actor = 'policy' | 'moderator' | 'writer' | 'reports' | 'forget';

/** What a moderator can do; `keep` dismisses reports and changes no status. */
export const ACTIONS = ['publish', 'reject', 'spam', 'remove', 'restore', 'hold', 'keep'] as const;
export type Action = (typeof ACTIONS)[number];

/** The life of a comment: nothing else changes a status. */
export const TRANSITIONS: readonly { from: Status; to: Status; by: readonly Actor[] }[] = [
  { from: 'received', to: 'published', by: ['policy'] },
  { from: 'received', to: 'held', by: ['policy'] },
  { from: 'received', to: 'rejected', by: ['policy'] },
  { from: 'held', to: 'published', by: ['moderator', 'policy'] },
  { from: 'held', to: 'rejected', by: ['moderator', 'policy'] },
  { from: 'held', to: 'spam', by: ['moderator'] },
  { from: 'published', to: 'removed', by: ['moderator'] },
  { from: 'published', to: 'held', by: ['moderator', 'reports'] },
  { from: 'rejected', to: 'published', by: ['moderator'] },
  { from: 'rejected', to: 'held', by: ['writer'] },
  { from: 'spam', to: 'published', by: ['moderator'] },
  { from: 'spam', to: 'held', by: ['writer'] },
  { from: 'removed', to: 'published', by: ['moderator'] },
  { from: 'received', to: 'deleted', by: ['writer'] },
  { from: 'held', to: 'deleted', by: ['writer'] },
  { from: 'published', to: 'deleted', by: ['writer'] },
  ...STATUSES.filter((from) => from !== 'erased').map((from) => ({ from, to: 'erased', by: ['forget'] }) as const),
];

/** Whether `by` may take a comment from one status to another. */
export function mayBecome(from: Status, to: Status, by: Actor): boolean {
  return TRANSITIONS.some((row) => row.from === from && row.to === to && row.by.includes(by));
}

/** Where each action of a moderator leads; `keep` leads nowhere. */
export const ACTION_TARGET: Record<Exclude<Action, 'keep'>, Status> = {
  publish: 'published',
  reject: 'rejected',
  spam: 'spam',
  remove: 'removed',
  restore: 'published',
  hold: 'held',
};

export type Verdict = 'publish' | 'hold' | 'reject';

/** One reason with a weight: log-odds towards spam for the score, or an axis of its own (`toxicity`). */
export type Signal = {
  /** Stable, kebab-case. */
  name: string;
  /** Log-odds; positive speaks against the comment. */
  weight: number;
  /** A sentence for moderators. May quote the comment: escape it like any reader's text. */
  words: string;
};

/** A verdict with all that explains it, audits it, and replays it: an item of its own beside the comment. */
export type Judgement = {
  verdict: Verdict;
  /** P(spam), 0..1. */
  score: number;
  /** P(toxic), 0..1; 0 for a language that was not measured. */
  toxicity: number;
  lang: string;
  /** Heaviest first. */
  signals: readonly Signal[];
  /** Which rule decided: `score`, `links`, `blocklist` … */
  reason: string;
  policyVersion: number;
  modelVersion: string;
  executionId: string;
  revision: number;
  /** Providers that were asked and did not answer: the reconciler asks again. */
  degraded?: readonly string[];
  /** Providers that the policy turns on and nobody asks again: not set up, or silent for a day. */
  unheard?: readonly string[];
  at: number;
};

/** What the comment itself keeps of its judgement, so that a change of status rewrites a kilobyte. */
export type Judged = Pick<Judgement, 'verdict' | 'score' | 'toxicity' | 'reason' | 'revision' | 'degraded' | 'at'>;

export type Writer = {
  name: string;
  url?: string;
  /** Contact id: where the e-mail and address live. */
  contact?: string;
  /** Keyed hash by which the site recognises a writer; never an address itself. */
  key: string;
  /** Keyed hash of the client's network (/24 or /48), for bans and sweeps. */
  network?: string;
  role?: 'author' | 'moderator';
  /** The site's author record, when `role` is author. */
  authorId?: string;
};

/**
 * A comment without its texts. Times are milliseconds since the epoch.
 *
 * `version` counts every change: revision or status. Texts stand in revisions of their own, so that a change of status
 * rewrites a kilobyte and not the body.
 */
export type Comment = {
  id: string;
  site: string;
  thread: string;
  parentId: string | null;
  /** 0 for a top-level comment. */
  depth: number;
  status: Status;
  version: number;
  /** The newest revision, 1 for the first text. */
  revision: number;
  /** What readers see; null until published. */
  publishedRevision: number | null;
  /** An edit that waits for a person while the published revision stays. */
  pendingRevision: number | null;
  author: Writer;
  notifyReplies: boolean;
  page?: { url: string; title: string };
  lane: string;
  /** Hash of what the writer submitted: tells a repeat from another comment under the same id. */
  contentHash: string;
  excerpt: string;
  fingerprint: string;
  linkHosts: readonly string[];
  lang: string;
  /** Characters that validation took out because they hide or turn text. */
  stripped?: { bidi: number; hidden: number };
  form?: { elapsedMs?: number; honeypot?: boolean };
  /** Submissions in its minute, as the door counted them; none for a comment that came by another way. */
  pace?: { writer: number; lane: number };
  submittedAt: number;
  publishedAt?: number;
  heldAt?: number;
  /** The version that the last hold wrote: names its `review` execution, and tells it from an earlier one. */
  heldVersion?: number;
  /** When the policy's default or a reminder is due, for the desk. */
  dueAt?: number;
  editedAt?: number;
  /** Of the last text that was decided. Comments of before 2026-11-24 carry it whole. */
  judgement?: Judged & Partial<Judgement>;
  /** The last decision: who and under which id. */
  decidedBy?: string;
  decisionId?: string;
  holdReason?: string;
  /** What the writer may read of a rejection or removal. */
  reason?: string;
  /** Distinct reporters of the published revision that nobody dismissed. */
  reports: number;
  /** What they weigh together: whoever was often wrong weighs less than 1. */
  reportWeight?: number;
  /** Reporters of a published revision whom a moderator has answered: only those after them count. */
  dismissed?: { revision: number; reports: number; weight?: number };
  /** Published, and listed for moderators all the same: enough readers reported it. */
  queued?: boolean;
  appeal?: { text: string; at: number };
  appeals: number;
  /** A reply that waits for its parent: listed for moderators, unlike what is only under way. */
  parked?: boolean;
  /** Task token of the waiting `review`. */
  token?: string;
  /** Set by a decision until its consequences (events, wake) are out; the reconciler looks for it. */
  owed?: { decisionId: string; since: number };
  imported?: boolean;
};

/** With all that was written of its judgement. */
export type JudgedComment = Comment & { judgement?: Judgement };

export type Revision = {
  commentId: string;
  revision: number;
  body: string;
  /** Sanitized; the only form that reaches a page. */
  html: string;
  at: number;
  /** Of the submission, on the first text: tells a repeat of it from another comment under the same id. */
  contentHash?: string;
};

/** One row of a comment's log: a change of status or revision, or the trace of a run. */
export type LogRow = {
  commentId: string;
  version: number;
  at: number;
  /** `policy`, `writer`, or `user:{name}`. */
  by: string;
  action: string;
  from: Status;
  to: Status;
  reason?: string;
  note?: string;
  decisionId?: string;
  /** The text that a person decided about. */
  decidedRevision?: number;
  judgement?: Judgement;
  trace?: Trace;
  /** What undo needs: the comment's fields that the change overwrote. */
  before?: Partial<Comment>;
};

/** One run of a workflow as the comment remembers it. */
export type Trace = {
  executionId: string;
  workflow: string;
  /** Receives of the message before this run, and requeues by the workflow itself. */
  attempt: number;
  startedAt: number;
  states: readonly { name: string; ms: number; retries: number; code?: string }[];
};
