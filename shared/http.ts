import { Hono, type Context } from 'hono';
import type { Logger } from 'pino';
import { z } from 'zod';
import { ERRORS, SluiceError } from './errors.ts';
import { parse } from './parse.ts';
import { parseJson } from './strict-json.ts';

/** Requests over this are refused before they are read into memory. */
export const MAX_REQUEST_BYTES = 65_536;

/** Who may call: the matrix test calls every route as everybody else, and expects a refusal. */
export type Access = 'public' | 'capability' | 'moderator' | 'admin';

/**
 * One call of the HTTP API as data: what routes it, what validates it, and what the OpenAPI page says of it are the same.
 *
 * `path` in Hono's form (`/v1/comments/:id`). `query` and `body` refuse what they do not name.
 */
export type Route<Caller = unknown> = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  summary: string;
  access: Access;
  query?: z.ZodType;
  body?: z.ZodType;
  /** A form post (mail links) instead of JSON. */
  form?: true;
  responses: Record<number, { description: string; schema?: z.ZodType }>;
  handle(request: Call<Caller>): Promise<Reply>;
};

export type Call<Caller = unknown> = {
  params: Record<string, string>;
  // The route's own schema has parsed these: handlers name the type.
  query: never;
  body: never;
  header(name: string): string | undefined;
  /** The client's address, as the server in front believes it. */
  client: string;
  url: URL;
  caller: Caller;
  log: Logger;
};

export type Reply = {
  status: number;
  body?: unknown;
  /** Sent as it is, with its media type, instead of JSON. */
  raw?: { type: string; text: string };
  /** Sent as it comes. The local server alone carries one: a Lambda answers once. */
  stream?: { type: string; body: ReadableStream<Uint8Array> };
  headers?: Record<string, string>;
};

/** What the server around the app tells of a connection. */
export type Bindings = { client: string };

/** Finds who calls, or throws `Session.Required` and its kin: asked before anything that was sent is read. */
export type Authenticate<Caller> = (
  call: Omit<Call<Caller>, 'caller' | 'query' | 'body'>,
  access: Access,
  method: string,
) => Promise<Caller>;

/** Serves routes; errors become problem details (RFC 9457) with a stable `type`. */
export function serve<Caller>(
  routes: readonly Route<Caller>[],
  { authenticate, log }: { authenticate: Authenticate<Caller>; log: Logger },
): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  for (const route of routes) {
    app.on(route.method, route.path, async (c) => {
      const call = {
        params: c.req.param() as Record<string, string>,
        header: (name: string) => c.req.header(name),
        client: c.env?.client ?? '',
        url: new URL(c.req.url),
        log,
      };
      const caller = await authenticate(call, route.access, route.method);
      const query = queryOf(route, c) as never;
      const body = (await bodyOf(route, c)) as never;
      return respond(await route.handle({ ...call, query, body, caller }));
    });
  }
  app.notFound((c) =>
    problem(
      new SluiceError('Request.NotFound', `nothing at ${c.req.path.slice(0, 200)}`, { hint: 'see /v1/openapi.json' }),
    ),
  );
  app.onError((error) => {
    const known = error instanceof SluiceError ? error : undefined;
    if (!known) log.error({ err: error }, 'request failed');
    return problem(
      known ??
        new SluiceError('Internal.Bug', 'the request failed here', {
          hint: 'try again; the log has the cause',
          cause: error,
        }),
    );
  });
  return app;
}

/** What a page of another origin may send: the answer to its preflight, whoever gives it. */
export const PREFLIGHT = {
  'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE',
  'access-control-allow-headers': 'content-type, authorization, idempotency-key, if-none-match',
  'access-control-max-age': '86400',
} as const;

/**
 * An app around routes, as both runtimes have it: preflights, CORS, `Vary`, 405 with what is allowed, problem details.
 *
 * @param cors the headers for a page of that origin; undefined: it may not read the answer
 * @param known every call at whose path another method is 405
 */
export function appOf({
  cors,
  known,
  log,
}: {
  cors(path: string, origin: string): Promise<Record<string, string> | undefined>;
  known: readonly { method: string; path: string }[];
  log: Logger;
}): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  app.use('/v1/*', async (c, next) => {
    const origin = c.req.header('origin');
    const allowed = origin === undefined ? undefined : await cors(c.req.path, origin);
    if (c.req.method === 'OPTIONS') {
      return new Response(null, { status: 204, headers: allowed ? { ...allowed, ...PREFLIGHT } : {} });
    }
    await next();
    c.res.headers.set('x-content-type-options', 'nosniff');
    // Also to who names no origin: a cache between must not hand that answer to a page of another one.
    c.res.headers.set('vary', 'origin');
    if (allowed) for (const [name, value] of Object.entries(allowed)) c.res.headers.set(name, value);
    return undefined;
  });
  app.notFound((c) => nothingFor(known, c.req));
  app.onError((error) => {
    if (!(error instanceof SluiceError)) log.error({ err: error }, 'request failed');
    return problem(
      error instanceof SluiceError
        ? error
        : new SluiceError('Internal.Bug', 'the request failed here', { hint: 'try again', cause: error }),
    );
  });
  return app;
}

/** What stands at a path that this method does not reach: 405 with the methods that do (RFC 9110, 15.5.6), or 404. */
export function nothingFor(
  routes: readonly { method: string; path: string }[],
  { method, path }: { method: string; path: string },
): Response {
  const methods = routes
    .filter((route) => new RegExp(`^${route.path.replaceAll(/:[A-Za-z]+/g, '[^/]+')}$`).test(path))
    .map((route) => route.method);
  if (methods.length === 0) {
    return problem(new SluiceError('Request.NotFound', 'there is nothing here', { hint: 'see /v1/openapi.json' }));
  }
  const allow = [...new Set([...methods, 'OPTIONS', ...(methods.includes('GET') ? ['HEAD'] : [])])].toSorted();
  const answer = problem(
    new SluiceError('Request.Method', `${method} does nothing here`, { hint: `use ${methods.join(' or ')}` }),
  );
  answer.headers.set('allow', allow.join(', '));
  return answer;
}

/** RFC 9457. Tells the caller what to change, never what a reader typed elsewhere or a stack. */
export function problem(error: SluiceError): Response {
  const { status, title } = ERRORS[error.code];
  const retryAfter =
    error.code === 'Request.TooMany' || error.code === 'Session.Locked' ? retrySecondsOf(error) : undefined;
  return new Response(
    JSON.stringify({
      type: `urn:sluice:error:${error.code}`,
      title,
      status,
      code: error.code,
      detail: error.message,
      hint: error.hint,
      ...(error.fields.length > 0 && { errors: error.fields }),
    }),
    {
      status,
      headers: {
        'content-type': 'application/problem+json',
        'cache-control': 'no-store',
        ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }),
      },
    },
  );
}

/** `Request.TooMany` carries its wait as the cause. */
export function retrySecondsOf(error: SluiceError): number {
  const { cause } = error;
  return typeof cause === 'object' && cause !== null && 'retryAfterSeconds' in cause
    ? Number(cause.retryAfterSeconds)
    : 60;
}

function respond({ status, body, raw, stream, headers }: Reply): Response {
  if (stream) return new Response(stream.body, { status, headers: { 'content-type': stream.type, ...headers } });
  if (raw) return new Response(raw.text, { status, headers: { 'content-type': raw.type, ...headers } });
  if (body === undefined) return new Response(null, { status, headers: headers ?? {} });
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
  });
}

function queryOf(route: Route<never>, c: Context): unknown {
  const all = c.req.queries();
  if (!route.query) return {};
  const flat = Object.fromEntries(
    Object.entries(all).map(([name, values]) => [name, values.length > 1 ? values : values[0]]),
  );
  return parse(route.query, flat, 'Request.Invalid');
}

async function bodyOf(route: Route<never>, c: Context): Promise<unknown> {
  if (!route.body) return undefined;
  const type = (c.req.header('content-type') ?? '').split(';')[0]?.trim().toLowerCase();
  const wanted = route.form ? 'application/x-www-form-urlencoded' : 'application/json';
  const declared = Number(c.req.header('content-length') ?? 0);
  if (declared > MAX_REQUEST_BYTES) throw tooLarge();
  const text = await readText(c.req.raw, declared);
  if (route.form) return parse(route.body, Object.fromEntries(new URLSearchParams(text)), 'Request.Invalid');
  if (type !== wanted) {
    throw new SluiceError('Request.MediaType', `the media type is ${JSON.stringify(type ?? '').slice(0, 100)}`, {
      hint: `send content-type: ${wanted}`,
    });
  }
  return parse(route.body, parseJson(text), 'Request.Invalid');
}

/** At most `MAX_REQUEST_BYTES`, strictly UTF-8. */
async function readText(request: Request, declared: number): Promise<string> {
  const bytes = declared > 0 ? new Uint8Array(await request.arrayBuffer()) : await readStream(request);
  if (bytes.byteLength > MAX_REQUEST_BYTES) throw tooLarge();
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new SluiceError('Request.Malformed', 'the body is not UTF-8', { hint: 'encode it as UTF-8', cause });
  }
}

/** A body that did not say how long it is: read only as far as it may go. Dearer than one whose length is known. */
async function readStream(request: Request): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(parts);
    length += value.byteLength;
    if (length > MAX_REQUEST_BYTES) {
      // Not awaited: a sender who never ends must not hold the answer back.
      void reader.cancel().catch(() => {});
      throw tooLarge();
    }
    parts.push(value);
  }
}

const tooLarge = () =>
  new SluiceError('Request.TooLarge', `the request is over ${MAX_REQUEST_BYTES} bytes`, { hint: 'shorten the text' });

/** OpenAPI 3.1 from the routes themselves. https://spec.openapis.org/oas/v3.1.1 */
export function openapi(
  routes: readonly Route<never>[],
  info: { title: string; version: string; description: string },
): unknown {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([A-Za-z]+)/g, '{$1}');
    const schema = route.query
      ? (z.toJSONSchema(route.query, { io: 'input', unrepresentable: 'any' }) as {
          properties?: object;
          required?: string[];
        })
      : {};
    const parameters = [
      ...[...route.path.matchAll(/:([A-Za-z]+)/g)].map(([, name]) => ({
        name,
        in: 'path',
        required: true,
        schema: { type: 'string' },
      })),
      ...Object.entries(schema.properties ?? {}).map(([name, type]) => ({
        name,
        in: 'query',
        required: schema.required?.includes(name) ?? false,
        schema: type,
      })),
    ];
    (paths[path] ??= {})[route.method.toLowerCase()] = {
      summary: route.summary,
      ...(parameters.length > 0 && { parameters }),
      ...(route.access !== 'public' && {
        security: [{ [route.access === 'capability' ? 'capability' : 'session']: [] }],
      }),
      ...(route.body && {
        requestBody: {
          required: true,
          content: {
            [route.form ? 'application/x-www-form-urlencoded' : 'application/json']: {
              schema: z.toJSONSchema(route.body, { io: 'input', unrepresentable: 'any' }),
            },
          },
        },
      }),
      responses: {
        ...Object.fromEntries(
          Object.entries(route.responses).map(([status, { description, schema }]) => [
            status,
            {
              description,
              ...(schema && {
                content: {
                  'application/json': { schema: z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) },
                },
              }),
            },
          ]),
        ),
        default: {
          description: 'Problem details (RFC 9457)',
          content: { 'application/problem+json': { schema: PROBLEM } },
        },
      },
    };
  }
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      securitySchemes: {
        capability: {
          type: 'http',
          scheme: 'bearer',
          description: "The writer's capability, from the answer to the submission",
        },
        session: {
          type: 'http',
          scheme: 'bearer',
          description: "A moderator's session token, or its cookie with X-CSRF-Token",
        },
      },
    },
  };
}

const PROBLEM = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'hint'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    hint: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string' },
          detail: { type: 'string' },
          kind: { type: 'string' },
          most: { type: 'integer' },
        },
      },
    },
  },
};
