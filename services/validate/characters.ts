/** Characters that do not show, or that make other text show differently. */

/** Bidirectional overrides, embeddings and isolates: they reorder what stands around them ("Trojan Source"). */
export const BIDI = /[\u202A-\u202E\u2066-\u2069]/g;

/** C0, DEL and C1 controls but tab and line feed. */
// oxlint-disable-next-line no-control-regex
export const CONTROL = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g;

/**
 * Zero-width characters that no script needs. ZWNJ and ZWJ are not here: Persian, Indic scripts and emoji are spelled with
 * them (and the tags of emoji flags stay); neither are LRM, RLM and ALM, which order only themselves and which honest Hebrew and Arabic contains.
 */
export const INVISIBLE =
  /[\u00AD\u180E\u200B\u2060-\u2065\u206A-\u206F\u3164\uFEFF\uFFA0\u{E0000}-\u{E001F}]|\u034F|(?<!\u{1F3F4}[\u{E0020}-\u{E007E}]{0,7})[\u{E0020}-\u{E007F}]/gu;

/** Joiners that join nothing: between two ASCII characters, or in a row. */
export const IDLE_JOINER = /(?<=[\0-\x7F]|^)[\u200C\u200D]+(?=[\0-\x7F]|$)|(?<=[\u200C\u200D])[\u200C\u200D]+/g;

/** How often a global pattern occurs, without building what it matches. */
export function countOf(text: string, pattern: RegExp): number {
  let count = 0;
  pattern.lastIndex = 0;
  while (pattern.test(text)) count++;
  pattern.lastIndex = 0;
  return count;
}
