import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authenticate } from '../../services/moderation/sessions.ts';
import { moderationRoutes } from '../../services/moderation/routes.ts';
import { rulesRoutes } from '../../services/moderation/rules-routes.ts';
import { settingsRoutes } from '../../services/moderation/settings-routes.ts';
import { describeApi } from '../../infra/aws/describe.ts';
import { clientOf, type HttpEvent, requestOf, type WebApp } from '../../infra/aws/http-entry.ts';
import { EXTRA } from '../../infra/aws/extra.ts';
import { DESCRIPTIONS } from '../../infra/aws/http/descriptions.ts';
import { deskApp } from '../../infra/aws/http/desk-app.ts';
import { healthRoute } from '../../infra/aws/http/health.ts';
import { door } from '../../infra/aws/http/door.ts';
import { links } from '../../infra/aws/http/links.ts';
import { deskRoutes, moderation } from '../../infra/aws/http/moderation.ts';
import { rules } from '../../infra/aws/http/rules.ts';
import { type Oidc, oidcRoutes, rolesOf } from '../../infra/aws/http/oidc.ts';
import type { Environment } from '../../infra/aws/environment.ts';
import { serve } from '../../shared/http.ts';
import { memoryPorts } from '../fakes.ts';
import { testInstance, type TestInstance } from '../instance.ts';

const event = (headers: Record<string, string>, more: Partial<HttpEvent> = {}): HttpEvent => ({
  rawPath: '/v1/sites/blog/threads/a%2Fb/comments',
  rawQueryString: 'limit=5&parent=x%20y',
  headers,
  requestContext: { http: { method: 'GET', sourceIp: '203.0.113.9' } },
  ...more,
});

describe('a request of the HTTP API', () => {
  it('is the one that the reader sent: path, query and cookies as they were, and no secret of ours', () => {
    const request = requestOf(
      event({ accept: '*/*', 'x-sluice-origin': 'secret', host: 'api.internal' }, { cookies: ['a=1', 'b=2'] }),
      'https://comments.example',
    );
    expect(request.url).toBe('https://comments.example/v1/sites/blog/threads/a%2Fb/comments?limit=5&parent=x%20y');
    expect(request.headers.get('cookie')).toBe('a=1; b=2');
    expect(request.headers.get('x-sluice-origin')).toBeNull();
  });

  it.each([
    ['the reader alone', '198.51.100.7, 203.0.113.9', '198.51.100.7'],
    ['a reader who claims another address', '1.1.1.1, 198.51.100.7, 203.0.113.9', '198.51.100.7'],
    ['a gateway that adds nothing', '1.1.1.1, 198.51.100.7', '198.51.100.7'],
    ['nothing at all', '', '203.0.113.9'],
  ])('comes from the address that CloudFront saw: %s', (_sentence, forwarded, client) => {
    expect(clientOf(event({ 'x-forwarded-for': forwarded }))).toBe(client);
  });
});

/** The function to which the HTTP API leads a path: by the route that names most of it. */
function functionOf(path: string): string {
  const fits = Object.entries(EXTRA).flatMap(([name, { routes = [] }]) =>
    routes
      .map((route) => route.replace('ANY ', ''))
      .filter((route) =>
        new RegExp(`^${route.replaceAll('{proxy+}', '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path),
      )
      .map((route) => ({ name, known: route.replaceAll(/\{.*?\}/g, '').length - (route.includes('+') ? 0.5 : 0) })),
  );
  return fits.toSorted((a, b) => b.known - a.known)[0]!.name;
}

describe('the desk on AWS', () => {
  const name = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

  it('serves every route of the desk in one of its three functions, but the password', () => {
    const ports = memoryPorts();
    const functions = { moderation: deskRoutes(ports), rules: rulesRoutes(ports), settings: settingsRoutes(ports) };
    const here = Object.values(functions).flat().map(name);
    expect(new Set(here).size).toBe(here.length);
    expect(here.toSorted()).toEqual(
      moderationRoutes(ports)
        .map(name)
        .filter((one) => one !== 'POST /v1/moderation/sessions')
        .toSorted(),
    );
    for (const [wanted, routes] of Object.entries(functions)) {
      for (const { path } of routes)
        expect({ path, to: functionOf(path.replaceAll(/:\w+/g, 'x')) }).toEqual({ path, to: wanted });
    }
  });
});

/** Both over the same store: what differs is the runtime alone. */
describe('each call', () => {
  let local: TestInstance;
  let apps: Record<string, WebApp>;
  let paths: Record<string, object>;
  beforeAll(async () => {
    local = await testInstance();
    const { ports } = local.runtime;
    apps = {
      door: door(ports),
      links: links(ports),
      moderation: moderation(ports),
      rules: rules(ports),
      settings: deskApp([healthRoute(ports), ...settingsRoutes(ports)], ports),
    };
    ({ paths } = (await local.call('GET', '/v1/openapi.json')).body);
  });
  afterAll(() => local.end());

  const onAws = (path: string): WebApp => apps[functionOf(path)]!;
  const told = async (response: Response) => {
    const json = /json/.test(response.headers.get('content-type') ?? '');
    const { status, headers } = response;
    return {
      status,
      ...Object.fromEntries(
        ['allow', 'vary', 'content-type', 'cache-control', 'access-control-allow-origin', 'location'].map((name) => [
          name,
          headers.get(name),
        ]),
      ),
      code: json ? ((await response.json()) as { code?: string }).code : undefined,
    };
  };
  /** What a front end on AWS keeps as a file, and how moderators sign in. */
  const APART = new Set(['/embed.js', ...DESCRIPTIONS, '/v1/moderation/sessions', '/v1/moderation/events']);

  it('is answered by AWS as by one machine: status, Allow, Vary, CORS, code', { timeout: 30_000 }, async () => {
    const auth = await local.asAdmin();
    const differ: object[] = [];
    let calls = 0;
    for (const described of Object.keys(paths).filter((path) => !APART.has(path))) {
      const path = described.replace('{site}', 'demo').replaceAll(/\{\w+\}/g, 'x');
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        for (const headers of [{ origin: 'https://blog.example' }, ...(method === 'GET' ? [auth] : [])]) {
          const request = () =>
            new Request(new URL(path, local.publicUrl), {
              method,
              headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
              ...(!['GET', 'OPTIONS'].includes(method) && { body: '{}' }),
            });
          const here = await told(await local.fetch(request()));
          const there = await told(await onAws(path)(request(), '127.0.0.1'));
          calls += 1;
          if (!isDeepStrictEqual(here, there)) differ.push({ method, path, here, there });
        }
      }
    }
    expect(differ).toEqual([]);
    expect(calls).toBeGreaterThan(300);
  });

  it('is described by AWS as by one machine, but how one signs in', async () => {
    const { '/v1/openapi.json': page, '/v1/events.json': events } = await describeApi();
    const names = (all: object) =>
      Object.entries(all)
        .flatMap(([path, methods]) => Object.keys(methods as object).map((method) => `${method} ${path}`))
        .toSorted();
    const ours = names((page as { paths: object }).paths);
    expect(page).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
    expect(ours.filter((name) => !name.includes('/oidc/'))).toEqual(
      names(paths).filter((name) => name !== 'post /v1/moderation/sessions'),
    );
    expect(ours.filter((name) => name.includes('/oidc/'))).toHaveLength(2);
    expect(ours).toEqual(
      expect.arrayContaining(['get /privacy', 'get /health', 'get /embed.js', 'post /v1/authors/links']),
    );
    expect(events).toMatchObject({ CommentSubmitted: { type: 'object' } });
  });

  it('for signing in by password is 405 on AWS, which says where to sign in', async () => {
    const post = await apps.moderation!(
      new Request('https://c.example/v1/moderation/sessions', { method: 'POST', body: '{}' }),
      '',
    );
    expect(post.status).toBe(405);
    expect(post.headers.get('allow')).toBe('DELETE, GET, HEAD, OPTIONS');
    const way = await apps.moderation!(new Request('https://c.example/v1/moderation/sign-in'), '');
    expect(await way.json()).toEqual({ by: 'page', url: '/v1/moderation/oidc/sign-in' });
    expect((await local.call('GET', '/v1/moderation/sign-in')).body).toEqual({ by: 'password' });
  });
});

describe('signing in with Cognito', () => {
  const environment = {} as Environment;
  function rig(claims: unknown = { 'cognito:username': 'ada', 'cognito:groups': ['moderator:blog'] }) {
    const ports = memoryPorts();
    const asked: string[][] = [];
    const oidc: Oidc = {
      domain: 'https://login.example',
      clientId: 'client',
      provider: {
        async exchange(...args) {
          asked.push(args);
          return 'token';
        },
        async verify() {
          if (claims instanceof Error) throw claims;
          return claims;
        },
      },
    };
    const routes = [...oidcRoutes(ports, environment, oidc), ...deskRoutes(ports)];
    const app = serve(routes, { authenticate: authenticate(ports), log: ports.log });
    const get = (path: string, cookie?: string) =>
      app.fetch(new Request(new URL(path, ports.publicUrl), { headers: cookie ? { cookie } : {} }), { client: '' });
    const begin = async () => {
      const response = await get('/v1/moderation/oidc/sign-in');
      const query = new URL(response.headers.get('location')!).searchParams;
      return { cookie: response.headers.get('set-cookie')!.split(';')[0]!, query };
    };
    return { ports, asked, get, begin };
  }

  it('ends in the session that a password would open, with the roles of the groups', async () => {
    const { get, begin, asked } = rig();
    const { cookie, query } = await begin();
    expect(Object.fromEntries(query)).toMatchObject({
      response_type: 'code',
      client_id: 'client',
      code_challenge_method: 'S256',
      redirect_uri: 'https://comments.example/v1/moderation/oidc/callback',
    });
    const back = await get(`/v1/moderation/oidc/callback?code=c&state=${query.get('state')}`, cookie);
    expect(back.status).toBe(302);
    expect(back.headers.get('location')).toBe('https://comments.example/moderate');
    expect(asked[0]![0]).toBe('c');
    const session = back.headers.get('set-cookie')!;
    expect(session).toMatch(/HttpOnly; Secure; SameSite=Strict/);
    const who = await get('/v1/moderation/sessions', session.split(';')[0]);
    expect(await who.json()).toMatchObject({ user: 'ada', roles: [{ site: 'blog', role: 'moderator' }] });
  });

  it.each([
    ['another state', (query: URLSearchParams) => `code=c&state=${query.get('state')}x`],
    ['no code', (query: URLSearchParams) => `error=access_denied&state=${query.get('state')}`],
  ])('is refused with %s', async (_sentence, queryOf) => {
    const { get, begin } = rig();
    const { cookie, query } = await begin();
    expect((await get(`/v1/moderation/oidc/callback?${queryOf(query)}`, cookie)).status).toBe(401);
  });

  it('is refused without the cookie of the browser that began it, and when it took too long', async () => {
    const { get, begin, ports } = rig();
    const { cookie, query } = await begin();
    const path = `/v1/moderation/oidc/callback?code=c&state=${query.get('state')}`;
    expect((await get(path)).status).toBe(401);
    expect((await get(path, 'sluice_oidc=made-up')).status).toBe(401);
    ports.wind(11 * 60_000);
    expect((await get(path, cookie)).status).toBe(401);
  });

  it.each([
    ['a token that does not hold', new Error('signature')],
    ['somebody in no group', { 'cognito:username': 'eve' }],
    ['a group that means nothing here', { 'cognito:username': 'eve', 'cognito:groups': ['owner'] }],
  ])('is refused for %s', async (_sentence, claims) => {
    const { get, begin } = rig(claims);
    const { cookie, query } = await begin();
    expect((await get(`/v1/moderation/oidc/callback?code=c&state=${query.get('state')}`, cookie)).status).toBe(401);
  });

  it('reads roles off groups', () => {
    expect(rolesOf(['admin', 'moderator:blog', 'other', 'admin:b:c'])).toEqual([
      { site: '*', role: 'admin' },
      { site: 'blog', role: 'moderator' },
      { site: 'b', role: 'admin' },
    ]);
  });
});
