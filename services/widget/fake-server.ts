/**
 * The public API as interfaces.md gives it, in memory, for the widget's browser tests.
 *
 * It keeps the contract where the widget leans on it: unknown fields refused, capability in the header, ETag, one
 * comment per Idempotency-Key. What it does not do is judge: a test decides.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Comment, Status } from './thread.ts';

type Row = {
  id: string;
  parentId: string | null;
  name: string;
  url?: string;
  role?: 'author' | 'moderator';
  body: string;
  html: string;
  createdAt: string;
  editedAt?: string;
  status: Status;
  reason?: string;
  thread: string;
};
type Seed = Partial<Row> & { name: string; html?: string };
type Call = { method: string; path: string; headers: IncomingMessage['headers']; body: unknown; status: number };

const SUBMIT_FIELDS = new Set([
  'author',
  'body',
  'parentId',
  'notifyReplies',
  'keepName',
  'nameCapability',
  'page',
  'form',
]);
const AUTHOR_FIELDS = new Set(['name', 'email', 'url']);

export type FakeServer = Awaited<ReturnType<typeof fakeServer>>;

/** Serves `dist` beside the API; `pages` are html by path. */
export async function fakeServer(dist: string) {
  const rows: Row[] = [];
  const keys = new Map<string, { hash: string; id: string }>();
  const calls: Call[] = [];
  const pages = new Map<string, { html: string; headers?: Record<string, string> }>();
  /** Answers for the next submissions, before anything is looked at. `status` 0 drops the connection. */
  const faults: { status: number; headers?: Record<string, string>; problem?: object; taken?: boolean }[] = [];
  const state = { closed: false, holds: '', delayMs: 0, publishAtOnce: false };
  let serial = 0;

  const base = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  function seed({ thread = 't', parentId = null, ...rest }: Seed): string {
    const id = rest.id ?? `c${++serial}`;
    rows.push({
      body: '',
      html: '<p>Words.</p>',
      createdAt: new Date(Date.now() - 3_600_000 + serial * 1000).toISOString(),
      status: 'published',
      ...rest,
      id,
      thread,
      parentId,
    });
    return id;
  }

  function decide(id: string, status: Status, reason?: string) {
    const row = rows.find((one) => one.id === id);
    if (row) Object.assign(row, { status, reason });
  }

  function depthOf(row: Row): number {
    const parent = rows.find((one) => one.id === row.parentId);
    return parent ? depthOf(parent) + 1 : 0;
  }

  function shown(row: Row): boolean {
    return row.status === 'published' || (row.status !== 'received' && kids(row).length > 0 && isGone(row));
  }

  function isGone(row: Row): boolean {
    return row.status === 'removed' || row.status === 'deleted';
  }

  function kids(row: Row): Row[] {
    return rows.filter((one) => one.parentId === row.id && shown(one));
  }

  function view(row: Row): Comment {
    const replies = kids(row);
    const gone = isGone(row);
    return {
      id: row.id,
      parentId: row.parentId,
      depth: depthOf(row),
      state: gone ? (row.status as 'removed') : 'published',
      author: gone
        ? { name: '' }
        : { name: row.name, ...(row.url && { url: row.url }), ...(row.role && { role: row.role }) },
      html: gone ? '' : row.html,
      createdAt: row.createdAt,
      ...(row.editedAt && { editedAt: row.editedAt }),
      replyCount: replies.length,
      replies: replies.slice(0, 3).map(view),
      repliesCursor: replies.length > 3 ? 'r3' : null,
      permalink: `#sluice-${row.id}`,
    };
  }

  function list(thread: string, query: URLSearchParams) {
    const limit = Number(query.get('limit') ?? 20);
    const of = rows.filter((row) => row.thread === thread && shown(row));
    const parent = query.get('parent');
    let line = of.filter((row) => row.parentId === parent);
    if (query.get('order') === 'newest') line = line.toReversed();
    let from = Number((query.get('cursor') || 'r0').slice(1));
    const around = query.get('around');
    if (around) {
      let row = of.find((one) => one.id === around);
      while (row?.parentId) row = of.find((one) => one.id === row?.parentId);
      from = Math.max(0, line.findIndex((one) => one === row) - 2);
    }
    return {
      comments: line.slice(from, from + limit).map(view),
      total: of.filter((row) => row.status === 'published').length,
      nextCursor: from + limit < line.length ? `r${from + limit}` : null,
      thread: { closed: state.closed, ...(state.holds && { holds: state.holds }) },
    };
  }

  function submit(thread: string, body: Record<string, unknown>, key: string | undefined) {
    const author = (body['author'] ?? {}) as Record<string, string>;
    const strange = [
      ...Object.keys(body).filter((name) => !SUBMIT_FIELDS.has(name)),
      ...Object.keys(author).filter((name) => !AUTHOR_FIELDS.has(name)),
    ];
    if (strange.length) return problem(422, 'Request.Invalid', { detail: `Unknown fields: ${strange.join(', ')}` });
    const text = String(body['body'] ?? '');
    const errors = [
      ...(text.includes('refuse-me') ? [{ pointer: '/body', detail: 'The text has a forbidden word.' }] : []),
      ...(author['email'] && !author['email'].includes('.')
        ? [{ pointer: '/author/email', detail: 'This is not an address.' }]
        : []),
    ];
    if (errors.length) return problem(422, 'Request.Invalid', { detail: 'Some fields do not fit.', errors });
    const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    const before = key === undefined ? undefined : keys.get(key);
    if (before && before.hash !== hash) return problem(422, 'Request.KeyReused');
    const id =
      before?.id ??
      seed({
        name: String(author['name']),
        ...(author['url'] && { url: author['url'] }),
        body: text,
        html: render(text),
        parentId: (body['parentId'] as string | undefined) ?? null,
        status: state.publishAtOnce ? 'published' : 'received',
        createdAt: new Date().toISOString(),
        thread,
      });
    if (key !== undefined) keys.set(key, { hash, id });
    return {
      status: 202,
      json: {
        id,
        status: 'received',
        statusUrl: `${base()}/v1/comments/${id}/status?token=look-${id}`,
        capability: `may-${id}`,
        editableUntil: new Date(Date.now() + 900_000).toISOString(),
        ...(body['keepName'] === true && { nameCapability: 'mine-alone' }),
      },
    };
  }

  function answer(method: string, url: URL, headers: IncomingMessage['headers'], body: Record<string, unknown>) {
    const path = url.pathname;
    const thread = /^\/v1\/sites\/[\w-]+\/threads\/([^/]+)\/comments$/.exec(path)?.[1];
    if (thread && method === 'GET') return { status: 200, json: list(decodeURIComponent(thread), url.searchParams) };
    if (thread && method === 'POST') {
      const fault = faults.shift();
      if (fault?.taken) submit(decodeURIComponent(thread), body, headers['idempotency-key'] as string);
      if (fault) return { status: fault.status, json: fault.problem ?? {}, headers: fault.headers };
      return submit(decodeURIComponent(thread), body, headers['idempotency-key'] as string | undefined);
    }
    if (path === '/v1/sites/demo/preview') return { status: 200, json: { html: render(String(body['body'])) } };
    const [, id, what] = /^\/v1\/comments\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const row = rows.find((one) => one.id === id);
    if (!row) return problem(404, 'Request.NotFound');
    if (what === 'status') {
      if (url.searchParams.get('token') !== `look-${id}`) return problem(403, 'Capability.Refused');
      const appeal = row.status === 'rejected' && row.reason !== 'spam';
      const more = { ...(row.reason && { reason: row.reason }), ...(appeal && { appeal }) };
      return { status: 200, json: { status: row.status, ...more } };
    }
    if (what === 'reports') return { status: 202, json: {} };
    if (headers.authorization !== `Bearer may-${id}`) return problem(403, 'Capability.Refused');
    if (what === 'appeal') row.status = 'waiting';
    else if (method === 'DELETE') row.status = 'deleted';
    else if (method === 'PATCH') {
      Object.assign(row, {
        body: body['body'],
        html: render(String(body['body'])),
        editedAt: new Date().toISOString(),
      });
    }
    return { status: 202, json: { id, status: row.status } };
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-headers', 'content-type, authorization, idempotency-key');
    response.setHeader('access-control-allow-methods', 'GET, POST, PATCH, DELETE');
    response.setHeader('access-control-expose-headers', 'retry-after');
    if (method === 'OPTIONS') return response.writeHead(204).end();
    const page = pages.get(url.pathname);
    if (page) {
      return response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers }).end(page.html);
    }
    if (!url.pathname.startsWith('/v1/')) {
      try {
        const type = url.pathname.endsWith('.js') ? 'text/javascript' : 'application/json';
        const headers = { 'content-type': type, 'content-encoding': 'gzip' };
        return response.writeHead(200, headers).end(gzipSync(readFileSync(join(dist, url.pathname)), { level: 9 }));
      } catch {
        return response.writeHead(404).end();
      }
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text ? (JSON.parse(text) as Record<string, unknown>) : {};
    if (state.delayMs) await new Promise((resolve) => setTimeout(resolve, state.delayMs));
    const { status, json, headers } = { headers: {}, ...answer(method, url, request.headers, body) };
    const sent = JSON.stringify(json);
    const etag = `"${createHash('sha1').update(sent).digest('hex')}"`;
    const same = method === 'GET' && status === 200 && request.headers['if-none-match'] === etag;
    calls.push({ method, path: request.url ?? '', headers: request.headers, body, status: same ? 304 : status });
    if (status === 0) return request.socket.destroy();
    if (same) return response.writeHead(304, { etag }).end();
    response.writeHead(status, {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json',
      ...(method === 'GET' && { etag, 'cache-control': 'no-cache' }),
      ...headers,
    });
    return response.end(sent);
  }

  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    origin: base(),
    rows,
    calls,
    faults,
    pages,
    state,
    seed,
    decide,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const render = (body: string) => {
  const safe = body.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return body.startsWith('    ') ? `<pre><code>${safe}</code></pre>` : `<p>${safe}</p>`;
};

function problem(status: number, title: string, more: object = {}) {
  return { status, json: { type: `https://sluice.dev/problems/${title}`, title, status, ...more } };
}
