import type { Route } from '../../shared/http.ts';
import type { Door } from '../../services/door/door.ts';
import { pageRoutes } from '../../services/door/pages.ts';
import { doorRoutes } from '../../services/door/routes.ts';
import type { Described } from './served.ts';

/**
 * What readers and writers call.
 *
 * @param others what is answered elsewhere, for the OpenAPI page
 */
export function readerRoutes(door: Door, others: readonly Described[]): Route[] {
  const pages = pageRoutes(door);
  return [...doorRoutes(door, [...pages, ...others] as unknown as Route<never>[]), ...pages];
}
