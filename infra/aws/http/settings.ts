import { settingsRoutes } from '../../../services/moderation/settings-routes.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { Environment } from '../environment.ts';
import type { WebApp } from '../http-entry.ts';
import { deskApp } from './desk-app.ts';
import { oidcRoutes } from './oidc.ts';

/** What is asked seldom, and signing in: apart from what moderators work with. */
export const settings = (ports: Ports, environment: Environment): WebApp =>
  deskApp([...oidcRoutes(ports, environment), ...settingsRoutes(ports)], ports);
