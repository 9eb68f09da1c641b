import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import { SiteId } from '../../shared/events.ts';
import type { Call, Reply, Route } from '../../shared/http.ts';
import { messageIdOf, notificationsOf, type NotifyMessage } from '../../shared/store/notifications.ts';
import type { Author, Site } from '../../shared/store/sites.ts';
import { readMailToken } from '../deliver/mail-links.ts';
import { SIGN_IN_MINUTES } from '../deliver/reader.ts';
import { AUTHOR_TOKEN_DAYS, authorEpoch, authorToken, revokeAuthorTokens } from '../door/authors.ts';
import type { Door } from '../door/door.ts';
import { countAsked } from '../door/limits.ts';
import { clientOf } from '../door/submit.ts';
import { may, type Moderator } from '../moderation/moderator.ts';
import { authenticate } from '../moderation/sessions.ts';

const COOKIE = 'sluice_author';
export const AUTHOR_SESSION_SECONDS = 12 * 3600;
const DAY_S = 86_400;
/** Links asked for: by one client a minute, and for one address in a quarter of an hour. */
const ASKED_BY_CLIENT = 5;
const ASKED_FOR_ADDRESS = 3;

const AuthorId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/);
const Ask = z.strictObject({ email: z.string().min(3).max(254), site: SiteId.optional() });
const Open = z.strictObject({ token: z.string().max(600) });
const Who = z.strictObject({ site: SiteId.optional() });
const Wanted = z.strictObject({ site: SiteId, author: AuthorId, origin: z.string().max(300) });
const Named = z.strictObject({ site: SiteId, author: AuthorId });

/** One author as whom the caller may comment. */
export type Acting = { site: string; siteName: string; id: string; name: string; as: 'author' | 'moderator' };

/**
 * How authors of a static blog sign in: a link by mail, a session of our own page, and from there a token for the widget.
 *
 * Only our own page calls these: no CORS, a `SameSite` cookie, and JSON, which no form can send.
 */
export function authorRoutes({ ports, sites, contacts, rateLimit }: Door): Route[] {
  const { table, vault, clock, ids, log, publicUrl } = ports;
  const notifications = notificationsOf(table);
  const moderatorOf = authenticate(ports);
  const seconds = () => Math.floor(clock.now() / 1000);
  const secure = publicUrl.startsWith('https:') ? '; Secure' : '';
  const cookie = (value: string, age: number) =>
    `${COOKIE}=${value}; Path=/v1/authors; HttpOnly; SameSite=Strict; Max-Age=${age}${secure}`;

  const count = async (name: string, windowSeconds: number, limit: number): Promise<void> => {
    const hint = `an older link still works for its ${SIGN_IN_MINUTES} minutes`;
    if (rateLimit) await countAsked(table, clock, `author-${name}`, { windowSeconds, limit, hint });
  };

  const sitesFor = async (site: string | undefined): Promise<readonly Site[]> =>
    site === undefined ? sites.list() : [(await sites.rules(site)).site];

  const isOf = (emailHash: string) => (author: Author) =>
    author.email !== undefined && contacts.hashOf(author.email) === emailHash;

  /** As whom the caller may comment: by the address that the link went to, and as a moderator by the session of the desk. */
  const actingOf = async (call: Call, site: string | undefined): Promise<readonly Acting[]> => {
    const session = cookieOf(call.header('cookie'));
    const item = session ? await table.get({ pk: `AS#${hashOf(session)}`, sk: 'session' }) : undefined;
    const emailHash = item ? String(item.emailHash) : undefined;
    const moderator = await moderatorOf(call as Omit<Call<Moderator>, 'caller'>, 'moderator', 'GET').catch(
      (error: unknown) => {
        if (error instanceof SluiceError && error.code.startsWith('Session.')) return undefined;
        throw error;
      },
    );
    if (emailHash === undefined && !moderator) return [];
    return (await sitesFor(site)).flatMap(({ id, name: siteName, authors }) =>
      authors.flatMap((author): Acting[] => {
        const own = emailHash !== undefined && isOf(emailHash)(author);
        if (!own && !(moderator && may(moderator, id))) return [];
        return [{ site: id, siteName, id: author.id, name: author.name, as: own ? 'author' : 'moderator' }];
      }),
    );
  };

  const mustActAs = async (call: Call, site: string, author: string): Promise<Acting> => {
    const all = await actingOf(call, site);
    const found = all.find(({ id }) => id === author);
    if (found) return found;
    if (all.length > 0) {
      throw new SluiceError('Session.Forbidden', `this session is not of the author "${author}"`, {
        hint: 'sign in with the address of that author',
      });
    }
    throw new SluiceError('Session.Required', 'no author is signed in', { hint: 'sign in at /author' });
  };

  const ask = async (call: Call): Promise<Reply> => {
    ownPage(call);
    const { email, site: wanted }: z.infer<typeof Ask> = call.body;
    const emailHash = contacts.hashOf(email);
    await count(`client-${clientOf(ports, call.client).key}`, 60, ASKED_BY_CLIENT);
    await count(`address-${emailHash}`, SIGN_IN_MINUTES * 60, ASKED_FOR_ADDRESS);
    const found = await sitesFor(wanted);
    const site = found.find(({ authors }) => authors.some(isOf(emailHash))) ?? found[0];
    if (site) {
      // For any address: `deliver` looks whose it is, so that neither the answer nor its time tells.
      const ref = { commentId: `sign-in:${ids.next()}`, recipient: `sign-in:${emailHash}` };
      const messageId = messageIdOf(publicUrl, ref);
      const record = { ...ref, kind: 'sign-in', state: 'queued', messageId, at: clock.now(), tries: 0 } as const;
      await notifications.claim({ ...record, version: 1, expiresAt: seconds() + DAY_S });
      const message: NotifyMessage = { schema: 1, kind: 'sign-in', ...ref, site: site.id };
      await ports.queues.notify!.send(JSON.stringify(message));
    }
    return { status: 202, body: { minutes: SIGN_IN_MINUTES } };
  };

  const open = async (call: Call): Promise<Reply> => {
    ownPage(call);
    const { token }: z.infer<typeof Open> = call.body;
    const link = readMailToken(vault, token, clock.now());
    const opened = link?.kind === 'sign-in' && {
      put: { pk: `AL#${link.id}`, sk: 'used', expiresAt: Math.ceil(link.until / 1000) + 60 },
      if: 'absent' as const,
    };
    if (link?.kind !== 'sign-in' || !opened || !(await table.write([opened])).done) {
      throw new SluiceError('Capability.Refused', 'this link was used before, or is too old', {
        hint: `ask for a new one: it works once, for ${SIGN_IN_MINUTES} minutes`,
      });
    }
    const session = randomBytes(32).toString('base64url');
    const expiresAt = seconds() + AUTHOR_SESSION_SECONDS;
    await table.write([
      { put: { pk: `AS#${hashOf(session)}`, sk: 'session', emailHash: link.address, at: clock.now(), expiresAt } },
    ]);
    log.info('an author signed in');
    return { status: 201, body: {}, headers: { 'set-cookie': cookie(session, AUTHOR_SESSION_SECONDS) } };
  };

  const grant = async (call: Call): Promise<Reply> => {
    ownPage(call);
    const { site: id, author, origin }: z.infer<typeof Wanted> = call.body;
    const { name } = await mustActAs(call, id, author);
    const { origins } = (await sites.rules(id)).site;
    // A browser says with each POST where the page is: ours, also under a name that PUBLIC_URL does not have.
    if (!origins.includes(origin) && origin !== publicUrl && origin !== call.header('origin')) {
      throw new SluiceError('Session.Forbidden', `${origin.slice(0, 100)} is no origin of the site "${id}"`, {
        hint: 'an admin adds it: sluice site add --origin, or the desk under Sites',
      });
    }
    const expiresAt = seconds() + AUTHOR_TOKEN_DAYS * DAY_S;
    const token = authorToken(vault, id, author, expiresAt, await authorEpoch(table, id, author));
    log.info({ site: id, author }, 'author token given');
    return { status: 201, body: { token, name, expiresAt: expiresAt * 1000 } };
  };

  return [
    {
      method: 'POST',
      path: '/v1/authors/links',
      summary: 'Mails a sign-in link, if the address is an author’s; the answer is the same if not',
      access: 'public',
      body: Ask,
      responses: { 202: { description: 'Taken', schema: z.object({ minutes: z.int() }) } },
      handle: ask,
    },
    {
      method: 'POST',
      path: '/v1/authors/sessions',
      summary: 'Opens a session by the token of a sign-in link, once',
      access: 'public',
      body: Open,
      responses: { 201: { description: 'Signed in; the session is a cookie' } },
      handle: open,
    },
    {
      method: 'GET',
      path: '/v1/authors/sessions',
      summary: 'As which authors the caller may comment',
      access: 'public',
      query: Who,
      responses: { 200: { description: '{authors: [{site, siteName, id, name, as}]}; empty for nobody' } },
      async handle(call) {
        const { site }: z.infer<typeof Who> = call.query;
        return { status: 200, body: { authors: await actingOf(call, site) } };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/authors/sessions',
      summary: 'Ends the session; tokens stay',
      access: 'public',
      responses: { 204: { description: 'Signed out' } },
      async handle(call) {
        ownPage(call);
        const session = cookieOf(call.header('cookie'));
        if (session) await table.write([{ delete: { pk: `AS#${hashOf(session)}`, sk: 'session' } }]);
        return { status: 204, headers: { 'set-cookie': cookie('', 0) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/authors/tokens',
      summary: 'A token with which the widget at `origin` comments as this author',
      access: 'public',
      body: Wanted,
      responses: { 201: { description: 'For Authorization: Author …' } },
      handle: grant,
    },
    {
      method: 'POST',
      path: '/v1/authors/revocations',
      summary: 'Ends every token of this author, in every browser',
      access: 'public',
      body: Named,
      responses: { 204: { description: 'Ended' } },
      async handle(call) {
        ownPage(call);
        const { site, author }: z.infer<typeof Named> = call.body;
        await mustActAs(call, site, author);
        await revokeAuthorTokens(table, site, author);
        log.info({ site, author }, 'author tokens ended');
        return { status: 204 };
      },
    },
  ];
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');

/** Throws for a call that a browser makes for another site's page. https://www.w3.org/TR/fetch-metadata/ */
function ownPage(call: Call): void {
  const from = call.header('sec-fetch-site') ?? 'none';
  if (from === 'same-origin' || from === 'none') return;
  throw new SluiceError('Session.Forbidden', 'this call came from the page of another site', {
    hint: 'open /author itself',
  });
}

function cookieOf(header: string | undefined): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === COOKIE && value && value.length < 200) return value;
  }
  return undefined;
}
