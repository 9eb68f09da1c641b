import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { normaliseThreadKey } from './thread-key.ts';

const CASES: [given: string, key: string][] = [
  ['my-post', 'my-post'],
  ['My-Post', 'My-Post'],
  ['/2026/11/my-post/', '/2026/11/my-post'],
  ['/2026/11/my-post/index.html', '/2026/11/my-post'],
  ['/2026/11/my-post/index.html/', '/2026/11/my-post'],
  ['/2026//11/my-post', '/2026/11/my-post'],
  ['/my-index.html', '/my-index.html'],
  ['index.html', '/'],
  ['/', '/'],
  ['https://blog.example', '/'],
  ['https://blog.example/', '/'],
  ['HTTPS://blog.example:8443/a/b/?utm_source=x#comments', '/a/b'],
  ['/a?p=12', '/a'],
  ['/caf%C3%A9', '/café'],
  ['/cafe%CC%81', '/café'],
  ['/caf%c3%a9', '/café'],
  ['/a%2fb', '/a%2Fb'],
  ['/100%25', '/100%25'],
  ['/100%', '/100%25'],
  ['/a b', '/a%20b'],
  ['/%e9', '/%E9'],
  ['/a%20b', '/a%20b'],
  ['  /a  ', '/a'],
];
it.each(CASES)('%s is the thread %s', (given, key) => {
  expect(normaliseThreadKey(given)).toBe(key);
});

it('keeps listed parameters, in the order of the list', () => {
  expect(normaliseThreadKey('/?utm=1&page=2&p=12&p=13', ['p', 'page'])).toBe('/?p=12&page=2');
  expect(normaliseThreadKey('https://blog.example/?p=a%26b', ['p'])).toBe('/?p=a%26b');
});

it.each([
  ['an empty key', ''],
  ['white space', '  '],
  ['a fragment alone', '#x'],
  ['501 characters', 'x'.repeat(501)],
  ['5 MB', '/'.repeat(5e6)],
  ['NUL', 'a\0b'],
  ['NUL in percent-encoding', 'a%00b'],
  ['a lone surrogate', 'a\uD800'],
])('refuses %s', (_sentence, key) => {
  expect(() => normaliseThreadKey(key)).toThrow(expect.objectContaining({ code: 'Request.Invalid' }));
});

it('is idempotent', () => {
  const piece = fc.constantFrom(
    '/',
    'index.html',
    'INDEX.HTM',
    '%',
    '%2',
    '%2F',
    '%25',
    '%41',
    '%C3%A9',
    '%e9',
    '%00',
    '?',
    'p=',
    '&',
    '#',
    ' ',
    'é',
    'e\u0301',
    '\u0301',
    'a',
    '..',
    'https://',
    'b.example',
    '\\',
    '+',
    '%20',
    '\u2028',
    '\uFEFF',
  );
  const key = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(key, (given) => {
      let once: string;
      try {
        once = normaliseThreadKey(given, ['p']);
      } catch {
        return;
      }
      expect(normaliseThreadKey(once, ['p'])).toBe(once);
    }),
    { numRuns: 5000 },
  );
});
