import { SluiceError } from '../../shared/errors.ts';
import type { Pace } from '../../shared/events.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Clock, Table } from '../../shared/ports.ts';

/** Writers of one client are told apart by so much, or several people behind one address would be taken for one in a hurry. */
const WRITER_SLOTS = 16;
/** A site's unknown writers are counted one in so many at most, ten at a time: its limit is exact to a tenth or so. */
const MOST_COARSE = 10;

type Who = {
  site: string;
  client: string;
  /** The site published something of this writer before: the site's own limit is not for them. */
  known: boolean;
  /** What their submissions a minute are counted by beside the client; reports and edits have none. */
  writer?: string;
  lane?: string;
};

/**
 * Counts a submission and answers the pace at which they come; throws `Request.TooMany` when a limit is met.
 *
 * Fixed windows: simple, one write for a client (its minutes stand in the item of its hour), at most twice the rate over a
 * window's edge. The limits of the policy hold unless `free`; counted is in any case.
 */
export async function takeTurn(
  table: Table,
  clock: Clock,
  policy: Policy,
  who: Who,
  { free = false }: { free?: boolean } = {},
): Promise<Pace> {
  const seconds = Math.floor(clock.now() / 1000);
  const minute = Math.floor(seconds / 60);
  const hour = Math.floor(seconds / 3600);
  const inMinute = `m${minute % 60}`;
  const ofWriter = `${inMinute}w${slotOf(who.writer ?? '')}`;
  const [own, all] = await Promise.all([
    table.increment(
      { pk: `B#${who.site}#${who.client}`, sk: String(hour) },
      { n: 1, [inMinute]: 1, ...(who.writer && { [ofWriter]: 1 }) },
      { expiresAt: (hour + 2) * 3600 },
    ),
    who.known ? undefined : unknownWriters(table, who.site, who.lane ?? 'none', minute, policy.sitePerMinute),
  ]);
  const within = (count: unknown, limit: number, windowSeconds: number): void => {
    if (free || Number(count ?? 0) <= limit) return;
    const retryAfterSeconds = (Math.floor(seconds / windowSeconds) + 1) * windowSeconds - seconds;
    throw new SluiceError('Request.TooMany', `more than ${limit} submissions in ${windowSeconds} s`, {
      hint: `try again in ${retryAfterSeconds} s; the text is not lost`,
      cause: { retryAfterSeconds },
    });
  };
  within(own[inMinute], policy.clientPerMinute, 60);
  within(own.n, policy.clientPerHour, 3600);
  within(all?.n, policy.sitePerMinute, 60);
  return { writer: Number(own[ofWriter] ?? 0), lane: Number(all?.[who.lane ?? 'none'] ?? 0) };
}

/** The site's minute, by lane too. A read is a fifth of a write's price: most calls only look. */
async function unknownWriters(
  table: Table,
  site: string,
  lane: string,
  minute: number,
  limit: number,
): Promise<Record<string, unknown>> {
  const key = { pk: `B#${site}#site`, sk: String(minute) };
  const step = Math.min(MOST_COARSE, Math.max(1, Math.floor(limit / 60)));
  if (Math.random() * step >= 1) return (await table.get(key)) ?? {};
  return table.increment(key, { n: step, [lane]: step }, { expiresAt: (minute + 2) * 60 });
}

const slotOf = (writer: string): number =>
  [...writer].reduce((sum, sign) => sum + (sign.codePointAt(0) ?? 0), 0) % WRITER_SLOTS;

/** Counts what asks for mail; throws `Request.TooMany` when it is more than `limit` within the window. */
export async function countAsked(
  table: Table,
  clock: Clock,
  name: string,
  { windowSeconds, limit, hint }: { windowSeconds: number; limit: number; hint: string },
): Promise<void> {
  const seconds = Math.floor(clock.now() / 1000);
  const window = Math.floor(seconds / windowSeconds);
  const key = { pk: `B#asked#${name}`, sk: String(window) };
  const { n } = await table.increment(key, { n: 1 }, { expiresAt: (window + 2) * windowSeconds });
  if (Number(n) <= limit) return;
  const retryAfterSeconds = (window + 1) * windowSeconds - seconds;
  throw new SluiceError('Request.TooMany', `more than ${limit} links asked for in ${windowSeconds} s`, {
    hint: `try again in ${retryAfterSeconds} s; ${hint}`,
    cause: { retryAfterSeconds },
  });
}
