import { createHash } from 'node:crypto';
import { type Env, isObject } from './env.ts';
import { type Failure, runtimeFailure } from './failure.ts';
import { javaRandom } from './java-random.ts';
import { makeUuid } from './jsonata.ts';
import { compilePath, type Path, PathMissing, readPath, same } from './jsonpath.ts';
import type { Json } from './types.ts';

/** `States.Format('{}', $.a)` and its like, compiled. Evaluating throws `Failure` (States.Runtime). */
export type Intrinsic = (env: Env) => Json;

/** The text is no call of a known function; `message` says why. */
export class IntrinsicSyntaxError extends Error {}

/** A literal text carries its pieces between `{}`: an escaped brace is no placeholder. */
type Argument = { value: Json; pieces?: readonly string[] } | { path: Path } | { call: Call };
type Call = { name: string; arguments: readonly Argument[] };

/** Reads a call. Throws `IntrinsicSyntaxError`, `PathSyntaxError`. */
export function compileIntrinsic(text: string): Intrinsic {
  const reader = new Reader(text);
  const call = reader.call();
  reader.end();
  return (env) => {
    try {
      return evaluate(call, env);
    } catch (error) {
      // The whole expression is named, not the inner call that failed.
      const reason = error instanceof PathMissing || error instanceof Refusal ? error.message : undefined;
      if (reason === undefined) throw error;
      throw failure(text, reason);
    }
  };
}

export const looksLikeIntrinsic = (text: string): boolean => text.startsWith('States.');

const failure = (text: string, reason: string): Failure =>
  runtimeFailure(`The function '${text}' had the following error: ${reason}`);

/** Arguments that the function does not take. */
class Refusal extends Error {}

function evaluate(call: Call, env: Env): Json {
  const values = call.arguments.map((argument) => {
    if ('value' in argument) return argument.value;
    if ('call' in argument) return evaluate(argument.call, env);
    try {
      return readPath(argument.path, env);
    } catch (error) {
      if (!(error instanceof PathMissing)) throw error;
      // A context path is shown without its first `$`, beside the state's input: the service does so.
      const text = argument.path.root.of === 'context' ? argument.path.text.slice(1) : argument.path.text;
      throw new Refusal(
        `The JsonPath argument for the field '${text}' could not be found in the input '${JSON.stringify(env.input)}'`,
      );
    }
  });
  if (call.name === 'Format') return format(call.arguments[0] as Argument, values);
  return (FUNCTIONS[call.name] as (values: Json[], env: Env) => Json)(values, env);
}

const refuse = (message: string): never => {
  throw new Refusal(message);
};

const arrayOf = (value: Json | undefined, name: string): Json[] =>
  Array.isArray(value) ? value : refuse(`Invalid arguments in ${name}: the argument must be an array`);

const textOf = (value: Json | undefined, name: string): string =>
  typeof value === 'string' ? value : refuse(`Invalid arguments in ${name}: the argument must be a string`);

/** Rounds halves up, as Java does: -1.5 is -1. */
const integerOf = (value: Json | undefined, name: string): number =>
  typeof value === 'number'
    ? Math.round(value) + 0
    : refuse(`Invalid arguments in ${name}: the argument must be a number`);

const LONGEST_BASE64 = 10_000;
const LONGEST_RANGE = 1000;
const DIGESTS = new Set(['MD5', 'SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']);

const FUNCTIONS: Record<string, (values: Json[], env: Env) => Json> = {
  Array: (values) => values,
  ArrayPartition: ([items, size]) => {
    const [all, length] = [arrayOf(items, 'States.ArrayPartition'), integerOf(size, 'States.ArrayPartition')];
    if (length <= 0) refuse('The chunk size must be a positive integer');
    const parts: Json[] = [];
    for (let from = 0; from < all.length; from += length) parts.push(all.slice(from, from + length));
    return parts;
  },
  ArrayContains: ([items, wanted]) => arrayOf(items, 'States.ArrayContains').some((item) => same(item, wanted)),
  ArrayRange: ([first, last, step]) => {
    const name = 'States.ArrayRange';
    const [from, to, by] = [integerOf(first, name), integerOf(last, name), integerOf(step, name)];
    if (by === 0) refuse('The step must not be zero');
    const count = Math.max(0, Math.floor((to - from) / by) + 1);
    if (count > LONGEST_RANGE) refuse(`The range must not have more than ${LONGEST_RANGE} elements`);
    return Array.from({ length: count }, (_, index) => from + index * by);
  },
  ArrayGetItem: ([items, index]) => {
    const all = arrayOf(items, 'States.ArrayGetItem');
    const at = integerOf(index, 'States.ArrayGetItem');
    return at >= 0 && at < all.length
      ? (all[at] as Json)
      : refuse(`Index ${at} out of bounds for length ${all.length}`);
  },
  ArrayLength: ([items]) => arrayOf(items, 'States.ArrayLength').length,
  ArrayUnique: ([items]) =>
    arrayOf(items, 'States.ArrayUnique').filter((item, at, all) => all.findIndex((other) => same(other, item)) === at),
  Base64Encode: ([text]) => {
    const given = textOf(text, 'States.Base64Encode');
    if (given.length > LONGEST_BASE64) refuse(`The argument must have at most ${LONGEST_BASE64} characters`);
    return Buffer.from(given, 'utf8').toString('base64');
  },
  Base64Decode: ([text]) => {
    const given = textOf(text, 'States.Base64Decode');
    if (given.length > LONGEST_BASE64) refuse(`The argument must have at most ${LONGEST_BASE64} characters`);
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(given)) refuse('Illegal base64 character');
    return Buffer.from(given, 'base64').toString('utf8');
  },
  Hash: ([data, algorithm]) => {
    const name = textOf(algorithm, 'States.Hash');
    if (!DIGESTS.has(name)) refuse(`Unsupported hash algorithm: ${name}`);
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    if (text.length > LONGEST_BASE64) refuse(`The argument must have at most ${LONGEST_BASE64} characters`);
    return createHash(name.replace('-', '').toLowerCase()).update(text, 'utf8').digest('hex');
  },
  JsonMerge: ([first, second, deep]) => {
    if (!isObject(first) || !isObject(second)) return refuse('The first two arguments must be JSON objects');
    if (deep !== false) refuse('Only shallow merging is supported: the third argument must be false');
    return { ...first, ...second };
  },
  JsonToString: ([value]) => JSON.stringify(value),
  StringToJson: ([text]) => {
    const given = textOf(text, 'States.StringToJson');
    if (given.trim() === '') return null;
    try {
      // -0 is 0 to the service's parser.
      return JSON.parse(given, (_key, value: Json) => (Object.is(value, -0) ? 0 : value)) as Json;
    } catch {
      return refuse(`The argument is not valid JSON: ${given}`);
    }
  },
  MathAdd: ([a, b]) => integerOf(a, 'States.MathAdd') + integerOf(b, 'States.MathAdd'),
  MathRandom: ([first, last, seed], env) => {
    const name = 'States.MathRandom';
    const [from, to] = [integerOf(first, name), integerOf(last, name)];
    if (to <= from) refuse('The end must be greater than the start');
    if (seed === undefined) return from + Math.floor(env.world.random() * (to - from));
    return from + javaRandom(BigInt(integerOf(seed, name))).int(Math.min(to - from, 2 ** 31 - 1));
  },
  StringSplit: ([text, splitter]) => {
    const given = textOf(text, 'States.StringSplit');
    const signs = new Set(textOf(splitter, 'States.StringSplit'));
    // Each character of the splitter splits; empty pieces are dropped.
    const parts: string[] = [''];
    for (const sign of given) {
      if (signs.has(sign)) parts.push('');
      else parts.push((parts.pop() as string) + sign);
    }
    return parts.filter((part) => part !== '');
  },
  UUID: (_values, env) => makeUuid(env.world.random),
};

function format(first: Argument, [template, ...values]: Json[]): string {
  const pieces = ('pieces' in first && first.pieces) || textOf(template, 'States.Format').split('{}');
  if (pieces.length - 1 !== values.length) {
    refuse(`The number of arguments (${values.length}) does not match the occurrences of {} (${pieces.length - 1})`);
  }
  return pieces.map((piece, index) => (index === 0 ? '' : show(values[index - 1] as Json)) + piece).join('');
}

/** How States.Format writes a value: as Java's toString, so an object is `{a=1}`. */
function show(value: Json): string {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}=${show(item)}`)
    .join(', ')}}`;
}

/** How many arguments each takes: at least, at most. */
const ARITY: Record<string, [number, number]> = {
  Array: [0, Infinity],
  ArrayPartition: [2, 2],
  ArrayContains: [2, 2],
  ArrayRange: [3, 3],
  ArrayGetItem: [2, 2],
  ArrayLength: [1, 1],
  ArrayUnique: [1, 1],
  Base64Encode: [1, 1],
  Base64Decode: [1, 1],
  Hash: [2, 2],
  JsonMerge: [3, 3],
  JsonToString: [1, 1],
  StringToJson: [1, 1],
  MathAdd: [2, 2],
  MathRandom: [2, 3],
  StringSplit: [2, 2],
  UUID: [0, 0],
  Format: [1, Infinity],
};

// The service's own bound on calls within calls.
const DEEPEST = 10;

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  call(depth = 0): Call {
    if (depth > DEEPEST) this.fail(`more than ${DEEPEST} nested calls`);
    const name = /^States\.([A-Za-z0-9]+)\s*\(/.exec(this.text.slice(this.at));
    if (!name) return this.fail('expected a call such as States.Format(…)');
    const arity = Object.hasOwn(ARITY, name[1] as string) ? ARITY[name[1] as string] : undefined;
    if (!arity) return this.fail(`States.${name[1]} is not a function`);
    this.at += name[0].length;
    const given: Argument[] = [];
    this.space();
    if (!this.take(')')) {
      do {
        this.space();
        given.push(this.argument(depth));
        this.space();
      } while (this.take(','));
      if (!this.take(')')) this.fail('expected )');
    }
    if (given.length < arity[0] || given.length > arity[1]) {
      this.fail(`States.${name[1]} does not take ${given.length} arguments`);
    }
    return { name: name[1] as string, arguments: given };
  }

  end(): void {
    this.space();
    if (this.at < this.text.length) this.fail('unexpected text after the call');
  }

  private argument(depth: number): Argument {
    const rest = this.text.slice(this.at);
    if (rest.startsWith("'")) return this.string();
    if (rest.startsWith('$')) return { path: compilePath(this.pathText()) };
    if (rest.startsWith('States.')) return { call: this.call(depth + 1) };
    const literal = /^(?:true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])/.exec(rest)?.[0];
    if (literal === undefined) return this.fail('expected a string, number, path or call');
    this.at += literal.length;
    return { value: JSON.parse(literal) as Json };
  }

  /** A path ends at a comma or parenthesis outside of its own brackets and quotes. */
  private pathText(): string {
    const start = this.at;
    let open = 0;
    for (; this.at < this.text.length; this.at += 1) {
      const sign = this.text[this.at] as string;
      if (sign === "'" && open > 0) {
        const close = this.text.indexOf("'", this.at + 1);
        if (close < 0) this.fail('the quote is not closed');
        this.at = close;
      } else if (sign === '[' || sign === '(') open += 1;
      else if (sign === ']' || (sign === ')' && open > 0)) open -= 1;
      else if (open === 0 && (sign === ',' || sign === ')' || sign === ' ')) break;
    }
    return this.text.slice(start, this.at);
  }

  private string(): { value: string; pieces: readonly string[] } {
    this.at += 1;
    let value = '';
    const pieces = [''];
    const add = (text: string): void => {
      value += text;
      pieces.push((pieces.pop() as string) + text);
    };
    for (;;) {
      const sign = this.text[this.at];
      if (sign === undefined) return this.fail('the quote is not closed');
      this.at += 1;
      if (sign === "'") return { value, pieces };
      if (sign === '\\') {
        const escaped = this.text[this.at] ?? '';
        if (escaped === '' || !`'{}\\`.includes(escaped)) this.fail('only quote, braces and backslash can be escaped');
        add(escaped);
        this.at += 1;
      } else if (sign === '{' && this.text[this.at] === '}') {
        value += '{}';
        pieces.push('');
        this.at += 1;
      } else add(sign);
    }
  }

  private space(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at += 1;
  }

  private take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private fail(message: string): never {
    throw new IntrinsicSyntaxError(`Invalid intrinsic function '${this.text}': ${message} at position ${this.at}`);
  }
}
