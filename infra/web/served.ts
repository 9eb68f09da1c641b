import { z } from 'zod';
import type { Route } from '../../shared/http.ts';

/** A call as the OpenAPI page tells of it. */
export type Described = Pick<Route, 'method' | 'path' | 'summary' | 'access' | 'responses'>;

/** What each runtime answers in its own way. */
export const SERVED: readonly Described[] = [
  {
    method: 'GET',
    path: '/health',
    summary: 'Whether it serves, and what waits in each queue',
    access: 'public',
    responses: {
      200: {
        description: 'By queue',
        schema: z.object({
          status: z.literal('ok'),
          queues: z.record(z.string(), z.object({ depth: z.int(), inFlight: z.int(), dead: z.int() })),
        }),
      },
    },
  },
  {
    method: 'GET',
    path: '/embed.js',
    summary: 'The widget',
    access: 'public',
    responses: { 200: { description: 'JavaScript' } },
  },
];
