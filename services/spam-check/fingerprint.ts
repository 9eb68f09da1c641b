import { fold } from '../validate/names.ts';

/** Below this, the same words are no duplicate: many people write "thanks!". */
const MIN_LETTERS = 20;
/** Up to this many distinct words all of them count; above, the longest few, which name what a text is about. */
const ALL_WORDS = 6;
const KEPT_WORDS = 3;
const MAX_CHARACTERS = 4000;

/**
 * 16 hexadecimal digits that near duplicates share, or '' for a text of fewer than 20 letters.
 *
 * Letter case, look-alike letters, accents, digits, punctuation, order and repetition do not count, of an address only its host.
 * Longer texts agree as long as their three longest words do: a changed name or number mostly leaves them, and two honest
 * texts almost never share them. Equality is all that it offers, so that a store can look it up by key.
 */
export function fingerprint(text: string): string {
  const folded = fold(text.slice(0, MAX_CHARACTERS).replace(/https?:\/\/([^\s/?#)\]>]+)[^\s)\]>]*/gi, ' $1 '));
  const words = new Set<string>();
  let letters = 0;
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\0-\x7F]*$/.test(folded);
  const digits = !ascii || /[0-9]/.test(folded);
  for (const word of folded.match(ascii ? /[a-z0-9]+/g : /[\p{L}\p{N}]+/gu) ?? []) {
    letters += word.length;
    if (!ascii && UNSPACED.test(word))
      for (let at = 0; at + 2 < word.length || at === 0; at++) words.add(word.slice(at, at + 3));
    else words.add(digits && /\d/.test(word) ? word.replace(/\d+/g, '0') : word);
  }
  if (letters < MIN_LETTERS) return '';
  let kept = [...words];
  if (kept.length > ALL_WORDS) {
    const lengths = kept.map(({ length }) => Math.min(length, 20)).sort((a, b) => b - a);
    const shortest = lengths[KEPT_WORDS - 1]!;
    kept = kept
      .filter(({ length }) => length >= shortest)
      .map((word) => ({ word, length: Math.min(word.length, 20), hash: hash(word, SEEDS[0]) }))
      .sort((a, b) => b.length - a.length || a.hash - b.hash)
      .slice(0, KEPT_WORDS)
      .map(({ word }) => word);
  }
  const sketch = kept.sort().join(' ');
  return SEEDS.map((seed) => hash(sketch, seed).toString(16).padStart(8, '0')).join('');
}

/** Scripts that write no spaces between words; three characters make do as a word. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

const SEEDS = [0x811c9dc5, 0x2f0b4c47] as const;

/** FNV-1a over UTF-16 code units, with a final mix: the last character alone would only turn the low bits. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  return (value ^ (value >>> 13)) >>> 0;
}
