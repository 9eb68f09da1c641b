import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import type { Moderator } from './moderator.ts';
import { operationRoutes } from './operations.ts';
import { personRoutes } from './persons.ts';
import { siteRoutes } from './sites.ts';
import { viewRoutes } from './views.ts';
import { webhookRoutes } from './webhooks.ts';

/** Sites, what a person may ask by law, and what operators look after: asked seldom, and without events. On AWS a function of its own. */
export const settingsRoutes = (ports: Ports): Route<Moderator>[] => [
  ...siteRoutes(ports),
  ...personRoutes(ports),
  ...webhookRoutes(ports),
  ...viewRoutes(ports),
  ...deadLetterRoutes(ports),
  ...operationRoutes(ports),
];
