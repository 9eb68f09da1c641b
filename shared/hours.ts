import type { Policy } from './policy.ts';

/** Why new comments wait for a person just now, whatever they say; undefined when they do not. */
export type Holding = 'premoderation' | 'hours' | 'away' | 'heat';

/**
 * What readers are told before they write. It ends by itself, as what it tells of does.
 *
 * @param thread whether a moderator reads this thread first; comments within the last minute, where that counts
 */
export function holdingNow(
  policy: Policy,
  thread: { premoderate?: boolean; perMinute?: number },
  nowMs: number,
): Holding | undefined {
  if (policy.premoderate || thread.premoderate) return 'premoderation';
  if (policy.hours.some((hours) => isOpen(hours, nowMs))) return 'hours';
  if (policy.holdUntil !== null && nowMs < policy.holdUntil) return 'away';
  return policy.heatPerMinute !== null && (thread.perMinute ?? 0) > policy.heatPerMinute ? 'heat' : undefined;
}

type Hours = Policy['hours'][number];

/** Whether `nowMs` lies within the hours; those that end before they begin reach into the next day. */
export function isOpen({ days, from, to, timeZone }: Hours, nowMs: number): boolean {
  const { day, time } = localTime(nowMs, timeZone);
  if (from === to) return days.includes(day);
  if (from < to) return days.includes(day) && from <= time && time < to;
  return (days.includes(day) && time >= from) || (days.includes((day + 6) % 7) && time < to);
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 600; // as many time zones as there are

function localTime(nowMs: number, timeZone: string): { day: number; time: string } {
  let format = formats.get(timeZone);
  if (!format) {
    const options = { weekday: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
    try {
      format = new Intl.DateTimeFormat('en-US', { ...options, timeZone });
    } catch {
      // A zone that this machine's data does not know must not keep comments from being judged.
      format = new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' });
    }
    if (formats.size < MAX_FORMATS) formats.set(timeZone, format);
  }
  const parts = Object.fromEntries(format.formatToParts(nowMs).map(({ type, value }) => [type, value]));
  return { day: WEEKDAYS.indexOf(parts['weekday'] ?? ''), time: `${parts['hour']}:${parts['minute']}` };
}
