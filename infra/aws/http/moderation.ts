import { changesOf } from '../../../services/moderation/changes.ts';
import { commentRoutes } from '../../../services/moderation/comments.ts';
import { deadLetterRoutes } from '../../../services/moderation/dead-letters.ts';
import { decisionRoutes } from '../../../services/moderation/decisions.ts';
import { eventRoutes } from '../../../services/moderation/events.ts';
import type { Moderator } from '../../../services/moderation/moderator.ts';
import { mailDecisionRoutes } from '../../../services/moderation/mail-decisions.ts';
import { noteRoutes } from '../../../services/moderation/notes.ts';
import { operationRoutes } from '../../../services/moderation/operations.ts';
import { peopleRoutes } from '../../../services/moderation/people.ts';
import { policyRoutes } from '../../../services/moderation/policies.ts';
import { replyRoutes } from '../../../services/moderation/replies.ts';
import { authenticate, sessionRoutes } from '../../../services/moderation/sessions.ts';
import { sweepRoutes } from '../../../services/moderation/sweeps.ts';
import { viewRoutes } from '../../../services/moderation/views.ts';
import { type Route, serve } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import type { WebApp } from '../http-entry.ts';
import { appOf } from './app.ts';

/**
 * The desk's API but for sites, which `settings` serves; a test holds the two against the whole.
 *
 * Signing in by password is for the local runtime: here Cognito does it (`settings`), and opens the same session.
 */
export function deskRoutes(ports: Ports): Route<Moderator>[] {
  const changes = changesOf(ports.clock);
  return [
    ...sessionRoutes(ports).filter(({ method }) => method !== 'POST'),
    ...commentRoutes(ports, changes),
    ...decisionRoutes(ports, changes),
    ...mailDecisionRoutes(ports, changes),
    ...deadLetterRoutes(ports),
    ...eventRoutes(ports, changes),
    ...noteRoutes(ports, changes),
    ...replyRoutes(ports),
    ...sweepRoutes(ports, changes),
    ...policyRoutes(ports),
    ...peopleRoutes(ports),
    ...viewRoutes(ports),
    ...operationRoutes(ports),
  ];
}

export function moderation(ports: Ports): WebApp {
  const app = appOf(ports.log);
  app.route('/', serve(deskRoutes(ports), { authenticate: authenticate(ports), log: ports.log }));
  return async (request, client) => app.fetch(request, { client });
}
