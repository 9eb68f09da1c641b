import type { Moderator } from '../../../services/moderation/moderator.ts';
import { authenticate } from '../../../services/moderation/sessions.ts';
import { appOf, type Route, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { WebApp } from '../http-entry.ts';

/** Some routes of the desk, which is of our own origin: no page of another one reads its answers. */
export function deskApp(routes: readonly Route<Moderator>[], ports: Ports): WebApp {
  const app = appOf({ cors: async () => undefined, known: routes, log: ports.log });
  app.route('/', serve(routes, { authenticate: authenticate(ports), log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
