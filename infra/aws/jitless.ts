import { config } from 'zod/v4/core';

/**
 * Zod compiles each schema to a function when it is first used, which pays after hundreds of calls and costs a start 5 ms.
 * Imported before all schemas: they look at it when they are made.
 */
config({ jitless: true });
