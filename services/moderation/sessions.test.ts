import { beforeEach, describe, expect, it } from 'vitest';
import { appOf, PASSWORD, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';
import { addUser, ensureAdmin, setPassword } from './users.ts';

let ports: Memory;
let call: Caller;
const SESSIONS = '/v1/moderation/sessions';

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
  ({ call } = appOf(ports));
  await addUser(ports, { name: 'mia', password: PASSWORD, roles: [{ site: 'demo', role: 'moderator' }] });
});

const cookieOf = (headers: Headers) => (headers.get('set-cookie') ?? '').split(';')[0] ?? '';

describe('a session', () => {
  it('opens by password, as a token and as a cookie that scripts and other sites cannot use', async () => {
    const answer = await call('POST', SESSIONS, { user: 'mia', password: PASSWORD });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ user: 'mia', roles: [{ site: 'demo', role: 'moderator' }] });
    expect(answer.headers.get('set-cookie')).toMatch(
      /^sluice_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/,
    );
  });

  it('is Secure where the instance is reached by https', async () => {
    const { call } = appOf({ ...ports, publicUrl: 'https://blog.example' });
    const answer = await call('POST', SESSIONS, { user: 'mia', password: PASSWORD });
    expect(answer.headers.get('set-cookie')).toContain('; Secure');
  });

  it('stores no token', async () => {
    const { body } = await call('POST', SESSIONS, { user: 'mia', password: PASSWORD });
    expect(JSON.stringify([...ports.items])).not.toContain((body as { token: string }).token);
  });

  it('writes by cookie only with the CSRF token that it was told', async () => {
    const { headers } = await call('POST', SESSIONS, { user: 'mia', password: PASSWORD });
    const cookie = cookieOf(headers);
    const { body } = await call('GET', SESSIONS, undefined, { cookie });
    const { csrf }: { csrf: string } = body;
    await addComment(ports, { id: 'c1' });
    const decisions = { decisions: [{ id: 'c1', version: 2, action: 'publish' }] };
    const path = '/v1/moderation/decisions';
    expect((await call('POST', path, decisions, { cookie })).status).toBe(403);
    expect((await call('POST', path, decisions, { cookie, 'x-csrf-token': 'wrong' })).status).toBe(403);
    expect((await call('POST', path, decisions, { cookie, 'x-csrf-token': csrf })).status).toBe(200);
  });

  it('ends after 12 hours', async () => {
    const mia = await signIn(ports, call, 'tom', [{ site: 'demo', role: 'moderator' }]);
    ports.clock.wind(12 * 3_600_000 - 1000);
    expect((await mia('GET', SESSIONS)).status).toBe(200);
    ports.clock.wind(2000);
    expect((await mia('GET', SESSIONS)).status).toBe(401);
  });

  it('ends by DELETE, and with a new password', async () => {
    const first = await signIn(ports, call, 'tom', []);
    expect((await first('DELETE', SESSIONS)).status).toBe(204);
    expect((await first('GET', SESSIONS)).status).toBe(401);
    const second = await signIn(ports, call, 'eve', []);
    ports.clock.wind(1);
    await setPassword(ports, 'eve', 'another password');
    expect((await second('GET', SESSIONS)).status).toBe(401);
  });
});

const fail = (client = '192.0.2.1', user = 'mia') =>
  call('POST', SESSIONS, { user, password: 'wrong' }, { 'x-test-client': client });

describe('the lock', () => {
  it('falls after ten failures in 15 minutes, for that user from that address, and says how long', async () => {
    for (let count = 0; count < 10; count++) expect((await fail()).status).toBe(401);
    const locked = await fail();
    expect(locked.status).toBe(429);
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await call('POST', SESSIONS, { user: 'mia', password: PASSWORD })).status).toBe(429);
    const elsewhere = { 'x-test-client': '192.0.2.2' };
    expect((await call('POST', SESSIONS, { user: 'mia', password: PASSWORD }, elsewhere)).status).toBe(201);
    ports.clock.wind(Number(locked.headers.get('retry-after')) * 1000);
    expect((await call('POST', SESSIONS, { user: 'mia', password: PASSWORD })).status).toBe(201);
  });

  it('counts guesses that are sent at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => fail()));
    expect(all.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(10);
  });

  it('falls for users that do not exist as for others', async () => {
    for (let count = 0; count < 10; count++) expect((await fail('192.0.2.1', 'nobody')).status).toBe(401);
    expect((await fail('192.0.2.1', 'nobody')).status).toBe(429);
  });
});

describe('the first moderator', () => {
  it('is made once, with a password that is told once', async () => {
    const first = await ensureAdmin(ports);
    expect(first).toMatchObject({ created: true });
    expect(first.password).toMatch(/^[\w-]{20}$/);
    expect(await ensureAdmin(ports)).toEqual({ created: false });
    const { status } = await call('POST', SESSIONS, { user: 'admin', password: first.password });
    expect(status).toBe(201);
  });

  it('takes the password of the settings, which is not told', async () => {
    expect(await ensureAdmin(ports, 'from the settings')).toEqual({ created: true });
  });
});
