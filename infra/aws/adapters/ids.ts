import { monotonicFactory } from 'ulid';
import type { Clock, Ids } from '../../../shared/ports.ts';

export const systemClock: Clock = { now: () => Date.now() };

/** ULIDs; of two made by one environment in the same millisecond the second sorts later. */
export function ulids(clock: Clock): Ids {
  const next = monotonicFactory();
  return { next: () => next(clock.now()) };
}
