import { type Env } from './env.ts';
import { runtimeFailure } from './failure.ts';
import { compilePath, PathMissing, readPath } from './jsonpath.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Json } from './types.ts';

/** The condition of a JSONPath choice rule. Throws `Failure` when a path meets nothing. */
export type Condition = (env: Env) => boolean;

/** The rule is not one; `message` says why, `pointer` where, below the rule. */
export class RuleError extends Error {
  readonly pointer: string;

  constructor(message: string, pointer: string) {
    super(message);
    this.pointer = pointer;
  }
}

/** Compiles `{"Variable": …, "StringEquals": …}`, `And`, `Or`, `Not`. Throws `RuleError`, `PathSyntaxError`. */
export function compileRule(rule: { [key: string]: Json }, pointer = ''): Condition {
  const keys = Object.keys(rule).filter((key) => !OUTER.has(key));
  const [key, ...more] = keys.filter((name) => name !== 'Variable');
  if (key === undefined || more.length > 0) throw new RuleError('A choice rule needs exactly one comparison', pointer);
  const value = rule[key] as Json;
  if (key === 'And' || key === 'Or') {
    if (!Array.isArray(value) || value.length === 0) throw new RuleError(`'${key}' must be a non-empty array`, pointer);
    const conditions = value.map((item, index) => compileRule(asRule(item, pointer), `${pointer}/${key}[${index}]`));
    return key === 'And'
      ? (env) => conditions.every((condition) => condition(env))
      : (env) => conditions.some((condition) => condition(env));
  }
  if (key === 'Not') {
    const condition = compileRule(asRule(value, pointer), `${pointer}/Not`);
    return (env) => !condition(env);
  }
  return compileComparison(key, value, rule['Variable'], pointer);
}

const OUTER = new Set(['Next', 'Assign', 'Comment', 'Output']);

function asRule(value: Json, pointer: string): { [key: string]: Json } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new RuleError('A choice rule must be an object', pointer);
}

function compileComparison(key: string, value: Json, variable: Json | undefined, pointer: string): Condition {
  if (typeof variable !== 'string') throw new RuleError(`These fields are required: [Variable]`, pointer);
  const left = compilePath(variable);
  const read = (env: Env): Json | undefined => {
    try {
      return readPath(left, env);
    } catch (error) {
      if (error instanceof PathMissing) return undefined;
      throw error;
    }
  };
  const found = (env: Env): Json => read(env) ?? nullOrMissing(read(env), variable);
  if (key === 'IsPresent') return (env) => (read(env) !== undefined) === value;
  const kind = Object.hasOwn(KINDS, key) ? KINDS[key] : undefined;
  if (kind) return (env) => kind(found(env)) === value;

  const byPath = key.endsWith('Path');
  const name = byPath ? key.slice(0, -4) : key;
  if (name === 'StringMatches' && !byPath) {
    const pattern = String(value);
    return (env) => {
      const text = found(env);
      return typeof text === 'string' && matchesWildcard(text, pattern);
    };
  }
  const [, type, operator] = /^(String|Numeric|Boolean|Timestamp)(.*)$/.exec(name) ?? [];
  const test = operator === undefined ? undefined : TESTS[operator];
  if (!type || !test || (type === 'Boolean' && operator !== 'Equals')) {
    throw new RuleError(`Field '${key}' is not supported`, pointer);
  }
  const convert = CONVERSIONS[type] as (value: Json) => number | string | undefined;
  if (byPath) {
    const path = compilePath(String(value));
    return (env) => {
      let other: Json;
      try {
        other = readPath(path, env);
      } catch (error) {
        if (!(error instanceof PathMissing)) throw error;
        return invalid(String(value));
      }
      return compare(test, convert(found(env)), convert(other));
    };
  }
  const other = convert(value);
  if (other === undefined)
    throw new RuleError(`The value of '${key}' is not a ${type.toLowerCase()}`, `${pointer}/${key}`);
  return (env) => compare(test, convert(found(env)), other);
}

const nullOrMissing = (value: Json | undefined, path: string): Json => (value === null ? null : invalid(path));

function invalid(path: string): never {
  throw runtimeFailure(`Invalid path '${path}': The choice state's condition path references an invalid value.`);
}

const KINDS: Record<string, (value: Json) => boolean> = {
  IsNull: (value) => value === null,
  IsBoolean: (value) => typeof value === 'boolean',
  IsNumeric: (value) => typeof value === 'number',
  IsString: (value) => typeof value === 'string',
  IsTimestamp: (value) => typeof value === 'string' && parseTimestamp(value) !== undefined,
};

/** What is of another type has no value to compare, and the comparison is false. */
const CONVERSIONS: Record<string, (value: Json) => number | string | undefined> = {
  String: (value) => (typeof value === 'string' ? value : undefined),
  Numeric: (value) => (typeof value === 'number' ? value : undefined),
  Boolean: (value) => (typeof value === 'boolean' ? Number(value) : undefined),
  Timestamp: (value) => (typeof value === 'string' ? parseTimestamp(value) : undefined),
};

type Test = (a: number | string, b: number | string) => boolean;

const TESTS: Record<string, Test | undefined> = {
  Equals: (a, b) => a === b,
  LessThan: (a, b) => a < b,
  LessThanEquals: (a, b) => a <= b,
  GreaterThan: (a, b) => a > b,
  GreaterThanEquals: (a, b) => a >= b,
};

const compare = (test: Test, a: number | string | undefined, b: number | string | undefined): boolean =>
  a !== undefined && b !== undefined && test(a, b);

/** StringMatches: `*` is any run of characters, a backslash takes the next character as itself. Linear in both. */
export function matchesWildcard(text: string, pattern: string): boolean {
  const pieces: string[] = [''];
  for (let at = 0; at < pattern.length; at += 1) {
    const sign = pattern[at] as string;
    if (sign === '*') pieces.push('');
    else {
      if (sign === '\\' && at + 1 < pattern.length) at += 1;
      pieces.push((pieces.pop() as string) + (pattern[at] as string));
    }
  }
  const [head, ...rest] = pieces as [string, ...string[]];
  if (rest.length === 0) return text === head;
  const tail = rest.pop() as string;
  if (!text.startsWith(head) || !text.endsWith(tail) || text.length < head.length + tail.length) return false;
  let at = head.length;
  const end = text.length - tail.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
