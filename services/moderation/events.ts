import { z } from 'zod';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import type { Changes } from './changes.ts';
import { may, mustBe, type Moderator } from './moderator.ts';

const EventsQuery = z.strictObject({ after: z.string().max(80).optional(), site: z.string().max(63).optional() });

/** Sites whose newest held comment is told without one being named. */
const SITES = 20;

export function eventRoutes(
  { table, clock, search }: Pick<Ports, 'table' | 'clock' | 'search'>,
  changes: Changes,
): Route<Moderator>[] {
  const sites = sitesOf(table, clock);
  return [
    {
      method: 'GET',
      path: '/v1/moderation/events',
      summary: 'What changed at the desk since a cursor, and what waits newest; `reset` asks to read the list again',
      access: 'moderator',
      query: EventsQuery,
      responses: { 200: { description: '{events, cursor, reset, held: {site: {newest, total?}}}' } },
      async handle({ caller, query }) {
        const { after, site }: z.infer<typeof EventsQuery> = query;
        if (site !== undefined) mustBe(caller, 'moderator', site);
        const { changes: found, cursor, reset } = changes.since(after);
        const events = found.filter((change) => may(caller, change.site) && (!site || change.site === site));
        const names =
          site === undefined ? (await sites.list()).map(({ id }) => id).filter((id) => may(caller, id)) : [site];
        // Asked of the store itself: what the pipeline holds is seen whoever ran it.
        const held = await Promise.all(
          names.slice(0, SITES).map(async (name) => {
            const page = await search.comments({ site: name, status: 'held', sort: 'newest', limit: 1 });
            const total = page.total === undefined ? {} : { total: page.total };
            return [name, { newest: page.ids[0] ?? null, ...total }] as const;
          }),
        );
        return { status: 200, body: { events, cursor, reset, held: Object.fromEntries(held) } };
      },
    },
  ];
}
