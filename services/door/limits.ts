import { SluiceError } from '../../shared/errors.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Clock, Table } from '../../shared/ports.ts';

/**
 * Counts a submission in its buckets; throws `Request.TooMany` when one is full.
 *
 * Fixed windows: simple, one write each, at most twice the rate over a window's edge.
 */
export async function takeTurn(
  table: Table,
  clock: Clock,
  policy: Policy,
  who: { site: string; client: string; known: boolean },
): Promise<void> {
  const seconds = Math.floor(clock.now() / 1000);
  const bucket = async (name: string, windowSeconds: number, limit: number): Promise<void> => {
    const window = Math.floor(seconds / windowSeconds);
    const { n } = await table.increment(
      { pk: `B#${who.site}#${name}`, sk: String(window) },
      { n: 1 },
      { expiresAt: (window + 2) * windowSeconds },
    );
    if (Number(n) > limit) {
      const retryAfterSeconds = (window + 1) * windowSeconds - seconds;
      throw new SluiceError('Request.TooMany', `more than ${limit} submissions in ${windowSeconds} s`, {
        hint: `try again in ${retryAfterSeconds} s; the text is not lost`,
        cause: { retryAfterSeconds },
      });
    }
  };
  await Promise.all([
    bucket(`${who.client}#m`, 60, policy.clientPerMinute),
    bucket(`${who.client}#h`, 3600, policy.clientPerHour),
    ...(who.known ? [] : [bucket('site', 60, policy.sitePerMinute)]),
  ]);
}
