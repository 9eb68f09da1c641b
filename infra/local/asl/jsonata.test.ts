import {
  assert,
  asyncProperty,
  boolean,
  constant,
  constantFrom,
  dictionary,
  double,
  integer,
  letrec,
  oneof,
  array,
  string,
  tuple,
  type Arbitrary,
} from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, it } from 'vitest';
import type { Env } from './env.ts';
import { Failure } from './failure.ts';
import { compileExpression, isExpression } from './jsonata.ts';
import { compileFast, type Node, SLOW } from './jsonata-fast.ts';
import type { Json } from './types.ts';

const env = (input: Json, vars: { [name: string]: Json } = {}, more: Partial<Env> = {}): Env => ({
  input,
  context: () => ({ Execution: { Name: 'n' } }),
  variable: (name) => (Object.hasOwn(vars, name) ? vars[name] : undefined),
  world: { nowMs: Date.UTC(2026, 0, 2), random: () => 0.5 },
  ...more,
});

const evaluate = async (source: string, given: Env = env({})): Promise<Json> =>
  compileExpression(`{% ${source} %}`, 'Output').evaluate(given);

const cause = async (source: string): Promise<string> => {
  try {
    return `answered ${JSON.stringify(await evaluate(source))}`;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.error).toBe('States.QueryEvaluationError');
    return String(error.reason).replace(/^.*specified for the field 'Output' /s, '');
  }
};

describe('expressions', () => {
  it('span the whole string', () => {
    expect(['{% 1 %}', '{%1%}', ' {% 1 %}', '{% 1 %} ', 'a {% 1 %}', '{% 1'].map(isExpression)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([
    ['[1..3]', [1, 2, 3]],
    ['$states.input.l', [0]],
    ['$states.input.l[0]', 0],
    ['$states.input.e', []],
    ['$states.context.Execution.Name', 'n'],
    ['1/0', 'Infinity'],
    ['$partition([1,2,3,4,5], 2)', [[1, 2], [3, 4], [5]]],
    ['$partition([1,2,3,4,5], 2.9)', [[1, 2], [3, 4], [5]]],
    ['$range(0, 10, 2)', [0, 2, 4, 6, 8, 10]],
    ['$range(10, 0, -5)', [10, 5, 0]],
    ['$range(3, 3, 1)', 3],
    ["$hash('Hello', 'MD5')", '8b1a9953c4611296a827abf8c47804d7'],
    ["$hash('Hello', 'SHA-1')", 'f7ff9e8b7bb2e09b70935a5d785e0cc5d9d0abf0'],
    ['$random(42)', 0.7275636800328681],
    ['$random(0)', 0.730967787376657],
    ['$random()', 0.5],
    ['$parse(\'{"a": [1]}\').a', [1]],
    ["$exists($parse('null'))", true],
    ['$millis()', Date.UTC(2026, 0, 2)],
    ['$now()', '2026-01-02T00:00:00.000Z'],
    ["$now('[Y]')", '2026'],
    ['$length($uuid())', 36],
    ['$map([1,2], $string)', ['1', '2']],
    ['{"a": $states.input.none, "b": null}', { b: null }],
  ])('answer %s', async (source, wanted) => {
    expect(await evaluate(source, env({ l: [0], e: [] }))).toEqual(wanted);
  });

  it.each([
    ['$states.input.none', 'returned nothing (undefined).'],
    ['$states.result', 'returned nothing (undefined).'],
    ['$', 'returned nothing (undefined).'],
    ['name', 'returned nothing (undefined).'],
    ['$range(1, 5)', 'returned nothing (undefined).'],
    ['$partition([1], -1)', 'threw an error during evaluation. D3137: Second argument must be zero or greater'],
    ["$parse('x')", 'threw an error during evaluation. D3137: Invalid JSON'],
    [
      "$uuid('x')",
      'threw an error during evaluation. T0410: Argument 1 of function "uuid" does not match function signature',
    ],
    ["$eval('1')", 'threw an error during evaluation. T1006: Attempted to invoke a non-function'],
    ["$hash('a', 'md5')", 'threw an error during evaluation. D3137: Unsupported hash algorithm: md5'],
  ])('fail on %s', async (source, wanted) => {
    expect(await cause(source)).toBe(wanted);
  });

  it.each([
    [
      'an endless loop',
      '($f := function($x){ $f($x + 1) }; $f(1))',
      'Expression evaluation timeout: Check for infinite loop',
    ],
    [
      'nesting past 100',
      `1${'+1'.repeat(100)}`,
      'Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive',
    ],
    [
      'a long sequence',
      '[1..873783] ~> $count()',
      'Expression evaluation memory limit exceeded: Check for excessive memory usage',
    ],
    [
      'a long range',
      '$range(1, 1000000000, 1)',
      'Expression evaluation memory limit exceeded: Check for excessive memory usage',
    ],
  ])('stop at %s', async (_sentence, source, wanted) => {
    expect(await cause(source)).toBe(`threw an error during evaluation: ${wanted}`);
  });

  it.each(['$a ?? 1', '$a ?: 1'])('refuse %s, which is newer than the service', (source) => {
    expect(() => compileExpression(`{% ${source} %}`, 'Output')).toThrow(expect.objectContaining({ code: 'S0201' }));
  });

  it('nest as deep as the service lets them, and are as wide as they like', async () => {
    expect(await evaluate(`1${'+1'.repeat(99)}`)).toBe(100);
    expect(await evaluate(`[${Array.from({ length: 300 }, (_, index) => `{"a": [${index}]}`).join()}]`)).toHaveLength(
      300,
    );
  });
});

// ---- the fast path against jsonata itself

const leaf: Arbitrary<Json> = oneof(
  string({ maxLength: 3 }),
  integer({ min: -3, max: 3 }),
  double({ noNaN: true, noDefaultInfinity: true, min: -9, max: 9 }).map((value) => value + 0),
  boolean(),
  constant(null),
);
const name = constantFrom('a', 'b', 'c');
const step = constantFrom('a', 'b', 'c', 'a[0]', 'b[1]', 'c[-1]', 'a[7]');
const data = letrec<{ value: Json }>((tie) => ({
  value: oneof(
    { maxDepth: 3 },
    leaf,
    array(tie('value'), { maxLength: 3 }),
    dictionary(name, tie('value'), { maxKeys: 3 }),
  ),
})).value as Arbitrary<Json>;

const path = tuple(
  constantFrom(
    '$states.input',
    '$states.input[0]',
    '$states.result',
    '$states.result[-1]',
    '$states.context',
    '$v',
    '$w',
    '$none',
  ),
  array(step, { maxLength: 3 }),
).map(([head, names]) => [head, ...names].join('.'));
const expression = letrec<{ any: string }>((tie) => ({
  any: oneof(
    { maxDepth: 3, withCrossShrink: true },
    path,
    leaf.map((value) => JSON.stringify(value)),
    tuple(tie('any'), constantFrom('=', '!=', '<', '<=', '>', '>=', 'and', 'or', '&', '+', '-', '*'), tie('any')).map(
      ([left, operator, right]) => `(${left} ${operator} ${right})`,
    ),
    tie('any').map((inner) => `$exists(${inner})`),
    tie('any').map((inner) => `$not(${inner})`),
    tuple(tie('any'), tie('any'), tie('any')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    tuple(tie('any'), tie('any')).map(([a, b]) => `{"x": ${a}, "y": ${b}}`),
    array(tie('any'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
  ),
})).any as Arbitrary<string>;

/** Sequences carry marks and objects lack a prototype: what counts is the JSON. */
const asJson = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

describe('the fast path', () => {
  it('answers what jsonata answers, or leaves it to jsonata', async () => {
    let answered = 0;
    await assert(
      asyncProperty(expression, data, data, data, async (source, input, result, v) => {
        const given = env(input, { v, w: { a: 'x', b: 2 } }, { result, context: () => ({ a: { b: 1 } }) });
        const compiled = compileFast(jsonata(source).ast() as unknown as Node);
        const quick = compiled ? compiled(given) : SLOW;
        if (quick === SLOW) return;
        answered += 1;
        const states = { input, result, context: { a: { b: 1 } } };
        const slow = await jsonata(source).evaluate(undefined, { states, v, w: { a: 'x', b: 2 } });
        expect(asJson(quick)).toEqual(asJson(slow));
      }),
      { numRuns: 3000 },
    );
    // The property says nothing if everything is left to jsonata.
    expect(answered).toBeGreaterThan(1000);
  });

  it.each([
    '$states.input.a.b',
    '$states.input[0].a',
    "$states.input.kind = 'x' and $exists($policy)",
    '{"id": $states.input.id, "list": [$v, 1]}',
    "$states.input.n > 3 ? 'many' : 'few'",
  ])('takes %s', (source) => {
    expect(compileFast(jsonata(source).ast() as unknown as Node)).toBeDefined();
  });

  it.each([
    '$states.input.a[$v]',
    '$sum([1])',
    '$states.input.*',
    '$states.input.a{b: c}',
    '$states.input.a^(b)',
    '$',
    '$states',
  ])('leaves %s to jsonata', (source) => {
    expect(compileFast(jsonata(source).ast() as unknown as Node)).toBeUndefined();
  });
});
