import { LATIN_LOOKALIKES } from './confusables.ts';

const LOOKALIKE = new Map<string, string>();
for (const [letter, sources] of Object.entries(LATIN_LOOKALIKES)) {
  for (const source of sources) LOOKALIKE.set(source, letter);
}

/** Letters that readers take for one another also within ASCII, in the order in which they fold. */
const ASCII_TWINS: readonly (readonly [RegExp, string])[] = [
  [/rn/g, 'm'],
  [/vv/g, 'w'],
  [/[il1|]/g, 'i'],
  [/0/g, 'o'],
];

/**
 * Text as a reader takes it in: compatibility forms, accents, letter case and look-alikes of other scripts folded away
 * (`Ｐаурál` is `paypal`). What ASCII tells apart stays apart, so that words can be searched in it.
 */
export function fold(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  let folded = '';
  for (const character of text.normalize('NFKD').replace(/[\p{M}\p{Cf}]+/gu, '')) {
    const lower = character.toLowerCase();
    folded += character <= '\x7f' ? lower : (LOOKALIKE.get(lower) ?? lower);
  }
  return folded;
}

/**
 * What two names share when readers may take one for the other; spaces and punctuation do not count.
 *
 * After UTS #39, section 4 (https://www.unicode.org/reports/tr39/#Confusable_Detection), but blind to case and accents.
 */
export function skeleton(name: string): string {
  // Capitals first: ß has no other likeness to ss. Fillers count as letters, and show nothing.
  let folded = fold(name.replace(/\p{Default_Ignorable_Code_Point}+/gu, '').toUpperCase());
  folded = folded.replace(/[^\p{L}\p{N}|]+/gu, '');
  for (const [twins, letter] of ASCII_TWINS) folded = folded.replace(twins, letter);
  return folded;
}

/** What people put beside a name to pass for its bearer. */
const TITLES =
  /(?<![\p{L}\p{N}])(?:the|real|official|verified|author|admin|moderator|mod|staff|team)(?![\p{L}\p{N}])/giu;

/** The protected name that `name` is or looks like, as it was given; a title beside it (`Ada (Author)`) makes no difference. */
export function imitates(name: string, protectedNames: readonly string[]): string | undefined {
  const own = [skeleton(name), skeleton(name.replace(TITLES, '')), skeleton(name.replace(/^the\b/i, ''))];
  return protectedNames.find((other) => {
    const looks = skeleton(other);
    return looks !== '' && own.includes(looks);
  });
}

/** Whether a word mixes letters of scripts that look alike (Latin, Cyrillic, Greek, …), as no language does. */
export function mixesScripts(text: string): boolean {
  if (isAscii(text)) return false;
  for (const [word] of text.matchAll(/[\p{L}\p{M}]+/gu)) {
    if (LOOKALIKE_SCRIPTS.filter((script) => script.test(word)).length > 1) return true;
  }
  return false;
}

/** Scripts with letters that pass for Latin ones. Han, Kana and Hangul are not among them: Japanese mixes with Latin. */
const LOOKALIKE_SCRIPTS = [
  // Compatibility letters (µ, ℃, mathematical alphabets) are signs, not spelling.
  /[A-Za-z\u00C0-\u024F\u1E00-\u1EFF]/,
  /\p{Script=Cyrillic}/u,
  /(?!µ)\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Lisu}/u,
];

function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return /^[\0-\x7F]*$/.test(text);
}
