import { createHash, randomBytes } from 'node:crypto';
import { CognitoJwtVerifier } from 'aws-jwt-verify';
import { z } from 'zod';
import type { Moderator } from '../../../services/moderation/moderator.ts';
import { SESSION_COOKIE } from '../../../services/moderation/sessions.ts';
import { SluiceError } from '../../../shared/errors.ts';
import type { Route } from '../../../shared/http.ts';
import type { Ports } from '../../../shared/ports.ts';
import { type Role, usersOf } from '../../../shared/store/users.ts';
import type { Environment } from '../environment.ts';
import { SIGN_IN } from './sign-in.ts';

const CALLBACK = '/v1/moderation/oidc/callback';
const SESSION_SECONDS = 12 * 3600;
/** How long somebody may take at Cognito's page. */
const SIGN_IN_MS = 10 * 60_000;
const STATE_COOKIE = 'sluice_oidc';

const Query = z.object({
  code: z.string().max(200).optional(),
  state: z.string().max(200).optional(),
  error: z.string().max(200).optional(),
  error_description: z.string().max(500).optional(),
});
const Pending = z.object({ state: z.string(), verifier: z.string(), at: z.number() });
const Claims = z.object({ 'cognito:username': z.string(), 'cognito:groups': z.array(z.string()).optional() });

/** What the two routes ask of Cognito; a test puts its own in. */
export type Provider = {
  /** Exchanges the code for the ID token (RFC 6749, 4.1.3, with PKCE). */
  exchange(code: string, verifier: string, redirectUri: string): Promise<string>;
  /** The claims of a token that holds; throws otherwise. */
  verify(idToken: string): Promise<unknown>;
};

export type Oidc = { domain: string; clientId: string; provider: Provider };

/**
 * Signing in with Cognito: an OIDC code flow with PKCE, at whose end stands the same session as after a password locally.
 *
 * Groups give roles: `admin` and `moderator` for every site, `admin:blog.example` and `moderator:blog.example` for one.
 * They are written down at each sign-in, so that a group taken away counts from the next one on.
 * https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
 */
export function oidcRoutes(
  ports: Ports,
  environment: Environment,
  oidc: Oidc = cognito(environment),
): Route<Moderator>[] {
  const { vault, clock, publicUrl, log, table } = ports;
  const users = usersOf(table, clock);
  const redirectUri = `${publicUrl}${CALLBACK}`;

  const signIn: Route<Moderator> = {
    method: 'GET',
    path: SIGN_IN,
    summary: 'Leads to the page on which moderators sign in (AWS)',
    access: 'public',
    responses: { 302: { description: 'To Cognito' } },
    async handle() {
      const [state, verifier] = [random(), random()];
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: oidc.clientId,
        redirect_uri: redirectUri,
        scope: 'openid profile',
        state,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
      const pending = vault.seal(JSON.stringify({ state, verifier, at: clock.now() }));
      return {
        status: 302,
        headers: {
          location: `${oidc.domain}/oauth2/authorize?${query}`,
          // Lax: the way back begins at Cognito's address.
          'set-cookie': `${STATE_COOKIE}=${pending}; Path=${CALLBACK}; HttpOnly; Secure; SameSite=Lax; Max-Age=600`,
        },
      };
    },
  };

  const callback: Route<Moderator> = {
    method: 'GET',
    path: CALLBACK,
    summary: 'The way back from signing in (AWS)',
    access: 'public',
    query: Query,
    responses: { 302: { description: 'To the desk, with the session as a cookie' } },
    async handle({ query, header }) {
      const { code, state, error }: z.infer<typeof Query> = query;
      const pending = pendingOf(header('cookie'), (sealed) => vault.open(sealed));
      if (!code || !pending || pending.state !== state || clock.now() - pending.at > SIGN_IN_MS) {
        throw refused(error ? `Cognito answered ${error}` : 'this sign-in was not begun here, or too long ago');
      }
      const token = await oidc.provider.exchange(code, pending.verifier, redirectUri);
      const claims = Claims.safeParse(
        await oidc.provider.verify(token).catch((cause: unknown) => {
          throw refused('the token does not hold', cause);
        }),
      );
      const roles = claims.success ? rolesOf(claims.data['cognito:groups'] ?? []) : [];
      if (!claims.success || roles.length === 0) throw refused('this user is in no group of moderators');
      const name = await know(claims.data['cognito:username'], roles);
      const session = random();
      await users.openSession(createHash('sha256').update(session).digest('base64url'), name, SESSION_SECONDS);
      log.info({ user: name }, 'signed in');
      return {
        status: 302,
        headers: {
          location: `${publicUrl}/moderate`,
          'set-cookie': `${SESSION_COOKIE}=${session}; Path=/; HttpOnly; Secure; SameSite=Strict; Max-Age=${SESSION_SECONDS}`,
        },
      };
    },
  };

  /** The user's record, with the roles that the groups say now. */
  const know = async (name: string, roles: readonly Role[]): Promise<string> => {
    const now = clock.now();
    const fresh = { name, password: '', roles, createdAt: now, sessionsFrom: now };
    for (let race = 0; race < 5; race++) {
      const known = await users.get(name);
      if (known?.disabled) throw refused('this user is disabled');
      if (known ? await users.change(known, { roles }) : await users.add(fresh)) return name;
    }
    throw new SluiceError('Store.Busy', 'the user changes too fast', { hint: 'sign in again' });
  };

  return [signIn, callback];
}

const random = () => randomBytes(32).toString('base64url');

const refused = (message: string, cause?: unknown) =>
  new SluiceError('Session.Required', message, { hint: `begin at ${SIGN_IN}`, cause });

function pendingOf(cookies: string | undefined, open: (sealed: string) => string) {
  const sealed = cookies
    ?.split(';')
    .map((part) => part.trim().split('='))
    .find(([name]) => name === STATE_COOKIE)?.[1];
  if (!sealed) return undefined;
  try {
    return Pending.parse(JSON.parse(open(sealed)));
  } catch {
    return undefined;
  }
}

export function rolesOf(groups: readonly string[]): Role[] {
  return groups.flatMap((group) => {
    const [role, site = '*'] = group.split(':', 2);
    return role === 'admin' || role === 'moderator' ? [{ site, role }] : [];
  });
}

function cognito({ userPool, userClient, userDomain }: Environment): Oidc {
  if (!userPool || !userClient || !userDomain) {
    throw new SluiceError('Config.Invalid', 'the user pool is not set', {
      hint: 'deploy the stacks again: they set it',
    });
  }
  const verifier = CognitoJwtVerifier.create({ userPoolId: userPool, tokenUse: 'id', clientId: userClient });
  return {
    domain: userDomain,
    clientId: userClient,
    provider: {
      async exchange(code, codeVerifier, redirectUri) {
        const answer = await fetch(`${userDomain}/oauth2/token`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: new URLSearchParams({
            grant_type: 'authorization_code',
            client_id: userClient,
            code,
            code_verifier: codeVerifier,
            redirect_uri: redirectUri,
          }).toString(),
          signal: AbortSignal.timeout(5000),
        });
        const { id_token: token } = (await answer.json()) as { id_token?: string };
        if (!answer.ok || !token) throw refused(`Cognito refused the code with ${answer.status}`);
        return token;
      },
      verify: (token) => verifier.verify(token),
    },
  };
}
