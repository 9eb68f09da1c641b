import { Hono } from 'hono';
import type { Logger } from 'pino';
import { SluiceError } from '../../../shared/errors.ts';
import { type Bindings, problem } from '../../../shared/http.ts';

/** An app whose own faults are problem details too. */
export function appOf(log: Logger): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  app.notFound(() =>
    problem(new SluiceError('Request.NotFound', 'there is nothing here', { hint: 'see /v1/openapi.json' })),
  );
  app.onError((error) => {
    if (error instanceof SluiceError) return problem(error);
    log.error({ err: error }, 'request failed');
    return problem(new SluiceError('Internal.Bug', 'the request failed here', { hint: 'try again', cause: error }));
  });
  return app;
}
