import { createHash } from 'node:crypto';
import jsonata from 'jsonata';
import { BoundedRegExp } from './bounded-regexp.ts';
import { type Env } from './env.ts';
import { type Failure, queryFailure } from './failure.ts';
import { javaRandom } from './java-random.ts';
import { compileFast, type Fast, type Node, SLOW } from './jsonata-fast.ts';
import type { Json, World } from './types.ts';

/** A compiled expression: sees `$states` and the variables, answers JSON. Throws `Failure`. */
export type Expression = {
  /** The text between `{%` and `%}`, trimmed: causes quote it. */
  readonly source: string;
  readonly evaluate: (env: Env) => Json | Promise<Json>;
};

/** True when the whole string is one expression. ` {% x %}` is text: AWS knows no interpolation. */
export const isExpression = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 4 && value.startsWith('{%') && value.endsWith('%}');

// Measured on the service: nesting of 100, sequences of 873,782 items. Its time limit is not known.
const DEPTH = 100;
const SEQUENCE = 873_782;
const RANGE = 360_145;
const TIMEOUT_MS = 1000;

/**
 * Compiles `{% … %}`.
 *
 * @param field where it stands, as causes name it: `Arguments/Payload/id`, `Choices[0]/Condition`
 * @throws jsonata's own error (`code`, `message`) when the text is no expression
 */
export function compileExpression(template: string, field: string): Expression {
  const source = template.slice(2, -2).trim();
  const { ast, depth, evaluate, names } = prepare(source);
  const slow = async (env: Env): Promise<Json> => {
    let value: unknown;
    try {
      value = await evaluate(undefined, bindings(names, env));
    } catch (error) {
      throw evaluationFailure(source, field, error);
    }
    return accept(value, source, field);
  };
  // What nests too deep has to fail, and jsonata counts it.
  const fast: Fast | undefined = depth > DEPTH ? undefined : compileFast(ast);
  if (!fast) return { source, evaluate: slow };
  return {
    source,
    evaluate: (env) => {
      const value = fast(env);
      if (value === SLOW) return slow(env);
      if (value === undefined) throw undefinedFailure(source, field);
      return value;
    },
  };
}

/** A result of the wrong type, in the service's words. */
export function typeFailure(source: string, field: string, expected: string, value: Json): Failure {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return queryFailure(
    `The JSONata expression '${source}' specified for the field '${field}' returned an unexpected result type. ` +
      `Expected '${expected}', but was '${type}' for value: ${JSON.stringify(value)}`,
    field,
  );
}

type Prepared = {
  ast: Node;
  depth: number;
  names: readonly string[];
  evaluate: (input: unknown, bound: Record<string, unknown>) => Promise<unknown>;
};

function prepare(source: string): Prepared {
  const parsed = jsonata(source);
  const ast = parsed.ast() as unknown as Node;
  const names = new Set<string>();
  // jsonata evaluates the items of a constructor side by side and counts all of them as depth.
  let wide = 0;
  let deepest = 0;
  visit(ast, { depth: 1, constructed: false }, (node, { depth, constructed }) => {
    if (constructed) wide += 1;
    deepest = Math.max(deepest, depth);
    if (node.type === 'variable' && typeof node.value === 'string') names.add(node.value);
    if (isNewerSyntax(node)) {
      // oxlint-disable-next-line no-throw-literal -- jsonata's own shape for what does not parse
      throw { code: 'S0201', message: 'Syntax error: the service does not know ?? and ?:' };
    }
  });
  const bounded = jsonata(source, {
    timeout: TIMEOUT_MS,
    stack: DEPTH + wide,
    sequence: SEQUENCE,
    // Its own clock does not see into a pattern.
    RegexEngine: BoundedRegExp,
  } as object);
  for (const [name, [call, signature]] of Object.entries(FUNCTIONS)) {
    if (names.has(name)) bounded.registerFunction(name, call, signature);
  }
  return { ast, depth: deepest, names: [...names], evaluate: (input, bound) => bounded.evaluate(input, bound) };
}

/** `??` and `?:` came with jsonata 2.1; the service runs 2.0.6. Both are read as conditions that nobody wrote. */
const isNewerSyntax = ({ type, condition, then }: Node): boolean =>
  type === 'condition' &&
  (condition?.position === then?.position || (condition?.type === 'function' && condition.position === undefined));

type Place = { depth: number; constructed: boolean };

function visit(node: unknown, place: Place, see: (node: Node, place: Place) => void): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, place, see);
  } else if (typeof node === 'object' && node !== null) {
    const typed = node as Node;
    const isNode = typeof typed.type === 'string';
    if (isNode) see(typed, place);
    const constructs = typed.type === 'unary' && (typed.value === '[' || typed.value === '{');
    const below = { depth: place.depth + (isNode ? 1 : 0), constructed: place.constructed || constructs };
    for (const child of Object.values(node)) visit(child, below, see);
  }
}

// No expression can spell this name, so no workflow can reach it.
const WORLD = 'asl:world';

function bindings(names: readonly string[], env: Env): Record<string, unknown> {
  // $eval is barred: bound to nothing, a call of it is a call of a non-function (T1006), as on AWS.
  const bound: Record<string, unknown> = { eval: undefined, [WORLD]: env.world };
  for (const name of names) {
    if (name === 'states') {
      const states: Record<string, unknown> = { input: env.input, context: env.context() };
      if (env.result !== undefined) states['result'] = env.result;
      if (env.errorOutput !== undefined) states['errorOutput'] = env.errorOutput;
      bound['states'] = states;
    } else {
      const value = env.variable(name);
      if (value !== undefined) bound[name] = value;
    }
  }
  return bound;
}

const undefinedFailure = (source: string, field: string): Failure =>
  queryFailure(
    `The JSONata expression '${source}' specified for the field '${field}' returned nothing (undefined).`,
    field,
  );

const MEMORY = 'Expression evaluation memory limit exceeded: Check for excessive memory usage';

/** What AWS says where jsonata's own bounds speak otherwise. */
const BOUNDS: Record<string, string> = {
  D1011: 'Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive',
  D1012: 'Expression evaluation timeout: Check for infinite loop',
  D2014: MEMORY,
  D2015: MEMORY,
};

function evaluationFailure(source: string, field: string, error: unknown): Failure {
  const { code, message } = error as { code?: string; message?: string };
  const head = `The JSONata expression '${source}' specified for the field '${field}' threw an error during evaluation`;
  const bound = code === undefined ? undefined : BOUNDS[code];
  if (bound) return queryFailure(`${head}: ${bound}`, field);
  return queryFailure(code ? `${head}. ${code}: ${message}` : `${head}: ${message ?? String(error)}`, field);
}

/** jsonata answers sequences with extra properties, functions and numbers that JSON has no word for. */
function accept(value: unknown, source: string, field: string): Json {
  if (value === undefined) throw undefinedFailure(source, field);
  return plain(value, () =>
    queryFailure(`The JSONata expression '${source}' for the field '${field}' returned an unsupported result type.`),
  );
}

function plain(value: unknown, unsupported: () => Failure): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  // AWS writes what JSON cannot as a string.
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, unsupported));
  if (typeof value !== 'object' || '_jsonata_function' in value || '_jsonata_lambda' in value) throw unsupported();
  const copy: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    // A plain assignment of __proto__ would be lost.
    if (key === '__proto__') {
      Object.defineProperty(copy, key, {
        value: plain(item, unsupported),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    } else copy[key] = plain(item, unsupported);
  }
  return copy;
}

type Focus = { environment: { lookup: (name: string) => unknown } };
// oxlint-disable-next-line typescript/no-explicit-any -- jsonata hands over whatever the expression gave
type Call = (this: any, ...args: any[]) => unknown;

const worldOf = (focus: Focus): World => focus.environment.lookup(WORLD) as World;
const refuse = (message: string): never => {
  // oxlint-disable-next-line no-throw-literal -- jsonata's own shape: it fills in the message by the code
  throw { code: 'D3137', message };
};

const formatTime = jsonata('$fromMillis($ms, $picture, $zone)');
const DIGESTS = new Set(['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']);

/** The functions that AWS adds to jsonata, and those that would read the real clock or dice. */
const FUNCTIONS: Record<string, [call: Call, signature: string]> = {
  partition: [
    (items: Json[] | undefined, size?: number) => {
      if (items === undefined || items.length === 0) return undefined;
      if (size === undefined) return [items];
      const length = Math.trunc(size);
      if (length < 0) refuse('Second argument must be zero or greater');
      if (length === 0) return undefined;
      const parts: Json[][] = [];
      for (let from = 0; from < items.length; from += length) parts.push(items.slice(from, from + length));
      return parts;
    },
    '<an?:a>',
  ],
  range: [
    (first?: number, last?: number, step?: number) => {
      if (first === undefined || last === undefined || step === undefined) return undefined;
      const [from, to, by] = [Math.trunc(first), Math.trunc(last), Math.trunc(step)];
      if (by === 0 || (by > 0 ? from > to : from < to)) return undefined;
      const count = Math.floor((to - from) / by) + 1;
      // oxlint-disable-next-line no-throw-literal -- see refuse
      if (count > RANGE) throw { code: 'D2014', value: count };
      const items = Array.from({ length: count }, (_, index) => from + index * by + 0);
      return items.length === 1 ? items[0] : items;
    },
    '<nnn?:a>',
  ],
  hash: [
    (text?: string, algorithm?: string) => {
      if (text === undefined || algorithm === undefined) return undefined;
      if (!DIGESTS.has(algorithm)) refuse(`Unsupported hash algorithm: ${algorithm}`);
      return createHash(algorithm.replace('-', '').toLowerCase()).update(text, 'utf8').digest('hex');
    },
    '<ss?:s>',
  ],
  random: [
    function (this: Focus, seed?: number) {
      return seed === undefined ? worldOf(this).random() : javaRandom(BigInt(Math.trunc(seed))).double();
    },
    '<n?:n>',
  ],
  uuid: [
    function (this: Focus) {
      return makeUuid(worldOf(this).random);
    },
    '<:s>',
  ],
  parse: [
    (text?: string) => {
      if (text === undefined) return undefined;
      try {
        return JSON.parse(text) as Json;
      } catch {
        return refuse('Invalid JSON');
      }
    },
    '<s?:x>',
  ],
  now: [
    function (this: Focus, picture?: string, zone?: string) {
      return formatTime.evaluate(undefined, { ms: worldOf(this).nowMs, picture, zone });
    },
    '<s?s?:s>',
  ],
  millis: [
    function (this: Focus) {
      return worldOf(this).nowMs;
    },
    '<:n>',
  ],
};

/** A version 4 UUID from the given dice. */
export function makeUuid(random: () => number): string {
  const digits = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16));
  digits[12] = '4';
  digits[16] = '89ab'.charAt(Math.floor(random() * 4));
  const text = digits.join('');
  return `${text.slice(0, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}-${text.slice(16, 20)}-${text.slice(20)}`;
}
