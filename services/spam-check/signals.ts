import type { Signal } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';
import { fold, mixesScripts } from '../validate/names.ts';

/** All that is known of a comment when it is judged. What is not known is left out, and weighs nothing. */
export type Evidence = {
  /** Plain: without markup. */
  text: string;
  /** As it was written. */
  body: string;
  author: { name: string; url?: string };
  links: { count: number; hosts: readonly string[] };
  form?: { elapsedMs?: number; honeypot?: boolean };
  /** What became of the writer's earlier comments. */
  history?: { published: number; rejected: number; spam: number; firstSeen?: number };
  trusted: boolean;
  role?: 'author' | 'moderator';
  /** Comments of the last days with this fingerprint: all, and those in other threads. */
  duplicates: { same: number; otherThreads: number };
  velocity: { writerPerMinute: number; lanePerMinute: number };
  /** Bidi controls and zero-width characters that validation took out. */
  bidi?: number;
  hidden?: number;
  /** The protected name that the writer's name looks like. */
  imitates?: string;
  nowMs: number;
};

/** A signal; with a rule it also decides by itself, as the policy has it. */
export type WeighedSignal = Signal & { rule?: 'hold' | 'reject' };

/** Read off the text, the name and the URL: a model that has read these takes their place in the score. */
export const TEXT_SIGNALS: ReadonlySet<string> = new Set([
  'links',
  'only-link',
  'obfuscation',
  'shouting',
  'author-is-link',
  'url-in-name',
]);

/** Never enough to reject a comment: password managers fill honeypots, and fast writers paste. */
export const FORM_SIGNALS: ReadonlySet<string> = new Set(['honeypot', 'too-fast']);

/** Of `known-writer`, for whom the site trusts; a history alone weighs less. */
export const TRUSTED_WEIGHT = -3;

const FAST_MS = 2000;
/** Nobody types faster than this for long: characters a second. */
const TYPING_RATE = 50;

/** The signals that rules and counting give, each once, in no order. Deterministic. */
export function signalsOf(evidence: Evidence, policy: Policy): WeighedSignal[] {
  const signals: WeighedSignal[] = [];
  const add = (name: string, weight: number, words: string, rule?: 'hold' | 'reject') =>
    signals.push({ name, weight: Math.round(weight * 100) / 100, words, ...(rule && { rule }) });
  ofLists(evidence, policy, add);
  ofText(evidence, add);
  ofForm(evidence, add);
  ofCounts(evidence, add);
  ofWriter(evidence, add);
  return signals;
}

type Add = (name: string, weight: number, words: string, rule?: 'hold' | 'reject') => void;

function ofLists({ text, author, links, nowMs }: Evidence, policy: Policy, add: Add): void {
  const found = termsIn(policy.blocklist, `${author.name}\n${text}`, nowMs);
  if (found.length > 0) {
    const rule = found.some(({ action }) => action === 'reject') ? 'reject' : 'hold';
    const words = `Has ${quoted(found.map(({ term }) => term))} of the blocklist`;
    add('blocklist-term', rule === 'reject' ? 6 : 2.5, words, rule);
  }
  const blocked = policy.linkHostBlocklist.filter(
    ({ host, expiresAt }) => (expiresAt === undefined || expiresAt > nowMs) && linksTo(links.hosts, host),
  );
  if (blocked.length > 0) {
    const rule = blocked.some(({ action }) => action === 'reject') ? 'reject' : 'hold';
    const words = `Links to ${quoted(blocked.map(({ host }) => host))} of the blocklist`;
    add('link-host-blocked', rule === 'reject' ? 6 : 2.5, words, rule);
  }
}

function ofText({ text, author, links, bidi = 0, hidden = 0 }: Evidence, add: Add): void {
  if (links.count > 0) {
    add('links', Math.min(3, 0.5 * links.count), `Has ${links.count === 1 ? 'a link' : `${links.count} links`}`);
    const besides = text.replace(/(?:https?:\/\/|www\.)\S+/gi, '').match(/\p{L}/gu)?.length ?? 0;
    if (besides < 10) add('only-link', 1.2, 'Says next to nothing but its link');
  }
  const disguises = [
    { weight: 3, words: 'words in letters made for formulas or decoration', found: DISGUISED_WORD.test(text) },
    { weight: 2, words: 'words that mix alphabets', found: mixesScripts(text) },
    { weight: 2, words: `${hidden} characters that do not show`, found: hidden >= 3 },
    { weight: 1.5, words: 's p a c e d words', found: SPACED_WORD.test(text) },
  ].filter(({ found }) => found);
  if (disguises.length > 0) {
    const weight = disguises.reduce((total, disguise) => total + disguise.weight, 0);
    add('obfuscation', Math.min(4, weight), `Disguises its text: ${disguises.map(({ words }) => words).join(', ')}`);
  }
  if (bidi > 0)
    add('bidi', 1.5, `Had ${bidi === 1 ? 'a character' : `${bidi} characters`} that turn the direction of writing`);
  const letters = text.match(/\p{L}/gu)?.length ?? 0;
  const capitals = text.match(/\p{Lu}/gu)?.length ?? 0;
  if (letters >= 20 && capitals > letters * 0.7) add('shouting', 0.8, 'Is written in capitals');
  if (ADDRESS_IN_NAME.test(author.name)) {
    add('url-in-name', 2, 'The name has a web address in it');
  } else if (author.url && KEYWORD_NAME.test(fold(author.name))) {
    add('author-is-link', 1.5, 'The name advertises what its link sells');
  }
}

/** At least three letters in a row from mathematical, enclosed or (among ASCII) fullwidth alphabets: 𝐖𝐈𝐍, Ⓦⓘⓝ. */
const DISGUISED_WORD =
  /[\u{1D400}-\u{1D7CB}\u24B6-\u24E9\u{1F130}-\u{1F149}\u{1F150}-\u{1F169}\u{1F170}-\u{1F189}]{3}/u;
/** Five letters or more with the same kind of gap: `c a s i n o`, `c.a.s.i.n.o`. */
const SPACED_WORD = /(?<![\p{L}\p{N}])\p{L}(?:([ .·*_-])\p{L})(?:\1\p{L}){3,20}(?![\p{L}\p{N}])/u;
const ADDRESS_IN_NAME =
  /:\/\/|\bwww\.|[\p{L}\p{N}-]{2}\.(?:com|net|org|info|xyz|top|site|online|shop|club|vip|bet|casino|io|co|me|ru)\b/iu;
const KEYWORD_NAME =
  /\b(?:buy|cheap|casino|slots?|poker|betting|loans?|payday|seo|viagra|cialis|pharmacy|replica|escorts?|essay|vpn|crypto|forex|backlinks?|hosting|coupons?|insurance|lawyer|plumber|movers|download|online)\b/;

function ofForm({ form, text }: Evidence, add: Add): void {
  if (form?.honeypot) add('honeypot', 3, 'Filled in a field that people do not see');
  const elapsed = form?.elapsedMs;
  if (elapsed === undefined || elapsed < 0) return;
  const seconds = (elapsed / 1000).toFixed(1);
  if (elapsed < FAST_MS) add('too-fast', 1.5, `Sent ${seconds} s after the form was shown`);
  else if (text.length > 200 && text.length > (elapsed / 1000) * TYPING_RATE) {
    add('too-fast', 0.7, `${text.length} characters in ${seconds} s: pasted or posted by a program`);
  }
}

function ofCounts({ duplicates, velocity }: Evidence, add: Add): void {
  const { same, otherThreads } = duplicates;
  if (otherThreads > 0) {
    const words = `Nearly the same text stands in ${otherThreads === 1 ? 'another thread' : `${otherThreads} comments of other threads`}`;
    add('near-duplicate', Math.min(4, 1.5 + 0.6 * (otherThreads - 1)), words);
  } else if (same > 0) {
    add('near-duplicate', Math.min(2, 0.5 * same), 'Nearly the same text stands in this thread already');
  }
  const { writerPerMinute: writer, lanePerMinute: lane } = velocity;
  if (writer > 3) add('velocity', Math.min(2, 0.4 * (writer - 3)), `${writer} comments of this writer within a minute`);
  else if (lane > 60)
    add('velocity', Math.min(1.5, lane / 120), `${lane} comments from this direction within a minute`);
}

function ofWriter({ history, trusted, role, imitates }: Evidence, add: Add): void {
  if (imitates && !role) add('imitates', 1.5, `The name looks like that of ${quoted([imitates])}`, 'hold');
  if (role) return add('known-writer', -4, role === 'author' ? 'An author of this site' : 'A moderator of this site');
  if (trusted) return add('known-writer', TRUSTED_WEIGHT, 'A writer whom this site trusts');
  const { published = 0, rejected = 0, spam = 0 } = history ?? {};
  if (spam > 0)
    add(
      'known-spammer',
      Math.min(3, 1.5 * spam),
      `${spam} of this writer's comments ${spam === 1 ? 'was' : 'were'} spam`,
    );
  if (rejected > 0) {
    add(
      'rejected-before',
      Math.min(1.5, 0.5 * rejected),
      `${rejected} of this writer's comments ${rejected === 1 ? 'was' : 'were'} rejected`,
    );
  }
  if (published > 0 && spam === 0) {
    const words = `${published} comment${published === 1 ? '' : 's'} of this writer ${published === 1 ? 'was' : 'were'} published`;
    add('known-writer', -Math.min(2.5, 0.7 * Math.log2(1 + published)), words);
  } else if (published + rejected + spam === 0) add('new-writer', 0.3, 'The first comment of this writer');
}

type Entry = { term: string; expiresAt?: number | undefined };
type Blocklist<E extends Entry> = {
  /** By first word; `words` are all of them. */
  phrases: ReadonlyMap<string, readonly { words: readonly string[]; entry: E }[]>;
  /** What has no words or is written without spaces: found anywhere. */
  pieces: readonly { piece: string; entry: E }[];
};

const WORD = /[\p{L}\p{N}]+/gu;
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const MAX_QUOTED = 3;

/** Folding 2,000 terms for each comment would be most of the work; a policy is one frozen version. */
const blocklists = new WeakMap<readonly Entry[], Blocklist<Entry>>();

function blocklistOf<E extends Entry>(entries: readonly E[]): Blocklist<E> {
  const known = blocklists.get(entries);
  if (known) return known as Blocklist<E>;
  const phrases = new Map<string, { words: readonly string[]; entry: E }[]>();
  const pieces: { piece: string; entry: E }[] = [];
  for (const entry of entries) {
    const folded = fold(entry.term).trim();
    const words = folded.match(WORD) ?? [];
    const [first] = words;
    // `c++` is not `c`: what has signs at its ends is looked for as it stands.
    if (first === undefined || UNSPACED.test(folded) || !folded.startsWith(first) || !folded.endsWith(words.at(-1)!)) {
      if (folded !== '') pieces.push({ piece: folded, entry });
    } else phrases.set(first, [...(phrases.get(first) ?? []), { words, entry }]);
  }
  const list = { phrases, pieces };
  blocklists.set(entries, list);
  return list;
}

/**
 * Those of a list that a text has and that have not expired. Whole words (`class` has no `ass`), also as `c1a55` or
 * `c.l.a.s.s`, in letters that only look like theirs, or across case.
 */
export function termsIn<E extends Entry>(entries: readonly E[], text: string, nowMs: number): E[] {
  const { phrases, pieces } = blocklistOf(entries);
  if (phrases.size === 0 && pieces.length === 0) return [];
  const folded = fold(text);
  const found = new Set<E>();
  const live = ({ expiresAt }: E) => expiresAt === undefined || expiresAt > nowMs;
  for (const { piece, entry } of pieces) if (folded.includes(piece) && live(entry)) found.add(entry);
  const seek = (words: readonly string[], minLetters: number) => {
    for (const [at, word] of words.entries()) {
      for (const phrase of phrases.get(word) ?? []) {
        const whole = phrase.words.every((part, index) => words[at + index] === part);
        if (whole && phrase.words.join('').length >= minLetters && live(phrase.entry)) found.add(phrase.entry);
      }
    }
  };
  seek(folded.match(WORD) ?? [], 0);
  const plain = undisguised(folded);
  // Short terms would be found in honest codes and initials.
  if (plain !== folded) seek(plain.match(WORD) ?? [], 4);
  return [...found];
}

const LEET: Record<string, string> = { '0': 'o', '1': 'i', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's' };

function undisguised(folded: string): string {
  return folded
    .replace(/(?<![\p{L}\p{N}])\p{L}(?:[ .·*_-]\p{L}){3,40}(?![\p{L}\p{N}])/gu, (spaced) =>
      spaced.replace(/[ .·*_-]/g, ''),
    )
    .replace(/[\p{L}013457@$]{4,}/gu, (word) =>
      /\p{L}/u.test(word) ? word.replace(/[013457@$]/g, (sign) => LEET[sign]!) : word,
    );
}

/** Whether one of the linked hosts is `host`, however that is written, or lies under it. */
export function linksTo(hosts: readonly string[], host: string): boolean {
  const bare = bareHost(host);
  return hosts.some((linked) => linked === bare || linked.endsWith(`.${bare}`));
}

/** `https://www.Spam.example/x` and `*.spam.example` are `spam.example`. */
function bareHost(host: string): string {
  const written = host
    .trim()
    .toLowerCase()
    .replace(/^\*?\./, '');
  const url = URL.parse(/^[a-z]+:\/\//.test(written) ? written : `http://${written}`);
  return (url?.hostname || written).replace(/^www\./, '');
}

function quoted(terms: readonly string[]): string {
  const some = terms.slice(0, MAX_QUOTED).map((term) => `“${term}”`);
  return some.join(', ') + (terms.length > MAX_QUOTED ? ` and ${terms.length - MAX_QUOTED} more` : '');
}
