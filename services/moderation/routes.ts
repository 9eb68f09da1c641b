import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { changesOf, type Changes } from './changes.ts';
import type { Moderator } from './moderator.ts';
import { rulesRoutes } from './rules-routes.ts';
import { passwordRoutes } from './sessions.ts';
import { settingsRoutes } from './settings-routes.ts';
import { workRoutes } from './work-routes.ts';

/** The moderation API of one machine; AWS has the same, but for the password (`infra/aws/http`). */
export const moderationRoutes = (
  ports: Ports,
  changes: Changes = changesOf(ports.clock),
  options: { live?: boolean } = {},
): Route<Moderator>[] => [
  ...passwordRoutes(ports),
  ...workRoutes(ports, changes, options),
  ...rulesRoutes(ports),
  ...settingsRoutes(ports),
];
