import { signInRoute } from '../../../services/moderation/sessions.ts';
import { workRoutes } from '../../../services/moderation/work-routes.ts';
import type { Moderator } from '../../../services/moderation/moderator.ts';
import type { Route } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { WebApp } from '../http-entry.ts';
import { deskApp } from './desk-app.ts';
import { SIGN_IN } from './sign-in.ts';

/** The desk's API but for sites, which `settings` serves: here Cognito signs in, and opens the same session as a password. */
export const deskRoutes = (ports: Ports): Route<Moderator>[] => [
  signInRoute({ by: 'page', url: SIGN_IN }),
  ...workRoutes(ports),
];

export const moderation = (ports: Ports): WebApp => deskApp(deskRoutes(ports), ports);
