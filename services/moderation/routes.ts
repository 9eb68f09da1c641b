import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { banRoutes } from './bans.ts';
import { changesOf, type Changes } from './changes.ts';
import { commentRoutes } from './comments.ts';
import { deadLetterRoutes } from './dead-letters.ts';
import { decisionRoutes } from './decisions.ts';
import { eventRoutes } from './events.ts';
import type { Moderator } from './moderator.ts';
import { mailDecisionRoutes } from './mail-decisions.ts';
import { noteRoutes } from './notes.ts';
import { offerRoutes } from './offers.ts';
import { operationRoutes } from './operations.ts';
import { peopleRoutes } from './people.ts';
import { personRoutes } from './persons.ts';
import { policyRoutes } from './policies.ts';
import { proofRoutes } from './proofs.ts';
import { replyRoutes } from './replies.ts';
import { sessionRoutes } from './sessions.ts';
import { shadowRoutes } from './shadows.ts';
import { siteRoutes } from './sites.ts';
import { sweepRoutes } from './sweeps.ts';
import { viewRoutes } from './views.ts';
import { webhookRoutes } from './webhooks.ts';

/**
 * The moderation API.
 *
 * @param changes what other moderators' pages learn: whoever runs the bus in the same process pushes its events here
 * @param live whether this runtime can hold a connection open
 */
export function moderationRoutes(
  ports: Ports,
  changes: Changes = changesOf(ports.clock),
  { live = false } = {},
): Route<Moderator>[] {
  return [
    ...sessionRoutes(ports),
    ...commentRoutes(ports, changes),
    ...decisionRoutes(ports, changes),
    ...mailDecisionRoutes(ports, changes),
    ...deadLetterRoutes(ports),
    ...eventRoutes(ports, changes, { live }),
    ...noteRoutes(ports, changes),
    ...replyRoutes(ports),
    ...sweepRoutes(ports, changes),
    ...policyRoutes(ports),
    ...shadowRoutes(ports),
    ...banRoutes(ports),
    ...offerRoutes(ports),
    ...proofRoutes(ports),
    ...siteRoutes(ports),
    ...webhookRoutes(ports),
    ...peopleRoutes(ports),
    ...personRoutes(ports),
    ...viewRoutes(ports),
    ...operationRoutes(ports),
  ];
}
