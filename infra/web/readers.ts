import type { Route } from '../../shared/http.ts';
import type { Door } from '../../services/door/door.ts';
import { pageRoutes } from '../../services/door/pages.ts';
import { doorRoutes } from '../../services/door/routes.ts';

/** What readers and writers call. */
export const readerRoutes = (door: Door): Route[] => [...doorRoutes(door), ...pageRoutes(door)];
