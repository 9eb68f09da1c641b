import type { Clock, Table } from '../../shared/ports.ts';
import { threadKey } from '../../shared/store/keys.ts';
import { sitesOf, type Site } from '../../shared/store/sites.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';

/** Keys that lead to a thread of another key, each in its normal form. */
export type Aliases = ReadonlyMap<string, string>;

const MOST_KEYS = 100;

/** A thread's key as it is stored; undefined for one that cannot be kept. */
export function threadKeyOf(site: Site, key: string): string | undefined {
  try {
    return normaliseThreadKey(key, site.threadParams);
  } catch {
    return undefined;
  }
}

/** As `threadKeyOf`, for comments: they stand where the key leads. */
export function threadOf(site: Site, aliases: Aliases, key: string): string | undefined {
  const normal = threadKeyOf(site, key);
  return normal === undefined ? undefined : (aliases.get(normal) ?? normal);
}

export const keyFault = (key: string) =>
  `The thread's key ${JSON.stringify(key.length > 60 ? `${key.slice(0, 60)}…` : key)} cannot be kept.`;

/** Where a site's other keys lead: a thread that was renamed or merged takes an old file's comments under its new key. */
export async function aliasesOf({ table, clock }: { table: Table; clock: Clock }, site: Site): Promise<Aliases> {
  const aliases = new Map<string, string>();
  const sites = sitesOf(table, clock);
  let cursor: string | undefined;
  do {
    const page = await sites.threads(site.id, { limit: 500, ...(cursor && { cursor }) });
    const names = page.threads.flatMap((thread) => (thread.aliases ?? []).map((alias) => threadKeyOf(site, alias)));
    const known = [...new Set(names)].filter((name) => name !== undefined);
    for (let from = 0; from < known.length; from += MOST_KEYS) {
      // A thread may claim a key that leads elsewhere, or that is a thread's own.
      const some = known.slice(from, from + MOST_KEYS);
      const items = await table.getMany(some.map((name) => threadKey(site.id, name)));
      items.forEach((item, index) => {
        if (typeof item?.aliasOf === 'string') aliases.set(some[index]!, item.aliasOf);
      });
    }
    cursor = page.cursor;
  } while (cursor);
  return aliases;
}
