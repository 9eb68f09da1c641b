import { corsOf } from '../../../services/door/cors.ts';
import { doorOf } from '../../../services/door/door.ts';
import { appOf, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import { publicRoutes } from '../../web.ts';
import type { WebApp } from '../http-entry.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { healthOf } from './health.ts';

/** The public API, as the local server has it; what describes it is a file beside the pages. */
export function door(ports: Ports): WebApp {
  const unit = doorOf(ports, { rateLimit: true });
  const routes = publicRoutes(unit, []).filter(({ path }) => !DESCRIPTIONS.includes(path));
  const app = appOf({ cors: corsOf(unit), known: [...routes, { method: 'GET', path: '/health' }], log: ports.log });
  app.get('/health', async (c) =>
    c.json({ status: 'ok', queues: await healthOf(ports) }, 200, { 'cache-control': 'no-store' }),
  );
  app.route('/', serve(routes, { authenticate: async () => undefined, log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
