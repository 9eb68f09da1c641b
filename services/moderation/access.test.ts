import { beforeAll, describe, expect, it } from 'vitest';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import type { Role } from '../../shared/store/users.ts';
import { appOf, PASSWORD, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts } from './testing/memory.ts';

/**
 * Every route called by everybody who must not. The requests are in order but for the caller, so that nothing else
 * refuses them; a route without one here fails the test.
 *
 * `outsider` is what a moderator of another site gets: 200 stands for an answer in which nothing of this site is.
 */
const REQUESTS: Record<string, { path?: string; body?: unknown; outsider?: number; admin?: 'site' | 'all' }> = {
  'GET /v1/moderation/sessions': { outsider: 200 },
  'DELETE /v1/moderation/sessions': { outsider: 204 },
  'GET /v1/moderation/comments': { path: '/v1/moderation/comments?site=demo' },
  'GET /v1/moderation/comments/:id': { outsider: 404 },
  'POST /v1/moderation/claims': { body: { id: 'c1' }, outsider: 404 },
  'POST /v1/moderation/decisions': {
    body: { decisions: [{ id: 'c1', version: 2, action: 'publish' }] },
    outsider: 200,
  },
  'POST /v1/moderation/decisions/:decisionId/undo': {},
  'GET /v1/moderation/dead-letters': { path: '/v1/moderation/dead-letters?site=demo' },
  'POST /v1/moderation/dead-letters/:id/redrive': { outsider: 404 },
  'POST /v1/moderation/dead-letters/redrive': { body: { site: 'demo' } },
  'GET /v1/moderation/events': { outsider: 200 },
  'GET /v1/moderation/comments/:id/notes': { outsider: 404 },
  'POST /v1/moderation/comments/:id/notes': { body: { text: 'Careful.' }, outsider: 404 },
  'POST /v1/moderation/comments/:id/replies': { body: { body: 'Thank you.' }, outsider: 404 },
  'POST /v1/moderation/sweeps': {
    body: { query: { site: 'demo', author: 'Ada' }, action: 'spam', expectTotal: 2 },
  },
  'GET /v1/moderation/sweeps/:id': { path: '/v1/moderation/sweeps/:sweep' },
  'POST /v1/moderation/sweeps/:id/undo': { path: '/v1/moderation/sweeps/:sweep/undo' },
  'GET /v1/moderation/sites/:site/policy': {},
  'PUT /v1/moderation/sites/:site/policy': { body: { policy: {} } },
  'GET /v1/moderation/sites/:site/policy/versions': {},
  'POST /v1/moderation/sites/:site/policy/backtest': { body: { policy: {} } },
  'GET /v1/moderation/sites/:site/policy/backtests/:job': {},
  'GET /v1/moderation/sites/:site/policy/shadow': {},
  'PUT /v1/moderation/sites/:site/policy/shadow': { body: { policy: {} } },
  'DELETE /v1/moderation/sites/:site/policy/shadow': {},
  'GET /v1/moderation/sites/:site/offers': {},
  'POST /v1/moderation/sites/:site/proof': { body: {} },
  'GET /v1/moderation/sites/:site/proofs/:job': {},
  'POST /v1/moderation/sites/:site/proof/lessons': { body: {} },
  'DELETE /v1/moderation/sites/:site/proof/lessons': {},
  'GET /v1/moderation/bans': { path: '/v1/moderation/bans?site=demo' },
  'POST /v1/moderation/bans': { body: { site: 'demo', kind: 'word', value: 'x y', action: 'hold', reason: 'x' } },
  'DELETE /v1/moderation/bans/:ban': { path: '/v1/moderation/bans/:ban?site=demo' },
  'GET /v1/moderation/sites': { outsider: 200 },
  'POST /v1/moderation/sites': { body: { id: 'new', name: 'New' }, admin: 'all' },
  'PATCH /v1/moderation/sites/:site': { body: { name: 'Mine' } },
  'PUT /v1/moderation/sites/:site/authors/:author': { body: { name: 'Eve' } },
  'DELETE /v1/moderation/sites/:site/authors/:author': {},
  'GET /v1/moderation/sites/:site/webhooks': {},
  'POST /v1/moderation/sites/:site/webhooks': { body: { url: 'https://hooks.example/x' } },
  'PATCH /v1/moderation/sites/:site/webhooks/:hook': { body: { enabled: false } },
  'DELETE /v1/moderation/sites/:site/webhooks/:hook': {},
  'POST /v1/moderation/sites/:site/webhooks/:hook/secret': {},
  'POST /v1/moderation/sites/:site/webhooks/:hook/test': {},
  'GET /v1/moderation/threads': { path: '/v1/moderation/threads?site=demo' },
  'PUT /v1/moderation/threads': { body: { site: 'demo', key: '/posts/hello', closed: true } },
  'POST /v1/moderation/threads/aliases': { body: { site: 'demo', key: '/posts/hello', alias: '/posts/old' } },
  'POST /v1/moderation/persons/export': { body: { email: 'ada@people.example' }, admin: 'all' },
  'POST /v1/moderation/persons/forget': { body: { email: 'ada@people.example' }, admin: 'all' },
  'GET /v1/moderation/users': { admin: 'all' },
  'POST /v1/moderation/users': { body: { name: 'eve', password: 'long enough', roles: [] }, admin: 'all' },
  'PATCH /v1/moderation/users/:name': { body: { disabled: true }, admin: 'all' },
  'POST /v1/moderation/users/:name/undo': { body: { site: 'demo', since: '0' } },
  'PUT /v1/moderation/password': { body: { current: 'wrong', next: 'long enough' }, outsider: 422 },
  'GET /v1/moderation/views': { outsider: 200 },
  'PUT /v1/moderation/views': { body: { views: [] }, outsider: 200 },
  'GET /v1/moderation/queues': { admin: 'all' },
  'GET /v1/moderation/stats': { path: '/v1/moderation/stats?site=demo' },
  'GET /v1/moderation/audit': { path: '/v1/moderation/audit?site=demo' },
};

const ports = memoryPorts();
const { routes, call } = appOf(ports);
const who: Record<string, Caller> = {};
const ids: Record<string, string> = {};

const guarded = routes.filter(({ access }) => access !== 'public');
const nameOf = (route: { method: string; path: string }) => `${route.method} ${route.path}`;
const cases = guarded.map((route) => [nameOf(route), route] as const);

function send(caller: Caller, route: (typeof guarded)[number], headers: Record<string, string> = {}) {
  const request = REQUESTS[nameOf(route)] ?? {};
  const path = (request.path ?? route.path).replaceAll(/:([A-Za-z]+)/g, (_all, name: string) => ids[name] ?? 'nothing');
  return caller(route.method, path, request.body, { 'if-match': '"0"', ...headers });
}

const role = (site: string, role: Role['role']): Role[] => [{ site, role }];

beforeAll(async () => {
  await addSite(ports);
  await addSite(ports, 'other');
  await addComment(ports, { id: 'c1' });
  await addComment(ports, { id: 'c2' });
  await deadLettersOf(ports.table).put({
    id: 'c1',
    site: 'demo',
    source: 'intake',
    reason: 'Comment.Malformed',
    attempts: 1,
    firstAt: 1,
    detail: '',
    body: '{}',
  });
  who.insider = await signIn(ports, call, 'insider', role('demo', 'moderator'));
  who.outsider = await signIn(ports, call, 'outsider', role('other', 'moderator'));
  who.otherAdmin = await signIn(ports, call, 'other-admin', role('other', 'admin'));
  who.siteAdmin = await signIn(ports, call, 'site-admin', role('demo', 'admin'));
  const { body } = await who.insider('POST', '/v1/moderation/decisions', {
    decisions: [{ id: 'c2', version: 2, action: 'publish' }],
  });
  const { results }: { results: { decisionId: string }[] } = body;
  await addComment(ports, { id: 'c3', author: { name: 'Swept', key: 'swept' } });
  const sweep = await who.insider('POST', '/v1/moderation/sweeps', {
    query: { site: 'demo', author: 'Swept' },
    action: 'spam',
    expectTotal: 1,
  });
  ids.sweep = (sweep.body as { id: string }).id;
  Object.assign(ids, { id: 'c1', decisionId: results[0]?.decisionId, site: 'demo', ban: 'nothing', name: 'insider' });
});

describe('every route of the moderation API', () => {
  it('has a request here', () => {
    expect(guarded.map(nameOf).filter((name) => !(name in REQUESTS))).toEqual([]);
  });

  it.each(cases)('%s refuses without a session, and with one that nobody opened', async (_name, route) => {
    expect((await send(call, route)).status).toBe(401);
    expect((await send(call, route, { authorization: `Bearer ${'x'.repeat(43)}` })).status).toBe(401);
    expect((await send(call, route, { cookie: `sluice_session=${'x'.repeat(43)}` })).status).toBe(401);
  });

  it.each(cases.filter(([, { body }]) => body))(
    '%s asks who calls before it reads what was sent',
    async (_name, route) => {
      expect((await call(route.method, route.path.replaceAll(':', ''), 'no object')).status).toBe(401);
    },
  );

  it.each(cases.filter(([, { method }]) => method !== 'GET'))(
    '%s refuses a cookie without CSRF',
    async (_name, route) => {
      const { headers } = await call('POST', '/v1/moderation/sessions', { user: 'site-admin', password: PASSWORD });
      const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? '';
      expect((await send(call, route, { cookie })).status).toBe(403);
    },
  );

  it.each(cases.filter(([, { access }]) => access === 'admin'))('%s refuses a moderator', async (_name, route) => {
    expect((await send(who.insider as Caller, route)).status).toBe(403);
  });

  it.each(cases.filter(([name]) => REQUESTS[name]?.admin === 'all'))(
    '%s refuses the admin of one site',
    async (_name, route) => {
      expect((await send(who.siteAdmin as Caller, route)).status).toBe(403);
    },
  );

  it.each(cases)('%s gives nothing of a site to those who work at another', async (name, route) => {
    // Ends the session that the other cases need.
    if (name.startsWith('DELETE /v1/moderation/sessions')) return;
    const caller = route.access === 'admin' ? who.otherAdmin : who.outsider;
    const { status, body } = await send(caller as Caller, route);
    expect(status).toBe(REQUESTS[name]?.outsider ?? 403);
    expect(JSON.stringify(body ?? '')).not.toMatch(/Text of c|"site":"demo"|"done"|"published"/);
  });
});
