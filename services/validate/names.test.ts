import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold, imitates, mixesScripts, skeleton } from './names.ts';

const DATA = process.env['SLUICE_TEST_DATA'];

const ALIKE: [sentence: string, name: string, other: string][] = [
  ['a Cyrillic а', 'P\u0430ul', 'Paul'],
  ['a Greek capital', '\u0397elen', 'Helen'],
  ['a Cyrillic capital І', '\u0406an', 'Ian'],
  ['fullwidth letters', 'Ｐａｕｌ', 'paul'],
  ['mathematical letters', '𝓟𝓪𝓾𝓵', 'Paul'],
  ['letter case', 'PAUL', 'paul'],
  ['accents', 'Pául', 'Paul'],
  ['a one for an l', 'Pau1', 'Paul'],
  ['a capital I for an l', 'PauI', 'Paul'],
  ['a zero for an o', 'B0b', 'Bob'],
  ['rn for m', 'Adarn', 'Adam'],
  ['spaces and dots', 'P. A. U. L.', 'Paul'],
  ['zero-width characters', 'Pa\u200Bul', 'Paul'],
  ['Cherokee capitals', 'ᎪᎠᎪ', 'ada'],
  ['a whole word in Cyrillic', 'сосо', 'coco'],
  ['a filler that counts as a letter', 'Pa\u3164ul', 'Paul'],
  ['the capitals of ß', 'JÖRG STRASSE', 'Jörg Straße'],
];
describe('a name imitates another by', () => {
  it.each(ALIKE)('%s', (_sentence, name, other) => {
    expect(skeleton(name)).toBe(skeleton(other));
    expect(imitates(name, ['Somebody', other])).toBe(other);
  });
});

it.each([
  ['Paul', 'Paula'],
  ['Владимир', 'Vladimir'],
  ['山田', '田山'],
  ['Ann', 'Bob'],
])('%s does not imitate %s', (name, other) => {
  expect(imitates(name, [other])).toBeUndefined();
});

it.each([
  ['Paul (Author)', 'Paul'],
  ['✓ Official Paul', 'Paul'],
  ['Pаul – Moderator', 'Paul'],
  ['The Moderator', 'moderator'],
  ['Author', undefined],
  ['Pauline Author', undefined],
  ['Theodor', undefined],
])('%s is taken for %s', (name, other) => {
  expect(imitates(name, ['Paul', 'dor', 'moderator'])).toBe(other);
});

it('a name without letters imitates nobody', () => {
  expect(imitates('...', ['!!!'])).toBeUndefined();
});

it('fold keeps apart what ASCII tells apart, so that corn is not com', () => {
  expect(fold('Corn 10 iIl')).toBe('corn 10 iil');
  expect(fold('V\u0456\u0430gr\u0430 Ｆｒｅｅ сáѕіпо')).toMatch(/^viagra free casi.o$/);
});

it.each([
  ['Pаul', true],
  ['Владимиp', true],
  ['Κώσtας', true],
  ['Paul Владимир', false],
  ['田中Taro', false],
  ['µTorrent', false],
  ['Straße', false],
  ['ℝeal', false],
])('%s mixes scripts within a word: %s', (name, mixed) => {
  expect(mixesScripts(name)).toBe(mixed);
});

it('a skeleton of a skeleton is itself', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      expect(fold(fold(name))).toBe(fold(name));
    }),
    { numRuns: 5000 },
  );
});

it('the table is small', () => {
  expect(statSync(join(import.meta.dirname, 'confusables.ts')).size).toBeLessThan(20_000);
});

it.skipIf(!DATA)('the table is what its script makes of the Unicode data (needs SLUICE_TEST_DATA)', () => {
  const script = join(import.meta.dirname, 'make-confusables.ts');
  const made = execFileSync(process.execPath, [script, join(DATA!, 'text/confusables.txt')], { encoding: 'utf8' });
  expect(readFileSync(join(import.meta.dirname, 'confusables.ts'), 'utf8')).toBe(made);
});
