import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Authenticate, Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { type User, type Users, usersOf } from '../../shared/store/users.ts';
import { NOBODY, type Moderator } from './moderator.ts';
import { verifyPassword } from './password.ts';

export const SESSION_COOKIE = 'sluice_session';
const SESSION_SECONDS = 12 * 3600;
const LOCK_AFTER = 10;
const LOCK_WINDOW_MS = 15 * 60_000;
const READS = new Set(['GET', 'HEAD']);

type Needs = Pick<Ports, 'table' | 'clock' | 'vault'>;

/**
 * Who calls, by bearer token or session cookie. Roles are read each time: one that is taken away is gone at once.
 *
 * A cookie alone must not write, since a browser sends it unasked: such calls bring `X-CSRF-Token`.
 */
export function authenticate({ table, clock, vault }: Needs): Authenticate<Moderator> {
  const users = usersOf(table, clock);
  return async (call, access, method) => {
    if (access === 'public') return NOBODY;
    const bearer = /^Bearer ([\w.~+/=-]{1,200})$/i.exec(call.header('authorization') ?? '')?.[1];
    const token = bearer ?? cookieOf(call.header('cookie'));
    if (!token) throw signIn('no session was sent');
    const session = hashOf(token);
    const user = await userOf(users, session);
    if (!user) throw signIn('the session has ended');
    if (!bearer && !READS.has(method) && !vault.verify('session', csrf(session), call.header('x-csrf-token') ?? '')) {
      throw new SluiceError('Session.Forbidden', 'the CSRF token is missing or wrong', {
        hint: 'send X-CSRF-Token as GET /v1/moderation/sessions answers it, or a bearer token',
      });
    }
    if (access === 'admin' && !user.roles.some(({ role }) => role === 'admin')) {
      throw new SluiceError('Session.Forbidden', `${user.name} is no admin`, { hint: 'ask an admin' });
    }
    return { user: user.name, roles: user.roles, session };
  };
}

/** Whose session it is, unless it has ended or they were shut out: for who reads on for long. */
export async function userOf(users: Users, session: string): Promise<User | undefined> {
  const found = await users.session(session);
  const user = found && (await users.get(found.user));
  return found && user && !user.disabled && found.at >= user.sessionsFrom ? user : undefined;
}

const SignIn = z.strictObject({ user: z.string().max(63), password: z.string().max(1024) });
const Who = z.object({
  user: z.string(),
  roles: z.array(z.object({ site: z.string(), role: z.enum(['moderator', 'admin']) })),
});

type SessionPorts = Needs & Pick<Ports, 'publicUrl' | 'log'>;

const cookieWith =
  ({ publicUrl }: Pick<Ports, 'publicUrl'>) =>
  (value: string, seconds: number) =>
    `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${publicUrl.startsWith('https:') ? '; Secure' : ''}`;

/** How moderators sign in here: by a password that this API takes, or on a page of another. */
export const signInRoute = (way: { by: 'password' } | { by: 'page'; url: string }): Route<Moderator> => ({
  method: 'GET',
  path: '/v1/moderation/sign-in',
  summary: 'How moderators sign in here: by a password, or on a page (AWS)',
  access: 'public',
  responses: { 200: { description: '{by: "password"}, or {by: "page", url}' } },
  handle: async () => ({ status: 200, body: way }),
});

/** Signing in by password, of the local runtime. */
export function passwordRoutes(ports: SessionPorts): Route<Moderator>[] {
  const { table, clock, vault, log } = ports;
  const users = usersOf(table, clock);
  const cookie = cookieWith(ports);

  const open: Route<Moderator> = {
    method: 'POST',
    path: '/v1/moderation/sessions',
    summary: 'Signs in: a bearer token, and the same as a cookie',
    access: 'public',
    body: SignIn,
    responses: { 201: { description: 'Signed in', schema: Who.extend({ token: z.string() }) } },
    async handle({ body, client }) {
      const { user: name, password }: z.infer<typeof SignIn> = body;
      const who = vault.sign('session', `try:${name}\n${client}`);
      // Counted before the password is looked at: guesses sent at once are counted one by one.
      const { attempts, freeInMs } = await users.attempt(who, LOCK_WINDOW_MS);
      if (attempts > LOCK_AFTER) {
        await users.forgive(who);
        throw new SluiceError('Session.Locked', `${LOCK_AFTER} sign-ins failed within 15 minutes`, {
          hint: 'wait, or sign in from another address',
          cause: { retryAfterSeconds: Math.max(1, Math.ceil(freeInMs / 1000)) },
        });
      }
      const user = await users.get(name);
      if (!(await verifyPassword(password, user?.password)) || !user || user.disabled) {
        log.info({ attempts }, 'sign-in refused');
        throw signIn('the user or the password is wrong');
      }
      await users.forgiveAll(who, LOCK_WINDOW_MS);
      const token = randomBytes(32).toString('base64url');
      await users.openSession(hashOf(token), user.name, SESSION_SECONDS);
      log.info({ user: user.name }, 'signed in');
      return {
        status: 201,
        body: { token, user: user.name, roles: user.roles },
        headers: { 'set-cookie': cookie(token, SESSION_SECONDS) },
      };
    },
  };

  return [open, signInRoute({ by: 'password' })];
}

/** Of a session that is open, however it was opened. */
export function sessionRoutes(ports: SessionPorts): Route<Moderator>[] {
  const { table, clock, vault } = ports;
  const users = usersOf(table, clock);
  const cookie = cookieWith(ports);

  const who: Route<Moderator> = {
    method: 'GET',
    path: '/v1/moderation/sessions',
    summary: 'Who is there, with the CSRF token that cookie calls send as X-CSRF-Token',
    access: 'moderator',
    responses: { 200: { description: 'Signed in', schema: Who.extend({ csrf: z.string(), expiresAt: z.number() }) } },
    async handle({ caller }) {
      const session = await users.session(caller.session);
      return {
        status: 200,
        body: {
          user: caller.user,
          roles: caller.roles,
          csrf: vault.sign('session', csrf(caller.session)),
          expiresAt: (session?.expiresAt ?? 0) * 1000,
        },
      };
    },
  };

  const end: Route<Moderator> = {
    method: 'DELETE',
    path: '/v1/moderation/sessions',
    summary: 'Ends the session',
    access: 'moderator',
    responses: { 204: { description: 'Signed out' } },
    async handle({ caller }) {
      await users.endSession(caller.session);
      return { status: 204, headers: { 'set-cookie': cookie('', 0) } };
    },
  };

  return [who, end];
}

const csrf = (session: string) => `csrf:${session}`;

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');

function cookieOf(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === SESSION_COOKIE && value) return value;
  }
  return undefined;
}

const signIn = (message: string) =>
  new SluiceError('Session.Required', message, { hint: 'sign in: GET /v1/moderation/sign-in says how' });
