import { type Env, isObject } from './env.ts';
import type { Json } from './types.ts';

/** A node of jsonata's own syntax tree, as far as we look into it. */
export type Node = {
  type: string;
  value?: unknown;
  position?: number;
  steps?: Node[];
  arguments?: Node[];
  procedure?: Node;
  expressions?: Node[];
  lhs?: Node | [Node, Node][];
  rhs?: Node;
  expression?: Node;
  condition?: Node;
  then?: Node;
  else?: Node;
};

/** Says that only jsonata itself knows the answer: an array in a path, an error to word, a rare type. */
export const SLOW = Symbol('slow');

type Result = Json | undefined | typeof SLOW;
export type Fast = (env: Env) => Result;

/**
 * Turns the simple forms of an expression into one synchronous function with jsonata's semantics.
 *
 * jsonata evaluates every node behind an `await`; the expressions of a workflow are mostly a path over
 * plain objects. Whatever this does not surely know it leaves to jsonata, at compile time (`undefined`)
 * or, when the data turn out to be unusual, at run time (`SLOW`).
 */
export function compileFast(node: Node): Fast | undefined {
  // Predicates, stages, grouping, ancestry and sorting all show as further keys.
  if (!isPlain(node)) return undefined;
  switch (node.type) {
    case 'string':
    case 'number':
    case 'value': {
      const value = node.value as Json;
      return () => value;
    }
    case 'variable':
      return compileVariable(node);
    case 'path':
      return compilePath(node.steps ?? []);
    case 'block':
      return node.expressions?.length === 1 ? compileFast(node.expressions[0] as Node) : undefined;
    case 'condition':
      return compileCondition(node);
    case 'binary':
      return compileBinary(node);
    case 'unary':
      return node.value === '{' ? compileObject(node) : node.value === '[' ? compileArray(node) : undefined;
    case 'function':
      return compileCall(node);
    default:
      return undefined;
  }
}

const isPlain = (node: Node): boolean =>
  Object.entries(node).every(([key, value]) => value === undefined || PLAIN_KEYS.has(key));

const PLAIN_KEYS = new Set([
  'type',
  'value',
  'position',
  'steps',
  'arguments',
  'procedure',
  'expressions',
  'lhs',
  'rhs',
  'expression',
  'condition',
  'then',
  'else',
]);

function compileVariable(node: Node): Fast | undefined {
  const name = node.value;
  // `$` and `$$` are jsonata's own; `$states` whole is rare and has to be built.
  if (typeof name !== 'string' || name === '' || name === '$' || name === 'states') return undefined;
  return (env) => env.variable(name) ?? (env.variable(name) === null ? null : SLOW);
}

function compilePath(steps: readonly Node[]): Fast | undefined {
  const [head, ...rest] = steps;
  if (head?.type !== 'variable' || !isPlain(head)) return undefined;
  const names: Walked[] = [];
  for (const step of rest) {
    const index = indexOf(step);
    if (step.type !== 'name' || index === undefined) return undefined;
    names.push(step.value as string, ...index);
  }
  if (head.value !== 'states') {
    const variable = compileVariable(head);
    return variable && ((env) => walk(variable(env), names, 0));
  }
  switch (names[0]) {
    case 'input':
      return (env) => walk(env.input, names, 1);
    case 'result':
      return (env) => walk(env.result, names, 1);
    case 'errorOutput':
      return (env) => walk(env.errorOutput, names, 1);
    case 'context':
      return (env) => walk(env.context(), names, 1);
    default:
      return undefined;
  }
}

/** A name, or a literal index into what the name before it gave. */
type Walked = string | number;

/** The index of a step such as `input[0]`: none, one, or undefined where the step does more than that. */
function indexOf(step: Node & { stages?: readonly { type: string; expr: Node }[] }): number[] | undefined {
  const { stages, ...plain } = step;
  if (!isPlain(plain)) return undefined;
  if (!stages) return [];
  const [stage, ...more] = stages;
  const fits = stage?.type === 'filter' && stage.expr.type === 'number' && Number.isInteger(stage.expr.value);
  return fits && more.length === 0 ? [stage.expr.value as number] : undefined;
}

function walk(start: Result, names: readonly Walked[], from: number): Result {
  let value = start;
  for (let at = from; at < names.length; at += 1) {
    if (value === SLOW || value === undefined) return value;
    const name = names[at] as Walked;
    if (typeof name === 'number') {
      // What is no list is a list of one; a list within the list is jsonata's business.
      value = Array.isArray(value) ? value.at(name) : name === 0 || name === -1 ? value : undefined;
      if (Array.isArray(value)) return SLOW;
    } else if (Array.isArray(value)) {
      // jsonata maps over arrays and unwraps sequences of one: its business.
      return SLOW;
    } else {
      if (!isObject(value)) return undefined;
      value = Object.hasOwn(value, name) ? value[name] : undefined;
    }
  }
  return value;
}

/** jsonata's effective boolean value, for scalars. */
function truth(value: Result): boolean | typeof SLOW {
  if (value === undefined || value === null) return false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return value !== '';
  if (typeof value === 'number') return value !== 0;
  return SLOW;
}

function compileCondition(node: Node): Fast | undefined {
  const condition = node.condition && compileFast(node.condition);
  const then = node.then && compileFast(node.then);
  const otherwise = node.else ? compileFast(node.else) : (): undefined => undefined;
  if (!condition || !then || !otherwise) return undefined;
  return (env) => {
    const holds = truth(condition(env));
    if (holds === SLOW) return SLOW;
    return holds ? then(env) : otherwise(env);
  };
}

function compileBinary(node: Node): Fast | undefined {
  const left = node.lhs && !Array.isArray(node.lhs) && compileFast(node.lhs);
  const right = node.rhs && compileFast(node.rhs);
  const operate = OPERATORS[node.value as string];
  if (!left || !right) return undefined;
  if (node.value === 'and' || node.value === 'or') {
    const settles = node.value === 'or';
    return (env) => {
      const first = truth(left(env));
      if (first === SLOW || first === settles) return first;
      return truth(right(env));
    };
  }
  if (!operate) return undefined;
  return (env) => {
    const a = left(env);
    const b = a === SLOW ? SLOW : right(env);
    return a === SLOW || b === SLOW ? SLOW : operate(a, b);
  };
}

const isScalar = (value: Json | undefined): value is null | boolean | number | string =>
  value === null || (typeof value !== 'object' && value !== undefined);

const compare =
  (test: (a: number | string, b: number | string) => boolean) =>
  (a: Json | undefined, b: Json | undefined): Result => {
    if (typeof a === 'number' && typeof b === 'number') return test(a, b);
    if (typeof a === 'string' && typeof b === 'string') return test(a, b);
    return SLOW;
  };

const calculate =
  (operate: (a: number, b: number) => number) =>
  (a: Json | undefined, b: Json | undefined): Result => {
    if (typeof a !== 'number' || typeof b !== 'number') return SLOW;
    const value = operate(a, b);
    return Number.isFinite(value) ? value : SLOW;
  };

const text = (value: Json | undefined): string | typeof SLOW => {
  if (value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || value === null) return String(value);
  // Other numbers are rounded to 15 digits, objects written as JSON.
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : SLOW;
};

const OPERATORS: Record<string, ((a: Json | undefined, b: Json | undefined) => Result) | undefined> = {
  // Nothing equals undefined, and nothing differs from it either.
  '=': (a, b) => (a === undefined || b === undefined ? false : isScalar(a) && isScalar(b) ? a === b : SLOW),
  '!=': (a, b) => (a === undefined || b === undefined ? false : isScalar(a) && isScalar(b) ? a !== b : SLOW),
  '<': compare((a, b) => a < b),
  '<=': compare((a, b) => a <= b),
  '>': compare((a, b) => a > b),
  '>=': compare((a, b) => a >= b),
  '+': calculate((a, b) => a + b),
  '-': calculate((a, b) => a - b),
  '*': calculate((a, b) => a * b),
  '/': calculate((a, b) => a / b),
  '%': calculate((a, b) => a % b),
  '&': (a, b) => {
    const left = text(a);
    const right = text(b);
    return left === SLOW || right === SLOW ? SLOW : `${left}${right}`;
  },
};

function compileObject(node: Node): Fast | undefined {
  const pairs = node.lhs as [Node, Node][];
  const names = pairs.map(([key]) => (key.type === 'string' ? (key.value as string) : ''));
  if (names.some((name) => name === '' || name === '__proto__' || name.startsWith('_jsonata_'))) return undefined;
  // jsonata lists integer-like keys first, as JavaScript does: so do we, with the same kind of object.
  if (new Set(names).size < names.length) return undefined;
  const values = pairs.map(([, value]) => compileFast(value));
  if (values.some((value) => value === undefined)) return undefined;
  return (env) => {
    const made: { [key: string]: Json } = {};
    for (let index = 0; index < names.length; index += 1) {
      const value = (values[index] as Fast)(env);
      if (value === SLOW) return SLOW;
      if (value !== undefined) made[names[index] as string] = value;
    }
    return made;
  };
}

function compileArray(node: Node): Fast | undefined {
  const items = node.expressions ?? [];
  const values = items.map(compileFast);
  if (values.some((value) => value === undefined)) return undefined;
  const nested = items.map((item) => item.value === '[');
  return (env) => {
    const made: Json[] = [];
    for (let index = 0; index < values.length; index += 1) {
      const value = (values[index] as Fast)(env);
      if (value === SLOW) return SLOW;
      if (value === undefined) continue;
      // An array that is not written as one here is poured in.
      if (Array.isArray(value) && !nested[index]) made.push(...value);
      else made.push(value);
    }
    return made;
  };
}

function compileCall(node: Node): Fast | undefined {
  const name = node.procedure?.type === 'variable' ? (node.procedure.value as string) : '';
  const [argument, ...more] = node.arguments ?? [];
  if ((name !== 'exists' && name !== 'not') || !argument || more.length > 0) return undefined;
  const value = compileFast(argument);
  if (!value) return undefined;
  return (env) => {
    // A workflow may have a variable of that name.
    if (env.variable(name) !== undefined) return SLOW;
    const given = value(env);
    if (given === SLOW) return SLOW;
    if (name === 'exists') return given !== undefined;
    if (given === undefined) return SLOW;
    const holds = truth(given);
    return holds === SLOW ? SLOW : !holds;
  };
}
