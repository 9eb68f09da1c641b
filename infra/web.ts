import type { Route } from '../shared/http.ts';
import { authorRoutes } from '../services/author/routes.ts';
import { mailRoutes } from '../services/deliver/mail-routes.ts';
import type { Door } from '../services/door/door.ts';
import { pageRoutes } from '../services/door/pages.ts';
import { doorRoutes } from '../services/door/routes.ts';
import type { Described } from './served.ts';

/**
 * All that readers, writers and authors call, on both runtimes.
 *
 * @param others what is answered elsewhere, for the OpenAPI page
 */
export function publicRoutes(door: Door, others: readonly Described[]): Route[] {
  const besides = [...mailRoutes(door.ports), ...authorRoutes(door), ...pageRoutes(door)];
  return [...doorRoutes(door, [...besides, ...others] as unknown as Route<never>[]), ...besides];
}
