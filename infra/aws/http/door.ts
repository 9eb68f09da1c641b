import { corsOf } from '../../../services/door/cors.ts';
import { doorOf } from '../../../services/door/door.ts';
import { appOf, type Route, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import { readerRoutes } from '../../web/readers.ts';
import type { WebApp } from '../http-entry.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { healthOf } from './health.ts';

/** The public API, as the local server has it; what describes it is a file beside the pages. */
export function door(ports: Ports): WebApp {
  const unit = doorOf(ports, { rateLimit: true });
  const health: Route = {
    method: 'GET',
    path: '/health',
    summary: '',
    access: 'public',
    responses: {},
    handle: async () => ({ status: 200, body: { status: 'ok', queues: await healthOf(ports) } }),
  };
  const routes = [health, ...readerRoutes(unit, []).filter(({ path }) => !DESCRIPTIONS.includes(path))];
  const app = appOf({ cors: corsOf(unit), known: routes, log: ports.log });
  app.route('/', serve(routes, { authenticate: async () => undefined, log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
