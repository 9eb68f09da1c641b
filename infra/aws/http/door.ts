import { corsOf } from '../../../services/door/cors.ts';
import { doorOf } from '../../../services/door/door.ts';
import { appOf, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import { readerRoutes } from '../../web/readers.ts';
import type { WebApp } from '../http-entry.ts';

/** The public API, as the local server has it; what describes it is a file beside the pages. */
export function door(ports: Ports): WebApp {
  const unit = doorOf(ports, { rateLimit: true });
  const routes = readerRoutes(unit);
  const app = appOf({ cors: corsOf(unit), known: routes, log: ports.log });
  app.route('/', serve(routes, { authenticate: async () => undefined, log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
