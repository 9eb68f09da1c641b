import { normaliseThreadKey } from '../../services/validate/thread-key.ts';
import type { Item } from '../../shared/ports.ts';

/** What is kept of an answer: bytes, ready to be written. */
export type Page = {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  etag: string;
  stamp: string;
  until: number;
};

/** Pages kept; the oldest go first. */
const MOST_PAGES = 5000;
const MOST_BYTES = 64 * 1024 * 1024;

const READS = /^\/v1\/sites\/([^/?]+)\/(?:threads\/([^/?]+)\/(comments|feed\.atom)|counts|feed\.atom)(?:\?|$)/;

/**
 * Answers of the public reads as bytes. Each remembers how often its site had changed when it was made: a write in
 * between, and it is made anew, so no reader here is staler than the store.
 */
export function pageCache() {
  const pages = new Map<string, Page>();
  const changes = new Map<string, number>();
  let bytes = 0;

  const drop = (key: string, page: Page) => {
    pages.delete(key);
    bytes -= page.body.byteLength;
  };

  return {
    /** The dependency of a read, or undefined for what is never kept. */
    dependency(method: string, url: string): string | undefined {
      if (method !== 'GET') return undefined;
      const match = READS.exec(url);
      if (!match) return undefined;
      const site = safeDecode(match[1] as string);
      const key = match[2] === undefined ? undefined : safeDecode(match[2]);
      // Feeds look for news on the whole site. Another spelling of a key is not that of the writes: the site's are seen.
      return key === undefined || match[3] === 'feed.atom' || !isNormal(key) ? `site ${site}` : `thread ${site} ${key}`;
    },

    stamp: (dependency: string): string => `${dependency}@${changes.get(dependency) ?? 0}`,

    get(key: string, stamp: string, nowMs: number): Page | undefined {
      const page = pages.get(key);
      if (page && page.stamp === stamp && page.until > nowMs) return page;
      if (page) drop(key, page);
      return undefined;
    },

    put(key: string, page: Page): void {
      const old = pages.get(key);
      if (old) drop(key, old);
      pages.set(key, page);
      bytes += page.body.byteLength;
      for (const [oldest, first] of pages) {
        if (pages.size <= MOST_PAGES && bytes <= MOST_BYTES) break;
        drop(oldest, first);
      }
    },

    /** Told each item that the table writes. */
    touch(item: Item): void {
      if (item.pk.startsWith('C#') && item.sk === 'head' && item.gsi1pk !== undefined) {
        bump(`thread ${String(item.site)} ${String(item.thread)}`);
        bump(`site ${String(item.site)}`);
      } else if (item.pk.startsWith('T#') && (item.sk === 'thread' || item.sk.startsWith('count'))) {
        const [, site, ...key] = item.pk.split('#');
        bump(`thread ${site} ${key.join('#')}`);
        bump(`site ${site}`);
      } else if (item.pk.startsWith('S#') && (item.sk === 'site' || item.sk === 'policy')) {
        bump(`site ${item.pk.slice(2)}`);
      }
    },
  };

  function bump(dependency: string): void {
    // Bounded: forgetting a count could make an old stamp true again, so all pages go with it.
    if (changes.size > 100_000) {
      changes.clear();
      pages.clear();
      bytes = 0;
    }
    changes.set(dependency, (changes.get(dependency) ?? 0) + 1);
  }
}

function isNormal(key: string): boolean {
  try {
    return normaliseThreadKey(key) === key;
  } catch {
    return false;
  }
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
