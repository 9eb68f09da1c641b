import { createHash } from 'node:crypto';
import { readFileSync, existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { getRequestListener } from '@hono/node-server';
import type { HonoRequest } from 'hono';
import type { Logger } from 'pino';
import { SluiceError } from '../../shared/errors.ts';
import { appOf, MAX_REQUEST_BYTES, nothingFor, problem, serve, type Route } from '../../shared/http.ts';
import { PIPELINE_SOURCE } from '../../shared/events.ts';
import { corsOf } from '../../services/door/cors.ts';
import { doorOf } from '../../services/door/door.ts';
import { knows } from '../../services/door/read.ts';
import { changesOf } from '../../services/moderation/changes.ts';
import { moderationRoutes } from '../../services/moderation/routes.ts';
import { mustRule, type Moderator } from '../../services/moderation/moderator.ts';
import { authenticate } from '../../services/moderation/sessions.ts';
import { SERVED } from '../web/served.ts';
import { publicRoutes } from '../web/public.ts';
import { mailboxRoutes } from './mail.ts';
import { page } from '../../services/deliver/page.ts';
import { clientResolver } from './client.ts';
import { executionRoutes } from './execution-routes.ts';
import type { pageCache } from './page-cache.ts';
import type { Runtime } from './runtime.ts';

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url));

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.map': 'application/json',
};

/** Our own pages load nothing from elsewhere and run no inline script; an inline style is let in by its hash. */
const pageHeaders = (html: string): Record<string, string> => {
  const hashes = [...html.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(
    ([, style]) =>
      `'sha256-${createHash('sha256')
        .update(style ?? '')
        .digest('base64')}'`,
  );
  return {
    'content-security-policy': `default-src 'self'; style-src ${["'self'", ...hashes].join(' ')}; script-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; form-action 'self'`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'strict-origin-when-cross-origin',
  };
};

export type LocalServer = {
  server: Server;
  fetch: (request: Request, client?: string) => Promise<Response>;
  /** Hangs up on who listens for changes: a server closes only once its last answer has ended. */
  endStreams(): void;
};

/** The HTTP side of the local runtime: door, desk and pages on one port, with the hot reads answered as bytes. */
export function localServer(
  runtime: Runtime,
  {
    log,
    cache,
    rateLimit,
    trustProxy,
  }: { log: Logger; cache: ReturnType<typeof pageCache>; rateLimit: boolean; trustProxy: string | undefined },
): LocalServer {
  const { ports } = runtime;
  const door = doorOf(ports, { rateLimit });
  const changes = changesOf(ports.clock);
  // What no moderator did: the pipeline holds, and a policy decides after its time.
  runtime.bus.onEvent(({ source, 'detail-type': type, detail }) => {
    if (source !== PIPELINE_SOURCE || (type !== 'CommentHeld' && type !== 'DecisionMade')) return;
    const {
      site,
      id: commentId,
      by,
      to: status,
      version,
    } = detail as Record<'site' | 'id' | 'by' | 'to', string> & {
      version: number;
    };
    if (type === 'CommentHeld') changes.push({ site, commentId, type });
    else if (by === 'policy') changes.push({ site, commentId, type: 'decided', by, status, version });
  });
  const moderation = moderationRoutes(ports, changes, { live: true });
  const files = new Map<string, { body: Buffer; zipped?: Buffer; headers: Record<string, string> } | undefined>();

  const forAnyone = publicRoutes(door, [...SERVED, ...moderation]);
  const known = [...forAnyone, ...SERVED, ...moderation];
  const app = appOf({ cors: corsOf(door), known, log });
  app.get('/health', async (c) =>
    c.json({ status: 'ok', queues: await health() }, 200, { 'cache-control': 'no-store' }),
  );
  const anyone = async (): Promise<undefined> => undefined;
  const whoever = authenticate(ports);
  for (const path of ['/mailbox', '/mailbox/*', '/executions', '/executions/*']) {
    app.get(path, async (c, next) => {
      if (/^\/executions\/[\w-]+\.(js|css)$/.test(c.req.path)) return fileAt(c.req);
      await next();
      const { status } = c.res;
      if ((status === 401 || status === 403) && c.req.header('accept')?.includes('text/html'))
        c.res = signInFirst(status);
      return undefined;
    });
  }
  app.route(
    '/',
    serve(
      [...moderation, ...[...mailboxRoutes<Moderator>(ports), ...executionRoutes<Moderator>(runtime)].map(ofAllSites)],
      {
        authenticate: whoever,
        log,
      },
    ),
  );
  app.route('/', serve(forAnyone, { authenticate: anyone, log }));
  app.get('*', (c) => fileAt(c.req) ?? nothingFor(known, c.req));

  async function health() {
    const queues = await runtime.health();
    const stored = runtime.deadLetters();
    return Object.fromEntries(
      Object.entries(queues).map(([name, queue]) => [name, { ...queue, dead: queue.dead + (stored[name] ?? 0) }]),
    );
  }

  /** A built front end's file; the desk's own paths all lead to its page. */
  function fileAt(request: HonoRequest): Response | undefined {
    const { path } = request;
    const wanted =
      path === '/'
        ? 'demo.html'
        : path === '/author'
          ? 'author/index.html'
          : /^\/moderate(\/[^.]*)?$/.test(path)
            ? 'desk/index.html'
            : path.replace(/^\/moderate\//, 'desk/').replace(/^\//, '');
    const name = normalize(wanted);
    let file = files.get(name);
    if (!files.has(name)) {
      const full = join(DIST, name);
      const type = TYPES[extname(name)];
      if (!name.startsWith('..') && type && existsSync(full)) {
        const body = readFileSync(full);
        file = {
          body,
          // Once: what the browser loads first is a third of its size.
          ...(/text|javascript|json|svg/.test(type) && { zipped: gzipSync(body) }),
          headers: {
            'content-type': type,
            'cache-control': /-[A-Za-z0-9_-]{8}\./.test(name)
              ? 'public, max-age=31536000, immutable'
              : 'public, max-age=60',
            ...(type.startsWith('text/html')
              ? pageHeaders(body.toString('utf8'))
              : {
                  'x-content-type-options': 'nosniff',
                  'access-control-allow-origin': '*',
                  'cross-origin-resource-policy': 'cross-origin',
                }),
          },
        };
        files.set(name, file);
      }
    }
    if (!file) return undefined;
    const zips = file.zipped !== undefined && /\bgzip\b/.test(request.header('accept-encoding') ?? '');
    return new Response(new Uint8Array(zips ? (file.zipped as Buffer) : file.body), {
      headers: { ...file.headers, vary: 'accept-encoding', ...(zips && { 'content-encoding': 'gzip' }) },
    });
  }

  const clientOf = clientResolver(trustProxy, log);
  const fetch = async (request: Request, client = '127.0.0.1'): Promise<Response> => app.fetch(request, { client });
  const listener = getRequestListener(
    (request, env) => {
      const { incoming } = env as { incoming: IncomingMessage };
      const forwarded = incoming.headers['x-forwarded-for'];
      return app.fetch(request, {
        client: clientOf(
          incoming.socket.remoteAddress ?? '',
          Array.isArray(forwarded) ? forwarded.join(',') : forwarded,
        ),
      });
    },
    { overrideGlobalObjects: false },
  );

  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 65_000 },
    (request, response) => {
      const url = request.url ?? '/';
      if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) return refuse(request, response);
      const dependency = cache.dependency(request.method ?? 'GET', url);
      if (dependency === undefined) return void listener(request, response);
      const key = `${request.headers.origin ?? ''} ${url}`;
      const stamp = cache.stamp(dependency);
      const page = cache.get(key, stamp, ports.clock.now());
      if (page) {
        const current = knows(request.headers['if-none-match'], page.etag);
        response.writeHead(
          current ? 304 : page.status,
          current ? { ...page.headers, 'content-length': 0 } : page.headers,
        );
        response.end(current ? undefined : page.body);
        return;
      }
      fill(request, response, url, key, stamp).catch((error: unknown) => {
        log.error({ err: error }, 'request failed');
        response.destroy();
      });
    },
  );

  /** Makes the page once, keeps its bytes, and answers with them. */
  async function fill(
    request: IncomingMessage,
    response: ServerResponse,
    url: string,
    key: string,
    stamp: string,
  ): Promise<void> {
    const headers = new Headers();
    if (request.headers.origin) headers.set('origin', request.headers.origin);
    const answer = await fetch(new Request(new URL(url, ports.publicUrl), { headers }));
    const body = Buffer.from(await answer.arrayBuffer());
    const etag = answer.headers.get('etag');
    const out = { ...Object.fromEntries(answer.headers), 'content-length': String(body.byteLength) };
    if (answer.status === 200 && etag) {
      cache.put(key, { status: 200, headers: out, body, etag, stamp, until: ports.clock.now() + 5000 });
      if (knows(request.headers['if-none-match'], etag)) {
        response.writeHead(304, { ...out, 'content-length': 0 });
        response.end();
        return;
      }
    }
    response.writeHead(answer.status, out);
    response.end(body);
  }

  return { server, fetch, endStreams: () => changes.end() };
}

/** Mail and executions are of every site: links that sign authors in, inputs as they were sent. */
const ofAllSites = (route: Route<Moderator>): Route<Moderator> => ({
  ...route,
  async handle(call) {
    mustRule(call.caller);
    return route.handle(call);
  },
});

/** For people, who would not know what to do with problem details. */
function signInFirst(status: number): Response {
  const { raw, headers } = page(status, {
    title: status === 401 ? 'Sign in first' : 'For admins',
    body: '<p>This page is for admins of all sites. <a href="/moderate">Sign in at the desk</a> as one, then come back.</p>',
  });
  return new Response(raw?.text, { status, headers: { ...headers, 'content-type': raw?.type ?? '' } });
}

/** Refused before it is read: the rest of the body is not taken. */
function refuse(request: IncomingMessage, response: ServerResponse): void {
  const answer = problem(
    new SluiceError('Request.TooLarge', `the request is over ${MAX_REQUEST_BYTES} bytes`, { hint: 'shorten the text' }),
  );
  void answer.text().then((text) => {
    response.writeHead(answer.status, {
      'content-type': 'application/problem+json',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    });
    response.end(text);
    request.resume();
    setTimeout(() => request.destroy(), 1000).unref();
  });
}
