import { z } from 'zod';
import type { Ban } from '../bans.ts';
import { SluiceError } from '../errors.ts';
import { Policy, type PolicyVersion } from '../policy.ts';
import type { Clock, Item, Table } from '../ports.ts';
import { bansKey, pad, policyKey, shadowKey, siteKey, strip, threadKey } from './keys.ts';

export const Author = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
  name: z.string().min(1).max(80),
  email: z.string().max(254).optional(),
  notify: z.enum(['each', 'digest', 'held', 'none']).default('each'),
});
export type Author = z.infer<typeof Author>;

export const Site = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/),
  name: z.string().min(1).max(120),
  /** Where its pages live: scheme, host, port. Empty: pages of our own and of this machine alone submit; all may read. */
  origins: z.array(z.string().max(300)).max(50),
  /** Query parameters that belong to a thread's key. */
  threadParams: z.array(z.string().max(60)).max(10).default([]),
  authors: z.array(Author).max(200).default([]),
  moderatorEmails: z.array(z.string().max(254)).max(100).default([]),
});
export type Site = z.infer<typeof Site>;

export type Thread = {
  site: string;
  key: string;
  title?: string;
  url?: string;
  closed?: boolean;
  premoderate?: boolean;
  authorId?: string;
  firstAt?: number;
  /** Other keys that lead here: of the system that it was imported from, of a post that moved, of threads merged into it. */
  aliases?: readonly string[];
};

/** A draft that judges beside the live policy and decides nothing. */
export type Shadow = { id: string; policy: Policy; by: string; at: number };

/** All that a site rules by, read at once. */
export type Rules = { site: Site; policy: PolicyVersion; bans: readonly Ban[]; shadow?: Shadow };

const RACES = 8;

/** How long a site's rules may be remembered: a policy change needs no deploy, and reaches every function within this. */
const REMEMBER_MS = 5000;
const REMEMBERED_SITES = 1000;

export type Sites = ReturnType<typeof sitesOf>;

/** Sites, their policies, and their threads. */
export function sitesOf(table: Table, clock: Clock) {
  const remembered = new Map<string, { at: number; value: Promise<Rules> }>();

  const load = async (id: string, options?: { stale?: boolean }): Promise<Rules> => {
    const keys = [siteKey(id), policyKey(id), bansKey(id), shadowKey(id)];
    const [site, policy, bans, shadow] = await table.getMany(keys, options);
    if (!site) throw new SluiceError('Site.Unknown', `there is no site "${id}"`, { hint: 'add it: sluice site add' });
    return {
      site: strip<Site>(site),
      policy: asPolicyVersion(policy),
      bans: (bans?.bans ?? []) as readonly Ban[],
      ...(shadow && { shadow: { ...strip<Shadow>(shadow), policy: Policy.parse(shadow.policy) } }),
    };
  };

  return {
    /** The site with its policy and bans, at most 5 s old. Throws `Site.Unknown`. */
    async rules(id: string): Promise<Rules> {
      const now = clock.now();
      const hit = remembered.get(id);
      if (hit && now - hit.at < REMEMBER_MS) return hit.value;
      if (remembered.size >= REMEMBERED_SITES) remembered.clear();
      const value = load(id, { stale: true });
      remembered.set(id, { at: now, value });
      value.catch(() => remembered.delete(id));
      return value;
    },

    /** Straight from the store. */
    fresh: (id: string): Promise<Rules> => load(id),

    async list(): Promise<readonly Site[]> {
      const { items } = await table.query({ pk: 'SITES', limit: 1000 });
      const found = await Promise.all(items.map((item) => table.get(siteKey(item.sk))));
      return found.filter((item) => item !== undefined).map((item) => strip<Site>(item));
    },

    async put(site: Site): Promise<void> {
      await table.write([{ put: { ...siteKey(site.id), ...site } }, { put: { pk: 'SITES', sk: site.id } }]);
      remembered.delete(site.id);
    },

    /** The policy at `expected + 1`; `conflict` when somebody saved meanwhile. */
    async putPolicy(site: string, policy: Policy, expected: number, by: string): Promise<PolicyVersion | 'conflict'> {
      const next: PolicyVersion = { policy, version: expected + 1, by, at: clock.now() };
      const result = await table.write([
        { put: { ...policyKey(site), ...next }, if: expected === 0 ? 'absent' : { version: expected } },
        { put: { pk: `S#${site}`, sk: `policy#${pad(next.version)}`, ...next } },
      ]);
      remembered.delete(site);
      return result.done ? next : 'conflict';
    },

    /** Changes the bans of a site by a pure function, on what stands there now. Throws `Store.Busy`. */
    async changeBans(site: string, next: (bans: readonly Ban[]) => readonly Ban[]): Promise<void> {
      for (let race = 0; race < RACES; race++) {
        const item = await table.get(bansKey(site));
        const version = item?.version ?? 0;
        const bans = next((item?.bans ?? []) as readonly Ban[]);
        const put = { ...bansKey(site), version: version + 1, bans };
        const result = await table.write([{ put, if: item ? { version } : 'absent' }]);
        remembered.delete(site);
        if (result.done) return;
      }
      throw new SluiceError('Store.Busy', `the bans of ${site} change too fast`, { hint: 'try again' });
    },

    /** Undefined ends it. */
    async putShadow(site: string, shadow: Shadow | undefined): Promise<void> {
      await table.write([shadow ? { put: { ...shadowKey(site), ...shadow } } : { delete: shadowKey(site) }]);
      remembered.delete(site);
    },

    /** Newest first. */
    async policyVersions(site: string): Promise<readonly PolicyVersion[]> {
      const { items } = await table.query({ pk: `S#${site}`, prefix: 'policy#', order: 'descending', limit: 200 });
      return items.map(asPolicyVersion);
    },

    /** The thread of a key, or that of which the key is an alias: then under another `key` than was asked for. */
    async thread(site: string, key: string, options?: { stale?: boolean }): Promise<Thread | undefined> {
      const item = await table.get(threadKey(site, key), options);
      const found =
        item?.aliasOf === undefined ? item : await table.get(threadKey(site, String(item.aliasOf)), options);
      return found && strip<Thread>(found);
    },

    /** Makes a thread's aliases lead to it, whatever they led to before. */
    async putAliases({ site, key, aliases = [] }: Thread): Promise<void> {
      for (const alias of aliases) {
        await table.write([
          { put: { ...threadKey(site, alias), site, key: alias, aliasOf: key } },
          { delete: { pk: `S#${site}#threads`, sk: alias } },
        ]);
      }
    },

    /** The record of a thread that has none yet; somebody else's stands. */
    async beginThread(thread: Thread): Promise<void> {
      await table.write([
        { put: { ...threadKey(thread.site, thread.key), ...thread }, if: 'absent' },
        { put: { pk: `S#${thread.site}#threads`, sk: thread.key } },
      ]);
    },

    async putThread(thread: Thread): Promise<void> {
      await table.write([
        { put: { ...threadKey(thread.site, thread.key), ...thread } },
        { put: { pk: `S#${thread.site}#threads`, sk: thread.key } },
      ]);
    },

    async threads(
      site: string,
      page: { limit: number; cursor?: string },
    ): Promise<{ threads: readonly Thread[]; cursor?: string }> {
      const { items, cursor } = await table.query({ pk: `S#${site}#threads`, ...page });
      const found = await Promise.all(items.map((item) => table.get(threadKey(site, item.sk))));
      return {
        threads: found.filter((item) => item !== undefined).map((item) => strip<Thread>(item)),
        ...(cursor && { cursor }),
      };
    },
  };
}

/** A site without a saved policy has the defaults, as version 0. */
function asPolicyVersion(item: Item | undefined): PolicyVersion {
  if (!item) return { policy: Policy.parse({}), version: 0, by: 'sluice', at: 0 };
  const { policy, version, by, at } = strip<PolicyVersion>(item);
  return { policy: Policy.parse(policy), version, by, at };
}
