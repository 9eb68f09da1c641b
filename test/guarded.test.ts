import { afterAll, beforeAll, expect, it } from 'vitest';
import { executionRoutes } from '../infra/local/execution-routes.ts';
import { mailboxRoutes } from '../infra/local/mail.ts';
import { testInstance, type TestInstance } from './instance.ts';

/** What the local server guards beside the desk's API, whose own matrix is services/moderation/access.test.ts. */
let sluice: TestInstance;
let moderator: Record<string, string>;
let siteAdmin: Record<string, string>;
let paths: { method: string; path: string }[];

beforeAll(async () => {
  sluice = await testInstance({}, { demo: true });
  const admin = await sluice.asAdmin();
  const signedIn = async (name: string, role: string) => {
    const password = 'long enough for a test';
    const roles = [{ site: 'demo', role }];
    await sluice.call('POST', '/v1/moderation/users', { name, password, roles }, admin);
    const { body } = await sluice.call('POST', '/v1/moderation/sessions', { user: name, password });
    return { authorization: `Bearer ${body.token}` };
  };
  moderator = await signedIn('mo', 'moderator');
  siteAdmin = await signedIn('site-admin', 'admin');
  paths = [...executionRoutes(sluice.runtime), ...mailboxRoutes(sluice.runtime.ports)].map(({ method, path }) => ({
    method,
    path: path.replaceAll(/:\w+/g, 'x'),
  }));
});
afterAll(() => sluice.end());

it('is refused without a session, and to a moderator', async () => {
  expect(paths.length).toBeGreaterThan(4);
  for (const { method, path } of paths) {
    expect([path, (await sluice.call(method, path)).status]).toEqual([path, 401]);
    expect([path, (await sluice.call(method, path, undefined, moderator)).status]).toEqual([path, 403]);
  }
});

it('is refused to the admin of one site: it tells of every site', async () => {
  for (const { method, path } of paths) {
    expect([path, (await sluice.call(method, path, undefined, siteAdmin)).status]).toEqual([path, 403]);
  }
});
