import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './strict-json.ts';

const REFUSED: [sentence: string, text: string, message: RegExp][] = [
  ['nothing', '', /line 1, column 1$/],
  ['half of an object', '{"a":1', /line 1, column 7$/],
  ['a bare word', '{\n  "a": x}', /line 2, column 8$/],
  ['a trailing comma', '[1,]', /column 4$/],
  ['a missing colon', '{"a" 1}', /column 6$/],
  ['two values', '1 2', /column 3$/],
  ['single quotes', "{'a':1}", /column 2$/],
  ['a raw line break in a string', '"a\nb"', /column 1$/],
  ['a byte order mark', '\uFEFF{}', /column 1$/],
  ['a duplicate key', '{"a":1,"a":2}', /repeats a key.*column 8$/],
  ['a duplicate key that is spelled with an escape', '{"a":1,"\\u0061":2}', /repeats/],
  ['a duplicate key deep inside', '{"x":[{"a":{},"b":1,"a":2}]}', /repeats/],
  ['__proto__', '{"__proto__":{"admin":true}}', /__proto__.*column 2$/],
  ['__proto__ with an escape', '{"a":[{"__pr\\u006fto__":1}]}', /__proto__/],
  ['constructor.prototype', '{"constructor":{"prototype":{"admin":true}}}', /prototype/],
  ['33 levels', '['.repeat(33) + ']'.repeat(33), /deeper than 32.*column 33$/],
  ['100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000), /deeper/],
  ['100,000 levels that never end', '[{"a":'.repeat(100_000), /no JSON/],
  ['a lone surrogate', '"\uD800"', /surrogate/],
  ['an escaped lone surrogate', '{"a":"x\\ud800y"}', /surrogate.*column 6$/],
  ['an escaped lone surrogate in a key', '{"\\udc00":1}', /surrogate/],
  ['NUL', '["\\u0000"]', /NUL.*column 2$/],
];

describe('strict JSON refuses', () => {
  it.each(REFUSED)('%s', (_sentence, text, message) => {
    expect(() => parseJson(text)).toThrow(
      expect.objectContaining({ code: 'Request.Malformed', message: expect.stringMatching(message) }),
    );
  });
});

it.each([
  '{}',
  '[]',
  ' "x" ',
  'null',
  '12e3',
  '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
  '{"constructor":1,"prototype":2}',
  '{"a":["constructor",{"prototype":1}]}',
  '{"a":"a","b":"a,\\"a\\":{[","":0}',
  '"\\ud83d\\ude00"',
  '['.repeat(32) + ']'.repeat(32),
])('strict JSON takes %s', (text) => {
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

it('strict JSON reads what JSON.stringify wrote', () => {
  const value = fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' });
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2), (given, indent) => {
      const text = JSON.stringify(given, undefined, indent);
      fc.pre(!text.includes('__proto__') && !text.includes('\\u0000') && !text.includes('"prototype"'));
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 2000 },
  );
});
