const SHAPE = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/**
 * Reads an ISO 8601 timestamp with its offset, as java.time's ISO_OFFSET_DATE_TIME does: a capital T, a Z or
 * a numeric offset, up to nine decimals.
 *
 * @returns milliseconds since 1970, or undefined when it is none
 */
export function parseTimestamp(text: string): number | undefined {
  const parts = SHAPE.exec(text);
  if (!parts) return undefined;
  const [year, month, day, hour] = parts.slice(1, 5).map(Number) as [number, number, number, number];
  // Date.parse would take February 30 for March 2, and 24:00 for the next day.
  if (hour > 23 || new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return undefined;
  const ms = Date.parse(text.includes('.') ? text.replace(/\.(\d{3})\d*/, '.$1') : text);
  return Number.isNaN(ms) ? undefined : ms;
}
