import type { Comment } from '../../../shared/comment.ts';
import { STATUSES } from '../../../shared/comment.ts';
import type { DeskQuery, Item, Search, Table } from '../../../shared/ports.ts';
import { storeOf } from '../../../shared/store/comments.ts';
import { commentOf, deskListing, headKey } from '../../../shared/store/keys.ts';

/** What one listing looks at; beyond it the answer is partial. DynamoDB has no full text, and a scan is out of the question. */
const WINDOW = 1000;

/**
 * The desk's listing by key: one partition of `gsi2` a site and status, newest 1,000, the rest of the query as a filter.
 *
 * Without filters, and by time, it pages through everything by the index itself. With them it is `partial` as soon as
 * more stands behind the window. `q` matches ids, names, threads, link hosts and the excerpt.
 */
export function deskSearch(table: Table): Search {
  return {
    async comments(query) {
      const byTime = query.sort === undefined || query.sort === 'oldest' || query.sort === 'newest';
      return query.status !== undefined && byTime && !isFiltered(query) ? page(table, query) : filtered(table, query);
    },
  };
}

const isFiltered = ({ q, author, thread, signal, lang, decidedBy, network, linkHost, fingerprint }: DeskQuery) =>
  [q, author, thread, signal, lang, decidedBy, network, linkHost, fingerprint].some((value) => value !== undefined);

/** Sort keys begin with 13 digits of milliseconds. */
const sortKey = (at: number) => String(at).padStart(13, '0');
const between = ({ since, until }: DeskQuery) => ({
  ...(since !== undefined && { from: sortKey(since) }),
  ...(until !== undefined && { to: `${sortKey(until)}~` }),
});

async function page(table: Table, query: DeskQuery): Promise<Awaited<ReturnType<Search['comments']>>> {
  const { items, cursor } = await table.query({
    index: 'gsi2',
    pk: deskListing(query.site, query.status!),
    order: query.sort === 'oldest' ? 'ascending' : 'descending',
    limit: query.limit,
    ...between(query),
    ...(query.cursor && { cursor: query.cursor }),
  });
  return { ids: items.map(({ id }) => String(id)), ...(cursor && { nextCursor: cursor }) };
}

async function filtered(table: Table, query: DeskQuery): Promise<Awaited<ReturnType<Search['comments']>>> {
  const statuses = query.status === undefined ? STATUSES.filter((status) => status !== 'erased') : [query.status];
  const pages = await Promise.all(
    statuses.map((status) =>
      table.query({
        index: 'gsi2',
        pk: deskListing(query.site, status),
        order: 'descending',
        limit: WINDOW,
        ...between(query),
      }),
    ),
  );
  const items = query.status === 'failed' ? await headsOf(table, pages[0]!.items) : pages.flatMap((page) => page.items);
  const newest = items.toSorted((a, b) => compare(String(b.gsi2sk), String(a.gsi2sk)));
  const window = newest.slice(0, WINDOW);
  const partial = newest.length > WINDOW || pages.some(({ cursor }) => cursor !== undefined);

  const rows = window.map((item): Row => ({ ...commentOf(item), gsi2sk: String(item.gsi2sk) }));
  const signalled = query.signal === undefined ? undefined : await withSignal(table, rows, query.signal);
  const found = rows.filter((one) => fits(one, query) && (signalled?.has(one.id) ?? true));
  found.sort(ORDERS[query.sort ?? 'newest']);
  const from = query.cursor === undefined ? 0 : found.findIndex(({ id }) => id === afterOf(query.cursor!)) + 1;
  const ids = found.slice(from, from + query.limit).map(({ id }) => id);
  const more = from + ids.length < found.length;
  return {
    ids,
    ...(!partial && { total: found.length }),
    ...(more && { nextCursor: Buffer.from(ids.at(-1)!).toString('base64url') }),
    ...(partial && { partial }),
  };
}

/** What stands in the dead letters is listed beside its comment. */
async function headsOf(table: Table, dead: readonly Item[]): Promise<readonly Item[]> {
  const heads: Item[] = [];
  for (let from = 0; from < dead.length; from += 100) {
    const some = dead.slice(from, from + 100);
    const found = await table.getMany(some.map(({ pk }) => headKey(pk.slice(2))));
    heads.push(...found.flatMap((head, index) => (head ? [{ ...head, gsi2sk: some[index]!.gsi2sk! }] : [])));
  }
  return heads;
}

async function withSignal(table: Table, comments: readonly Comment[], signal: string): Promise<Set<string>> {
  // Nothing here depends on the time.
  const judged = await storeOf(table, { now: () => 0 }).judged(comments);
  return new Set(
    judged.flatMap(({ id, judgement }) => (judgement?.signals.some(({ name }) => name === signal) ? [id] : [])),
  );
}

const afterOf = (cursor: string) => Buffer.from(cursor, 'base64url').toString('utf8');
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

type Row = Comment & { gsi2sk: string };
const newestFirst = (a: Row, b: Row) => compare(b.gsi2sk, a.gsi2sk);
const ORDERS: Record<NonNullable<DeskQuery['sort']>, (a: Row, b: Row) => number> = {
  newest: newestFirst,
  oldest: (a, b) => compare(a.gsi2sk, b.gsi2sk),
  risk: (a, b) => (b.judgement?.score ?? 0) - (a.judgement?.score ?? 0) || newestFirst(a, b),
  reports: (a, b) => b.reports - a.reports || newestFirst(a, b),
};

const has = (text: string | undefined, part: string) => text?.toLowerCase().includes(part.toLowerCase()) ?? false;

function fits(comment: Comment, query: DeskQuery): boolean {
  const { q } = query;
  return (
    (query.author === undefined || comment.author.key === query.author || has(comment.author.name, query.author)) &&
    (query.thread === undefined || comment.thread === query.thread) &&
    (query.lang === undefined || comment.lang === query.lang) &&
    (query.decidedBy === undefined || comment.decidedBy === query.decidedBy) &&
    (query.network === undefined || comment.author.network === query.network) &&
    (query.linkHost === undefined || comment.linkHosts.includes(query.linkHost)) &&
    (query.fingerprint === undefined || comment.fingerprint === query.fingerprint) &&
    (q === undefined ||
      comment.id === q ||
      has(comment.author.name, q) ||
      has(comment.thread, q) ||
      has(comment.excerpt, q) ||
      comment.linkHosts.some((host) => has(host, q)))
  );
}
