import { z } from 'zod';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import type { Moderator } from './moderator.ts';

const Views = z.strictObject({
  views: z
    .array(
      z.strictObject({
        name: z.string().trim().min(1).max(60),
        /** As the address of the list has it. */
        filters: z.record(z.string().max(40), z.string().max(500)),
      }),
    )
    .max(50),
});

const keyOf = ({ user }: Moderator) => ({ pk: `U#${user}`, sk: 'views' });

/** The views that somebody saved; nobody else sees them. */
export function viewRoutes({ table }: Ports): Route<Moderator>[] {
  return [
    {
      method: 'GET',
      path: '/v1/moderation/views',
      summary: "One's saved views",
      access: 'moderator',
      responses: { 200: { description: '{views: [{name, filters}]}' } },
      async handle({ caller }) {
        const item = await table.get(keyOf(caller));
        return { status: 200, body: { views: item?.views ?? [] } };
      },
    },
    {
      method: 'PUT',
      path: '/v1/moderation/views',
      summary: "Replaces one's saved views",
      access: 'moderator',
      body: Views,
      responses: { 200: { description: '{views}' } },
      async handle({ caller, body }) {
        const { views }: z.infer<typeof Views> = body;
        await table.write([{ put: { ...keyOf(caller), views } }]);
        return { status: 200, body: { views } };
      },
    },
  ];
}
