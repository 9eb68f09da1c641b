import type { Route } from '../../shared/http.ts';
import type { Door } from '../../services/door/door.ts';
import { linkRoutes } from './links.ts';
import { readerRoutes } from './readers.ts';
import type { Described } from './served.ts';

/**
 * All that readers, writers and authors call, on both runtimes.
 *
 * @param others what is answered elsewhere, for the OpenAPI page
 */
export function publicRoutes(door: Door, others: readonly Described[]): Route[] {
  const links = linkRoutes(door);
  return [...readerRoutes(door, [...(links as unknown as Described[]), ...others]), ...links];
}
