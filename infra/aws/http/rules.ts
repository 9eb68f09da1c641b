import { rulesRoutes } from '../../../services/moderation/rules-routes.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { WebApp } from '../http-entry.ts';
import { deskApp } from './desk-app.ts';

/** Policies, drafts, bans: apart because the judge is in it. */
export const rules = (ports: Ports): WebApp => deskApp(rulesRoutes(ports), ports);
