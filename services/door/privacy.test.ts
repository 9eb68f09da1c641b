import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LANGUAGES } from '../../shared/languages.ts';
import { privacyPage } from './privacy.ts';
import { ENGLISH, privacyWords } from './privacy-words.ts';

it('tells how long addresses are kept, as the code keeps them, without a script', () => {
  const { raw, headers } = privacyPage();
  const { text } = raw!;
  for (const words of ['7 days after its last use', '400 days if you confirmed', '15 minutes', '1 day', '30 days']) {
    expect(text).toContain(words);
  }
  expect(text).not.toContain('<script');
  expect(headers?.['content-security-policy']).toMatch(/^default-src 'none'/);
  expect(headers?.vary).toBe('accept-language');
});

const blanks = (words: unknown) => JSON.stringify(words).match(/\{\w+\}/g);
const outline = (words: typeof ENGLISH) =>
  Object.entries({ ...words, ...words.rows }).map(([name, said]) => [
    name,
    Array.isArray(said) || typeof said === 'string' ? blanks(said) : Object.keys(said),
    Array.isArray(said) ? said.length : 0,
  ]);

it.each(LANGUAGES.filter((lang) => lang !== 'en'))('says all of it in %s, with the same times', (lang) => {
  expect(outline(privacyWords(lang))).toEqual(outline(ENGLISH));
  const { text } = privacyPage(undefined, lang).raw!;
  expect(text).toContain(`<html lang="${lang}" dir="${lang === 'ar' ? 'rtl' : 'ltr'}">`);
  expect(text.match(/<dt>/g)).toHaveLength(Object.keys(ENGLISH.rows).length);
  expect(text).not.toMatch(/\{\w+\}/);
  expect(readFileSync(join(import.meta.dirname, `privacy/${lang}.json`), 'utf8')).not.toContain('""');
});
