import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, boolean, constant, dictionary, integer, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from './patterns.ts';

const MATCHES: [sentence: string, pattern: unknown, event: unknown, matches: boolean][] = [
  ['ands fields', { a: [1], b: [2] }, { a: 1, b: 3 }, false],
  ['ors the values of an array', { a: [1, 'x', null] }, { a: null }, true],
  ['keeps numbers and strings apart', { a: [1] }, { a: '1' }, false],
  ['takes 1.0 for 1', { a: [1] }, { a: 1.0 }, true],
  ['matches any element of an array', { a: ['y'] }, { a: ['x', 'y'] }, true],
  ['finds nothing in an empty array', { a: [{ exists: true }] }, { a: [] }, false],
  ['takes null for a value', { a: [{ exists: true }] }, { a: null }, true],
  ['asks for leaves only', { a: [{ exists: true }] }, { a: { b: 1 } }, false],
  ['takes what is missing for absent', { a: { b: [{ exists: false }] } }, {}, true],
  ['takes absence or a value', { a: [{ exists: false }, 'x'] }, { a: 'x' }, true],
  ['refuses another value where absence was asked for', { a: [{ exists: false }, 'x'] }, { a: 'y' }, false],
  ['reads a dotted name in the pattern', { 'a.b': [1] }, { a: { b: 1 } }, true],
  ['reads a dotted name in the event', { a: { b: [1] } }, { 'a.b': 1 }, true],
  ['compares prefixes', { a: [{ prefix: 'ab' }] }, { a: 'abc' }, true],
  ['compares prefixes without case', { a: [{ prefix: { 'equals-ignore-case': 'AB' } }] }, { a: 'abc' }, true],
  ['compares suffixes without case', { a: [{ suffix: { 'equals-ignore-case': '.PNG' } }] }, { a: 'x.png' }, true],
  ['compares without case', { a: [{ 'equals-ignore-case': 'ÀB' }] }, { a: 'àb' }, true],
  ['includes the bounds that say so', { a: [{ numeric: ['>=', 1, '<', 2] }] }, { a: 1 }, true],
  ['excludes the bounds that say so', { a: [{ numeric: ['>=', 1, '<', 2] }] }, { a: 2 }, false],
  ['does not read numbers from strings', { a: [{ numeric: ['=', 1] }] }, { a: '1' }, false],
  ['suits all but the one named', { a: [{ 'anything-but': 'x' }] }, { a: 'x' }, false],
  ['suits another type', { a: [{ 'anything-but': ['x', 'y'] }] }, { a: 7 }, true],
  ['suits nothing where nothing is', { a: [{ 'anything-but': 'x' }] }, {}, false],
  ['suits an array with one other element', { a: [{ 'anything-but': 'x' }] }, { a: ['x', 'z'] }, true],
  ['suits all but prefixes', { a: [{ 'anything-but': { prefix: ['a', 'b'] } }] }, { a: 'bc' }, false],
  ['suits all but wildcards', { a: [{ 'anything-but': { wildcard: '*/x/*' } }] }, { a: 'a/x/b' }, false],
  ['matches runs', { a: [{ wildcard: 'a*c*e' }] }, { a: 'abcde' }, true],
  ['does not use a character twice', { a: [{ wildcard: 'ab*ba' }] }, { a: 'aba' }, false],
  ['follows a repeated piece', { a: [{ wildcard: '/u/*/d/d/d/d/d/f' }] }, { a: '/u/x/d/d/d/d/d/f' }, true],
  ['suits all but nothing', { a: [{ 'anything-but': { wildcard: '' } }] }, { a: 'x' }, true],
  ['escapes the star', { a: [{ wildcard: String.raw`a\*b` }] }, { a: 'axb' }, false],
  ['knows networks', { a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.0.255' }, true],
  ['knows IPv6 networks', { a: [{ cidr: '2001:db8::/32' }] }, { a: '2001:db8::1' }, true],
  ['keeps the families apart', { a: [{ cidr: '0.0.0.0/0' }] }, { a: '::1' }, false],
  ['takes one alternative', { $or: [{ a: [1] }, { b: [1] }] }, { b: 1 }, true],
  ['ands what stands beside alternatives', { c: [1], $or: [{ a: [1] }, { b: [1] }] }, { b: 1 }, false],
  ['nests alternatives', { d: { $or: [{ a: [1] }, { $or: [{ b: [1] }, { c: [1] }] }] } }, { d: { c: 1 } }, true],
  ['matches within one element', { a: { x: [1], y: [2] } }, { a: [{ x: 1, y: 2 }] }, true],
  [
    'does not match across elements',
    { a: { x: [1], y: [2] } },
    {
      a: [
        { x: 1, y: 3 },
        { x: 4, y: 2 },
      ],
    },
    false,
  ],
  [
    'matches across different arrays',
    { a: { x: [1] }, b: { y: [2] } },
    { a: [{ x: 0 }, { x: 1 }], b: [{ y: 2 }, { y: 0 }] },
    true,
  ],
  [
    'holds to one element at every level',
    { a: { b: { x: [1], y: [2] } } },
    { a: [{ b: [{ x: 1 }, { y: 2 }] }, { b: [{ x: 1, y: 0 }] }] },
    false,
  ],
];

const INVALID: [sentence: string, pattern: unknown, reason: string][] = [
  ['text that is not JSON', '{', 'Invalid JSON'],
  ['what is no object', '[]', 'Filter is not an object'],
  ['a bare value', { detail: { site: 'a' } }, '"site" must be an object or an array\n at /detail/site'],
  ['an empty array', { a: [] }, 'Empty arrays are not allowed\n at /a'],
  ['an empty object', { a: {} }, 'Empty objects are not allowed\n at /a'],
  ['an unknown operator', { a: [{ like: 'x' }] }, 'Unrecognized match type like\n at /a/0'],
  ['two operators in one', { a: [{ prefix: 'x', suffix: 'y' }] }, 'Only one key allowed in match expression\n at /a/0'],
  ['mixed types', { a: [{ 'anything-but': ['x', 1] }] }, 'mixed type is not supported\n at /a/0/anything-but'],
  ['a range upside down', { a: [{ numeric: ['>', 2, '<', 1] }] }, 'Bottom must be less than top'],
  ['two lower bounds', { a: [{ numeric: ['>', 2, '>', 3] }] }, 'Bad numeric range operator: >'],
  ['more stars than the service can follow', { a: [{ wildcard: '*:*:*:*:*:x/*' }] }, 'Rule is too complex'],
  ['two stars', { a: [{ wildcard: 'a**' }] }, 'Consecutive wildcard characters'],
  ['a network without bits', { a: [{ cidr: '10.0.0.0' }] }, "one '/' required"],
  ['one alternative', { $or: [{ a: [1] }] }, 'at least 2 Objects'],
  ['an operator as a name in $or', { $or: [{ prefix: ['x'] }, { a: [1] }] }, 'reserved fieldName'],
  ['more than 2,048 characters', { a: ['x'.repeat(2048)] }, 'longer than 2048'],
];

describe('event patterns', () => {
  it.each(MATCHES)('%s', (_sentence, pattern, event, wanted) => {
    expect(compilePattern(pattern)(event)).toBe(wanted);
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(wanted);
  });

  it.each(INVALID)('refuses %s and names the place', (_sentence, pattern, reason) => {
    expect(() => compilePattern(pattern)).toThrow(
      expect.objectContaining({ code: 'Pattern.Invalid', message: expect.stringContaining(reason) }),
    );
  });

  it('bounds what alternatives of alternatives multiply to', () => {
    const or = { $or: [{ a: [1] }, { b: [1] }, { c: [1] }, { d: [1] }] };
    const pattern = { p: or, q: or, r: or, s: or, t: or, u: or };
    expect(() => compilePattern(pattern)).toThrow('too complex');
  });

  it('matches every event with the pattern made of its own values', () => {
    const leaf = oneof(string(), integer(), boolean(), constant(null));
    const name = string({ minLength: 1, maxLength: 5 }).filter((text) => !text.startsWith('$') && !text.includes('.'));
    const event = dictionary(name, oneof(leaf, dictionary(name, leaf, { minKeys: 1 })), { minKeys: 1 });
    assert(
      property(event, (given) => {
        const pattern = Object.fromEntries(
          Object.entries(given).map(([key, value]) => [
            key,
            typeof value === 'object' && value !== null
              ? Object.fromEntries(Object.entries(value).map(([inner, item]) => [inner, [item]]))
              : [value],
          ]),
        );
        expect(compilePattern(pattern)(given)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

const verdict = (pattern: unknown, event: unknown): string => {
  try {
    return compilePattern(pattern)(event) ? 'match' : 'no-match';
  } catch {
    return 'invalid';
  }
};

const folder = process.env['SLUICE_TEST_DATA'];
const file = folder ? join(folder, 'recorded/patterns.jsonl') : '';

it.skipIf(!existsSync(file))('agrees with patterns recorded from the service (SLUICE_TEST_DATA unset: skipped)', () => {
  const cases = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const wrong = cases.filter(({ pattern, event, expect: wanted }) => verdict(pattern, event) !== wanted);
  expect(wrong.map(({ id }) => id)).toEqual([]);
});
