import type { OutputEventType } from '../events.ts';
import type { Clock, Key, Table } from '../ports.ts';
import { strip } from './keys.ts';

/**
 * What a webhook may be told of. Not of mail sent, nor of dead letters: a receiver that is down would make one of each
 * of its own.
 */
export const HOOK_EVENTS = [
  'CommentPublished',
  'CommentHeld',
  'CommentRejected',
  'CommentRemoved',
  'DecisionMade',
] as const satisfies readonly OutputEventType[];
export type HookEvent = (typeof HOOK_EVENTS)[number];

/** Whom a site tells. Plain data: every function that puts events carries this file, and only two parse it. */
export type Webhook = {
  id: string;
  /** https. */
  url: string;
  /** `whsec_…`, sealed by the vault. */
  secret: string;
  /** Secrets before this one, newest first: each signs beside it until then (ms), so that a receiver may change over. */
  previous?: readonly { secret: string; until: number }[];
  events: readonly HookEvent[];
  /** `slack`: `{text}`, as Slack's incoming webhooks and their kin take it. */
  format: 'standard' | 'slack';
  enabled: boolean;
  /** Why Sluice itself turned it off. */
  why?: string;
  createdAt: number;
};

/** How the last delivery went. */
export type LastDelivery = { at: number; ok: boolean; words: string; failures: number };

export const MOST_WEBHOOKS = 10;

/** How long the wish of a site may be remembered where events are put: a webhook hears of events within this. */
const REMEMBER_MS = 5000;
const REMEMBERED_SITES = 1000;

const listKey = (site: string): Key => ({ pk: `S#${site}`, sk: 'webhooks' });
const lastKey = (site: string, id: string): Key => ({ pk: `S#${site}`, sk: `webhook-last#${id}` });

type Listed = { hooks: readonly Webhook[]; version: number };

async function read(table: Table, site: string): Promise<Listed> {
  const item = await table.get(listKey(site));
  return item ? strip<Listed>(item) : { hooks: [], version: 0 };
}

/** The types of which some webhook of a site wants to hear, at most 5 s old: apart, for whoever puts events needs no more. */
export function wantedOf(table: Table, clock: Clock): (site: string) => Promise<ReadonlySet<string>> {
  const remembered = new Map<string, { at: number; value: Promise<ReadonlySet<string>> }>();
  return async (site) => {
    const now = clock.now();
    const hit = remembered.get(site);
    if (hit && now - hit.at < REMEMBER_MS) return hit.value;
    if (remembered.size >= REMEMBERED_SITES) remembered.clear();
    const value = read(table, site).then(
      ({ hooks }) => new Set<string>(hooks.flatMap(({ enabled, events }) => (enabled ? events : []))),
    );
    remembered.set(site, { at: now, value });
    value.catch(() => remembered.delete(site));
    return value;
  };
}

export function webhooksOf(table: Table) {
  return {
    async list(site: string): Promise<readonly Webhook[]> {
      return (await read(table, site)).hooks;
    },

    /** All or nothing: false when somebody else changed the list since. */
    async change(site: string, change: (hooks: readonly Webhook[]) => readonly Webhook[]): Promise<boolean> {
      const { hooks, version } = await read(table, site);
      const item = { ...listKey(site), hooks: change(hooks), version: version + 1 };
      return (await table.write([{ put: item, if: version === 0 ? 'absent' : { version } }])).done;
    },

    async last(site: string, id: string): Promise<LastDelivery | undefined> {
      const item = await table.get(lastKey(site, id));
      return item && strip<LastDelivery>(item);
    },

    async noteDelivery(site: string, id: string, last: LastDelivery): Promise<void> {
      await table.write([{ put: { ...lastKey(site, id), ...last } }]);
    },
  };
}
export type Webhooks = ReturnType<typeof webhooksOf>;
