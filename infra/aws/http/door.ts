import type { Route } from '../../../shared/http.ts';
import { serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import { authorRoutes } from '../../../services/author/routes.ts';
import { mailRoutes } from '../../../services/deliver/mail-routes.ts';
import { corsOf } from '../../../services/door/cors.ts';
import { doorOf } from '../../../services/door/door.ts';
import { pageRoutes } from '../../../services/door/pages.ts';
import { doorRoutes } from '../../../services/door/routes.ts';
import type { WebApp } from '../http-entry.ts';
import { appOf } from './app.ts';
import { DESCRIPTIONS } from './descriptions.ts';
import { healthOf } from './health.ts';

/** The public API, as the local server has it: the same routes, the same answers to a preflight. */
export function door(ports: Ports): WebApp {
  const unit = doorOf(ports, { rateLimit: true });
  const cors = corsOf(unit);
  const app = appOf(ports.log);
  app.use('/v1/*', async (c, next) => {
    const origin = c.req.header('origin');
    const allowed = origin === undefined ? undefined : await cors(c.req.path, origin);
    if (c.req.method === 'OPTIONS') {
      return new Response(null, {
        status: 204,
        headers: allowed
          ? {
              ...allowed,
              'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
              'access-control-allow-headers': 'content-type, authorization, idempotency-key, if-none-match',
              'access-control-max-age': '86400',
            }
          : {},
      });
    }
    await next();
    c.res.headers.set('x-content-type-options', 'nosniff');
    if (allowed) for (const [name, value] of Object.entries(allowed)) c.res.headers.set(name, value);
    return undefined;
  });
  app.get('/health', async (c) =>
    c.json({ status: 'ok', queues: await healthOf(ports) }, 200, { 'cache-control': 'no-store' }),
  );
  const routes: Route[] = [
    ...doorRoutes(unit).filter(({ path }) => !DESCRIPTIONS.includes(path)),
    ...mailRoutes(ports),
    ...authorRoutes(unit),
    ...pageRoutes(unit),
  ];
  app.route('/', serve(routes, { authenticate: async () => undefined, log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
