import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { extname, join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { serve, type Bindings } from '../../../shared/http.ts';
import { changesOf, type Changes } from '../../moderation/changes.ts';
import { moderationRoutes } from '../../moderation/routes.ts';
import { authenticate } from '../../moderation/sessions.ts';
import type { Memory } from '../../moderation/testing/memory.ts';

const DIST = join(import.meta.dirname, '../../../dist/desk');
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

/** What whoever serves the desk sends with it. */
export const DESK_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export type Served = { url: string; server: Server; changes: Changes; stop(): Promise<void> };

/** The built desk over the moderation API, on one port, with the headers that it must live with. */
export async function serveDesk(ports: Memory, port = 0): Promise<Served> {
  const changes = changesOf(ports.clock);
  const api = serve(moderationRoutes(ports, changes, { live: true }), {
    authenticate: authenticate(ports),
    log: ports.log,
  });
  const app = new Hono<{ Bindings: Bindings }>();
  app.get('/moderate', (c) => c.redirect('/moderate/'));
  app.get('/moderate/*', async (c) => {
    const name = c.req.path.slice('/moderate/'.length) || 'index.html';
    if (!/^[\w./-]+$/.test(name) || name.includes('..')) return c.notFound();
    const file = await readFile(join(DIST, name)).catch(() => undefined);
    if (!file) return c.notFound();
    return new Response(new Uint8Array(file), {
      headers: {
        'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': DESK_CSP,
        'x-content-type-options': 'nosniff',
      },
    });
  });
  app.route('/', api);
  const server = createServer(getRequestListener((request) => app.fetch(request, { client: '127.0.0.1' })));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : port}`;
  return {
    url,
    server,
    changes,
    stop: () =>
      new Promise((resolve) => {
        changes.end();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
