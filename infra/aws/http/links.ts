import { corsOf } from '../../../services/door/cors.ts';
import { doorOf } from '../../../services/door/door.ts';
import { appOf, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import { linkRoutes } from '../../web/links.ts';
import type { WebApp } from '../http-entry.ts';

/** What a link in a mail leads to. */
export function links(ports: Ports): WebApp {
  const unit = doorOf(ports, { rateLimit: true });
  const routes = linkRoutes(unit);
  const app = appOf({ cors: corsOf(unit), known: routes, log: ports.log });
  app.route('/', serve(routes, { authenticate: async () => undefined, log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
