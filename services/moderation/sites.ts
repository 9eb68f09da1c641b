import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId, ThreadKey } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { Author, Site, sitesOf } from '../../shared/store/sites.ts';
import { audit } from './audit-log.ts';
import { defined } from './comments.ts';
import { adopt } from './threads.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import { may, mustBe, mustRule, type Moderator } from './moderator.ts';

const Origin = z
  .url({ protocol: /^https?$/ })
  .max(300)
  .refine(
    (text) => URL.canParse(text) && new URL(text).origin === text,
    'scheme, host and port alone: https://blog.example',
  );
const ChangeSite = Site.omit({ id: true, authors: true })
  .extend({ origins: z.array(Origin).max(50) })
  .partial();
const NewSite = Site.omit({ authors: true }).extend({ origins: z.array(Origin).max(50).default([]) });
const ListThreads = z.strictObject({
  site: SiteId,
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(2000).optional(),
});
const ChangeThread = z.strictObject({
  site: SiteId,
  key: ThreadKey,
  title: z.string().max(500).optional(),
  closed: z.boolean().optional(),
  premoderate: z.boolean().optional(),
  authorId: z.string().max(64).optional(),
  url: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
});
const NewAlias = z.strictObject({ site: SiteId, key: ThreadKey, alias: ThreadKey });

const shown = (moderator: Moderator, site: Site) => {
  const admin = may(moderator, site.id, 'admin');
  return {
    id: site.id,
    name: site.name,
    origins: site.origins,
    threadParams: site.threadParams ?? [],
    authors: (site.authors ?? []).map(({ email, ...author }) => ({ ...author, ...(admin && email && { email }) })),
    ...(admin && { moderatorEmails: site.moderatorEmails ?? [] }),
    mine: admin ? 'admin' : 'moderator',
  };
};

/** Sites, their authors and their threads. Addresses are for admins. */
export function siteRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock } = ports;
  const sites = sitesOf(table, clock);
  const tell = (moderator: Moderator, site: string, action: string, about: string) =>
    audit(ports, { site, by: `user:${moderator.user}`, action, about });

  return [
    {
      method: 'GET',
      path: '/v1/moderation/sites',
      summary: 'The sites that one works at, with their authors',
      access: 'moderator',
      responses: { 200: { description: '{sites}' } },
      async handle({ caller }) {
        const all = (await sites.list()).filter(({ id }) => may(caller, id));
        return { status: 200, body: { sites: all.map((site) => shown(caller, site)) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/sites',
      summary: 'Adds a site',
      access: 'admin',
      body: NewSite,
      responses: { 201: { description: 'The site' } },
      async handle({ caller, body }) {
        mustRule(caller);
        const wanted: z.infer<typeof NewSite> = body;
        if ((await sites.list()).some(({ id }) => id === wanted.id)) {
          throw new SluiceError('Request.Invalid', `there is a site "${wanted.id}" already`, {
            hint: 'choose another id, or change that one',
            fields: [{ pointer: '/id', detail: 'taken' }],
          });
        }
        const site: Site = { ...wanted, authors: [] };
        await sites.put(site);
        await tell(caller, site.id, 'site-added', site.id);
        return { status: 201, body: shown(caller, site) };
      },
    },
    {
      method: 'PATCH',
      path: '/v1/moderation/sites/:site',
      summary: "Changes a site's name, origins, thread parameters or moderators' addresses",
      access: 'admin',
      body: ChangeSite,
      responses: { 200: { description: 'The site' } },
      async handle({ caller, params, body }) {
        mustBe(caller, 'admin', params.site ?? '');
        const wanted: z.infer<typeof ChangeSite> = body;
        const { site } = await sites.fresh(params.site ?? '');
        const next = { ...site, ...defined(wanted) };
        await sites.put(next);
        await tell(caller, site.id, 'site-changed', Object.keys(wanted).join(', '));
        return { status: 200, body: shown(caller, next) };
      },
    },
    {
      method: 'PUT',
      path: '/v1/moderation/sites/:site/authors/:author',
      summary: 'Adds or changes an author of posts',
      access: 'admin',
      body: Author.omit({ id: true }),
      responses: { 200: { description: 'The site' } },
      async handle({ caller, params, body }) {
        mustBe(caller, 'admin', params.site ?? '');
        const { site } = await sites.fresh(params.site ?? '');
        const author = Author.parse({ ...(body as object), id: params.author });
        const next = { ...site, authors: [...site.authors.filter(({ id }) => id !== author.id), author] };
        await sites.put(next);
        await tell(caller, site.id, 'author', author.id);
        return { status: 200, body: shown(caller, next) };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/moderation/sites/:site/authors/:author',
      summary: 'Takes an author off a site; the comments stay',
      access: 'admin',
      responses: { 200: { description: 'The site' } },
      async handle({ caller, params }) {
        mustBe(caller, 'admin', params.site ?? '');
        const { site } = await sites.fresh(params.site ?? '');
        const next = { ...site, authors: site.authors.filter(({ id }) => id !== params.author) };
        await sites.put(next);
        await tell(caller, site.id, 'author-removed', params.author ?? '');
        return { status: 200, body: shown(caller, next) };
      },
    },
    {
      method: 'GET',
      path: '/v1/moderation/threads',
      summary: 'The threads of a site, by key',
      access: 'moderator',
      query: ListThreads,
      responses: { 200: { description: '{threads, nextCursor}' } },
      async handle({ caller, query }) {
        const { site, ...page }: z.infer<typeof ListThreads> = query;
        mustBe(caller, 'moderator', site);
        const { threads, cursor } = await sites.threads(site, defined(page));
        return { status: 200, body: { threads, nextCursor: cursor ?? null } };
      },
    },
    {
      method: 'PUT',
      path: '/v1/moderation/threads',
      summary: 'Closes, opens, premoderates or names a thread',
      access: 'admin',
      body: ChangeThread,
      responses: { 200: { description: 'The thread' } },
      async handle({ caller, body }) {
        const { site, key, ...wanted }: z.infer<typeof ChangeThread> = body;
        mustBe(caller, 'admin', site);
        const thread = await sites.thread(site, key);
        if (!thread) {
          throw new SluiceError('Request.NotFound', `no thread "${key.slice(0, 100)}" at ${site}`, {
            hint: 'a thread begins with its first comment',
          });
        }
        const { origins } = (await sites.rules(site)).site;
        if (wanted.url !== undefined && origins.length > 0 && !origins.includes(new URL(wanted.url).origin)) {
          throw new SluiceError('Request.Invalid', 'the page lies elsewhere', {
            hint: 'add the origin to the site first',
            fields: [{ pointer: '/url', detail: `on one of: ${origins.join(', ')}` }],
          });
        }
        const next = { ...thread, ...defined(wanted) };
        await sites.putThread(next);
        await tell(caller, site, 'thread', `${key}: ${Object.keys(wanted).join(', ')}`);
        return { status: 200, body: next };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/threads/aliases',
      summary:
        'Makes another key lead to a thread: the new key of a post that moved, or a thread whose comments come over',
      access: 'admin',
      body: NewAlias,
      responses: { 200: { description: '{thread, moved}' } },
      async handle({ caller, body }) {
        const { site, key, alias }: z.infer<typeof NewAlias> = body;
        mustBe(caller, 'admin', site);
        const { threadParams } = (await sites.rules(site)).site;
        const by = `user:${caller.user}`;
        const done = await adopt(ports, { site, key, alias: normaliseThreadKey(alias, threadParams), by });
        await tell(caller, site, 'thread-alias', `${alias} › ${done.thread.key}: ${done.moved} moved`);
        return { status: 200, body: done };
      },
    },
  ];
}
