import type { Hono } from 'hono';
import { serve, type Bindings, type Route } from '../../../shared/http.ts';
import type { Role } from '../../../shared/store/users.ts';
import type { Moderator } from '../moderator.ts';
import { moderationRoutes } from '../routes.ts';
import { authenticate } from '../sessions.ts';
import { addUser } from '../users.ts';
import type { Memory } from './memory.ts';

export const PASSWORD = 'correct horse battery';

export type Answer = { status: number; body: never; headers: Headers };
export type Caller = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** The moderation API without a socket. */
export function appOf(ports: Memory): {
  app: Hono<{ Bindings: Bindings }>;
  routes: readonly Route<Moderator>[];
  call: Caller;
} {
  const routes = moderationRoutes(ports);
  const app = serve(routes, { authenticate: authenticate(ports), log: ports.log });
  const call: Caller = async (method, path, body, headers = {}) => {
    const answer = await app.request(
      path,
      {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      },
      { client: headers['x-test-client'] ?? '192.0.2.1' },
    );
    const text = await answer.text();
    return {
      status: answer.status,
      body: (text === '' ? undefined : JSON.parse(text)) as never,
      headers: answer.headers,
    };
  };
  return { app, routes, call };
}

/** A user of that name and roles, signed in by bearer token. */
export async function signIn(ports: Memory, call: Caller, name: string, roles: readonly Role[]): Promise<Caller> {
  await addUser(ports, { name, password: PASSWORD, roles });
  const { body } = await call('POST', '/v1/moderation/sessions', { user: name, password: PASSWORD });
  const { token }: { token: string } = body;
  return (method, path, sent, headers) => call(method, path, sent, { authorization: `Bearer ${token}`, ...headers });
}
