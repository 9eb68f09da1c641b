import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { changesOf, type Changes } from './changes.ts';
import { commentRoutes } from './comments.ts';
import { decisionRoutes } from './decisions.ts';
import { eventRoutes } from './events.ts';
import type { Moderator } from './moderator.ts';
import { mailDecisionRoutes } from './mail-decisions.ts';
import { noteRoutes } from './notes.ts';
import { peopleRoutes } from './people.ts';
import { replyRoutes } from './replies.ts';
import { sessionRoutes } from './sessions.ts';
import { sweepRoutes } from './sweeps.ts';

/**
 * What moderators work with, but how they sign in, and what `rulesRoutes` and `settingsRoutes` have.
 *
 * @param changes what other moderators' pages learn: whoever runs the bus in the same process pushes its events here
 * @param live whether this runtime can hold a connection open
 */
export function workRoutes(
  ports: Ports,
  changes: Changes = changesOf(ports.clock),
  { live = false } = {},
): Route<Moderator>[] {
  return [
    ...sessionRoutes(ports),
    ...commentRoutes(ports, changes),
    ...decisionRoutes(ports, changes),
    ...mailDecisionRoutes(ports, changes),
    ...eventRoutes(ports, changes, { live }),
    ...noteRoutes(ports, changes),
    ...replyRoutes(ports),
    ...sweepRoutes(ports, changes),
    ...peopleRoutes(ports),
  ];
}
