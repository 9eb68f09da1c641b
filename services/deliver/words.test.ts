import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LANGUAGES, languageOf } from '../../shared/languages.ts';
import { ENGLISH, speech, type Key } from './words.ts';

const here = import.meta.dirname;
const filesIn = (folder: string) =>
  readdirSync(join(here, folder))
    .map((name) => name.replace('.json', ''))
    .toSorted();
const wordsOf = (lang: string): Record<string, string | Record<string, string>> =>
  JSON.parse(readFileSync(join(here, `locales/${lang}.json`), 'utf8'));
const blanks = (text: string) => [...new Set(text.match(/\{\w+\}/g))].toSorted();

it('mails are written in every language that the widget speaks', () => {
  const others = LANGUAGES.filter((lang) => lang !== 'en');
  expect(filesIn('locales')).toEqual(others);
  expect(filesIn('../widget/words')).toEqual(others);
});

it.each(LANGUAGES.filter((lang) => lang !== 'en'))(
  '%s says all of it, with the same blanks and every plural',
  (lang) => {
    const words = wordsOf(lang);
    expect(Object.keys(words)).toEqual(Object.keys(ENGLISH));
    for (const [key, english] of Object.entries(ENGLISH)) {
      const text = words[key]!;
      const wanted = blanks(typeof english === 'string' ? english : english.other);
      if (typeof english === 'string') expect([key, blanks(text as string)]).toEqual([key, wanted]);
      else {
        expect(Object.keys(text)).toEqual(
          new Intl.PluralRules(lang).resolvedOptions().pluralCategories.toSorted(byRule),
        );
        expect(blanks((text as Record<string, string>).other!)).toEqual(wanted);
      }
    }
  },
);

const RULES = ['zero', 'one', 'two', 'few', 'many', 'other'];
const byRule = (a: string, b: string) => RULES.indexOf(a) - RULES.indexOf(b);

it('escapes what is filled in, but for what is HTML already', () => {
  const { html, say } = speech();
  const values = { name: '<b>', place: '“&”' };
  expect(say('lead', values)).toBe('<b> replied on “&”:');
  expect(html('lead', values)).toBe('<bdi>&lt;b&gt;</bdi> replied on <bdi>“&amp;”</bdi>:');
  expect(html('lead', { place: 'x' }, { name: '<strong>B</strong>' })).toBe(
    '<strong>B</strong> replied on <bdi>x</bdi>:',
  );
});

it('counts as the language does', () => {
  const count = (lang: 'pl' | 'en' | 'ar', n: number) => speech(lang).say('forgottenBody' satisfies Key, { n });
  expect(count('en', 1)).toBe('1 comment is gone.');
  expect(count('pl', 3)).toBe('Usunięto 3 komentarze.');
  expect(count('pl', 5)).toBe('Usunięto 5 komentarzy.');
  expect(count('ar', 2)).toBe('مُحي تعليقان.');
});

it.each([
  ['de-CH,de;q=0.9,en;q=0.8', 'de'],
  ['en;q=0.5, fr;q=0.9', 'fr'],
  ['xx, pt-BR;q=0.3', 'pt'],
  ['zh-Hant-TW', 'zh'],
  ['fr;q=0, en', 'en'],
  ['xx', undefined],
  ['*', undefined],
  ['', undefined],
  [undefined, undefined],
  [`${'x,'.repeat(10_000)}de`, undefined],
])('takes from %s the language %s', (accepted, lang) => {
  expect(languageOf(accepted)).toBe(lang);
});
