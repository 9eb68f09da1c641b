import type { Route } from '../../shared/http.ts';
import type { Door } from '../../services/door/door.ts';
import { descriptionsOf } from './described.ts';
import { linkRoutes } from './links.ts';
import { readerRoutes } from './readers.ts';
import type { Described } from './served.ts';

/**
 * All that readers, writers and authors call, on both runtimes.
 *
 * @param others what is answered elsewhere, for the OpenAPI page
 */
export function publicRoutes(door: Door, others: readonly Described[]): Route[] {
  const routes = [...readerRoutes(door), ...linkRoutes(door)];
  return [...routes, ...descriptionsOf([...routes, ...others])];
}
