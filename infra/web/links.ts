import type { Route } from '../../shared/http.ts';
import { authorRoutes } from '../../services/author/routes.ts';
import { mailRoutes } from '../../services/deliver/mail-routes.ts';
import type { Door } from '../../services/door/door.ts';
import { personRoutes } from '../../services/door/persons.ts';

/** What a link in a mail leads to: confirming, unsubscribing, one's own data, and authors who sign in by one. */
export const linkRoutes = (door: Door): Route[] => [
  ...mailRoutes(door.ports),
  ...personRoutes(door),
  ...authorRoutes(door),
];
