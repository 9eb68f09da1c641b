import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { HOOK_EVENTS, MOST_WEBHOOKS, type Webhook, webhooksOf } from '../../shared/store/webhooks.ts';
import { audit } from './audit-log.ts';
import { mustBe, type Moderator } from './moderator.ts';

const PATH = '/v1/moderation/sites/:site/webhooks';
const NewWebhook = z.strictObject({
  url: z
    .url({ protocol: /^https$/, error: 'an address that begins with https://' })
    .max(2000)
    .refine((text) => !/^https:\/\/[^/?#]*@/i.test(text), 'without name and password: they would not be sent'),
  events: z.array(z.enum(HOOK_EVENTS)).min(1).max(HOOK_EVENTS.length).default(['CommentPublished', 'CommentHeld']),
  format: z.enum(['standard', 'slack']).default('standard'),
});
const ChangeWebhook = z.strictObject({ enabled: z.boolean() });
/** How long an old secret goes on signing beside a new one. */
const CHANGE_OVER_MS = 86_400_000;
/** So many old ones at most, however often somebody asks. */
const MOST_PREVIOUS = 3;
/** How often a write that lost a race is tried again. */
const RACES = 5;

/** Whom a site tells what happened, besides people: https://www.standardwebhooks.com */
export function webhookRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, vault, ids } = ports;
  const webhooks = webhooksOf(table);
  const sites = sitesOf(table, clock);

  const mustHave = async (caller: Moderator, site: string): Promise<string> => {
    mustBe(caller, 'admin', site);
    return (await sites.rules(site)).site.id;
  };

  const find = async (site: string, id: string | undefined): Promise<Webhook> => {
    const hook = (await webhooks.list(site)).find((one) => one.id === id);
    if (hook) return hook;
    throw new SluiceError('Request.NotFound', 'there is no such webhook', { hint: 'list them' });
  };

  const change = async (site: string, next: (hooks: readonly Webhook[]) => readonly Webhook[]): Promise<void> => {
    for (let race = 0; race < RACES; race++) if (await webhooks.change(site, next)) return;
    throw new SluiceError('Store.Busy', 'the webhooks of this site change too fast', { hint: 'try again' });
  };

  const shown = async (site: string, { secret: _secret, previous: _previous, ...hook }: Webhook) => ({
    ...hook,
    last: (await webhooks.last(site, hook.id)) ?? null,
  });

  return [
    {
      method: 'GET',
      path: PATH,
      summary: 'The webhooks of a site, each with how its last delivery went',
      access: 'admin',
      responses: { 200: { description: '{webhooks, events}' } },
      async handle({ caller, params }) {
        const site = await mustHave(caller, params.site ?? '');
        const all = await webhooks.list(site);
        const list = await Promise.all(all.map((hook) => shown(site, hook)));
        return { status: 200, body: { webhooks: list, events: HOOK_EVENTS } };
      },
    },
    {
      method: 'POST',
      path: PATH,
      summary: 'Adds a webhook; its secret is shown this once',
      access: 'admin',
      body: NewWebhook,
      responses: { 201: { description: 'The webhook, with its secret' } },
      async handle({ caller, params, body }) {
        const site = await mustHave(caller, params.site ?? '');
        const wanted: z.infer<typeof NewWebhook> = body;
        const secret = newSecret();
        const hook: Webhook = {
          ...wanted,
          id: ids.next(),
          secret: vault.seal(secret),
          enabled: true,
          createdAt: clock.now(),
        };
        await change(site, (hooks) => {
          if (hooks.length < MOST_WEBHOOKS) return [...hooks, hook];
          throw new SluiceError('Request.Invalid', `a site has at most ${MOST_WEBHOOKS} webhooks`, {
            hint: 'delete one first',
          });
        });
        await audit(ports, { site, by: `user:${caller.user}`, action: 'webhook-added', about: hook.id });
        return { status: 201, body: { ...(await shown(site, hook)), secret } };
      },
    },
    {
      method: 'PATCH',
      path: `${PATH}/:hook`,
      summary: 'Turns a webhook on or off',
      access: 'admin',
      body: ChangeWebhook,
      responses: { 200: { description: 'The webhook' } },
      async handle({ caller, params, body }) {
        const site = await mustHave(caller, params.site ?? '');
        const { enabled }: z.infer<typeof ChangeWebhook> = body;
        const { why: _why, ...known } = await find(site, params.hook);
        const next: Webhook = { ...known, enabled };
        await change(site, (hooks) => hooks.map((hook) => (hook.id === next.id ? next : hook)));
        await audit(ports, { site, by: `user:${caller.user}`, action: 'webhook-changed', about: next.id });
        return { status: 200, body: await shown(site, next) };
      },
    },
    {
      method: 'POST',
      path: `${PATH}/:hook/secret`,
      summary: 'Makes another secret, shown this once; the one before signs beside it for 24 hours',
      access: 'admin',
      responses: { 200: { description: 'The webhook, with its secret' } },
      async handle({ caller, params }) {
        const site = await mustHave(caller, params.site ?? '');
        const { id } = await find(site, params.hook);
        const secret = newSecret();
        const sealed = vault.seal(secret);
        const now = clock.now();
        await change(site, (hooks) =>
          hooks.map((hook) => {
            if (hook.id !== id) return hook;
            const before = { secret: hook.secret, until: now + CHANGE_OVER_MS };
            const holding = (hook.previous ?? []).filter(({ until }) => until > now);
            return { ...hook, secret: sealed, previous: [before, ...holding].slice(0, MOST_PREVIOUS) };
          }),
        );
        await audit(ports, { site, by: `user:${caller.user}`, action: 'webhook-changed', about: id });
        return { status: 200, body: { ...(await shown(site, await find(site, id))), secret } };
      },
    },
    {
      method: 'DELETE',
      path: `${PATH}/:hook`,
      summary: 'Deletes a webhook; what waits for it is dropped',
      access: 'admin',
      responses: { 204: { description: 'Gone' } },
      async handle({ caller, params }) {
        const site = await mustHave(caller, params.site ?? '');
        const { id } = await find(site, params.hook);
        await change(site, (hooks) => hooks.filter((hook) => hook.id !== id));
        await audit(ports, { site, by: `user:${caller.user}`, action: 'webhook-deleted', about: id });
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: `${PATH}/:hook/test`,
      summary: 'Sends one event made up for it, once; how that went stands in the list as `last`',
      access: 'admin',
      responses: { 202: { description: 'Queued' } },
      async handle({ caller, params }) {
        const site = await mustHave(caller, params.site ?? '');
        const hook = await find(site, params.hook);
        const at = new Date(clock.now()).toISOString();
        const id = `test-${ids.next()}`;
        const detail = { schema: 1, site, id, thread: '/test', version: 1, at, revision: 1, parentId: null };
        const message = { site, hook: hook.id, type: 'CommentPublished', detail, once: true };
        await ports.queues.webhooks!.send(JSON.stringify(message));
        return { status: 202, body: { id } };
      },
    },
  ];
}

/** 24 to 64 bytes, in base64 behind the prefix (Standard Webhooks, "Signature scheme"). */
const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;
