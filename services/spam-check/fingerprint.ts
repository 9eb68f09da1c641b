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
  const start = text.slice(0, MAX_CHARACTERS);
  const folded = fold(start.includes('://') ? start.replace(ADDRESS, ' $1 ') : start);
  const kept = keeper();
  let letters = 0;
  // oxlint-disable-next-line no-control-regex
  const ascii = /^[\0-\x7F]*$/.test(folded);
  const digits = !ascii || /[0-9]/.test(folded);
  for (const word of folded.match(ascii ? /[a-z0-9]+/g : /[\p{L}\p{N}]+/gu) ?? []) {
    letters += word.length;
    if (!ascii && UNSPACED.test(word))
      for (let at = 0; at + 2 < word.length || at === 0; at++) kept.take(word.slice(at, at + 3));
    else kept.take(digits && /\d/.test(word) ? word.replace(/\d+/g, '0') : word);
  }
  if (letters < MIN_LETTERS) return '';
  const sketch = kept.words().sort().join(' ');
  return SEEDS.map((seed) => hash(sketch, seed).toString(16).padStart(8, '0')).join('');
}

const ADDRESS = /https?:\/\/([^\s/?#)\]>]+)[^\s)\]>]*/gi;

/** Picks the words that count while they come: most of a long text are too short to be looked at twice. */
function keeper() {
  const few = new Set<string>();
  /** The longest, of one length those of the lowest hash; the last one is the first to go. */
  const longest: { word: string; length: number; hash: number }[] = [];
  return {
    take(word: string): void {
      if (few.size <= ALL_WORDS) few.add(word);
      const length = Math.min(word.length, 20);
      if (longest.length === KEPT_WORDS && length < longest[KEPT_WORDS - 1]!.length) return;
      if (longest.some((one) => one.word === word)) return;
      const one = { word, length, hash: hash(word, SEEDS[0]) };
      const at = longest.findIndex(
        (other) => other.length < length || (other.length === length && other.hash > one.hash),
      );
      longest.splice(at < 0 ? longest.length : at, 0, one);
      if (longest.length > KEPT_WORDS) longest.pop();
    },
    words: () => (few.size > ALL_WORDS ? longest.map(({ word }) => word) : [...few]),
  };
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
