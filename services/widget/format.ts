/** Pure helpers of the widget: times, addresses, faults, colours. */

const UNITS: [Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];
const MONTH_SECONDS = 30 * 86_400;

/** Relative up to 30 days, the date beyond; `exact` is for the tooltip. `at` is ISO 8601 or milliseconds. */
export function when(at: string | number, lang: string, now: number): { text: string; exact: string; iso: string } {
  const date = new Date(at);
  const exact = date.toLocaleString(lang, { dateStyle: 'full', timeStyle: 'short' });
  const iso = date.toISOString();
  const seconds = Math.min(0, (date.getTime() - now) / 1000);
  if (seconds < -MONTH_SECONDS) return { text: date.toLocaleDateString(lang, { dateStyle: 'medium' }), exact, iso };
  const [unit, size] = UNITS.find(([, size]) => -seconds >= size) ?? ['second', Infinity];
  const text = new Intl.RelativeTimeFormat(lang, { numeric: 'auto' }).format(Math.trunc(seconds / size) || 0, unit);
  return { text, exact, iso };
}

/** A writer's address if it is one that a link may carry: never `javascript:` and its kin. */
export function webAddress(text: string | undefined): string | undefined {
  const address = text?.trim();
  if (!address) return undefined;
  const url = /^[a-z][a-z\d+.-]*:/i.test(address) ? address : `https://${address}`;
  return /^https?:\/\/[^/]/i.test(url) && URL.canParse(url) ? url : undefined;
}

/** The form's field that a JSON Pointer names (`/author/name`, or `#/author/name` as in RFC 9457), else ''. */
export function fieldOf(pointer: string): 'body' | 'name' | 'email' | 'url' | '' {
  const match = /^#?\/(?:author\/)?(body|name|email|url)\b/.exec(pointer);
  return (match?.[1] as 'body' | undefined) ?? '';
}

/**
 * Whether text of this computed colour is light, so that the page behind it is dark.
 * A page may follow prefers-color-scheme, a class or nothing: its text always tells.
 */
export function isLight(color: string): boolean {
  const [a = 0, b = 0, c = 0] = (color.match(/[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
  if (/^(ok)?l/.test(color)) return (color.startsWith('ok') ? a : a / 100) > 0.6;
  return (a * 3 + b * 6 + c) / (color.startsWith('rgb') ? 2550 : 10) > 0.5;
}

/** Seconds of a Retry-After header, which is a number or a date (RFC 9110, 10.2.3); `fallback` without one. */
export function retrySeconds(header: string | null, now: number, fallback: number): number {
  if (!header) return fallback;
  const seconds = Number(header);
  return Math.max(1, Math.ceil(Number.isNaN(seconds) ? (Date.parse(header) - now) / 1000 || fallback : seconds));
}
