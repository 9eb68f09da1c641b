import { DEEPEST } from '../nesting.ts';
import type { Json } from './types.ts';

/** What a state may hand on: 256 KiB of UTF-8. */
const LIMIT_BYTES = 262_144;

/** True when the value's JSON is larger than the service hands from state to state, or nests too deep to be read again. */
export function exceedsDataLimit(value: Json): boolean {
  // Most values are far below: a rough count that never undershoots saves writing the JSON.
  const bytes = roughBytes(value, LIMIT_BYTES, 0);
  return bytes > LIMIT_BYTES && (bytes === Infinity || Buffer.byteLength(JSON.stringify(value)) > LIMIT_BYTES);
}

/** At least the bytes of the JSON; stops counting once `stop` is passed. Infinity where it nests too deep. */
function roughBytes(value: Json, stop: number, depth: number): number {
  if (typeof value === 'string') return value.length * 6 + 2;
  if (typeof value !== 'object' || value === null) return 25;
  if (depth === DEEPEST) return Infinity;
  let bytes = 2;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += roughBytes(item, stop, depth + 1) + 1;
      if (bytes > stop) break;
    }
    return bytes;
  }
  for (const key in value) {
    bytes += key.length * 6 + 4 + roughBytes(value[key] as Json, stop, depth + 1);
    if (bytes > stop) break;
  }
  return bytes;
}
