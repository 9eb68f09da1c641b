import { topology } from '../topology.ts';

type Named = { name: string };

/** A lower-case letter and up to 11 letters or digits: part of every name, and of a Cognito domain. */
export const STAGE_NAME = /^[a-z][a-z0-9]{1,11}$/;

/** The name of a thing in this stage: `sluice-dev-intake`. */
export const named = (stage: Named, name: string): string => `sluice-${stage.name}-${name}`;

/** Blogs put events on it by name, so production keeps the plain one. */
export const busName = (stage: Named): string =>
  stage.name === 'prod' ? topology.bus.name : `${topology.bus.name}-${stage.name}`;
