import { doorOf } from '../../services/door/door.ts';
import { rulesRoutes } from '../../services/moderation/rules-routes.ts';
import { settingsRoutes } from '../../services/moderation/settings-routes.ts';
import type { Call } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { SERVED } from '../web/served.ts';
import { publicRoutes } from '../web/public.ts';
import type { Environment } from './environment.ts';
import { DESCRIPTIONS } from './http/descriptions.ts';
import { deskRoutes } from './http/moderation.ts';
import { type Oidc, oidcRoutes } from './http/oidc.ts';
import { unusable } from './unusable.ts';

/**
 * The pages that describe the API, by their paths: the door's own routes asked once, at synth, so that no function carries
 * what makes JSON Schemas, nor the routes of another function.
 */
export async function describeApi(): Promise<Record<string, unknown>> {
  const ports = unusable as Ports;
  const desk = [
    ...SERVED,
    ...deskRoutes(ports),
    ...rulesRoutes(ports),
    ...settingsRoutes(ports),
    ...oidcRoutes(ports, unusable as Environment, unusable as Oidc),
  ];
  const routes = publicRoutes(doorOf(ports, { rateLimit: true }), desk);
  const pages = await Promise.all(
    DESCRIPTIONS.map(async (path) => {
      const route = routes.find((one) => one.path === path)!;
      return [path, (await route.handle({} as Call)).body] as const;
    }),
  );
  return Object.fromEntries(pages);
}
