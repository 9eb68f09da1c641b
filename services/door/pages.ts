import { z } from 'zod';
import { Id, SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import { renderThreadPage, THREAD_PAGE_CSP } from '../widget/thread-page.ts';
import type { Door } from './door.ts';
import { privacyPage } from './privacy.ts';
import { cacheable, threadPage } from './read.ts';

const PageQuery = z.strictObject({
  order: z.enum(['oldest', 'newest']).default('oldest'),
  cursor: z.string().max(2000).optional(),
  parent: Id.optional(),
});

/** The thread as a page, without scripts. */
export function pageRoutes(door: Door): Route[] {
  return [
    {
      method: 'GET',
      path: '/privacy',
      summary: 'What is stored, where, and how long',
      access: 'public',
      query: z.strictObject({ site: SiteId.optional() }),
      responses: { 200: { description: 'HTML' } },
      async handle(call) {
        const { site }: { site?: string } = call.query;
        // Where there is one site alone, the page is that site's.
        const all = site === undefined ? await door.sites.list() : [];
        const id = site ?? (all.length === 1 ? all[0]!.id : undefined);
        return privacyPage(id === undefined ? undefined : await door.sites.rules(id));
      },
    },
    {
      method: 'GET',
      path: '/t/:site/:thread',
      summary: 'The thread as a page, without scripts',
      access: 'public',
      query: PageQuery,
      responses: { 200: { description: 'HTML' } },
      async handle(call) {
        const query: z.infer<typeof PageQuery> = call.query;
        const { site } = await door.sites.rules(call.params.site ?? '');
        const key = normaliseThreadKey(call.params.thread ?? '', site.threadParams);
        const record = await door.sites.thread(site.id, key);
        const page = await threadPage(door, site.id, key, { limit: 100, ...query });
        const html = renderThreadPage({
          site: site.id,
          thread: key,
          ...(record?.title && { title: record.title }),
          ...(record?.url && { url: record.url }),
          comments: page.comments,
          total: page.total,
          nextCursor: page.nextCursor,
          closed: page.thread.closed,
          order: query.order,
          continued: query.cursor !== undefined,
          ...(query.parent && { parent: query.parent }),
          now: door.ports.clock.now(),
        });
        const reply = cacheable(call, html, 'text/html; charset=utf-8');
        return {
          ...reply,
          headers: {
            ...reply.headers,
            'content-security-policy': THREAD_PAGE_CSP,
            'x-content-type-options': 'nosniff',
          },
        };
      },
    },
  ];
}
