import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KIND_WORD, SHAPE, TEXT_LIMIT, VIEWS, extract, gramsOf } from './features.ts';
import type { ShapeName } from './features.ts';

const words = (text: string) => {
  const f = extract({ text });
  return Array.from({ length: f.tokens }, (_, t) => t)
    .filter((t) => f.kind[t] === KIND_WORD)
    .map((t) => f.word[t]);
};
const readingOf = (f: ReturnType<typeof extract>) => [
  ...f.hash.slice(0, f.count),
  ...f.runKey.slice(0, f.runs),
  ...f.shape,
];
const shape = (text: string, name: ShapeName) => extract({ text }).shape[SHAPE.indexOf(name)];

describe('reading a comment', () => {
  it.each([
    ['mathematical letters', '𝑻𝒐𝒕𝒐', 'toto'],
    ['full-width letters', 'ＴＯＴＯ', 'toto'],
    ['squared letters', '🅃🄾🅃🄾', 'toto'],
    ['Cyrillic letters among Latin ones', 'tоtо win', 'toto win'],
    ['diacritics', 'tótö', 'toto'],
    ['stacked marks', 't̷̡o̵t̶o̸', 'toto'],
    ['invisible characters', 't\u200Bo\u200Dto', 'toto'],
    ['apostrophes', "don't", 'dont'],
    ['small capitals', 'ᴛᴏᴛᴏ', 'toto'],
  ])('%s read as the plain word', (_sentence, disguised, plain) => {
    expect(words(disguised)).toEqual(words(plain));
  });
  it('counts the disguise', () => {
    expect(shape('𝑻𝒐𝒕𝒐', 'fancy')).toBeGreaterThan(0);
    expect(shape('toto', 'fancy')).toBe(0);
    expect(shape('T O T O 8 8 now', 'spaced-letters')).toBeGreaterThan(0);
    expect(shape('café déjà vu naïve', 'fancy')).toBe(0);
  });
  it('leaves Russian, Greek and other alphabets as they are', () => {
    expect(shape('Спасибо за статью, очень полезно', 'mixed-words')).toBe(0);
    expect(shape('Ευχαριστώ πολύ για το άρθρο', 'mixed-words')).toBe(0);
    expect(words('сор')).not.toEqual(words('cop'));
  });
  it('reads the vowel signs of Hindi and Thai as letters, not as accents stacked for disguise', () => {
    expect(shape('बहुत धन्यवाद, मेरी समस्या हल हो गई', 'stacked-marks')).toBe(0);
    expect(shape('ลองทำตามแล้วได้ผลดีมากค่ะ', 'stacked-marks')).toBe(0);
    expect(words('कि')).not.toEqual(words('की'));
    expect(shape('t̷̡o̵t̶o̸', 'stacked-marks')).toBeGreaterThan(0);
  });
  it('counts what is sold, in several languages', () => {
    expect(shape('best online casino and cheap viagra', 'vice-words')).toBeGreaterThan(1);
    expect(shape('Казино онлайн', 'vice-words')).toBeGreaterThan(0);
    expect(shape('Займ без отказа', 'finance-words')).toBeGreaterThan(0);
    expect(shape('Call our toll free support', 'trade-words')).toBeGreaterThan(0);
    expect(shape('The tree in our garden lost its leaves', 'trade-words')).toBe(0);
  });
  it('gives the n-grams of each distinct word once, whatever stands between', () => {
    const f = extract({ text: 'ab ab, 7 abc' });
    const grams = Array.from({ length: f.runs }, (_, run) => {
      const hashes: number[] = [];
      gramsOf(f, run, (hash) => hashes.push(hash));
      return hashes;
    });
    // With an edge on both sides: _ab_ has 3 + 2 + 1 n-grams, _7_ has 2 + 1, _abc_ has 4 + 3 + 2 + 1.
    expect(grams.map(({ length }) => length)).toEqual([6, 3, 10]);
    expect(f.perView[VIEWS.indexOf('letters')]).toBe(19);
    expect(grams[2]).toContain(grams[0]![0]!); // _a
  });
  it.each([
    ['en', 'Thanks, this is what I was looking for.'],
    ['id', 'terima kasih bang, ini yang saya cari dari kemarin'],
    ['pt', 'muito obrigado, eu não sabia que isso existe'],
    ['ru', 'Спасибо большое'],
    ['ko', '정말 감사합니다'],
    ['und', '👍👍'],
    ['und', ''],
  ])('guesses %s for: %s', (lang, text) => {
    expect(extract({ text }).lang).toBe(lang);
  });
  it('gives an honest writer without address and name no figure of either', () => {
    const f = extract({ text: 'hello' });
    expect([f.hasAuthor, f.hasLink]).toEqual([false, false]);
    expect(f.shape.slice(SHAPE.indexOf('name-length')).every((v) => v === 0)).toBe(true);
  });
  it('survives any text, and answers the same twice', () => {
    const any = fc.record({
      text: fc.string({ unit: 'binary', maxLength: 500 }),
      author: fc.string({ unit: 'binary' }),
      link: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(any, (comment) => {
        const first = extract(comment);
        const seen = readingOf(first);
        extract({ text: 'something else between' });
        const again = extract(comment);
        expect(readingOf(again)).toEqual(seen);
        expect(seen.every((v) => Number.isFinite(v))).toBe(true);
      }),
    );
  });
  it.each([
    ['one letter', 'a'.repeat(65_536)],
    ['spaces', ' '.repeat(65_536)],
    ['one emoji', '😀'.repeat(32_768)],
    ['marks', 'e' + '\u0301'.repeat(65_535)],
    ['dots', 'a.'.repeat(32_768)],
    ['addresses', 'http://a.b/c '.repeat(5_000)],
    ['half characters', '\uD800'.repeat(65_536)],
  ])('reads 64 KB of %s in bounds', (_sentence, text) => {
    const f = extract({ text });
    expect(f.text.length).toBeLessThanOrEqual(TEXT_LIMIT);
    expect(f.count).toBeLessThan(25_000);
    expect(f.perView.length).toBe(VIEWS.length);
  });
});
