import type { Comment } from '../comment.ts';
import type { Item, Key } from '../ports.ts';

/** Where everything stands in the table. One place, so that an access pattern can be read off. */
export const headKey = (id: string): Key => ({ pk: `C#${id}`, sk: 'head' });
export const revisionKey = (id: string, revision: number): Key => ({ pk: `C#${id}`, sk: `R#${pad(revision)}` });
export const judgementKey = (id: string, revision: number): Key => ({ pk: `C#${id}`, sk: `J#${pad(revision)}` });
export const logKey = (id: string, version: number, part: string): Key => ({
  pk: `C#${id}`,
  sk: `L#${pad(version)}#${part}`,
});
export const parkedKey = (parentId: string, id: string): Key => ({ pk: `C#${parentId}`, sk: `P#${id}` });
export const notificationKey = (id: string, recipient: string): Key => ({ pk: `C#${id}`, sk: `N#${recipient}` });
export const repliesKey = (id: string): Key => ({ pk: `C#${id}`, sk: 'replies' });
export const threadKey = (site: string, thread: string): Key => ({ pk: `T#${site}#${thread}`, sk: 'thread' });
/** A thread's count stands in shares, by writer: one item takes 500 transactions a second, and one at a time. */
export const threadCountKey = (site: string, thread: string, writer: string): Key =>
  threadCountKeys(site, thread)[(writer.codePointAt(0) ?? 0) % COUNT_SHARES]!;
export const threadCountKeys = (site: string, thread: string): readonly Key[] =>
  Array.from({ length: COUNT_SHARES }, (_, share) => ({
    pk: `T#${site}#${thread}`,
    sk: share === 0 ? 'count' : `count#${share}`,
  }));
const COUNT_SHARES = 4;
export const writerKey = (site: string, writer: string): Key => ({ pk: `W#${site}#${writer}`, sk: 'history' });
/** Comments of a thread within one minute, counted while the policy minds its heat. */
export const heatKey = (site: string, thread: string, nowMs: number): Key => ({
  pk: `V#${site}#T#${thread}`,
  sk: `M#${Math.floor(nowMs / 60_000)}`,
});
export const siteKey = (site: string): Key => ({ pk: `S#${site}`, sk: 'site' });
export const bansKey = (site: string): Key => ({ pk: `S#${site}`, sk: 'bans' });
export const shadowKey = (site: string): Key => ({ pk: `S#${site}`, sk: 'shadow' });
export const policyKey = (site: string): Key => ({ pk: `S#${site}`, sk: 'policy' });

/** Sorts as text in the order of the numbers, up to 10^12. */
export const pad = (n: number): string => String(n).padStart(12, '0');

/** Sort key of an index: time, then id. Times up to the year 2286. */
export const timeKey = (at: number, id: string): string => `${String(at).padStart(13, '0')}#${id}`;

/** The listings of one level of a thread; `parentId` null is the top level. */
export const threadListing = (site: string, thread: string, parentId: string | null): string =>
  `T#${site}#${thread}#${parentId ?? 'top'}`;

export const deskListing = (site: string, status: string): string => `Q#${site}#${status}`;

/** The head with the listings in which it belongs. Derived, so that no writer of a head can forget one. */
export function headItem(comment: Comment): Item {
  const listed = comment.publishedAt !== undefined;
  const deskStatus =
    comment.status === 'published' && (comment.pendingRevision !== null || comment.queued) ? 'held' : comment.status;
  const deskAt = deskStatus === 'held' ? (comment.heldAt ?? comment.submittedAt) : comment.submittedAt;
  // What is under way is listed by nobody, and an entry would cost two writes.
  const forDesk = comment.status !== 'received' || comment.parked;
  return {
    ...headKey(comment.id),
    ...sparse(comment),
    ...(listed && {
      gsi1pk: threadListing(comment.site, comment.thread, comment.parentId),
      gsi1sk: timeKey(comment.submittedAt, comment.id),
    }),
    ...(forDesk && { gsi2pk: deskListing(comment.site, deskStatus), gsi2sk: timeKey(deskAt, comment.id) }),
    ...workOf(comment),
  };
}

/** What most comments have, and no head says: a head under a kilobyte costs one unit a write, each copy in an index too. */
const USUAL = {
  parentId: null,
  depth: 0,
  publishedRevision: null,
  pendingRevision: null,
  notifyReplies: false,
  linkHosts: [],
  lang: '',
  reports: 0,
  appeals: 0,
} as const satisfies Partial<Comment>;

function sparse(comment: Comment): Partial<Comment> {
  const head: Record<string, unknown> = {};
  for (const name of Object.keys(comment)) {
    const value = comment[name as keyof Comment];
    const usual = (USUAL as Record<string, unknown>)[name];
    if (value !== usual && (name !== 'linkHosts' || comment.linkHosts.length > 0)) head[name] = value;
  }
  return head;
}

/** The comment of a head. */
export const commentOf = (item: Item): Comment => ({ ...USUAL, ...strip<Comment>(item) });

/** Decisions of all sites meet here: by the last sign of the id, so that they share no partition. */
const owedListing = (id: string): string => OWED_LISTINGS[(id.codePointAt(id.length - 1) ?? 0) % OWED_LISTINGS.length]!;
export const OWED_LISTINGS = ['OWED', 'OWED#1', 'OWED#2', 'OWED#3'] as const;

/** What the reconciler looks for: owed consequences, providers that did not answer, and tokens that nothing waits for. */
function workOf(comment: Comment): Pick<Item, 'gsi3pk' | 'gsi3sk'> {
  if (comment.owed) return { gsi3pk: owedListing(comment.id), gsi3sk: timeKey(comment.owed.since, comment.id) };
  const waits = comment.status === 'held' || comment.pendingRevision !== null;
  if (
    comment.judgement?.degraded &&
    (comment.status === 'held' || comment.status === 'published') &&
    !comment.decidedBy
  ) {
    return { gsi3pk: 'REVISIT', gsi3sk: timeKey(comment.judgement.at, comment.id) };
  }
  if (comment.token === undefined || waits) return {};
  return { gsi3pk: 'WAKE', gsi3sk: timeKey(comment.editedAt ?? comment.heldAt ?? comment.submittedAt, comment.id) };
}

/** The record without the table's own attributes. */
export function strip<T>(item: Item): T {
  const { pk: _pk, sk: _sk, gsi1pk: _1, gsi1sk: _2, gsi2pk: _3, gsi2sk: _4, gsi3pk: _5, gsi3sk: _6, ...rest } = item;
  return rest as T;
}
