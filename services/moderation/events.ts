import { z } from 'zod';
import type { Route } from '../../shared/http.ts';
import type { Changes } from './changes.ts';
import { may, type Moderator } from './moderator.ts';

const EventsQuery = z.strictObject({ after: z.string().max(80).optional(), site: z.string().max(63).optional() });

export function eventRoutes(changes: Changes): Route<Moderator>[] {
  return [
    {
      method: 'GET',
      path: '/v1/moderation/events',
      summary: 'What changed at the desk since a cursor; `reset` asks to read the list again',
      access: 'moderator',
      query: EventsQuery,
      responses: { 200: { description: '{events, cursor, reset}' } },
      async handle({ caller, query }) {
        const { after, site }: z.infer<typeof EventsQuery> = query;
        const { changes: found, cursor, reset } = changes.since(after);
        const events = found.filter((change) => may(caller, change.site) && (!site || change.site === site));
        return { status: 200, body: { events, cursor, reset } };
      },
    },
  ];
}
