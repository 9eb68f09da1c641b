import type { Moderator } from '../../../services/moderation/moderator.ts';
import { authenticate } from '../../../services/moderation/sessions.ts';
import { personRoutes } from '../../../services/moderation/persons.ts';
import { siteRoutes } from '../../../services/moderation/sites.ts';
import { webhookRoutes } from '../../../services/moderation/webhooks.ts';
import { type Route, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { Environment } from '../environment.ts';
import type { WebApp } from '../http-entry.ts';
import { appOf } from './app.ts';
import { oidcRoutes } from './oidc.ts';

/** Sites, their authors, threads and webhooks, what a person may ask by law, and signing in: what is asked seldom, apart from what moderators work with. */
export const settingsRoutes = (ports: Ports): Route<Moderator>[] => [
  ...siteRoutes(ports),
  ...webhookRoutes(ports),
  ...personRoutes(ports),
];

export function settings(ports: Ports, environment: Environment): WebApp {
  const app = appOf(ports.log);
  const routes = [...oidcRoutes(ports, environment), ...settingsRoutes(ports)];
  app.route('/', serve(routes, { authenticate: authenticate(ports), log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
