import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Comment } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { Id } from '../../shared/events.ts';
import { holdingNow, type Holding } from '../../shared/hours.ts';
import type { Call, Reply } from '../../shared/http.ts';
import type { Store } from '../../shared/store/comments.ts';
import { heatKey, timeKey } from '../../shared/store/keys.ts';
import { isClosed } from '../validate/handler.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import { threadPath } from '../widget/thread-page.ts';
import type { Door } from './door.ts';

/** Replies shown under a comment before one asks for more. */
const FIRST_REPLIES = 3;
/** Replies beside the one to which a permalink leads. */
const REPLIES_ON_THE_WAY = 100;
/** Deeper levels than this are asked for by `parent`. */
const SHOWN_DEPTH = 6;
/** Replies that come along with a page, over all levels; the others are asked for by `parent`. */
const MOST_REPLIES = 400;
/** The cursor of replies of which none came along. */
const FROM_THE_FIRST = 'first';

export const ThreadQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().max(2000).optional(),
  order: z.enum(['oldest', 'newest']).default('oldest'),
  parent: Id.optional(),
  around: Id.optional(),
});
export type ThreadQuery = z.infer<typeof ThreadQuery>;

export type ShownComment = {
  id: string;
  parentId: string | null;
  depth: number;
  state: 'published' | 'removed' | 'deleted' | 'erased';
  author: { name: string; url?: string; role?: 'author' | 'moderator' };
  html: string;
  createdAt: string;
  editedAt?: string;
  replyCount: number;
  replies: ShownComment[];
  repliesCursor?: string;
  permalink: string;
};

export const Thread = z.object({
  comments: z.array(z.any().describe('A comment with its first replies')),
  total: z.int(),
  nextCursor: z.string().nullable(),
  thread: z.object({
    closed: z.boolean(),
    replyDepth: z.int(),
    holds: z
      .enum(['premoderation', 'hours', 'away', 'heat'])
      .optional()
      .describe('Why new comments wait for a person just now'),
  }),
});

export type ThreadPage = {
  comments: ShownComment[];
  total: number;
  nextCursor: string | null;
  thread: { closed: boolean; replyDepth: number; holds?: Holding };
};

/** One page of a thread: `limit` counts comments of the level asked for, replies come along. */
export async function threadPage(door: Door, siteId: string, key: string, query: ThreadQuery): Promise<ThreadPage> {
  const { sites, store, ports } = door;
  const { site, policy } = await sites.rules(siteId);
  const asked = normaliseThreadKey(key, site.threadParams);
  const record = await sites.thread(site.id, asked);
  const thread = record?.key ?? asked;
  const context = {
    store,
    pageOf: (id: string) => record?.url ?? `${ports.publicUrl}${threadPath(site.id, thread, { around: id })}`,
  };
  const way = query.around === undefined ? undefined : await wayTo(store, query.around, site.id, thread);
  const level = await store.level(site.id, thread, query.parent ?? null, {
    order: query.order === 'newest' ? 'descending' : 'ascending',
    limit: query.limit,
    ...(query.cursor && query.cursor !== FROM_THE_FIRST && { cursor: query.cursor }),
    ...(way && (query.order === 'newest' ? { to: way.root } : { from: way.root })),
  });
  const { policy: rules } = policy;
  const now = ports.clock.now();
  const warm = rules.heatPerMinute === null ? undefined : await ports.table.get(heatKey(site.id, thread, now));
  const holds = holdingNow(rules, { premoderate: record?.premoderate ?? false, perMinute: Number(warm?.n ?? 0) }, now);
  return {
    comments: await shown({ ...context, way: way?.comments ?? [], room: { left: MOST_REPLIES } }, level.comments, 0),
    total: await store.threadCount(site.id, thread),
    nextCursor: level.cursor ?? null,
    thread: {
      closed: isClosed(record, rules, now),
      replyDepth: rules.replyDepth,
      ...(holds && { holds }),
    },
  };
}

/** The comments from the top level down to a permalink's, and where the page begins that shows them. */
async function wayTo(
  store: Store,
  id: string,
  site: string,
  thread: string,
): Promise<{ comments: readonly Comment[]; root: string }> {
  let comment = await store.get(id);
  if (!comment || comment.site !== site || comment.thread !== thread) {
    throw new SluiceError('Comment.Unknown', 'this thread has no such comment', {
      hint: 'the link may be old; open the thread itself',
    });
  }
  const comments = [comment];
  for (let depth = comment.depth; depth > 0 && comment.parentId; depth--) {
    const parent = await store.get(comment.parentId);
    if (!parent) break;
    comment = parent;
    comments.unshift(comment);
  }
  return { comments, root: timeKey(comment.submittedAt, comment.id) };
}

/** Comments with their texts and first replies. A tombstone stays only where something is left beneath it. */
async function shown(
  context: { store: Store; pageOf(id: string): string; way: readonly Comment[]; room: { left: number } },
  comments: readonly Comment[],
  depth: number,
): Promise<ShownComment[]> {
  if (comments.length === 0) return [];
  const { store, pageOf, way, room } = context;
  const [texts, counts] = await Promise.all([
    store.revisions(comments.map(({ id, publishedRevision }) => ({ id, revision: publishedRevision ?? 1 }))),
    store.replyCounts(comments.map(({ id }) => id)),
  ]);
  const all = await Promise.all(
    comments.map(async (comment, index): Promise<ShownComment | undefined> => {
      const published = comment.status === 'published';
      const { published: replyCount, listed } = counts[index] ?? { published: 0, listed: 0 };
      const state =
        comment.status === 'published' || comment.status === 'deleted' || comment.status === 'erased'
          ? comment.status
          : 'removed';
      const replies: { comments: readonly Comment[]; cursor?: string } =
        listed === 0
          ? { comments: [] }
          : (depth < SHOWN_DEPTH && room.left > 0) || way.some(({ id }) => id === comment.id)
            ? await repliesOf(store, comment, way, room)
            : { comments: [], cursor: FROM_THE_FIRST };
      const beneath = await shown(context, replies.comments, depth + 1);
      if (!published && replyCount === 0 && beneath.length === 0 && !replies.cursor) return undefined;
      return {
        id: comment.id,
        parentId: comment.parentId,
        depth: comment.depth,
        state,
        author: published
          ? {
              name: comment.author.name,
              ...(comment.author.url && { url: comment.author.url }),
              ...(comment.author.role && { role: comment.author.role }),
            }
          : { name: '' },
        html: published ? (texts[index]?.html ?? '') : '',
        createdAt: new Date(comment.submittedAt).toISOString(),
        ...(published &&
          comment.editedAt &&
          comment.publishedRevision !== 1 && { editedAt: new Date(comment.editedAt).toISOString() }),
        replyCount,
        replies: beneath,
        ...(replies.cursor && { repliesCursor: replies.cursor }),
        permalink: `${pageOf(comment.id)}#sluice-${comment.id}`,
      };
    }),
  );
  return all.filter((comment) => comment !== undefined);
}

/** The first replies; on the way to a permalink more of them, and the next step of that way in any case. */
async function repliesOf(store: Store, comment: Comment, way: readonly Comment[], room: { left: number }) {
  const next = way.find(({ parentId }) => parentId === comment.id);
  // Taken before they are read: the levels of a page are read side by side.
  room.left -= FIRST_REPLIES;
  const first = await store.level(comment.site, comment.thread, comment.id, {
    order: 'ascending',
    limit: next ? REPLIES_ON_THE_WAY : FIRST_REPLIES,
  });
  if (!next || next.publishedAt === undefined || first.comments.some(({ id }) => id === next.id)) return first;
  return { ...first, comments: [...first.comments, next] };
}

/** The page with validators: a reader that has it already gets 304 (RFC 9110, section 13). */
export async function readThread(door: Door, call: Call): Promise<Reply> {
  const query: ThreadQuery = call.query;
  const page = await threadPage(door, call.params.site ?? '', call.params.thread ?? '', query);
  return cacheable(call, JSON.stringify(page), 'application/json');
}

/** An answer that may be kept for some seconds and asked for again by its tag. */
export function cacheable(call: Pick<Call, 'header'>, text: string, type: string): Reply {
  const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
  const headers = { etag, 'cache-control': 'public, max-age=5, stale-while-revalidate=30' };
  if (knows(call.header('if-none-match'), etag)) return { status: 304, headers };
  return { status: 200, raw: { type, text }, headers };
}

/** Whether If-None-Match names this tag: compared weakly, since proxies that compress make tags weak (RFC 9110, 13.1.2). */
export function knows(given: string | undefined, etag: string): boolean {
  return given?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false;
}

export const CountsQuery = z.strictObject({
  thread: z.union([z.string().min(1).max(2000), z.array(z.string().min(1).max(2000)).max(100)]),
});

/** Counts for index pages, by the keys as they were asked. */
export async function readCounts(door: Door, call: Call): Promise<Reply> {
  const { sites, store } = door;
  const { thread }: z.infer<typeof CountsQuery> = call.query;
  const { site } = await sites.rules(call.params.site ?? '');
  const keys = [thread].flat();
  const counts = await Promise.all(
    keys.map(async (key) => {
      const asked = normaliseThreadKey(key, site.threadParams);
      return store.threadCount(site.id, (await sites.thread(site.id, asked))?.key ?? asked);
    }),
  );
  return cacheable(
    call,
    JSON.stringify({ counts: Object.fromEntries(keys.map((key, index) => [key, counts[index]])) }),
    'application/json',
  );
}
