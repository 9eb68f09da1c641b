/**
 * What moved a score, in words that a moderator understands: each reason names what was found, and which way it speaks.
 */
import { KIND_MARK, KIND_NUMBER, KIND_URL, KIND_WORD, LINK_FROM, NAME_FROM, SHAPE, isCommonWord } from './features.ts';
import type { CommentText, Features, ShapeName } from './features.ts';

/** What a part of the sum is called. */
export const GROUPS = [
  'prior',
  'text',
  'plain-words',
  'author-name',
  'link-host',
  'links-in-text',
  'disguised-letters',
  'contact',
  'repetition',
  'writing',
  'nothing-unusual',
  'site-learning',
] as const;
export type Group = (typeof GROUPS)[number];
export const G = Object.fromEntries(GROUPS.map((group, index) => [group, index])) as Record<Group, number>;

/** Figures and what to say of them where they are high, and low; nothing where there is nothing to see. */
type Phrases = Partial<Record<ShapeName, readonly [high: string, low?: string]>>;

const DISGUISES: Phrases = {
  'fancy-share': ['letters made for decoration or formulas'],
  fancy: ['letters made for decoration or formulas'],
  'mixed-words': ['words that mix alphabets'],
  invisible: ['characters that do not show'],
  'stacked-marks': ['marks stacked on letters'],
  'spaced-letters': ['words s p a c e d out'],
};
const CONTACTS: Phrases = {
  phone: ['a phone number'],
  messenger: ['the name of a messenger'],
  handles: ['an @handle'],
  mail: ['an e-mail address'],
  money: ['an amount of money'],
  'long-numbers': ['a long number'],
};
const REPETITIONS: Phrases = {
  'distinct-words': [''],
  'most-repeated': [''],
  'longest-run': [''],
  'repeated-words': [''],
};
const LINKS: Phrases = {
  urls: [''],
  'url-share': [''],
  'url-last': [''],
  'url-first': [''],
  'url-only': [''],
  'url-depth': [''],
  'url-hyphens': [''],
  'url-digits': [''],
};
const WRITING: Phrases = {
  length: ['long', 'short'],
  'word-count': ['long', 'short'],
  'word-length': ['long words', 'short words'],
  capitals: ['many capitals', 'few capitals'],
  digits: ['many digits'],
  punctuation: ['much punctuation', 'little punctuation'],
  emoji: ['emoji', 'no emoji'],
  'emoji-share': ['emoji', 'no emoji'],
  exclamations: ['exclamation marks'],
  questions: ['it asks something', 'it asks nothing'],
  lines: ['several lines', 'one line'],
  'letter-digit-words': ['words that end in digits'],
  'digit-tail': ['words that end in digits'],
  'shouted-words': ['words in capitals'],
  'titled-words': ['Capitalised Words'],
  'first-person': ['it speaks of the writer', 'it never says “I”'],
  'second-person': ['it addresses the reader', 'it addresses nobody'],
  promotion: ['words of advertising', 'no words of advertising'],
  'promotion-words': ['words of advertising', 'no words of advertising'],
  praise: ['praise that fits any page', 'no praise that fits any page'],
  'praise-words': ['praise that fits any page', 'no praise that fits any page'],
  code: ['signs of code'],
  'lower-start': ['it starts in lower case', 'it starts with a capital'],
  'ends-plain': ['no full stop at the end', 'a full stop at the end'],
  'foreign-letters': ['letters of another script'],
  scripts: ['letters of several scripts'],
  'reply-mark': ['it answers somebody'],
  'short-lines': ['short lines'],
  'keyword-line': ['a few words alone on the last line'],
  'vice-words': ['words of gambling, pills or sex'],
  'finance-words': ['words of investing and lending'],
  'trade-words': ['words of services for hire'],
};
const PHRASES: Phrases = { ...DISGUISES, ...CONTACTS, ...WRITING };

const groupOf = (name: ShapeName, index: number): Group => {
  if (index >= LINK_FROM) return 'link-host';
  if (index >= NAME_FROM) return 'author-name';
  if (name in LINKS) return 'links-in-text';
  if (name in DISGUISES) return 'disguised-letters';
  if (name in CONTACTS) return 'contact';
  return name in REPETITIONS ? 'repetition' : 'writing';
};
export const groupOfShape = Uint8Array.from(SHAPE, (name, index) => G[groupOf(name, index)]);
const figuresOf = (group: Group) => SHAPE.flatMap((_, s) => (groupOfShape[s] === G[group] ? [s] : []));
const FIGURES = Object.fromEntries(GROUPS.map((group) => [group, figuresOf(group)])) as Record<Group, number[]>;

/** A group of which nothing is there: its weight goes to `nothing-unusual`, lest an absence read as a presence. */
export const MAY_BE_ABSENT = ['links-in-text', 'disguised-letters', 'contact', 'author-name', 'link-host'] as const;
export function isThere(f: Features, group: (typeof MAY_BE_ABSENT)[number]): boolean {
  if (group === 'author-name') return f.hasAuthor;
  if (group === 'link-host') return f.hasLink;
  return FIGURES[group].some((s) => f.shape[s]! > 0);
}
const ABSENCES: Record<(typeof MAY_BE_ABSENT)[number], string> = {
  'links-in-text': 'no link in the text',
  'disguised-letters': 'no disguised letters',
  contact: 'no contact or money',
  'author-name': 'no name',
  'link-host': 'no website of the writer',
};

/** What the sum was made of, for the words. */
export type Parts = {
  f: Features;
  comment: CommentText;
  /** Log-odds by token of the text, and by shape figure. */
  tokens: Float64Array;
  figures: Float64Array;
  /** What each figure is on average. */
  means: readonly number[];
};

/** One reason in words; `weight` is above 0 where it speaks for spam. */
export function wordsFor(group: Group, weight: number, { f, comment, tokens, figures, means }: Parts): string {
  const spam = weight > 0;
  const usual = spam ? 'as spam often has' : 'as honest comments often have';
  const found = () => phrasesOf(group, spam, f, figures, means);
  switch (group) {
    case 'text':
    case 'plain-words': {
      const shown = (group === 'text') === spam ? heaviest(tokens, f, spam ? 1 : -1) : '';
      const whose = spam ? 'spam' : 'honest comments';
      return shown ? `Says ${shown}, which is more usual in ${whose}` : `The wording as a whole is nearer to ${whose}`;
    }
    case 'author-name':
      return `The name “${quote(comment.author ?? '')}” is like those of ${spam ? 'spammers' : 'honest writers'}`;
    case 'link-host':
      return `The writer's website “${quote(comment.link ?? '')}” is like those that ${spam ? 'spam leads to' : 'honest writers give'}`;
    case 'links-in-text': {
      const address = heaviestAddress(tokens, f, spam ? 1 : -1);
      return `${address ? `The link “${address}”` : 'The way it links'} is like those in ${spam ? 'spam' : 'honest comments'}`;
    }
    case 'disguised-letters':
      return `Has ${found() || 'unusual letters'}, ${usual}`;
    case 'contact':
      return `Has ${found() || 'digits like those of a phone'}, ${usual}`;
    case 'repetition': {
      if (f.perView.every((count) => count === 0) || f.shape[FIGURES.repetition[0]!] === 0) return 'Has no words';
      const repeats = f.shape[FIGURES.repetition[0]!]! < 0.9 || f.shape[FIGURES.repetition[2]!]! > 3;
      return `${repeats ? 'Repeats words or characters' : 'Hardly repeats a word'}, as ${spam ? 'spam' : 'honest comments'} often ${spam ? 'does' : 'do'}`;
    }
    case 'writing': {
      const how = found();
      return `Is written ${spam ? 'as spam often is' : 'as honest comments often are'}${how && `: ${how}`}`;
    }
    case 'nothing-unusual': {
      const missing = MAY_BE_ABSENT.filter((absent) => !isThere(f, absent)).map((absent) => ABSENCES[absent]);
      return `Has ${listed(missing)}`;
    }
    case 'site-learning':
      return `This site's moderators ${spam ? 'marked comments like it as spam' : 'approved comments like it'}`;
    case 'prior':
      return 'Where every comment starts, before anything is read';
    default:
      return group satisfies never;
  }
}

/** Words for abuse; without any that stands out, for the wording as a whole. */
export function wordsForAbuse(tokens: Float64Array, f: Features): string {
  const shown = heaviest(tokens, f, 1);
  return shown ? `Says ${shown}, which is more usual in abuse` : 'The wording as a whole is nearer to abuse';
}

const listed = (phrases: readonly string[]) =>
  phrases.length < 2 ? phrases.join('') : `${phrases.slice(0, -1).join(', ')} and ${phrases.at(-1)}`;

/** The figures that pulled furthest the group's way, as they are here. */
function phrasesOf(group: Group, spam: boolean, f: Features, figures: Float64Array, means: readonly number[]): string {
  const sign = spam ? 1 : -1;
  const picked = new Set<string>();
  const pulls = FIGURES[group].filter((s) => sign * figures[s]! > 0.02);
  for (const s of pulls.sort((a, b) => sign * (figures[b]! - figures[a]!))) {
    const [high, low] = PHRASES[SHAPE[s]!] ?? [];
    const value = f.shape[s]!;
    const phrase = value > means[s]! && value > 0 ? high : low;
    if (phrase) picked.add(phrase);
    if (picked.size === MOST_QUOTED) break;
  }
  // What is there speaks against its group's weight at times: then it is named all the same.
  if (picked.size === 0 && group !== 'writing')
    for (const s of FIGURES[group]) if (f.shape[s]! > 0) picked.add(PHRASES[SHAPE[s]!]![0]);
  return listed([...picked].slice(0, MOST_QUOTED));
}

const MOST_QUOTED = 3;
/** Log-odds below which a token explains nothing. */
const LEAST = 0.02;

/** Words that say something: no lone punctuation, and none that stands in every comment. */
const speaks = (f: Features, t: number) =>
  f.kind[t] === KIND_WORD ? !isCommonWord(f.word[t]!) : f.kind[t] !== KIND_MARK && f.kind[t] !== KIND_NUMBER;

/** The tokens that moved the sum most towards `sign`, neighbours joined, quoted from the text. */
function heaviest(sums: Float64Array, f: Features, sign: 1 | -1): string {
  const picked = new Set<string>();
  const used = new Set<number>();
  // A few looks for the greatest instead of a sort of all; bounded, because a phrase may come again and again.
  for (let looks = 0; looks < 4 * MOST_QUOTED && picked.size < MOST_QUOTED; looks++) {
    let t = -1;
    let most = LEAST;
    for (let n = 0; n < f.tokens; n++) {
      const pull = sign * sums[n]!;
      if (pull > most && f.kind[n] !== KIND_URL && !used.has(n) && speaks(f, n)) [t, most] = [n, pull];
    }
    if (t < 0) break;
    let from = t;
    let to = t;
    // A neighbour that pulls the same way belongs to the phrase.
    const joins = (n: number) =>
      n >= 0 &&
      n < f.tokens &&
      !used.has(n) &&
      f.kind[n] !== KIND_URL &&
      f.kind[n] !== KIND_MARK &&
      sign * sums[n]! > Math.max(LEAST, sign * sums[t]! * 0.3);
    while (from > 0 && t - from < 2 && joins(from - 1) && f.start[from]! - f.end[from - 1]! <= 1) from--;
    while (to - t < 2 && joins(to + 1) && f.start[to + 1]! - f.end[to]! <= 1) to++;
    for (let n = from; n <= to; n++) used.add(n);
    const phrase = quote(f.text.slice(f.start[from]!, f.end[to]!));
    if (phrase) picked.add(phrase);
  }
  return [...picked].map((phrase) => `“${phrase}”`).join(', ');
}

function heaviestAddress(sums: Float64Array, f: Features, sign: 1 | -1): string {
  let best = -1;
  for (let t = 0; t < f.tokens; t++)
    if (f.kind[t] === KIND_URL && sign * sums[t]! > (best < 0 ? LEAST : sign * sums[best]!)) best = t;
  return best < 0 ? '' : quote(f.text.slice(f.start[best]!, f.end[best]!));
}

const QUOTED = 40;

/** Words of a stranger, fit to be shown: no control or invisible characters, one line, short. */
function quote(words: string): string {
  const plain = words
    .slice(0, 500)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{M}\s"“”]+/gu, ' ')
    .trim();
  const chars = [...plain];
  return chars.length > QUOTED ? `${chars.slice(0, QUOTED - 1).join('')}…` : plain;
}
