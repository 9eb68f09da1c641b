import type { Route } from '../../shared/http.ts';
import { authorRoutes } from '../../services/author/routes.ts';
import { mailRoutes } from '../../services/deliver/mail-routes.ts';
import type { Door } from '../../services/door/door.ts';

/** What a link in a mail leads to: confirming, unsubscribing, and authors who sign in by one. */
export const linkRoutes = (door: Door): Route[] => [...mailRoutes(door.ports), ...authorRoutes(door)];
