/** In which readers are written to and shown words; each a file beside those words. */
export const LANGUAGES = [
  'ar',
  'de',
  'en',
  'es',
  'fr',
  'id',
  'it',
  'ja',
  'nl',
  'pl',
  'pt',
  'ru',
  'sv',
  'tr',
  'zh',
] as const;
export type Language = (typeof LANGUAGES)[number];

/** Longer than any browser sends. */
const MOST_CHARACTERS = 400;

/**
 * The language that a person reads best of those that we have: by `Accept-Language` (RFC 9110, 12.5.4), or by one tag.
 *
 * @returns undefined when none of them is ours
 */
export function languageOf(accepted: string | undefined): Language | undefined {
  return (accepted ?? '')
    .slice(0, MOST_CHARACTERS)
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/);
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return { language: LANGUAGES.find((known) => known === tag.split(/[-_]/)[0]), weight: Number(q) };
    })
    .filter(({ language, weight }) => language !== undefined && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)[0]?.language;
}
