import type { Action, Judgement, LogRow, Revision, Signal, Trace } from '../../shared/comment.ts';
import type { Notification } from '../../shared/store/notifications.ts';
import type { Row } from '../moderation/row.ts';

export type { Action, Row, Signal, Trace };

export type Who = {
  user: string;
  roles: { site: string; role: 'moderator' | 'admin' }[];
  csrf: string;
  expiresAt: number;
};

export type SiteName = { id: string; name: string; authors: { id: string; name: string }[] };

export type Page = { comments: Row[]; total?: number; nextCursor: string | null; partial?: boolean };

export type Brief = {
  id: string;
  status: Row['status'];
  author: string;
  excerpt: string;
  submittedAt: number;
  thread: string;
  reason?: string;
};

export type Note = { id: string; by: string; at: number; text: string };

export type Detail = Omit<Row, 'parent'> & {
  body: string;
  parent?: Brief & { html: string };
  revisions: Revision[];
  signals: Signal[];
  judgement?: Omit<Judgement, 'signals' | 'lang' | 'revision'>;
  log: LogRow[];
  trace: Trace[];
  notifications: Omit<Notification, 'messageId'>[];
  notes: Note[];
  history: Brief[];
  similarComments: Brief[];
  around: Brief[];
  deadLetter?: { id: string; reason: string; source: string };
};

export type Result = {
  id: string;
  result: 'done' | 'unchanged' | 'conflict' | 'forbidden' | 'missing';
  version?: number;
  status?: Row['status'];
  decidedBy?: string;
  decisionId?: string;
};

export type DeskEvent = {
  id: string;
  at: number;
  site: string;
  commentId: string;
  type: string;
  by?: string;
  status?: string;
  version?: number;
};

export type DeadLetter = {
  id: string;
  site?: string;
  commentId?: string;
  source: string;
  reason: string;
  attempts: number;
  firstAt: number;
  detail: string;
};
