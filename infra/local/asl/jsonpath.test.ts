import { describe, expect, it } from 'vitest';
import { compileRule, matchesWildcard } from './choice.ts';
import type { Env } from './env.ts';
import { Failure } from './failure.ts';
import { compileIntrinsic } from './intrinsics.ts';
import { compilePath, PathMissing, readPath } from './jsonpath.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Json } from './types.ts';

const env = (input: Json): Env => ({
  input,
  context: () => ({ Execution: { Name: 'n' } }),
  variable: (name) => (name === 'v' ? { w: [1, 2] } : undefined),
  world: { nowMs: 0, random: () => 0.5 },
});

const STORE: Json = {
  books: [
    { title: 'A', price: 5, tags: ['x'] },
    { title: 'B', price: 15, tags: [] },
    { title: 'C', price: 25 },
  ],
  'odd name': { a: 1 },
  nothing: null,
};

describe('a path', () => {
  it.each<[path: string, wanted: Json]>([
    ['$', STORE],
    ['$.books[0].title', 'A'],
    ['$.books[-1].title', 'C'],
    ["$['odd name'].a", 1],
    ["$['odd name']['a']", 1],
    ['$.nothing', null],
    ['$.books[*].title', ['A', 'B', 'C']],
    ['$.books[0,2].title', ['A', 'C']],
    ['$.books[1:].title', ['B', 'C']],
    ['$.books[:-1].title', ['A', 'B']],
    ['$..price', [5, 15, 25]],
    ['$..books[0].title', ['A']],
    ['$.books[?(@.price > 10)].title', ['B', 'C']],
    ["$.books[?(@.price > 10 && @.title != 'C')].price", [15]],
    ["$.books[?(@.title == 'A' || @.title == 'C')].price", [5, 25]],
    ['$.books[?(@.tags)].title', ['A', 'B']],
    ['$.books[?(!@.tags)].title', ['C']],
    ['$.books[?(@.title =~ /[ab]/i)].title', ['A', 'B']],
    ["$.books[?(@.title in ['A','Z'])].price", [5]],
    ['$.books[?(@.price == 99)]', []],
    ['$.books.length()', 3],
    ['$.books[*].none', []],
    ['$$.Execution.Name', 'n'],
    ['$v.w[1]', 2],
    ['$v', { w: [1, 2] }],
  ])('%s is read', (path, wanted) => {
    expect(readPath(compilePath(path), env(STORE))).toEqual(wanted);
  });

  it.each([
    ['$.none', "No results for path: $['none']"],
    ['$.none.deep', "Missing property in path $['none']"],
    ['$.books[7]', "No results for path: $['books'][7]"],
    ['$.nothing.a', "Expected to find an object with property ['a'] in path $['nothing'] but found 'null'."],
    ['$.books[0].title[0]', 'Filter: [0] can only be applied to arrays.'],
    ['$none', 'No results for path: $none'],
  ])('%s misses, in the words of the service’s library', (path, message) => {
    expect(() => readPath(compilePath(path), env(STORE))).toThrow(
      expect.objectContaining({ message: expect.stringContaining(message) }),
    );
    expect(() => readPath(compilePath(path), env(STORE))).toThrow(PathMissing);
  });

  it.each(['$.', '$.a[', "$['a", '$.a[?(@.b', '$.a b', 'a.b', '$.a[x]'])('%s is refused', (path) => {
    expect(() => compilePath(path)).toThrow(/Invalid path|expected/);
  });
});

describe('an intrinsic function', () => {
  it.each<[call: string, input: Json, wanted: Json]>([
    ["States.Format('{} is {}', $.a, $.b)", { a: 'x', b: { c: [1, null, 'y'] } }, 'x is {c=[1, null, y]}'],
    ["States.Format('it\\'s \\{\\} {}', 1)", {}, "it's {} 1"],
    ['States.Format($.t, 1)', { t: 'n={}' }, 'n=1'],
    ['States.Array()', {}, []],
    ["States.Array('a', 1, true, null, $)", 2, ['a', 1, true, null, 2]],
    ['States.ArrayPartition($, 2)', [1, 2, 3], [[1, 2], [3]]],
    ['States.ArrayContains($, 2)', [1, 2], true],
    ['States.ArrayContains($.l, $.o)', { l: [{ a: 1, b: 2 }], o: { b: 2, a: 1 } }, true],
    ['States.ArrayRange(1, 9, 2)', {}, [1, 3, 5, 7, 9]],
    ['States.ArrayRange(9, 1, -4)', {}, [9, 5, 1]],
    ['States.ArrayGetItem($, 1)', [1, 2], 2],
    ['States.ArrayLength($)', [1, 2], 2],
    ['States.ArrayUnique($)', [1, '1', 1, null, null], [1, '1', null]],
    ["States.Base64Encode('é')", {}, 'w6k='],
    ["States.Base64Decode('w6k=')", {}, 'é'],
    ["States.Hash('input data', 'MD5')", {}, '812f45842bc6d66ee14572ce20db8e86'],
    ['States.JsonMerge($.a, $.b, false)', { a: { x: { y: 1 }, z: 1 }, b: { x: { w: 2 } } }, { x: { w: 2 }, z: 1 }],
    ['States.JsonToString($)', { a: [1] }, '{"a":[1]}'],
    ['States.StringToJson($)', '{"a":-0}', { a: 0 }],
    ['States.StringToJson($)', ' ', null],
    ['States.MathAdd($.a, $.b)', { a: -1.49, b: -1.5 }, -2],
    ['States.MathAdd($.a, $.b)', { a: 1.49, b: 1.5 }, 3],
    ['States.MathRandom(1, 9)', {}, 5],
    ["States.StringSplit('a.b+c,,d', '.+,')", {}, ['a', 'b', 'c', 'd']],
    ["States.Format('{}', States.ArrayGetItem(States.Array(1, 2), 0))", {}, '1'],
    ["States.ArrayLength($.books[?(@.title == 'a, b)')])", { books: [{ title: 'a, b)' }] }, 1],
  ])('%s', (call, input, wanted) => {
    expect(compileIntrinsic(call)(env(input))).toEqual(wanted);
  });

  it('answers the same for the same seed', () => {
    const random = compileIntrinsic('States.MathRandom(0, 999, 3)');
    expect(random(env({}))).toBe(random(env({})));
  });

  it.each([
    ["States.Format('{}', $.x)", `The JsonPath argument for the field '$.x' could not be found in the input '{"y":1}'`],
    ["States.Format('{}', States.Format('{}', $.x))", `The JsonPath argument for the field '$.x' could not be found`],
    ['States.ArrayGetItem($.l, 0)', `The JsonPath argument for the field '$.l' could not be found`],
    ["States.Format('{}{}', 1)", 'does not match the occurrences'],
    ['States.JsonMerge($, $, true)', 'Only shallow merging'],
    ['States.ArrayRange(0, 5000, 1)', 'must not have more than 1000 elements'],
    ['States.ArrayPartition($, 0)', 'must be an array'],
    ["States.Hash('a', 'md5')", 'Unsupported hash algorithm'],
  ])('%s fails, naming the whole call', (call, reason) => {
    const run = (): Json => compileIntrinsic(call)(env({ y: 1 }));
    expect(run).toThrow(Failure);
    expect(run).toThrow(`The function '${call}' had the following error: `);
    expect(run).toThrow(reason);
  });

  it.each(['States.Nope()', "States.Format('a'", 'States.Format(a)', 'States.UUID(1)', "States.Format('a') x"])(
    '%s is refused',
    (call) => {
      expect(() => compileIntrinsic(call)).toThrow('Invalid intrinsic function');
    },
  );
});

const holds = (rule: { [key: string]: Json }, value: Json): boolean =>
  compileRule({ Variable: '$.v', ...rule })(env({ v: value, w: 2 }));

describe('a choice rule', () => {
  it.each<[rule: { [key: string]: Json }, value: Json, wanted: boolean]>([
    [{ StringEquals: 'a' }, 'a', true],
    [{ StringLessThan: 'b' }, 'a', true],
    [{ StringGreaterThanEquals: 'b' }, 'a', false],
    [{ StringEquals: '1' }, 1, false],
    [{ StringMatches: 'a*.log' }, 'ab.c.log', true],
    [{ StringMatches: 'a\\*' }, 'ab', false],
    [{ NumericEquals: 1 }, 1.0, true],
    [{ NumericEquals: 1 }, '1', false],
    [{ NumericGreaterThanPath: '$.w' }, 3, true],
    [{ NumericLessThanEqualsPath: '$.w' }, 2, true],
    [{ BooleanEquals: false }, false, true],
    [{ BooleanEquals: true }, 1, false],
    [{ TimestampEquals: '2026-01-01T00:00:00Z' }, '2026-01-01T01:00:00+01:00', true],
    [{ TimestampLessThan: '2026-01-01T00:00:00Z' }, 'not a time', false],
    [{ IsNull: true }, null, true],
    [{ IsNull: false }, 0, true],
    [{ IsNumeric: true }, true, false],
    [{ IsString: true }, '', true],
    [{ IsBoolean: true }, false, true],
    [{ IsTimestamp: true }, '2026-01-01T00:00:00Z', true],
    [{ IsTimestamp: true }, '2026-01-01', false],
    [{ IsPresent: true }, null, true],
  ])('%j of %j is %s', (rule, value, wanted) => {
    expect(holds(rule, value)).toBe(wanted);
  });

  it('asks whether something is present without failing', () => {
    expect(compileRule({ Variable: '$.x', IsPresent: false })(env({}))).toBe(true);
  });

  it.each([
    { Variable: '$.x', StringEquals: 'a' },
    { Variable: '$.x', IsNull: true },
    { Variable: '$.v', NumericEqualsPath: '$.x' },
  ])('fails where %j points at nothing', (rule) => {
    expect(() => compileRule(rule)(env({ v: 1 }))).toThrow(
      "Invalid path '$.x': The choice state's condition path references an invalid value.",
    );
  });

  it('ands, ors and negates', () => {
    const rule = {
      And: [
        { Variable: '$.a', IsPresent: true },
        {
          Not: {
            Or: [
              { Variable: '$.a', NumericEquals: 1 },
              { Variable: '$.a', NumericEquals: 2 },
            ],
          },
        },
      ],
    };
    expect([1, 2, 3].map((a) => compileRule(rule)(env({ a })))).toEqual([false, false, true]);
  });

  it.each([
    { Variable: '$.a' },
    { Variable: '$.a', StringEquals: 'a', NumericEquals: 1 },
    { Variable: '$.a', Likes: 1 },
    { StringEquals: 'a' },
  ])('refuses %j', (rule) => {
    expect(() => compileRule(rule)).toThrow(/comparison|not supported|required/);
  });
});

describe('a wildcard', () => {
  it.each([
    ['', '', true],
    ['abc', '*', true],
    ['aba', 'ab*ba', false],
    ['a*b', 'a\\*b', true],
    ['aXbXc', 'a*X*c', true],
    ['ab', 'a*b*c', false],
  ])('%j against %j is %s', (text, pattern, wanted) => {
    expect(matchesWildcard(text, pattern)).toBe(wanted);
  });

  it('takes no longer for a hostile text', () => {
    const started = performance.now();
    matchesWildcard('a'.repeat(100_000), `${'*a'.repeat(50)}b`);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('a timestamp', () => {
  it.each([
    ['2026-02-28T23:59:59Z', Date.UTC(2026, 1, 28, 23, 59, 59)],
    ['2026-02-28T23:59:59.123456789Z', Date.UTC(2026, 1, 28, 23, 59, 59, 123)],
    ['2026-02-28T23:59:59.5-02:00', Date.UTC(2026, 2, 1, 1, 59, 59, 500)],
    ['2026-02-30T00:00:00Z', undefined],
    ['2026-02-28T24:00:00Z', undefined],
    ['2026-02-28 23:59:59Z', undefined],
    ['2026-02-28T23:59:59', undefined],
    ['28-02-2026T23:59:59Z', undefined],
    ['date', undefined],
  ])('%s', (text, wanted) => {
    expect(parseTimestamp(text)).toBe(wanted);
  });
});
