import { randomBytes } from 'node:crypto';
import { monotonicFactory } from 'ulid';
import type { Clock, Ids } from '../../../shared/ports.ts';

export const systemClock: Clock = { now: () => Date.now() };

/** 0..1, by the module that the SDK loads anyway: the global `crypto`, which ulid would look up, is another one to load. */
const random = () => randomBytes(1)[0]! / 256;

/** ULIDs; of two made by one environment in the same millisecond the second sorts later. */
export function ulids(clock: Clock): Ids {
  const next = monotonicFactory(random);
  return { next: () => next(clock.now()) };
}
