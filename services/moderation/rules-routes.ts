import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { banRoutes } from './bans.ts';
import type { Moderator } from './moderator.ts';
import { offerRoutes } from './offers.ts';
import { policyRoutes } from './policies.ts';
import { proofRoutes } from './proofs.ts';
import { shadowRoutes } from './shadows.ts';

/** What a site's rules are, and what others would do: with the judge in it. On AWS a function of its own. */
export const rulesRoutes = (ports: Ports): Route<Moderator>[] => [
  ...policyRoutes(ports),
  ...shadowRoutes(ports),
  ...offerRoutes(ports),
  ...proofRoutes(ports),
  ...banRoutes(ports),
];
