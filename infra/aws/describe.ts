import { doorOf } from '../../services/door/door.ts';
import { doorRoutes } from '../../services/door/routes.ts';
import { moderationRoutes } from '../../services/moderation/routes.ts';
import type { Call, Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { DESCRIPTIONS } from './http/descriptions.ts';

/**
 * The pages that describe the API, by their paths: the door's own routes asked once, at synth, so that no function carries
 * what makes JSON Schemas, nor the routes of another function.
 */
export async function describeApi(): Promise<Record<string, unknown>> {
  const ports = unusable as Ports;
  const described = moderationRoutes(ports) as unknown as Route<never>[];
  const routes = doorRoutes(doorOf(ports, { rateLimit: true }), described);
  const pages = await Promise.all(
    DESCRIPTIONS.map(async (path) => {
      const route = routes.find((one) => one.path === path)!;
      return [path, (await route.handle({} as Call)).body] as const;
    }),
  );
  return Object.fromEntries(pages);
}

/** Routes are data: naming them touches no port. Whatever is asked of one is itself again. */
const unusable: unknown = new Proxy(() => {}, {
  get: (_, property) =>
    property === Symbol.toPrimitive ? () => '' : property === 'startsWith' ? () => false : unusable,
  apply: () => unusable,
});
