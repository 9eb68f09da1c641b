/** The thread as the public API gives it, and what the widget does with it. Pure. */

export type Comment = {
  id: string;
  parentId: string | null;
  depth: number;
  state: 'published' | 'removed' | 'deleted' | 'erased';
  author: { name: string; url?: string; role?: 'author' | 'moderator' };
  html: string;
  createdAt: string | number;
  editedAt?: string | number;
  replyCount: number;
  replies: Comment[];
  repliesCursor?: string | null;
  permalink?: string;
};

/** `replyDepth`: the policy's deepest reply. `holds`: why a new comment may wait. */
export type Page = {
  comments: Comment[];
  total: number;
  nextCursor: string | null;
  thread: { closed: boolean; replyDepth: number; holds?: string };
};

export type Status = 'received' | 'waiting' | 'published' | 'rejected' | 'removed' | 'deleted' | 'delayed';

/** A comment that was written in this browser; lives in localStorage until it is decided and past editing. */
export type Mine = Comment & {
  statusUrl: string;
  capability: string;
  editableUntil: string;
  body: string;
  status: Status;
  reason?: string;
  /** One may ask for one more look. */
  appeal?: boolean;
  /** An edit of a published comment was sent and is not yet to be seen. */
  revised?: boolean;
};

/** Depth first. */
export function find(comments: readonly Comment[], id: string | null): Comment | undefined {
  for (const comment of comments) {
    const found = comment.id === id ? comment : find(comment.replies, id);
    if (found) return found;
  }
  return undefined;
}

/**
 * A fresh page over what is shown: the server's order and texts win, replies that were loaded beyond the first three
 * stay. Without this a click on "3 new comments" would fold up what one reads.
 */
export function merge(shown: readonly Comment[], fresh: readonly Comment[]): Comment[] {
  return fresh.map((comment) => {
    const old = find(shown, comment.id);
    if (!old) return comment;
    const replies = append(merge(old.replies, comment.replies), old.replies);
    const more = replies.length < comment.replyCount && (old.repliesCursor ?? comment.repliesCursor);
    return { ...comment, replies, repliesCursor: more || null };
  });
}

/** `more` after `comments`, without those that are there: pages overlap when a thread moves under the cursor. */
export function append(comments: readonly Comment[], more: readonly Comment[]): Comment[] {
  return [...comments, ...more.filter(({ id }) => !comments.some((known) => known.id === id))];
}

const MONTH_MS = 30 * 86_400_000;

/** Whether a comment's record in this browser still serves its writer. */
export function worthKeeping(mine: Mine, now: number): boolean {
  return mine.status === 'published'
    ? mayEdit(mine, now)
    : mine.status !== 'deleted' && now - Number(mine.createdAt) < MONTH_MS;
}

export function mayEdit({ editableUntil }: Mine, now: number): boolean {
  return now < Date.parse(editableUntil);
}

export function isOpen({ status }: Mine): boolean {
  return /received|waiting|delayed/.test(status);
}

/**
 * How long until the status is asked again: soon while a machine decides, rarely while a person does. A second is what a verdict
 * takes on AWS: whoever asks sooner pays for a question more.
 */
export function nextAskMs({ status, revised }: Mine, asked: number): number {
  return Math.min(10_000, 1000 * 1.5 ** asked) * (status === 'received' || revised ? 1 : 30);
}

/** Arrivals to announce: own comments on their way are not news to their writer. */
export function arrivals(total: number, known: number, mine: readonly Mine[]): number {
  return Math.max(0, total - known - mine.filter(({ status }) => status === 'received').length);
}
