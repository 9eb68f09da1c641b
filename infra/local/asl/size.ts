import type { Json } from './types.ts';

/** What a state may hand on: 256 KiB of UTF-8. */
const LIMIT_BYTES = 262_144;

/** True when the value's JSON is larger than the service hands from state to state. */
export function exceedsDataLimit(value: Json): boolean {
  // Most values are far below: a rough count that never undershoots saves writing the JSON.
  return roughBytes(value, LIMIT_BYTES) > LIMIT_BYTES && Buffer.byteLength(JSON.stringify(value)) > LIMIT_BYTES;
}

/** At least the bytes of the JSON; stops counting once `stop` is passed. */
function roughBytes(value: Json, stop: number): number {
  if (typeof value === 'string') return value.length * 6 + 2;
  if (typeof value !== 'object' || value === null) return 25;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += roughBytes(item, stop) + 1;
      if (bytes > stop) break;
    }
    return bytes;
  }
  for (const key in value) {
    bytes += key.length * 6 + 4 + roughBytes(value[key] as Json, stop);
    if (bytes > stop) break;
  }
  return bytes;
}
