import { BoundedRegExp, PatternStopped } from './bounded-regexp.ts';
import { type Env, isObject } from './env.ts';
import { runtimeFailure } from './failure.ts';
import type { Json } from './types.ts';

/**
 * JSONPath as the service reads it, with the Jayway library's semantics and words: a definite path gives
 * the one value or fails, an indefinite one (`*`, `..`, filters, slices, unions) gives an array, maybe empty.
 */
export type Path = {
  readonly text: string;
  /** `$` the state's data, `$$` the context object, or the name of a variable. */
  readonly root: { of: 'input' } | { of: 'context' } | { of: 'variable'; name: string };
  readonly definite: boolean;
  readonly steps: readonly Step[];
};

export type Step =
  | { kind: 'names'; names: readonly string[] }
  | { kind: 'indexes'; indexes: readonly number[] }
  | { kind: 'slice'; from: number | null; to: number | null }
  | { kind: 'all' }
  | { kind: 'deep' }
  | { kind: 'filter'; test: (item: Json, root: Json) => boolean }
  | { kind: 'call'; name: string };

/** The path is no JSONPath; `message` says where. */
export class PathSyntaxError extends Error {}

/** A definite path met nothing. */
export class PathMissing extends Error {
  /** What was missing: an element past the end of an array, at the very end of the path, is milder. */
  readonly atIndex: boolean;
  /** The names up to and with the one that was missing. */
  readonly step: string;

  constructor(message: string, { atIndex = false, step }: { atIndex?: boolean; step: string }) {
    super(message);
    this.atIndex = atIndex;
    this.step = step;
  }
}

/** True when the text is one path and nothing else (an intrinsic function is not). */
export const looksLikePath = (text: string): boolean => text.startsWith('$');

/** Reads a path: `$.a[0]`, `$$.Execution.Id`, `$variable.a`. Throws `PathSyntaxError`. */
export function compilePath(text: string): Path {
  const reader = new Reader(text);
  const path = reader.path();
  reader.end();
  return path;
}

/** The value at a path. Throws `PathMissing`. */
export function readPath(path: Path, env: Env): Json {
  return readFrom(path, rootOf(path, env));
}

/** What the path starts from. */
export function rootOf(path: Path, env: Env): Json {
  if (path.root.of === 'input') return env.input;
  if (path.root.of === 'context') return env.context();
  const value = env.variable(path.root.name);
  if (value === undefined) throw new PathMissing(`No results for path: ${path.text}`, { step: path.root.name });
  return value;
}

/** Applies the steps to a value. Throws `PathMissing`. */
export function readFrom(path: Path, root: Json): Json {
  const found = select(path.steps, 0, [root], root, path);
  if (!path.definite) return path.steps.at(-1)?.kind === 'call' ? (found[0] ?? null) : found;
  return found[0] as Json;
}

function select(steps: readonly Step[], index: number, values: Json[], root: Json, path: Path): Json[] {
  const step = steps[index];
  if (!step) return values;
  if (step.kind === 'deep') {
    const all: Json[] = [];
    for (const value of values) descend(value, all);
    return select(steps, index + 1, all, root, path);
  }
  if (step.kind === 'call') return [call(step.name, path.definite ? (values[0] as Json) : values)];
  // Upstream of a wildcard a missing member fails; downstream it is merely not there.
  const strict = steps.slice(0, index + 1).every(isDefinite);
  const next: Json[] = [];
  for (const value of values) {
    if (strict) next.push(exactly(step, value, steps, index, path));
    else next.push(...matches(step, value, root));
  }
  return select(steps, index + 1, next, root, path);
}

const isDefinite = (step: Step): boolean =>
  (step.kind === 'names' && step.names.length === 1) ||
  (step.kind === 'indexes' && step.indexes.length === 1) ||
  step.kind === 'call';

function exactly(step: Step, value: Json, steps: readonly Step[], index: number, path: Path): Json {
  const at = (): string => render(path.root, steps.slice(0, index + 1));
  const last = index === steps.length - 1;
  if (step.kind === 'names') {
    const name = step.names[0] as string;
    if (!isObject(value)) {
      const found = value === null ? 'null' : (JAVA_NAMES[Array.isArray(value) ? 'array' : typeof value] as string);
      throw new PathMissing(
        `Expected to find an object with property ['${name}'] in path ${render(path.root, steps.slice(0, index))} but found '${found}'. ` +
          `This is not a json object according to the JsonProvider: 'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.`,
        { step: name },
      );
    }
    if (Object.hasOwn(value, name)) return value[name] as Json;
    throw new PathMissing(
      last ? `No results for path: ${render(path.root, steps)}` : `Missing property in path ${at()}`,
      { step: name },
    );
  }
  const position = (step as { indexes: readonly number[] }).indexes[0] as number;
  if (!Array.isArray(value)) {
    throw new PathMissing(
      `Filter: [${position}] can only be applied to arrays. Current context is: ${JSON.stringify(value)}`,
      { step: String(position) },
    );
  }
  const item = value.at(position);
  if (item !== undefined) return item;
  throw new PathMissing(`No results for path: ${render(path.root, steps)}`, { atIndex: last, step: String(position) });
}

const JAVA_NAMES: Record<string, string> = {
  array: 'com.fasterxml.jackson.databind.node.ArrayNode',
  string: 'com.fasterxml.jackson.databind.node.TextNode',
  number: 'com.fasterxml.jackson.databind.node.NumericNode',
  boolean: 'com.fasterxml.jackson.databind.node.BooleanNode',
};

function matches(step: Step, value: Json, root: Json): Json[] {
  switch (step.kind) {
    case 'names':
      return isObject(value)
        ? step.names.filter((name) => Object.hasOwn(value, name)).map((name) => value[name] as Json)
        : [];
    case 'indexes':
      return Array.isArray(value) ? step.indexes.map((at) => value.at(at)).filter((item) => item !== undefined) : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from ?? 0, step.to ?? value.length) : [];
    case 'all':
      return Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    case 'filter': {
      const candidates = Array.isArray(value) ? value : isObject(value) ? [value] : [];
      return candidates.filter((item) => step.test(item, root));
    }
    default:
      return [];
  }
}

function descend(value: Json, into: Json[]): void {
  into.push(value);
  if (Array.isArray(value)) for (const item of value) descend(item, into);
  else if (isObject(value)) for (const item of Object.values(value)) descend(item, into);
}

function call(name: string, value: Json): Json {
  const numbers = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'number');
  switch (name) {
    case 'length':
      return Array.isArray(value)
        ? value.length
        : isObject(value)
          ? Object.keys(value).length
          : typeof value === 'string'
            ? value.length
            : null;
    case 'keys':
      return isObject(value) ? Object.keys(value) : null;
    case 'min':
      return numbers.length > 0 ? Math.min(...numbers) : null;
    case 'max':
      return numbers.length > 0 ? Math.max(...numbers) : null;
    case 'sum':
      return numbers.reduce((sum, number) => sum + number, 0);
    default:
      return numbers.length > 0 ? numbers.reduce((sum, number) => sum + number, 0) / numbers.length : null;
  }
}

const CALLS = new Set(['length', 'keys', 'min', 'max', 'sum', 'avg']);

/** The path as Jayway prints it: `$['a'][0]`. */
function render(root: Path['root'], steps: readonly Step[]): string {
  const head = root.of === 'variable' ? `$${root.name}` : '$';
  return (
    head +
    steps
      .map((step) => {
        switch (step.kind) {
          case 'names':
            return `[${step.names.map((name) => `'${name}'`).join(',')}]`;
          case 'indexes':
            return `[${step.indexes.join(',')}]`;
          case 'slice':
            return `[${step.from ?? ''}:${step.to ?? ''}]`;
          case 'all':
            return '[*]';
          case 'deep':
            return '..';
          case 'filter':
            return '[?]';
          default:
            return `.${step.name}()`;
        }
      })
      .join('')
  );
}

const NAME = /[^\s.[\]()'",=<>!&|?@*:]/u;
const IDENTIFIER = /^[\p{ID_Start}_][\p{ID_Continue}]*/u;

type Operand = (item: Json, root: Json) => Json | undefined;

/** A hand-written reader: the grammar is small, and a library would bring its own semantics. */
class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  path(): Path {
    this.expect('$');
    let root: Path['root'] = { of: 'input' };
    if (this.take('$')) root = { of: 'context' };
    else {
      const name = IDENTIFIER.exec(this.text.slice(this.at))?.[0];
      if (name) {
        this.at += name.length;
        root = { of: 'variable', name };
      }
    }
    const steps = this.steps();
    return { text: this.text, root, steps, definite: steps.every(isDefinite) };
  }

  end(): void {
    if (this.at < this.text.length) this.fail('unexpected character');
  }

  private steps(): Step[] {
    const steps: Step[] = [];
    for (;;) {
      if (this.take('..')) {
        steps.push({ kind: 'deep' });
        if (this.peek() !== '[') steps.push(this.member());
      } else if (this.take('.')) {
        if (this.peek() === '[') continue;
        steps.push(this.member());
      } else if (this.peek() === '[') steps.push(this.bracket());
      else return steps;
    }
  }

  private member(): Step {
    if (this.take('*')) return { kind: 'all' };
    let name = '';
    while (this.at < this.text.length && NAME.test(this.peek())) name += this.next();
    if (name === '') this.fail('expected a name');
    if (CALLS.has(name) && this.take('()')) return { kind: 'call', name };
    return { kind: 'names', names: [name] };
  }

  private bracket(): Step {
    this.expect('[');
    this.space();
    let step: Step;
    if (this.take('*')) step = { kind: 'all' };
    else if (this.take('?')) {
      this.space();
      this.expect('(');
      const test = this.or();
      this.space();
      this.expect(')');
      step = { kind: 'filter', test: (item, root) => truthy(test(item, root)) };
    } else if (this.peek() === "'" || this.peek() === '"') {
      const names = [this.string()];
      this.space();
      while (this.take(',')) {
        this.space();
        names.push(this.string());
        this.space();
      }
      step = { kind: 'names', names };
    } else step = this.numbers();
    this.space();
    this.expect(']');
    return step;
  }

  private numbers(): Step {
    const first = this.integer();
    this.space();
    if (this.take(':')) {
      this.space();
      return { kind: 'slice', from: first, to: this.integer() };
    }
    if (first === null) this.fail('expected an index');
    const indexes = [first as number];
    while (this.take(',')) {
      this.space();
      indexes.push(this.integer() ?? this.fail('expected an index'));
      this.space();
    }
    return { kind: 'indexes', indexes };
  }

  private integer(): number | null {
    const digits = /^-?\d+/.exec(this.text.slice(this.at))?.[0];
    if (digits === undefined) return null;
    this.at += digits.length;
    return Number(digits);
  }

  private or(): Operand {
    let left = this.and();
    for (this.space(); this.take('||'); this.space()) {
      const [a, b] = [left, this.and()];
      left = (item, root) => truthy(a(item, root)) || truthy(b(item, root));
    }
    return left;
  }

  private and(): Operand {
    let left = this.not();
    for (this.space(); this.take('&&'); this.space()) {
      const [a, b] = [left, this.not()];
      left = (item, root) => truthy(a(item, root)) && truthy(b(item, root));
    }
    return left;
  }

  private not(): Operand {
    this.space();
    if (this.take('!')) {
      const inner = this.not();
      return (item, root) => !truthy(inner(item, root));
    }
    if (this.take('(')) {
      const inner = this.or();
      this.space();
      this.expect(')');
      return inner;
    }
    return this.comparison();
  }

  private comparison(): Operand {
    const left = this.operand();
    this.space();
    const sign = /^(==|!=|<=|>=|<|>|=~|in\b|nin\b)/.exec(this.text.slice(this.at))?.[0];
    // A path alone asks whether it is there.
    if (sign === undefined) return (item, root) => left(item, root) !== undefined;
    this.at += sign.length;
    this.space();
    if (sign === '=~') {
      const pattern = this.pattern();
      return (item, root) => {
        const value = left(item, root);
        return typeof value === 'string' && this.search(pattern, value);
      };
    }
    const right = this.operand();
    return (item, root) => compareBy(sign, left(item, root), right(item, root));
  }

  private operand(): Operand {
    this.space();
    const sign = this.peek();
    if (sign === '@' || sign === '$') {
      this.at += 1;
      const steps = this.steps();
      const path: Path = { text: '', root: { of: 'input' }, steps, definite: steps.every(isDefinite) };
      return (item, root) => {
        try {
          return readFrom(path, sign === '@' ? item : root);
        } catch (error) {
          if (error instanceof PathMissing) return undefined;
          throw error;
        }
      };
    }
    if (sign === "'" || sign === '"') {
      const value = this.string();
      return () => value;
    }
    const token = /^(?:\[[^\]]*\]|[^\s)&|=<>!]+)/.exec(this.text.slice(this.at))?.[0];
    if (token === undefined) return this.fail('expected a value');
    this.at += token.length;
    try {
      const value = JSON.parse(token.replaceAll("'", '"')) as Json;
      return () => value;
    } catch {
      return this.fail(`${token} is not a value`);
    }
  }

  private search(pattern: RegExp, value: string): boolean {
    try {
      return pattern.test(value);
    } catch (error) {
      if (!(error instanceof PatternStopped)) throw error;
      throw runtimeFailure(`Invalid path '${this.text}' : the pattern ${pattern} was stopped: ${error.message}`);
    }
  }

  private pattern(): RegExp {
    const found = /^\/((?:\\.|[^/\\])*)\/([a-z]*)/.exec(this.text.slice(this.at));
    if (!found) return this.fail('expected a pattern');
    this.at += found[0].length;
    try {
      return new BoundedRegExp(`^(?:${found[1]})$`, found[2]);
    } catch {
      return this.fail('the pattern is not valid');
    }
  }

  private string(): string {
    const quote = this.next();
    if (quote !== "'" && quote !== '"') return this.fail('expected a quoted name');
    let value = '';
    for (;;) {
      if (this.at >= this.text.length) this.fail('the quote is not closed');
      const sign = this.next();
      if (sign === quote) return value;
      value += sign === '\\' ? this.next() : sign;
    }
  }

  private space(): void {
    while (this.peek() === ' ') this.at += 1;
  }

  private peek(): string {
    return this.text[this.at] ?? '';
  }

  private next(): string {
    const sign = this.peek();
    this.at += 1;
    return sign;
  }

  private take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  private expect(text: string): void {
    if (!this.take(text)) this.fail(`expected ${text}`);
  }

  private fail(message: string): never {
    throw new PathSyntaxError(`Invalid path '${this.text}': ${message} at position ${this.at}`);
  }
}

const truthy = (value: Json | undefined): boolean => value !== undefined && value !== false && value !== null;

function compareBy(sign: string, a: Json | undefined, b: Json | undefined): boolean {
  switch (sign) {
    case '==':
      return a !== undefined && same(a, b);
    case '!=':
      return !(a !== undefined && same(a, b));
    case 'in':
      return Array.isArray(b) && a !== undefined && b.some((item) => same(item, a));
    case 'nin':
      return Array.isArray(b) && a !== undefined && !b.some((item) => same(item, a));
    default: {
      const comparable =
        (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
      if (!comparable) return false;
      const [left, right] = [a as number, b as number];
      if (sign === '<') return left < right;
      if (sign === '<=') return left <= right;
      return sign === '>' ? left > right : left >= right;
    }
  }
}

/** Deep equality of JSON values; the order of keys does not matter. */
export function same(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => same(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}
