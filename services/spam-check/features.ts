/**
 * Turns a comment into what the judge weighs: hashed n-grams in four views, and a row of shape figures.
 *
 * Pure and without state that outlives a call; one reusable workspace, so that judging allocates almost nothing.
 * The text is folded first (compatibility forms, diacritics, letters that pass for Latin ones), and how much folding
 * was needed is itself a figure: disguise is what spam does where its words are known.
 */
import { LATIN_LOOKALIKES } from '../validate/confusables.ts';
import { WORD_LISTS } from './word-lists.ts';

/** What is judged. `link` is the address that the writer gave for themselves, not one in the text. */
export type CommentText = { readonly text: string; readonly author?: string; readonly link?: string };

/** Character n-grams and words of the text, the author's name, and addresses (the writer's and those in the text). */
export const VIEWS = ['letters', 'words', 'author', 'links'] as const;
export type View = (typeof VIEWS)[number];

/** Shape figures by name, in the order of {@link Features.shape}. The order is part of the model file. */
// oxfmt-ignore
export const SHAPE = [
  'length', 'word-count', 'word-length', 'capitals', 'digits', 'punctuation',
  'emoji', 'emoji-share', 'exclamations', 'questions', 'lines', 'urls',
  'url-share', 'url-last', 'url-first', 'url-only', 'url-depth', 'url-hyphens',
  'url-digits', 'money', 'long-numbers', 'phone', 'messenger', 'handles',
  'mail', 'fancy-share', 'fancy', 'mixed-words', 'invisible', 'stacked-marks',
  'spaced-letters', 'letter-digit-words', 'digit-tail', 'shouted-words', 'titled-words', 'distinct-words',
  'most-repeated', 'longest-run', 'first-person', 'second-person', 'promotion', 'praise',
  'code', 'lower-start', 'ends-plain', 'foreign-letters', 'scripts', 'reply-mark',
  'promotion-words', 'repeated-words', 'praise-words', 'short-lines', 'keyword-line', 'vice-words',
  'finance-words', 'trade-words', 'name-length',
  'name-words', 'name-digits', 'name-lower', 'name-upper', 'name-address', 'name-handle-tail',
  'name-at', 'name-foreign', 'name-in-text', 'name-fancy', 'name-consonants', 'name-entropy',
  'name-titled', 'link-depth', 'link-hyphens', 'link-digits', 'link-length', 'link-labels',
  'link-query', 'link-in-text', 'link-name',
] as const;
export type ShapeName = (typeof SHAPE)[number];
const AT = Object.fromEntries(SHAPE.map((name, index) => [name, index])) as Record<ShapeName, number>;
export const NAME_FROM = AT['name-length'];
export const LINK_FROM = AT['link-depth'];

/** Owners of features that no token of the text owns. */
export const OWNER_AUTHOR = -1;
export const OWNER_LINK = -2;

/** The longest text that is read, in UTF-16 units: beyond it, its head and tail. A body is at most 16 KiB anyway. */
export const TEXT_LIMIT = 16_384;
const TAIL = 4_096;
const NAME_LIMIT = 200;
const LINK_LIMIT = 500;
/** The most distinct n-grams of one comment. */
const FEATURES = 24_576;
const SEEN = 65_536; // power of two, over twice FEATURES
/** A character folds to four letters at most, and a run has two edges. */
const UNITS = 6 * TEXT_LIMIT;
const RUNS = TEXT_LIMIT;
const TOKEN_UNITS = 64; // longer runs are cut, so that 64 KB of one letter is a thousand equal tokens
const TOKENS = TEXT_LIMIT + 64;

export type Features = {
  /** How many of `hash`, `view`, `owner` count: all features but those of the letters. Valid until the next call. */
  count: number;
  readonly hash: Int32Array;
  readonly view: Uint8Array;
  /** The token of the text that a feature stands in; or {@link OWNER_AUTHOR}, {@link OWNER_LINK}. */
  readonly owner: Int16Array;
  /** Features a view, by which its sum is scaled: distinct ones; of the letters, those of every distinct word. */
  readonly perView: Int32Array;
  /**
   * Runs of folded letters: run i is `unit[runFrom[i] … runFrom[i + 1])`, with an edge on both sides. Its n-grams
   * ({@link gramsOf}) are the features of the letters; they depend on nothing else, so that a run's sum can be kept.
   */
  runs: number;
  readonly unit: Uint16Array;
  readonly runFrom: Int32Array;
  readonly runOwner: Int16Array;
  /** Two hashes that together tell runs apart. */
  readonly runKey: Int32Array;
  readonly runCheck: Int32Array;
  /** The figures of {@link SHAPE}; those of a missing author or link are 0. */
  readonly shape: Float32Array;
  tokens: number;
  /** Where each token stands in `text`, UTF-16 units. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly kind: Uint8Array;
  /** Hash of the folded token. */
  readonly word: Int32Array;
  /** What was read: the text, or its head and tail. */
  text: string;
  lang: string;
  /** What speaks for a language other than English in Latin letters: function words, accented letters. */
  foreignHints: number;
  hasAuthor: boolean;
  hasLink: boolean;
};

export const KIND_WORD = 1;
export const KIND_NUMBER = 2;
export const KIND_EMOJI = 3;
export const KIND_MARK = 4;
export const KIND_URL = 5;

const CLASS_SPACE = 0;
const CLASS_LETTER = 1;
const CLASS_DIGIT = 2;
const CLASS_PUNCT = 3;
const CLASS_EMOJI = 4;
const CLASS_MARK = 5;
const CLASS_HIDDEN = 6;

const LATIN = 1;
const OTHER_SCRIPT = 9;
const SCRIPTS: [number, RegExp][] = [
  [2, /\p{Script=Cyrillic}/u],
  [3, /\p{Script=Greek}/u],
  [4, /\p{Script=Arabic}/u],
  [5, /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}/u],
  [6, /\p{Script=Hangul}/u],
  [7, /\p{Script=Thai}/u],
  [8, /\p{Script=Devanagari}/u],
];
const SCRIPT_LANG = ['und', 'und', 'ru', 'el', 'ar', 'zh', 'ko', 'th', 'hi', 'und'];

/** One character as the judge reads it. */
type Read = { folded: string; class: number; script: number; fancy: boolean; upper: boolean; lookalike: string };

/**
 * Letters of scripts that disguise Latin in practice. Those with readers of their own among commenters whose letters merely
 * resemble Latin in one shape (Arabic, Hebrew, Han, Indic…) stay out: they would be folded to noise.
 */
const DISGUISING =
  /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}\p{Script=Cherokee}\p{Script=Canadian_Aboriginal}\p{Script=Lisu}\p{Script=Coptic}\p{Script=Deseret}\p{Script=Tifinagh}\p{Script=Old_Italic}\p{Script=Lycian}\p{Script=Carian}]$/u;
/** Latin small capitals have no decomposition, and most have no entry in Unicode's table. */
const SMALL_CAPITALS = ['ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɐǝɹ', 'abcdefghijklmnoprstuvwyzaer'] as const;
const lookalikes = new Map([
  ...Object.entries(LATIN_LOOKALIKES)
    .filter(([letter]) => letter.length === 1)
    .flatMap(([to, letters]) =>
      [...letters].filter((l) => DISGUISING.test(l) && /\p{L}/u.test(l)).map((l) => [l, to] as const),
    ),
  ...[...SMALL_CAPITALS[0]].map((l, i) => [l, SMALL_CAPITALS[1][i]!] as const),
]);

function read(code: number): Read {
  const char = String.fromCodePoint(code);
  const hidden = /\p{Cf}|\p{Cc}|\u115F|\u1160|\u3164|\uFFA0|\u034F|\u2800|[\uFE00-\uFE0F]/u.test(char);
  if (/[\s\u2028\u2029]/u.test(char)) return blank(CLASS_SPACE);
  if (hidden) return blank(CLASS_HIDDEN);
  // Accents may stand on any letter; the vowel signs of Hindi or Thai are letters of their own script.
  if (/\p{M}/u.test(char) && /\p{Script=Inherited}/u.test(char)) return blank(CLASS_MARK);
  let folded = char.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  let fancy =
    char.normalize('NFKC') !== char && /[a-z0-9]/i.test(char.normalize('NFKC')) && !/[ªº²³¹¼-¾ﬁﬂ™℠№…]/.test(char);
  // Circled and squared capitals in negative: no decomposition in Unicode, read by everybody.
  for (const from of [0x1f150, 0x1f170]) {
    if (code >= from && code < from + 26) {
      folded = String.fromCharCode(97 + code - from);
      fancy = true;
    }
  }
  const letter = /[\p{L}\p{M}]/u.test(char) || (fancy && /[a-z]/.test(folded));
  const lookalike = lookalikes.get(char) ?? lookalikes.get(folded) ?? '';
  if (letter) {
    // Small capitals and phonetic letters are Latin by Unicode's word, and disguise by use.
    if (lookalike && /^\p{Script=Latin}$/u.test(char) && !/^[a-z]/.test(folded)) {
      folded = lookalike;
      fancy ||= (code >= 0x250 && code < 0x2b0) || (code >= 0x1d00 && code < 0x1d80) || code >= 0xa720;
    }
    folded = folded.slice(0, 4) || char.toLowerCase();
    const latin = /^[a-z]/.test(folded) || /\p{Script=Latin}/u.test(char);
    const script = latin ? LATIN : (SCRIPTS.find(([, test]) => test.test(char))?.[0] ?? OTHER_SCRIPT);
    return { folded, class: CLASS_LETTER, script, fancy, upper: char !== char.toLowerCase(), lookalike };
  }
  if (/\p{N}/u.test(char)) {
    // Digits of other scripts keep their meaning; ① and 𝟕 are digits too.
    const digit =
      /^\p{Nd}$/u.test(char) && !/^\d$/.test(folded) ? String(digitOf(code)) : folded.replaceAll(/[^a-z0-9]/g, '');
    if (digit) return { folded: digit.slice(0, 4), class: CLASS_DIGIT, script: 0, fancy, upper: false, lookalike: '' };
  }
  if (/\p{Extended_Pictographic}|\p{So}|\p{Sk}|[\u{1F1E6}-\u{1F1FF}]/u.test(char) && code > 0x7f)
    return { ...blank(CLASS_EMOJI), folded: char };
  const plain = /^[\x21-\x7e]/.test(folded) ? folded[0]! : char;
  return { ...blank(CLASS_PUNCT), folded: plain };
}

const blank = (kind: number): Read => ({
  folded: '',
  class: kind,
  script: 0,
  fancy: false,
  upper: false,
  lookalike: '',
});

/** Decimal digits stand in runs of ten, zero first (Unicode chapter 4.6), each run in one 16-block half. */
function digitOf(code: number): number {
  let zero = code;
  while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
  return code - zero;
}

const ASCII: readonly Read[] = Array.from({ length: 128 }, (_, code) => read(code));
/** Characters met so far; bounded, because a stranger chooses what is met. */
const others = new Map<number, Read>();
function readOf(code: number): Read {
  if (code < 128) return ASCII[code]!;
  let known = others.get(code);
  if (!known) {
    if (others.size >= 8_192) others.clear();
    others.set(code, (known = read(code)));
  }
  return known;
}

export const LATIN_LANGS = Object.keys(WORD_LISTS.languages);
/** Hash of a word → a bit for each of {@link LATIN_LANGS}, then for each purpose: one look for all lists. */
const wordBits = new Map<number, number>();
const bitOf = (words: string, bit: number) => {
  for (const word of words.split(' ')) wordBits.set(hashWord(word), (wordBits.get(hashWord(word)) ?? 0) | (1 << bit));
};
LATIN_LANGS.forEach((lang, bit) => bitOf(WORD_LISTS.languages[lang]!, bit));
const [PROMOTION, MESSENGER, PRAISE, FIRST, SECOND, VICE, FINANCE, TRADE] = Object.values(WORD_LISTS.purposes).map(
  (words, i) => {
    bitOf(words, LATIN_LANGS.length + i);
    return 1 << (LATIN_LANGS.length + i);
  },
) as [number, number, number, number, number, number, number, number];
const LANG_BITS = (1 << LATIN_LANGS.length) - 1;

const ADDRESS =
  /(?:https?:\/\/|www\.)[^\s<>"']+|\b[a-z0-9][a-z0-9-]{1,62}(?:\.[a-z0-9-]{1,62}){0,3}\.(?:com|net|org|info|biz|co|io|me|tv|ru|uk|in|us|de|id|ly|gl|be|fr|es|nl|pl|br|jp|cn|eu|ca|au|nz|xyz|top|site|online|club|shop|store|live|win|vip|app|link|page|pro|bet|casino|space|website|buzz|click|fun|icu|dev|blog|pw|tk|ml|cc)\b(?:\/[^\s<>"']*)?/gi;

// The workspace. Judging is synchronous, so one is enough.
const features: Features = {
  count: 0,
  hash: new Int32Array(FEATURES),
  view: new Uint8Array(FEATURES),
  owner: new Int16Array(FEATURES),
  perView: new Int32Array(VIEWS.length),
  runs: 0,
  unit: new Uint16Array(UNITS),
  runFrom: new Int32Array(RUNS + 1),
  runOwner: new Int16Array(RUNS),
  runKey: new Int32Array(RUNS),
  runCheck: new Int32Array(RUNS),
  shape: new Float32Array(SHAPE.length),
  tokens: 0,
  start: new Int32Array(TOKENS),
  end: new Int32Array(TOKENS),
  kind: new Uint8Array(TOKENS),
  word: new Int32Array(TOKENS),
  text: '',
  lang: 'und',
  foreignHints: 0,
  hasAuthor: false,
  hasLink: false,
};
const seenHash = new Int32Array(SEEN);
const seenAt = new Int32Array(SEEN);
let stamp = 0;
/** The part of the set that is in use: a short text stays within the nearest cache. */
let seenMask = SEEN - 1;
const units = new Uint16Array(TOKEN_UNITS * 4 + 8);
const wordHash = new Int32Array(SEEN / 4);
const wordAt = new Int32Array(SEEN / 4);
const wordSeen = new Int32Array(SEEN / 4);

/** The place of a word in the counts, its own or a free one. A text has fewer words than half the places. */
function wordSlot(hash: number): number {
  const mask = seenMask >>> 2;
  let slot = mix(hash) & mask;
  while (wordAt[slot] === stamp && wordHash[slot] !== hash) slot = (slot + 1) & mask;
  return slot;
}
/** Counts a word; returns how often it was met by now. */
function countWord(hash: number): number {
  const slot = wordSlot(hash);
  if (wordAt[slot] === stamp) return ++wordSeen[slot]!;
  wordAt[slot] = stamp;
  wordHash[slot] = hash;
  return (wordSeen[slot] = 1);
}
const hasWord = (hash: number) => wordAt[wordSlot(hash)] === stamp;

/** Spreads the bits (the finaliser of MurmurHash3, Appleby, public domain). */
function mix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

function hashWord(word: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
  return h;
}

function add(hash: number, view: number, owner: number): void {
  const h = mix(hash ^ Math.imul(view + 1, 0x9e3779b1));
  let slot = h & seenMask;
  while (seenAt[slot] === stamp) {
    if (seenHash[slot] === h) return;
    slot = (slot + 1) & seenMask;
  }
  if (features.count >= FEATURES || features.count * 2 > seenMask) return;
  seenAt[slot] = stamp;
  seenHash[slot] = h;
  const at = features.count++;
  features.hash[at] = h;
  features.view[at] = view;
  features.owner[at] = owner;
  features.perView[view]!++;
}

/** Whether a token's {@link Features.word} is one that every comment may have. */
export const isCommonWord = (word: number) => ((wordBits.get(word) ?? 0) & LANG_BITS) !== 0;
/** The {@link Features.hash} of a token that is a word. */
export const wordFeature = (word: number) => mix(word ^ Math.imul(V_WORDS + 1, 0x9e3779b1));

const V_LETTERS = 0;
const V_WORDS = 1;
const V_AUTHOR = 2;
const V_LINKS = 3;
const EDGE = 0x5f;

/** N-grams of 2 to `most` units of `units[0..length)`, framed by an edge on both sides. */
function addGrams(length: number, view: number, owner: number, most: number): void {
  for (let from = 0; from < length - 1; from++) {
    let h = 0x811c9dc5;
    const to = Math.min(length, from + most);
    for (let i = from; i < to; i++) {
      h = Math.imul(h ^ units[i]!, 0x01000193);
      if (i > from) add(h, view, owner);
    }
  }
}

const LONGEST_GRAM = 5;
const LETTERS_KEY = Math.imul(1, 0x9e3779b1);

/** Notes `units[0..length)` as a run of letters. */
function addRun(length: number, owner: number): void {
  const f = features;
  const from = f.runFrom[f.runs]!;
  if (f.runs >= RUNS || from + length > UNITS || length < 2) return;
  let key = 0x811c9dc5;
  let check = length;
  for (let i = 0; i < length; i++) {
    const unit = units[i]!;
    f.unit[from + i] = unit;
    key = Math.imul(key ^ unit, 0x01000193);
    check = Math.imul(check, 0x5bd1e995) + unit;
  }
  f.runKey[f.runs] = mix(key);
  f.runCheck[f.runs] = check | 0;
  f.runOwner[f.runs] = owner;
  f.runFrom[++f.runs] = from + length;
  f.perView[V_LETTERS]! += gramCount(length);
}

/** How many n-grams of 2 to five units a run of so many has. */
const gramCount = (length: number) => {
  const most = Math.min(LONGEST_GRAM, length);
  return (most - 1) * length - (most * (most - 1)) / 2;
};

/** The hashed n-grams of a run; one that stands twice in it comes twice. */
export function gramsOf(f: Features, run: number, visit: (hash: number) => void): void {
  const end = f.runFrom[run + 1]!;
  for (let from = f.runFrom[run]!; from < end - 1; from++) {
    let h = 0x811c9dc5;
    const to = Math.min(end, from + LONGEST_GRAM);
    for (let i = from; i < to; i++) {
      h = Math.imul(h ^ f.unit[i]!, 0x01000193);
      if (i > from) visit(mix(h ^ LETTERS_KEY));
    }
  }
}

/** Puts a folded ASCII-ish string into `units` with edges; returns its length. */
function frame(word: string): number {
  let n = 0;
  units[n++] = EDGE;
  for (let i = 0; i < word.length && i < TOKEN_UNITS; i++) units[n++] = word.charCodeAt(i);
  units[n++] = EDGE;
  return n;
}

/** Folds a short string (a name, a host) for comparison and hashing: lower case, Latin where it passes for Latin. */
function fold(short: string): { folded: string; fancy: number; foreign: number; letters: number } {
  let folded = '';
  let fancy = 0;
  let foreign = 0;
  let letters = 0;
  for (const char of short) {
    const r = readOf(char.codePointAt(0)!);
    if (r.fancy) fancy++;
    if (r.class === CLASS_LETTER) {
      letters++;
      if (r.script !== LATIN) foreign++;
    }
    folded += r.class === CLASS_SPACE ? ' ' : r.folded;
  }
  return { folded, fancy, foreign, letters };
}

const LEET: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '8': 'b' };

const share = (n: number, of: number) => (of > 0 ? n / of : 0);
const log1 = (value: number) => Math.log2(1 + value);

/**
 * Reads one comment.
 *
 * @returns the shared workspace: use it before the next call
 */
export function extract(comment: CommentText): Features {
  const f = features;
  stamp = (stamp + 1) | 0;
  f.count = 0;
  f.runs = 0;
  f.tokens = 0;
  f.perView.fill(0);
  f.shape.fill(0);
  f.text =
    comment.text.length <= TEXT_LIMIT
      ? comment.text
      : `${comment.text.slice(0, TEXT_LIMIT - TAIL - 1)}\n${comment.text.slice(-TAIL)}`;
  // Addresses have four features a character, words fewer; at most half full.
  const own = Math.min(comment.author?.length ?? 0, NAME_LIMIT) + Math.min(comment.link?.length ?? 0, LINK_LIMIT);
  const wanted = 8 * (f.text.length + own) + 64;
  seenMask = Math.min(SEEN, 2 ** Math.ceil(Math.log2(wanted))) - 1;
  readText(f);
  f.hasAuthor = (comment.author ?? '').trim() !== '';
  f.hasLink = (comment.link ?? '').trim() !== '';
  if (f.hasAuthor) readAuthor(f, comment.author!.slice(0, NAME_LIMIT));
  if (f.hasLink) readLink(f, comment.link!.slice(0, LINK_LIMIT), comment.author ?? '');
  return f;
}

/** Where the addresses stand, found before the words. */
const urlStart: number[] = [];
const urlEnd: number[] = [];

// One long pass on purpose: it runs for every character of every comment, and calls would be its cost.
function readText(f: Features): void {
  const { text, shape } = f;
  urlStart.length = urlEnd.length = 0;
  if (text.includes('.') || text.includes('://')) {
    ADDRESS.lastIndex = 0;
    for (let match = ADDRESS.exec(text); match && urlStart.length < 200; match = ADDRESS.exec(text)) {
      urlStart.push(match.index);
      urlEnd.push(match.index + match[0].length);
    }
  }

  let letters = 0;
  let upper = 0;
  let digits = 0;
  let punct = 0;
  let fancy = 0;
  let mixed = 0;
  let hidden = 0;
  let marks = 0;
  let emoji = 0;
  let exclaim = 0;
  let question = 0;
  let lines = 0;
  let money = 0;
  let handles = 0;
  let mail = 0;
  let code = 0;
  let foreign = 0;
  let accents = 0;
  let scripts = 0;
  let words = 0;
  let wordUnits = 0;
  let shouted = 0;
  let titled = 0;
  let letterDigit = 0;
  let digitTail = 0;
  let longNumbers = 0;
  let phone = 0;
  let messenger = 0;
  let first = 0;
  let second = 0;
  let promotion = 0;
  let praise = 0;
  let vice = 0;
  let finance = 0;
  let trade = 0;
  let spaced = 0;
  let singles = 0;
  let distinct = 0;
  let mostRepeated = 0;
  let singleText = '';
  let longestRun = 0;
  let run = 0;
  let previousCode = -1;
  let urlUnits = 0;
  let urlDepth = 0;
  let urlHyphens = 0;
  let urlDigits = 0;
  let numberRun = 0;
  let previousWord = 0;
  let beforePrevious = 0;
  let sentenceStart = true;
  let lineWords = 0;
  let shortLines = 0;
  let keywordLine = 0;
  const scriptCounts = scriptTally.fill(0);
  const langs = langTally.fill(0);

  const pushToken = (kind: number, start: number, end: number, word: number): number => {
    if (f.tokens >= TOKENS) return TOKENS - 1;
    const t = f.tokens++;
    f.kind[t] = kind;
    f.start[t] = start;
    f.end[t] = end;
    f.word[t] = word;
    return t;
  };
  const flushSingles = (owner: number) => {
    // "A E R O 8 8": letters with blanks between them are one word to the eye.
    if (singles >= 4) {
      spaced += singles;
      const n = frame(singleText);
      addRun(n, owner);
      add(hashWord(singleText), V_WORDS, owner);
    }
    singles = 0;
    singleText = '';
  };
  const wordFeatures = (hash: number, owner: number) => {
    add(hash, V_WORDS, owner);
    if (previousWord) {
      add(Math.imul(previousWord ^ 0x27d4eb2d, 0x01000193) ^ hash, V_WORDS, owner);
      // A pair with any one word between, so that "invest with mrs X today" is met again with another name.
      if (beforePrevious) add(Math.imul(beforePrevious ^ 0x165667b1, 0x01000193) ^ hash, V_WORDS, owner);
    }
    beforePrevious = previousWord;
    previousWord = hash;
  };

  let nextUrl = 0;
  let at = 0;
  while (at < text.length) {
    if (nextUrl < urlStart.length && at >= urlStart[nextUrl]!) {
      const start = urlStart[nextUrl]!;
      const end = urlEnd[nextUrl]!;
      nextUrl++;
      if (at > start) continue;
      flushSingles(f.tokens - 1);
      const t = pushToken(KIND_URL, start, end, 0x75726c);
      const shapeOf = addLink(text.slice(start, Math.min(end, start + LINK_LIMIT)), t);
      urlUnits += end - start;
      urlDepth = Math.max(urlDepth, shapeOf.depth);
      urlHyphens = Math.max(urlHyphens, shapeOf.hyphens);
      urlDigits = Math.max(urlDigits, shapeOf.digits);
      wordFeatures(hashWord('<url>'), t);
      at = end;
      sentenceStart = true;
      continue;
    }
    const lead = text.codePointAt(at)!;
    let r = readOf(lead);
    if (lead === previousCode && r.class !== CLASS_SPACE) {
      run++;
      if (run > longestRun) longestRun = run;
    } else run = 1;
    previousCode = lead;
    const width = lead > 0xffff ? 2 : 1;
    switch (r.class) {
      case CLASS_SPACE:
        if (lead === 10) {
          lines++;
          if (lineWords > 0 && lineWords <= 5) shortLines++;
          lineWords = 0;
        }
        at += width;
        continue;
      case CLASS_MARK:
        marks++;
        at += width;
        continue;
      case CLASS_HIDDEN:
        if (lead !== 0xfe0f && lead !== 0x200d) hidden++;
        at += width;
        continue;
      case CLASS_EMOJI: {
        emoji++;
        const t = pushToken(KIND_EMOJI, at, at + width, lead);
        add(Math.imul(lead, 0x01000193) ^ 0x656d, V_WORDS, t);
        at += width;
        continue;
      }
      case CLASS_PUNCT: {
        punct++;
        const c = r.folded;
        let end = at + width;
        if (c === '!') exclaim++;
        else if (c === '?') question++;
        else if (c === '$' || c === '€' || c === '£' || c === '₹') money++;
        else if (c === '@') {
          const next = text.charCodeAt(end);
          if (next > 47) handles++;
          if (at > 0 && /[\w)]/.test(text[at - 1]!)) mail++;
        } else if (c === '{' || c === '}' || c === ';' || c === '`' || c === '=' || c === '<' || c === '_') code++;
        let length = 1;
        while (end < text.length && text.charCodeAt(end) === lead && length < 64) {
          end++;
          length++;
          punct++;
          if (c === '!') exclaim++;
          else if (c === '?') question++;
        }
        const t = pushToken(KIND_MARK, at, end, lead);
        add(Math.imul(lead, 0x01000193) ^ Math.min(length, 3) ^ 0x7075, V_WORDS, t);
        if (c === '.' || c === '!' || c === '?') {
          sentenceStart = true;
          beforePrevious = 0;
        }
        at = end;
        continue;
      }
      default:
    }
    // A run of letters and digits, with marks and hidden characters inside it.
    const start = at;
    let n = 0;
    let wordLetters = 0;
    let wordUpper = 0;
    let wordDigits = 0;
    let wordFancy = 0;
    let wordMarks = 0;
    let wordHidden = 0;
    let latin = 0;
    let foreignHere = 0;
    let lookalikesHere = 0;
    let digitAfterLetter = false;
    let letterAfterDigit = false;
    let tailDigits = 0;
    units[n++] = EDGE;
    let same = 0;
    const stop = nextUrl < urlStart.length ? urlStart[nextUrl]! : text.length;
    while (at < stop && n < TOKEN_UNITS) {
      const point = text.codePointAt(at)!;
      r = readOf(point);
      if (r.class === CLASS_MARK) {
        wordMarks++;
        at += point > 0xffff ? 2 : 1;
        continue;
      }
      if (r.class === CLASS_HIDDEN) {
        // Only between letters: an emoji's joiner or a byte order mark hides nothing.
        if (point !== 0xfe0f) wordHidden++;
        at += point > 0xffff ? 2 : 1;
        continue;
      }
      if (r.class === CLASS_LETTER) {
        wordLetters++;
        if (r.upper) wordUpper++;
        if (r.fancy) wordFancy++;
        if (tailDigits > 0) letterAfterDigit = true;
        tailDigits = 0;
        scriptCounts[r.script]!++;
        if (r.script === LATIN) {
          latin++;
          if (point > 127 && !r.fancy) accents++;
        } else {
          foreignHere++;
          if (r.lookalike) lookalikesHere++;
        }
      } else if (r.class === CLASS_DIGIT) {
        wordDigits++;
        tailDigits++;
        if (r.fancy) wordFancy++;
        if (wordLetters > 0) digitAfterLetter = true;
      } else if (point === 0x27 || point === 0x2019) {
        // An apostrophe inside a word: don't = dont.
        const next = at + 1 < text.length ? readOf(text.codePointAt(at + 1)!).class : CLASS_SPACE;
        if (wordLetters === 0 || next !== CLASS_LETTER) break;
        at++;
        continue;
      } else break;
      for (let i = 0; i < r.folded.length; i++) {
        const unit = r.folded.charCodeAt(i);
        same = n > 1 && units[n - 1] === unit ? same + 1 : 1;
        if (same <= 2 || r.class === CLASS_DIGIT) units[n++] = unit;
      }
      if (point === previousCode && at > start) {
        run++;
        if (run > longestRun) longestRun = run;
      } else run = 1;
      previousCode = point;
      at += point > 0xffff ? 2 : 1;
    }
    if (at === start) {
      at += width;
      continue;
    }
    // Letters that pass for Latin beside Latin ones, or a whole word of them in a Latin text.
    if (foreignHere > 0 && lookalikesHere > 0 && (latin > 0 || wordDigits > 0 || lookalikesHere === foreignHere)) {
      const latinText = scriptCounts[LATIN]! > 2 * (scriptCounts[2]! + scriptCounts[3]! + scriptCounts[OTHER_SCRIPT]!);
      if (latin > 0 || wordFancy > 0 || (latinText && foreignHere > 1)) {
        n = refold(text, start, at);
        mixed++;
        wordFancy += lookalikesHere;
        foreignHere -= lookalikesHere;
        latin += lookalikesHere;
      }
    }
    units[n++] = EDGE;
    letters += wordLetters;
    upper += wordUpper;
    digits += wordDigits;
    fancy += wordFancy;
    hidden += wordHidden;
    marks += wordMarks;
    foreign += foreignHere;
    let hash = 0x811c9dc5;
    for (let i = 1; i < n - 1; i++) hash = Math.imul(hash ^ units[i]!, 0x01000193);
    const kind = wordLetters > 0 ? KIND_WORD : KIND_NUMBER;
    const t = pushToken(kind, start, at, hash);
    lineWords++;
    const visible = n - 2;

    if (visible === 1) {
      singles++;
      if (singleText.length < TOKEN_UNITS - 4) singleText += String.fromCharCode(units[1]!);
    } else if (singles > 0) flushSingles(t);

    if (kind === KIND_WORD) {
      words++;
      wordUnits += visible;
      const seen = countWord(hash);
      if (seen === 1) distinct++;
      if (seen > mostRepeated) mostRepeated = seen;
      const bits = wordBits.get(hash);
      if (bits) {
        if (seen === 1 && bits & LANG_BITS)
          for (let bit = 0; bit < LATIN_LANGS.length; bit++) if (bits & (1 << bit)) langs[bit]!++;
        if (bits & PROMOTION) promotion++;
        if (bits & MESSENGER) messenger++;
        if (bits & PRAISE) praise++;
        if (bits & VICE) vice++;
        if (bits & FINANCE) finance++;
        if (bits & TRADE) trade++;
        if (bits & FIRST) first++;
        if (bits & SECOND) second++;
      }
      if (wordUpper === wordLetters && wordLetters > 2) shouted++;
      else if (wordUpper === 1 && readOf(text.codePointAt(start)!).upper && !sentenceStart) titled++;
      else if (wordUpper > 0 && wordUpper < wordLetters && !readOf(text.codePointAt(start)!).upper) code++;
      if (digitAfterLetter && !letterAfterDigit && wordLetters > 2 && tailDigits <= 4) {
        letterDigit++;
        digitTail = Math.max(digitTail, tailDigits);
        add(0x5eed ^ (tailDigits << 4), V_WORDS, t); // "<name>88"
      }
      if (wordDigits > 0) {
        let plain = '';
        for (let i = 1; i < n - 1; i++) {
          const unit = String.fromCharCode(units[i]!);
          plain += letterAfterDigit || i < n - 1 - tailDigits ? (LEET[unit] ?? unit) : '';
        }
        add(hashWord(plain), V_WORDS, t);
      }
      if (wordFancy > 0) {
        add(0xfa9c1 ^ (wordDigits > 0 ? 1 : 0) ^ (wordFancy > 2 ? 2 : 0), V_WORDS, t);
      }
      wordFeatures(hash, t);
      if (seen === 1) addRun(n, t);
      numberRun = 0;
    } else {
      // Numbers are met again by their length, not by their value.
      add(0x6e756d ^ Math.min(wordDigits, 12), V_WORDS, t);
      if (wordFancy > 0) add(0xfa9c8, V_WORDS, t);
      wordFeatures(0x6e756d ^ (Math.min(wordDigits, 4) << 8), t);
      if (countWord(hash) === 1) addRun(n, t);
      numberRun += wordDigits;
      if (wordDigits >= 4) longNumbers++;
      if (numberRun >= 9) {
        phone = 1;
        numberRun = 0;
      }
    }
    sentenceStart = false;
  }
  flushSingles(f.tokens - 1);

  for (let s = 1; s < scriptCounts.length; s++) if (scriptCounts[s]! > 0) scripts++;
  f.lang = guessLanguage(scriptCounts, langs, letters);
  f.foreignHints = accents + Math.max(...langs.subarray(1));
  if (lines > 0 && lineWords > 0 && lineWords <= 6) keywordLine = 1;

  const units1 = Math.max(1, letters + digits + punct + emoji);
  const last = f.tokens - 1;
  shape[AT.length] = log1(text.length);
  shape[AT['word-count']] = log1(words);
  shape[AT['word-length']] = share(wordUnits, words);
  shape[AT.capitals] = share(upper, letters);
  shape[AT.digits] = share(digits, units1);
  shape[AT.punctuation] = share(punct, units1);
  shape[AT.emoji] = log1(emoji);
  shape[AT['emoji-share']] = share(emoji, f.tokens);
  shape[AT.exclamations] = log1(exclaim);
  shape[AT.questions] = log1(question);
  shape[AT.lines] = log1(lines);
  shape[AT.urls] = log1(urlStart.length);
  shape[AT['url-share']] = share(urlUnits, text.length);
  shape[AT['url-last']] = last >= 0 && f.kind[last] === KIND_URL ? 1 : 0;
  shape[AT['url-first']] = last >= 0 && f.kind[0] === KIND_URL ? 1 : 0;
  shape[AT['url-only']] = urlStart.length > 0 && words === 0 ? 1 : 0;
  shape[AT['url-depth']] = urlDepth;
  shape[AT['url-hyphens']] = urlHyphens;
  shape[AT['url-digits']] = urlDigits;
  shape[AT.money] = log1(money);
  shape[AT['long-numbers']] = log1(longNumbers);
  shape[AT.phone] = phone;
  shape[AT.messenger] = log1(messenger);
  shape[AT.handles] = log1(handles);
  shape[AT.mail] = log1(mail);
  shape[AT['fancy-share']] = share(fancy, letters + digits);
  shape[AT.fancy] = log1(fancy);
  shape[AT['mixed-words']] = log1(mixed);
  shape[AT.invisible] = log1(hidden);
  shape[AT['stacked-marks']] = share(marks, letters);
  shape[AT['spaced-letters']] = log1(spaced);
  shape[AT['letter-digit-words']] = log1(letterDigit);
  shape[AT['digit-tail']] = digitTail;
  shape[AT['shouted-words']] = share(shouted, words);
  shape[AT['titled-words']] = share(titled, words);
  shape[AT['distinct-words']] = share(distinct, words);
  shape[AT['most-repeated']] = share(mostRepeated, words);
  shape[AT['longest-run']] = Math.min(longestRun, 16);
  shape[AT['first-person']] = share(first, words);
  shape[AT['second-person']] = share(second, words);
  shape[AT.promotion] = share(promotion, words);
  shape[AT.praise] = share(praise, words);
  shape[AT.code] = log1(code);
  shape[AT['lower-start']] = /^\p{Ll}/u.test(text) ? 1 : 0;
  shape[AT['ends-plain']] = /[.!?…)]\s*$/.test(text.slice(-8)) ? 0 : 1;
  shape[AT['foreign-letters']] = share(foreign, letters);
  shape[AT.scripts] = scripts;
  shape[AT['reply-mark']] = text.startsWith('@') || text.startsWith('>') ? 1 : 0;
  shape[AT['promotion-words']] = log1(promotion);
  shape[AT['repeated-words']] = log1(words - distinct);
  shape[AT['praise-words']] = log1(praise);
  shape[AT['short-lines']] = log1(shortLines);
  shape[AT['keyword-line']] = keywordLine;
  shape[AT['vice-words']] = log1(vice);
  shape[AT['finance-words']] = log1(finance);
  shape[AT['trade-words']] = log1(trade);
}
const scriptTally = new Int32Array(OTHER_SCRIPT + 1);
const langTally = new Int32Array(LATIN_LANGS.length);

/** Reads a token again with look-alikes as the Latin letters they pass for. */
function refold(text: string, start: number, end: number): number {
  let n = 1;
  for (let at = start; at < end && n < TOKEN_UNITS;) {
    const point = text.codePointAt(at)!;
    const r = readOf(point);
    at += point > 0xffff ? 2 : 1;
    const folded =
      r.lookalike && r.script !== LATIN
        ? r.lookalike
        : r.class === CLASS_LETTER || r.class === CLASS_DIGIT
          ? r.folded
          : '';
    for (let i = 0; i < folded.length; i++) units[n++] = folded.charCodeAt(i);
  }
  return n;
}

/** The likeliest language by script and function words; 'und' when too little speaks. */
function guessLanguage(scriptCounts: Int32Array, langs: Int32Array, letters: number): string {
  let script = LATIN;
  for (let s = 1; s < scriptCounts.length; s++) if (scriptCounts[s]! > scriptCounts[script]!) script = s;
  if (letters === 0) return 'und';
  if (script !== LATIN) return SCRIPT_LANG[script]!;
  let best = 0;
  for (let bit = 1; bit < langs.length; bit++) if (langs[bit]! > langs[best]!) best = bit;
  // One word that some other language has too says little.
  return langs[best]! > (best === 0 ? 0 : 1) ? LATIN_LANGS[best]! : langs[0]! > 0 ? 'en' : 'und';
}

function readAuthor(f: Features, name: string): void {
  const { shape } = f;
  const { folded, fancy, foreign, letters } = fold(name);
  const bare = folded.replace(/^@/, '').trim();
  // YouTube tells namesakes apart by "-x9y": new accounts carry it, whoever they are.
  const tail = /-[a-z0-9]{3}$/.test(bare);
  const core = tail ? bare.slice(0, -4) : bare;
  const parts = core.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  for (const part of parts.slice(0, 12)) {
    add(hashWord(part), V_AUTHOR, OWNER_AUTHOR);
    addGrams(frame(part), V_AUTHOR, OWNER_AUTHOR, 4);
  }
  for (let i = 1; i < parts.length && i < 12; i++) add(hashWord(`${parts[i - 1]} ${parts[i]}`), V_AUTHOR, OWNER_AUTHOR);
  add(hashWord(`<${nameShape(name)}>`), V_AUTHOR, OWNER_AUTHOR);
  let inText = 0;
  for (const part of parts) if (part.length > 2 && hasWord(hashWord(part))) inText++;
  const consonants = /[bcdfghjklmnpqrstvwxz]{4,}/.exec(core)?.[0].length ?? 0;
  shape[AT['name-length']] = log1(name.length);
  shape[AT['name-words']] = parts.length;
  shape[AT['name-digits']] = log1((core.match(/\d/g) ?? []).length);
  shape[AT['name-lower']] = name === name.toLowerCase() ? 1 : 0;
  shape[AT['name-upper']] = letters > 3 && name === name.toUpperCase() ? 1 : 0;
  shape[AT['name-address']] = /\.[a-z]{2,}|https?:|www/.test(folded) ? 1 : 0;
  shape[AT['name-handle-tail']] = tail ? 1 : 0;
  shape[AT['name-at']] = name.startsWith('@') ? 1 : 0;
  shape[AT['name-foreign']] = letters > 0 ? foreign / letters : 0;
  shape[AT['name-in-text']] = parts.length > 0 ? inText / parts.length : 0;
  shape[AT['name-fancy']] = log1(fancy);
  shape[AT['name-consonants']] = consonants;
  shape[AT['name-entropy']] = core.length > 0 ? new Set(core).size / core.length : 0;
  shape[AT['name-titled']] =
    parts.length > 0 ? (name.match(/(?:^|[\s@])\p{Lu}\p{Ll}/gu) ?? []).length / parts.length : 0;
}

/** "Carl Sagan" → "Aa Aa", "seo4you" → "a0a": the look of a name without its letters. */
function nameShape(name: string): string {
  return name
    .slice(0, 40)
    .replaceAll(/\p{Lu}+/gu, 'A')
    .replaceAll(/[\p{Ll}\p{Lo}]+/gu, 'a')
    .replaceAll(/\p{N}+/gu, '0')
    .replaceAll(/\s+/g, ' ');
}

/** Features of one address: words of host and path, ending, n-grams of the host. Never that there is one. */
function addLink(address: string, owner: number): { depth: number; hyphens: number; digits: number; host: string } {
  const bare = address
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/^www\./, '');
  const cut = bare.search(/[/?#]/);
  const host = (cut < 0 ? bare : bare.slice(0, cut)).replace(/[^\p{L}\p{N}]+$/u, '').slice(0, 100);
  const path = cut < 0 ? '' : bare.slice(cut, cut + 200);
  const labels = host.split('.');
  add(hashWord(`.${labels.at(-1)}`), V_LINKS, owner);
  add(hashWord(`//${labels.slice(-2).join('.')}`), V_LINKS, owner);
  for (const label of labels.slice(0, -1))
    for (const part of label.split('-')) {
      if (part.length < 2) continue;
      add(hashWord(part), V_LINKS, owner);
      addGrams(frame(part), V_LINKS, owner, 5);
    }
  let parts = 0;
  for (const part of path.split(/[^\p{L}\p{N}]+/u)) {
    if (part.length < 3 || parts++ > 12) continue;
    add(hashWord(part), V_LINKS, owner);
  }
  return {
    depth: log1(path.split('/').filter(Boolean).length),
    hyphens: Math.min(5, host.split('-').length - 1),
    digits: Math.min(5, (host.match(/\d/g) ?? []).length),
    host,
  };
}

function readLink(f: Features, link: string, author: string): void {
  const { shape } = f;
  const { depth, hyphens, digits, host } = addLink(link, OWNER_LINK);
  const name = fold(author).folded.replaceAll(/[^\p{L}\p{N}]/gu, '');
  const plain = host.replaceAll(/[^\p{L}\p{N}]/gu, '');
  const root = host
    .split('.')
    .slice(0, -1)
    .join('')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  shape[AT['link-depth']] = depth;
  shape[AT['link-hyphens']] = hyphens;
  shape[AT['link-digits']] = digits;
  shape[AT['link-length']] = log1(host.length);
  shape[AT['link-labels']] = host.split('.').length;
  shape[AT['link-query']] = link.includes('?') ? 1 : 0;
  shape[AT['link-in-text']] = host.length > 3 && f.text.toLowerCase().includes(host) ? 1 : 0;
  shape[AT['link-name']] =
    name.length > 3 && (plain.includes(name) || (root.length > 3 && name.includes(root))) ? 1 : 0;
}
