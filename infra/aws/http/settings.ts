import { settingsRoutes } from '../../../services/moderation/settings-routes.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { Environment } from '../environment.ts';
import type { WebApp } from '../http-entry.ts';
import { deskApp } from './desk-app.ts';
import { healthRoute } from './health.ts';
import { oidcRoutes } from './oidc.ts';

/** What is asked seldom, and signing in: apart from what moderators work with. It looks at queues, hence /health too. */
export const settings = (ports: Ports, environment: Environment): WebApp =>
  deskApp([healthRoute(ports), ...oidcRoutes(ports, environment), ...settingsRoutes(ports)], ports);
