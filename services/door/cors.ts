import type { Door } from './door.ts';

/** The list of sites is read again after this long. */
const REMEMBER_MS = 5000;

/**
 * The CORS headers for one of the origins of the site that a path names; of any site, for paths that name none. No
 * credentials: readers have none, and the desk is of our own origin.
 */
export function corsOf({
  sites,
  ports,
}: Door): (path: string, origin: string) => Promise<Record<string, string> | undefined> {
  let remembered: { at: number; origins: ReadonlySet<string>; open: boolean } | undefined;

  const allOrigins = async () => {
    const now = ports.clock.now();
    if (!remembered || now - remembered.at > REMEMBER_MS) {
      const list = await sites.list();
      remembered = {
        at: now,
        origins: new Set(list.flatMap(({ origins }) => origins)),
        open: list.some(({ origins }) => origins.length === 0),
      };
    }
    return remembered;
  };

  const headers = (origin: string) => ({
    'access-control-allow-origin': origin,
    'access-control-expose-headers': 'etag, retry-after',
    vary: 'origin',
  });

  return async (path, origin) => {
    if (path.startsWith('/v1/moderation') || path.startsWith('/v1/authors')) return undefined;
    if (origin === ports.publicUrl) return headers(origin);
    const site = /^\/v1\/sites\/([^/]+)/.exec(path)?.[1];
    if (site !== undefined) {
      const rules = await sites.rules(decoded(site)).catch(() => undefined);
      if (!rules) return undefined;
      const { origins } = rules.site;
      return origins.length === 0 || origins.includes(origin) ? headers(origin) : undefined;
    }
    const { origins, open } = await allOrigins();
    return open || origins.has(origin) ? headers(origin) : undefined;
  };
}

/** As the router decodes it: what is no UTF-8 stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
