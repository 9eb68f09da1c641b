import { z } from 'zod';
import { BAN_KINDS, type Ban } from '../../shared/bans.ts';
import { SluiceError } from '../../shared/errors.ts';
import { Id, SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { audit } from './audit-log.ts';
import { defined } from './comments.ts';
import { may, mustBe, type Moderator } from './moderator.ts';

const ListBans = z.strictObject({ site: SiteId });
const NewBan = z.strictObject({
  site: SiteId,
  kind: z.enum(BAN_KINDS),
  /** A word or a host; what stands in a comment is named by the comment. */
  value: z.string().trim().min(2).max(200).optional(),
  comment: Id.optional(),
  action: z.enum(['hold', 'reject']),
  reason: z.string().trim().min(1).max(200),
  expiresAt: z.int().positive().optional(),
});
type NewBan = z.infer<typeof NewBan>;

/** Every judgement looks at all of them, and one record holds them: DynamoDB takes 400 KB. */
const MOST_BANS = 1000;
const MOST_BYTES = 300_000;
const DAY_MS = 86_400_000;
/** What a moderator may do without an admin. */
const MODERATOR_DAYS = 30;
/** A browser whose clock is ahead asks for thirty days and a little. */
const CLOCKS_APART_MS = 3_600_000;
/** How long a ban that has ended can still be seen. */
const KEPT_MS = 30 * DAY_MS;
const PAGE = 100;

export function banRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, ids } = ports;
  const sites = sitesOf(table, clock);
  const store = storeOf(table, clock);

  /** What a ban looks for: given, or read off the comment. */
  const valueOf = async ({ site, kind, value, comment: id }: NewBan): Promise<string> => {
    if ((kind === 'word' || kind === 'host') && value !== undefined) return value;
    const comment = id === undefined ? undefined : await store.get(id);
    const found =
      comment?.site === site &&
      { writer: comment.author.key, network: comment.author.network, text: comment.fingerprint, word: '', host: '' }[
        kind
      ];
    if (found) return found;
    const about = kind === 'word' || kind === 'host' ? 'value' : 'comment';
    throw new SluiceError('Request.Invalid', `there is no ${kind} to ban`, {
      hint: about === 'value' ? `name the ${kind}` : `name a comment of ${site} that has a ${kind}`,
      fields: [{ pointer: `/${about}`, detail: `has no ${kind}` }],
    });
  };

  return [
    {
      method: 'GET',
      path: '/v1/moderation/bans',
      summary: 'The bans of a site, newest first; those that ended stay for 30 days',
      access: 'moderator',
      query: ListBans,
      responses: {
        200: { description: '{bans: [{id, kind, value, action, reason, by, at, expiresAt?, comment?, name?}]}' },
      },
      async handle({ caller, query }) {
        const { site }: z.infer<typeof ListBans> = query;
        mustBe(caller, 'moderator', site);
        const { bans } = await sites.fresh(site);
        const names = await namesOf(bans);
        return { status: 200, body: { bans: bans.toReversed().map((ban) => shown(ban, names)) } };
      },
    },
    {
      method: 'POST',
      path: '/v1/moderation/bans',
      summary:
        'Bans a writer, a network, a text, a word or a link host; moderators for 30 days at most, admins without end',
      access: 'moderator',
      body: NewBan,
      responses: { 201: { description: 'The ban' } },
      async handle({ caller, body }) {
        const wanted: NewBan = body;
        const { site, kind, comment, action, reason, expiresAt } = wanted;
        mustBe(caller, 'moderator', site);
        await sites.rules(site);
        const now = clock.now();
        if (expiresAt !== undefined && expiresAt <= now) throw faultAt('/expiresAt', 'has passed', 'take a later time');
        if (!may(caller, site, 'admin') && (expiresAt ?? Infinity) > now + MODERATOR_DAYS * DAY_MS + CLOCKS_APART_MS) {
          throw faultAt('/expiresAt', `more than ${MODERATOR_DAYS} days`, 'take an earlier time, or ask an admin');
        }
        const value = await valueOf(wanted);
        const ban: Ban = {
          id: ids.next(),
          kind,
          value,
          action,
          reason,
          by: caller.user,
          at: now,
          ...defined({ expiresAt, comment }),
        };
        await sites.changeBans(site, (bans) => {
          const others = bans.filter(
            (old) => (old.expiresAt ?? Infinity) > now - KEPT_MS && !(old.kind === kind && old.value === value),
          );
          const all = [...others, ban];
          if (all.length > MOST_BANS || Buffer.byteLength(JSON.stringify(all)) > MOST_BYTES) {
            throw faultAt('/kind', `more than ${MOST_BANS} bans, or too long ones`, 'lift some first');
          }
          return all;
        });
        await tell(caller, site, 'ban', ban);
        return { status: 201, body: shown(ban, await namesOf([ban])) };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/moderation/bans/:ban',
      summary: "Lifts a ban; another's takes an admin",
      access: 'moderator',
      query: ListBans,
      responses: { 204: { description: 'Lifted' } },
      async handle({ caller, params, query }) {
        const { site }: z.infer<typeof ListBans> = query;
        mustBe(caller, 'moderator', site);
        const ban = (await sites.fresh(site)).bans.find(({ id }) => id === params.ban);
        if (!ban) throw new SluiceError('Request.NotFound', 'there is no such ban', { hint: 'read the list' });
        if (ban.by !== caller.user) mustBe(caller, 'admin', site);
        await sites.changeBans(site, (bans) => bans.filter(({ id }) => id !== ban.id));
        await tell(caller, site, 'ban-lifted', ban);
        return { status: 204 };
      },
    },
  ];

  /** Names as the comments have them now: a person who was forgotten has none. */
  async function namesOf(bans: readonly Ban[]): Promise<ReadonlyMap<string, string>> {
    const wanted = [...new Set(bans.flatMap(({ comment }) => comment ?? []))];
    const names = new Map<string, string>();
    for (let start = 0; start < wanted.length; start += PAGE) {
      for (const head of await store.getMany(wanted.slice(start, start + PAGE))) {
        if (head && head.status !== 'erased') names.set(head.id, head.author.name);
      }
    }
    return names;
  }

  /** A writer's own words are not for the log: the comment stands for them. */
  function tell({ user }: Moderator, site: string, action: string, { kind, value, comment, expiresAt, ...ban }: Ban) {
    const what = kind === 'word' || kind === 'host' ? value : comment ? `of ${comment}` : '';
    const until = expiresAt === undefined ? '' : ` until ${new Date(expiresAt).toISOString()}`;
    return audit(ports, {
      site,
      by: `user:${user}`,
      action,
      about: `${kind} ${what}: ${ban.action}${until}`,
      reason: ban.reason,
    });
  }
}

const shown = (ban: Ban, names: ReadonlyMap<string, string>) => ({
  ...ban,
  ...defined({ name: ban.comment === undefined ? undefined : names.get(ban.comment) }),
});

const faultAt = (pointer: string, detail: string, hint: string) =>
  new SluiceError('Request.Invalid', 'the ban does not fit', { hint, fields: [{ pointer, detail }] });
