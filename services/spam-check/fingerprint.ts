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
  // oxlint-disable-next-line no-control-regex
  const letters = /^[\0-\x7F]*$/.test(folded) ? takeAscii(folded, kept) : takeAny(folded, kept);
  if (letters < MIN_LETTERS) return '';
  const sketch = kept.words().sort().join(' ');
  return SEEDS.map((seed) => hash(sketch, seed).toString(16).padStart(8, '0')).join('');
}

const ADDRESS = /https?:\/\/([^\s/?#)\]>]+)[^\s)\]>]*/gi;

/** @returns how many letters and digits the words have */
function takeAny(folded: string, kept: Keeper): number {
  let letters = 0;
  for (const word of folded.match(/[\p{L}\p{N}]+/gu) ?? []) {
    letters += word.length;
    if (UNSPACED.test(word)) for (let at = 0; at + 2 < word.length || at === 0; at++) kept.take(word.slice(at, at + 3));
    else kept.take(word.replace(/\d+/g, '0'));
  }
  return letters;
}

/** As `takeAny`, without making texts of the words that will not count. */
function takeAscii(folded: string, kept: Keeper): number {
  let letters = 0;
  let from = -1;
  let digits = false;
  for (let at = 0; at <= folded.length; at++) {
    const code = folded.charCodeAt(at);
    const digit = code >= 0x30 && code <= 0x39;
    if (digit || (code >= 0x61 && code <= 0x7a)) {
      if (from < 0) from = at;
      digits ||= digit;
    } else if (from >= 0) {
      letters += at - from;
      if (digits) kept.take(folded.slice(from, at).replace(/\d+/g, '0'));
      else if (kept.mayKeep(at - from)) kept.take(folded.slice(from, at));
      from = -1;
      digits = false;
    }
  }
  return letters;
}

type Keeper = ReturnType<typeof keeper>;

/** Picks the words that count while they come: most of a long text are too short to be looked at twice. */
function keeper() {
  const few: string[] = [];
  /** The longest, of one length those of the lowest hash; the last one is the first to go. */
  const longest: { word: string; length: number; hash: number }[] = [];
  const isLong = (length: number) => longest.length < KEPT_WORDS || length >= longest[KEPT_WORDS - 1]!.length;
  return {
    mayKeep: (length: number) => few.length <= ALL_WORDS || isLong(Math.min(length, 20)),
    take(word: string): void {
      if (few.length <= ALL_WORDS && !few.includes(word)) few.push(word);
      const length = Math.min(word.length, 20);
      if (!isLong(length)) return;
      for (const one of longest) if (one.word === word) return;
      const value = hash(word, SEEDS[0]);
      let at = longest.length;
      for (; at > 0; at--) {
        const above = longest[at - 1]!;
        if (above.length > length || (above.length === length && above.hash <= value)) break;
        if (at < KEPT_WORDS) longest[at] = above;
      }
      if (at < KEPT_WORDS) longest[at] = { word, length, hash: value };
    },
    words: () => (few.length > ALL_WORDS ? longest.map(({ word }) => word) : few),
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
