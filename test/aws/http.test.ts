import { describe, expect, it } from 'vitest';
import { authenticate } from '../../services/moderation/sessions.ts';
import { moderationRoutes } from '../../services/moderation/routes.ts';
import { describeApi } from '../../infra/aws/describe.ts';
import { clientOf, type HttpEvent, requestOf } from '../../infra/aws/http-entry.ts';
import { EXTRA } from '../../infra/aws/extra.ts';
import { deskRoutes } from '../../infra/aws/http/moderation.ts';
import { type Oidc, oidcRoutes, rolesOf } from '../../infra/aws/http/oidc.ts';
import { settingsRoutes } from '../../infra/aws/http/settings.ts';
import type { Environment } from '../../infra/aws/environment.ts';
import { serve } from '../../shared/http.ts';
import { memoryPorts } from '../fakes.ts';

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

describe('the desk on AWS', () => {
  const name = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

  it('serves every route of the desk in one of its two functions, but the password', () => {
    const ports = memoryPorts();
    const here = [...deskRoutes(ports), ...settingsRoutes(ports)].map(name);
    expect(new Set(here).size).toBe(here.length);
    expect(here.toSorted()).toEqual(
      moderationRoutes(ports)
        .map(name)
        .filter((one) => one !== 'POST /v1/moderation/sessions')
        .toSorted(),
    );
    // Of the HTTP API's routes the most specific is taken: each path leads to the function that has it.
    const takes = (path: string) =>
      EXTRA.settings!.routes!.some((route) =>
        new RegExp(`^ANY ${path.replaceAll(/:\w+/g, '\\{\\w+\\}')}$`).test(route),
      );
    expect(settingsRoutes(ports).filter(({ path }) => !takes(path))).toEqual([]);
    expect(deskRoutes(ports).filter(({ path }) => takes(path))).toEqual([]);
  });

  it('describes itself without asking a port', async () => {
    const { '/v1/openapi.json': page, '/v1/events.json': events } = await describeApi();
    expect(page).toMatchObject({ openapi: expect.stringMatching(/^3\.1/) });
    expect(Object.keys((page as { paths: object }).paths)).toContain('/v1/moderation/decisions');
    expect(events).toMatchObject({ CommentSubmitted: { type: 'object' } });
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
