import { z } from 'zod';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { forgetEmail, personExport } from '../import/forget.ts';
import { audit } from './audit-log.ts';
import { mustRule, type Moderator } from './moderator.ts';

const Address = z
  .string()
  .trim()
  .min(3)
  .max(254)
  .regex(/^[^@\s]+@[^@\s]+$/, 'an e-mail address');
const Export = z.strictObject({ email: Address });
const Forget = z.strictObject({
  email: Address,
  /** Only says what it would erase. */
  dryRun: z.boolean().default(false),
});

/** What a person may ask of a site by law: all that is stored on them, and to be forgotten. An address never stands in a log. */
export function personRoutes(ports: Ports): Route<Moderator>[] {
  return [
    {
      method: 'POST',
      path: '/v1/moderation/persons/export',
      summary: 'All that is stored on a person, for the person',
      access: 'admin',
      body: Export,
      responses: { 200: { description: 'A JSON file' } },
      async handle({ caller, body }) {
        mustRule(caller);
        const { email }: z.infer<typeof Export> = body;
        const all = await personExport(ports, email);
        await audit(ports, { site: '*', by: `user:${caller.user}`, action: 'person-exported' });
        return { status: 200, body: all, headers: { 'content-disposition': 'attachment; filename="person.json"' } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/persons/forget',
      summary: 'Erases a person: comments become tombstones, contacts go; `dryRun` only counts',
      access: 'admin',
      body: Forget,
      responses: { 200: { description: '{comments, contacts, sites, dryRun}' } },
      async handle({ caller, body }) {
        mustRule(caller);
        const { email, dryRun }: z.infer<typeof Forget> = body;
        const onErased = ports.forgetTexts;
        const { comments, contacts, sites } = await forgetEmail(ports, email, {
          dryRun,
          ...(onErased && { onErased }),
        });
        if (!dryRun) {
          const about = `${comments.length} comments, ${contacts} contacts`;
          await audit(ports, { site: '*', by: `user:${caller.user}`, action: 'person-forgotten', about });
        }
        return { status: 200, body: { comments: comments.length, contacts, sites, dryRun } };
      },
    },
  ];
}
