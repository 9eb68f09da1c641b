import { authenticate } from '../../../services/moderation/sessions.ts';
import { moderationRoutes } from '../../../services/moderation/routes.ts';
import { serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { Environment } from '../environment.ts';
import type { WebApp } from '../http-entry.ts';
import { appOf } from './app.ts';
import { oidcRoutes } from './oidc.ts';

/** The desk's API. Signing in by password is for the local runtime: here Cognito does it, and opens the same session. */
export function moderation(ports: Ports, environment: Environment): WebApp {
  const routes = moderationRoutes(ports).filter(
    ({ method, path }) => !(method === 'POST' && path === '/v1/moderation/sessions'),
  );
  const app = appOf(ports.log);
  app.route(
    '/',
    serve([...oidcRoutes(ports, environment), ...routes], { authenticate: authenticate(ports), log: ports.log }),
  );
  return async (request, client) => app.fetch(request, { client });
}
