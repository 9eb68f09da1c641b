import { z } from 'zod';
import { STATUSES, type Comment } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { DeskQuery, Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import { timeKey } from '../../shared/store/keys.ts';
import { notificationsOf } from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { claim, release } from './claim-store.ts';
import type { Changes } from './changes.ts';
import { may, mustBe, type Moderator } from './moderator.ts';
import { notesOf } from './notes.ts';
import { row, rows, shownRevision } from './row.ts';

/** Milliseconds since the epoch, or an ISO date. */
export const Moment = z
  .string()
  .max(40)
  .transform((text, context) => {
    const at = /^\d{1,13}$/.test(text) ? Number(text) : Date.parse(text);
    if (Number.isFinite(at)) return at;
    context.addIssue({ code: 'custom', message: 'milliseconds since the epoch, or an ISO date' });
    return z.NEVER;
  });

const ListQuery = z.strictObject({
  site: SiteId.optional(),
  status: z.enum([...STATUSES, 'failed']).optional(),
  q: z.string().max(400).optional(),
  author: z.string().max(400).optional(),
  thread: z.string().max(500).optional(),
  signal: z.string().max(80).optional(),
  lang: z.string().max(20).optional(),
  since: Moment.optional(),
  until: Moment.optional(),
  decidedBy: z.string().max(80).optional(),
  network: z.string().max(64).optional(),
  linkHost: z.string().max(253).optional(),
  fingerprint: z.string().max(200).optional(),
  sort: z.enum(['oldest', 'newest', 'risk', 'reports']).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(2000).optional(),
});

const Claimed = z.strictObject({ id: z.string().max(64), release: z.boolean().optional() });

export function commentRoutes(ports: Ports, changes: Changes): Route<Moderator>[] {
  const { table, clock, search } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);

  const mustSee = async (moderator: Moderator, id: string): Promise<Comment> => {
    const comment = await store.get(id);
    // Whose site it is not learns no more than that there is nothing.
    if (!comment || !may(moderator, comment.site)) {
      throw new SluiceError('Comment.Unknown', `no comment ${id.slice(0, 64)}`, { hint: 'check the id' });
    }
    return comment;
  };

  const list: Route<Moderator> = {
    method: 'GET',
    path: '/v1/moderation/comments',
    summary: 'Comments as the desk lists them; without a site, those of every site that one moderates, site by site',
    access: 'moderator',
    query: ListQuery,
    responses: { 200: { description: '{comments, total?, nextCursor, partial?}' } },
    async handle({ caller, query }) {
      const { site, cursor, decidedBy, ...rest }: z.infer<typeof ListQuery> = query;
      const wanted = defined({
        ...rest,
        decidedBy: decidedBy === undefined || decidedBy === 'policy' ? decidedBy : `user:${decidedBy}`,
      });
      if (site !== undefined) mustBe(caller, 'moderator', site);
      const names = site === undefined ? await sitesFor(caller) : [(await sites.rules(site)).site.id];
      const page = await across(names, wanted, cursor);
      const heads = await store.getMany(page.ids);
      return {
        status: 200,
        body: {
          comments: await rows(
            ports,
            heads.filter((head) => head !== undefined),
          ),
          ...(page.total !== undefined && { total: page.total }),
          nextCursor: page.nextCursor ?? null,
          ...(page.partial && { partial: true }),
        },
      };
    },
  };

  const sitesFor = async (caller: Moderator): Promise<readonly string[]> =>
    (await sites.list()).map(({ id }) => id).filter((id) => may(caller, id));

  /** One site after the other: the cursor says which, and where in it. */
  const across = async (names: readonly string[], wanted: Omit<DeskQuery, 'site'>, cursor: string | undefined) => {
    const [at, inner] = cursor === undefined ? [names[0], undefined] : openCursor(cursor);
    const found: string[] = [];
    let total: number | undefined = 0;
    let partial = false;
    let nextCursor: string | undefined;
    for (const [index, site] of names.entries()) {
      const started = at === undefined || index >= names.indexOf(at);
      const room = wanted.limit - found.length;
      const skips = !started || room <= 0;
      const page = await search.comments({
        ...wanted,
        site,
        limit: skips ? 1 : room,
        ...(site === at && inner && { cursor: inner }),
      });
      total = page.total === undefined || total === undefined ? undefined : total + page.total;
      partial ||= page.partial ?? false;
      if (skips) {
        if (started && nextCursor === undefined && page.ids.length > 0) nextCursor = closeCursor(site, '');
        continue;
      }
      found.push(...page.ids);
      if (page.nextCursor) nextCursor ??= closeCursor(site, page.nextCursor);
    }
    return { ids: found, total, nextCursor, partial };
  };

  const detail: Route<Moderator> = {
    method: 'GET',
    path: '/v1/moderation/comments/:id',
    summary:
      'One comment with all that explains it: texts, signals, decisions, trace, notifications, history, likeness',
    access: 'moderator',
    responses: { 200: { description: 'The row and what stands behind it' } },
    async handle({ caller, params }) {
      const comment = await mustSee(caller, params.id ?? '');
      const judgement = (await store.judged([comment]))[0]?.judgement;
      const { id, site, thread, author, fingerprint, parentId } = comment;
      const at = timeKey(comment.submittedAt, id);
      const level = (order: 'ascending' | 'descending') =>
        store.level(site, thread, parentId, {
          order,
          limit: 4,
          ...(order === 'ascending' ? { from: at } : { to: at }),
        });
      const [base, revisions, log, notifications, written, alike, before, after, parent, notes, deadId] =
        await Promise.all([
          row(ports, comment),
          store.allRevisions(id),
          store.log(id),
          notificationsOf(table).of(id),
          author.key === '' ? { ids: [] } : search.comments({ site, author: author.key, sort: 'newest', limit: 11 }),
          fingerprint === '' ? { ids: [] } : search.comments({ site, fingerprint, sort: 'newest', limit: 11 }),
          level('descending'),
          level('ascending'),
          parentId === null ? undefined : store.get(parentId),
          notesOf(table).of(id),
          deadLettersOf(table).ofComment(id),
        ]);
      const others = async (ids: readonly string[]) =>
        (await store.getMany(ids.filter((other) => other !== id)))
          .filter((other) => other !== undefined)
          .slice(0, 10)
          .map(brief);
      const [history, similarComments, parentText, letter] = await Promise.all([
        others(written.ids),
        others(alike.ids),
        parent && store.revision(parent.id, shownRevision(parent)),
        deadId === undefined ? undefined : deadLettersOf(table).get(deadId),
      ]);
      const shown = revisions.find(({ revision }) => revision === base.revision);
      return {
        status: 200,
        body: {
          ...base,
          body: (revisions.find(({ revision }) => revision === shownRevision(comment)) ?? shown)?.body ?? '',
          revisions,
          signals: judgement?.signals ?? [],
          ...(judgement && {
            judgement: {
              verdict: judgement.verdict,
              score: judgement.score,
              toxicity: judgement.toxicity,
              policyVersion: judgement.policyVersion,
              modelVersion: judgement.modelVersion,
              executionId: judgement.executionId,
              degraded: [...(judgement.degraded ?? []), ...(judgement.unheard ?? [])],
              at: judgement.at,
            },
          }),
          log: log.map(({ before: _before, ...told }) => ({ ...told, by: told.by.replace(/^user:/, '') })),
          trace: log.flatMap(({ trace }) => (trace ? [trace] : [])),
          notifications: notifications.map(({ messageId: _id, ...told }) => told),
          notes,
          history,
          similarComments,
          ...(parent && { parent: { ...brief(parent), author: parent.author.name, html: parentText?.html ?? '' } }),
          around: [
            ...before.comments.toReversed(),
            ...after.comments.filter((near) => !before.comments.some((seen) => seen.id === near.id)),
          ]
            .filter((near) => near.id !== id)
            .map(brief),
          ...(letter && { deadLetter: { id: letter.id, reason: letter.reason, source: letter.source } }),
        },
      };
    },
  };

  const claims: Route<Moderator> = {
    method: 'POST',
    path: '/v1/moderation/claims',
    summary: 'Takes, renews or gives back a lease of 60 s on what one looks at',
    access: 'moderator',
    body: Claimed,
    responses: { 200: { description: '{id, mine, claimedBy?, until?}: who holds it now' } },
    async handle({ caller, body }) {
      const wanted: z.infer<typeof Claimed> = body;
      const comment = await mustSee(caller, wanted.id);
      const about = { site: comment.site, commentId: comment.id, by: caller.user };
      if (wanted.release) {
        await release(ports, comment.id, caller.user);
        changes.push({ ...about, type: 'released' });
        return { status: 200, body: { id: comment.id, mine: false } };
      }
      const held = await claim(ports, comment.id, caller.user);
      const mine = held.user === caller.user;
      if (mine) changes.push({ ...about, type: 'claimed' });
      return { status: 200, body: { id: comment.id, mine, claimedBy: held.user, until: held.until } };
    },
  };

  return [list, detail, claims];
}

const brief = (comment: Comment) => ({
  id: comment.id,
  status: comment.status,
  author: comment.author.name,
  excerpt: comment.excerpt,
  submittedAt: comment.submittedAt,
  thread: comment.thread,
  ...(comment.reason !== undefined && { reason: comment.reason }),
});

function closeCursor(site: string, inner: string): string {
  return Buffer.from(JSON.stringify([site, inner])).toString('base64url');
}

function openCursor(cursor: string): [string | undefined, string | undefined] {
  try {
    const read: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [site, inner] = z.tuple([z.string(), z.string()]).parse(read);
    return [site, inner === '' ? undefined : inner];
  } catch (cause) {
    throw new SluiceError('Request.Invalid', 'the cursor is not one of ours', {
      hint: 'send nextCursor as it was answered, or none',
      fields: [{ pointer: '/cursor', detail: 'unknown' }],
      cause,
    });
  }
}

/** Without the fields that are undefined, as optional fields want it. */
export function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}
