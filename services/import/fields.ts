import { isIP } from 'node:net';
import { decodeEntities, webUrl } from './markdown.ts';
import type { ImportAuthor } from './record.ts';

export type Row = Record<string, unknown>;

export const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A scalar as trimmed text; MongoDB's `{$oid}` and `{$numberLong}` are scalars too. */
export function textField(row: Row, ...names: string[]): string {
  for (const name of names) {
    const value = row[name];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    if (isRow(value)) {
      const inner = value['$oid'] ?? value['$numberLong'] ?? value['$numberInt'] ?? value['objectId'];
      if (typeof inner === 'string' || typeof inner === 'number') return String(inner);
    }
  }
  return '';
}

/**
 * The same text, cut loose: a part of a string keeps the whole in memory, here a piece of the file for each address or key
 * that is remembered.
 */
export const cutLoose = (text: string): string => Buffer.from(text).toString();

/** True for `true`, 1, "true" and "1". */
export function flag(row: Row, name: string): boolean {
  const value = row[name];
  return value === true || value === 1 || value === 'true' || value === '1';
}

/**
 * Milliseconds since the epoch, or undefined.
 *
 * Takes ISO 8601, SQL's `2024-06-10 12:29:00` with or without an offset (without one it is UTC), seconds or milliseconds
 * as numbers, and the `{__type: 'Date', iso}` and `{$date}` of LeanCloud and MongoDB.
 */
export function timeOf(value: unknown): number | undefined {
  if (typeof value === 'number') return inRange(value < 1e11 ? value * 1000 : value);
  if (isRow(value)) return timeOf(value['iso'] ?? value['$date'] ?? value['$numberLong']);
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (/^\d{9,13}(?:\.\d+)?$/.test(text)) return timeOf(Number(text));
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?(?:\s+[A-Z]{3,4})?$/.exec(
      text,
    );
  if (parts === null) {
    // RFC 822, as RSS has it; nothing else, for Date.parse guesses at the rest.
    return /^[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} /.test(text) ? inRange(Date.parse(text)) : undefined;
  }
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = parts;
  const offset =
    zone === 'Z' || zone === 'UTC' ? 'Z' : zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  return inRange(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${fraction.slice(0, 4)}${offset}`));
}

/** Comments are older than year 9999 and younger than the web; `0000-00-00` is no date. */
function inRange(time: number): number | undefined {
  const rounded = Math.round(time);
  return rounded > 0 && rounded < 253_402_300_800_000 ? rounded : undefined;
}

/** Drops what is no address: exports hold empty ones, words, and `-`. */
export function authorOf(fields: {
  name: string;
  email?: string;
  url?: string;
  ip?: string;
  isAuthor?: boolean;
  escaped?: boolean;
}): ImportAuthor {
  const name = (fields.escaped ? decodeEntities(fields.name) : fields.name).replace(/\s+/g, ' ').trim();
  const author: ImportAuthor = { name };
  const email = fields.email?.trim() ?? '';
  if (/^[^\s@<>"]{1,128}@[^\s@<>"]{1,255}$/.test(email)) author.email = cutLoose(email);
  const url = webUrl(fields.url?.trim() ?? '');
  if (url !== undefined && !url.startsWith('mailto:') && URL.canParse(url) && !/^https?:\/\/$/.test(url))
    author.url = url;
  const ip = fields.ip?.trim() ?? '';
  if (isIP(ip) !== 0 && ip !== '0.0.0.0' && ip !== '::') author.ip = ip;
  if (fields.isAuthor) author.isAuthor = true;
  return author;
}

/**
 * A comment's time, or the last one read when its own cannot be read: a comment in the wrong minute is better than none.
 */
export class Clock {
  #last: number | undefined;

  read(value: unknown): { at: number; guessed: boolean } | undefined {
    const at = timeOf(value);
    if (at !== undefined) this.#last = at;
    const known = at ?? this.#last;
    return known === undefined ? undefined : { at: known, guessed: at === undefined };
  }
}
