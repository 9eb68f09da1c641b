/** Pure helpers of the widget: times, addresses, faults, colours. */

const UNITS: [Intl.RelativeTimeFormatUnit, ms: number][] = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

export type Clock = (at: string | number, now: number) => { text: string; exact: string; iso: string };

/**
 * Tells times as people say them, and exactly for the tooltip. `at` is ISO 8601 or milliseconds.
 *
 * The formats are made once: making them is most of the cost of a thousand comments.
 */
export function clock(lang: string): Clock {
  const relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' });
  const full = new Intl.DateTimeFormat(lang, { dateStyle: 'full', timeStyle: 'short' });
  return (at, now) => {
    const date = new Date(at);
    const age = now - Number(date);
    const [unit, size] = UNITS.find(([, size]) => age >= size) ?? ['minute', Infinity];
    return {
      text: relative.format(-Math.trunc(age / size), unit),
      exact: full.format(date),
      iso: date.toISOString(),
    };
  };
}

/** An address that a link may carry: never `javascript:` and its kin. */
export function webAddress(address = ''): string | undefined {
  return /^https?:/i.test(address) ? address : undefined;
}

/** What a JSON Pointer names in a submission: `/author/name`, or `#/author/name` as in RFC 9457, is `name`. */
export function fieldOf(pointer: string): string {
  return pointer.replace(/^#?\/(author\/)?/, '');
}

/**
 * Whether text of this computed colour is light, so that the page behind it is dark.
 * A page may follow prefers-color-scheme, a class or nothing: its text always tells.
 */
export function isLight(color: string): boolean {
  const [a = 0, b = 0, c = 0] = (color.match(/[\d.]+/g) ?? []).map(Number);
  return color.startsWith('ok') ? a > 0.6 : a + b + c > (color.startsWith('rgb') ? 382 : 1.5);
}
