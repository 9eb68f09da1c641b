import ipaddr from 'ipaddr.js';
import { SluiceError } from '../../shared/errors.ts';

/**
 * Compiles an EventBridge event pattern.
 *
 * Semantics of the service (its matcher is open: aws/event-ruler): fields are anded, the values of an array ored; an
 * event's array matches by any element; fields under one array of objects must match within one element; `a.b` names
 * the same field as `a: {b}`; `exists` asks for leaves only.
 *
 * @param pattern the pattern, as an object or as its text, at most 2,048 characters
 * @returns a predicate over the whole event (a parsed object); it throws nothing
 * @throws SluiceError `Pattern.Invalid` with the service's reason and, in `fields`, the place
 */
export function compilePattern(pattern: unknown): (event: unknown) => boolean {
  const text = typeof pattern === 'string' ? pattern : JSON.stringify(pattern);
  if (text === undefined || text.length > LONGEST)
    throw invalid(`Event pattern is longer than ${LONGEST} characters`, '');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw invalid('Invalid JSON', '');
  }
  if (!isObject(parsed)) throw invalid('Filter is not an object', '');
  const rules = readObject(parsed, [], '', [[]], false);
  return (event) => rules.some((rule) => matches(rule, event));
}

const LONGEST = 2048;
/** `$or` multiplies alternatives; the service refuses more than this too. */
const MOST_RULES = 1000;

type Scalar = string | number | boolean | null;
/** Whether one value of the field suits. `absent` is a test of the whole event instead. */
type Matcher = ((value: Scalar) => boolean) | typeof ABSENT;
type Field = { path: readonly string[]; matchers: readonly ((value: Scalar) => boolean)[]; absent: boolean };
/** One alternative of a pattern: all of its fields. */
type Rule = Field[];

const ABSENT = Symbol('absent');

// ---- reading a pattern

function invalid(reason: string, pointer: string): SluiceError {
  return new SluiceError(
    'Pattern.Invalid',
    `Event pattern is not valid. Reason: ${reason}${pointer && `\n at ${pointer}`}`,
    {
      hint: 'correct the pattern at the place named',
      fields: [{ pointer, detail: reason }],
    },
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Names that would be taken for operators inside `$or`. */
const RESERVED = new Set([
  'exactly',
  'prefix',
  'suffix',
  'equals-ignore-case',
  'anything-but',
  'numeric',
  'exists',
  'cidr',
  'wildcard',
]);

function readObject(
  fields: Record<string, unknown>,
  path: readonly string[],
  pointer: string,
  rules: readonly Rule[],
  withinOr: boolean,
): readonly Rule[] {
  const entries = Object.entries(fields);
  if (entries.length === 0) throw invalid('Empty objects are not allowed', pointer);
  let made = rules;
  for (const [name, value] of entries) {
    const at = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (name === '$or') {
      made = readOr(value, path, at, made);
      continue;
    }
    if (withinOr && RESERVED.has(name)) {
      throw invalid(`${name} is Ruler reserved fieldName which cannot be used inside $or.`, at);
    }
    const below = [...path, ...name.split('.')];
    if (isObject(value)) made = readObject(value, below, at, made, withinOr);
    else if (Array.isArray(value)) {
      const field = readValues(value, below, at);
      // The last word on a field holds, as in the service's own map of fields.
      made = made.map((rule) => [...rule.filter(({ path: other }) => other.join('.') !== below.join('.')), field]);
    } else throw invalid(`"${name}" must be an object or an array`, at);
  }
  return made;
}

function readOr(value: unknown, path: readonly string[], pointer: string, rules: readonly Rule[]): readonly Rule[] {
  if (!Array.isArray(value)) throw invalid('It must be an Array followed with $or.', pointer);
  if (value.some((item) => !isObject(item))) {
    throw invalid('Only JSON object is allowed in array of $or relationship.', pointer);
  }
  if (value.length < 2) throw invalid('There must have at least 2 Objects in $or relationship.', pointer);
  const made = value.flatMap((item: Record<string, unknown>, index) =>
    readObject(item, path, `${pointer}/${index}`, rules, true),
  );
  if (made.length > MOST_RULES)
    throw invalid(`Rule is too complex: $or makes more than ${MOST_RULES} alternatives`, pointer);
  return made;
}

function readValues(values: readonly unknown[], path: readonly string[], pointer: string): Field {
  if (values.length === 0) throw invalid('Empty arrays are not allowed', pointer);
  const matchers = values.map((value, index) => readValue(value, `${pointer}/${index}`));
  return {
    path,
    matchers: matchers.filter((matcher) => matcher !== ABSENT),
    absent: matchers.includes(ABSENT),
  };
}

function readValue(value: unknown, pointer: string): Matcher {
  if (isObject(value)) return readOperator(value, pointer);
  if (Array.isArray(value)) throw invalid('Match value must be String, number, true, false, or null', pointer);
  return (given) => given === value;
}

function readOperator(expression: Record<string, unknown>, pointer: string): Matcher {
  const [entry, ...more] = Object.entries(expression);
  if (!entry) throw invalid('Match expression name not found', pointer);
  const [name, value] = entry;
  const operator = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined;
  if (!operator) throw invalid(`Unrecognized match type ${name}`, pointer);
  if (more.length > 0) throw invalid('Only one key allowed in match expression', pointer);
  return operator(value, `${pointer}/${name}`);
}

const OPERATORS: Record<string, ((value: unknown, pointer: string) => Matcher) | undefined> = {
  exactly: (value, pointer) => {
    const text = string(value, 'exact match pattern must be a string', pointer);
    return (given) => given === text;
  },
  prefix: (value, pointer) => affix(value, 'prefix', pointer),
  suffix: (value, pointer) => affix(value, 'suffix', pointer),
  'equals-ignore-case': (value, pointer) => {
    const text = string(value, 'equals-ignore-case match pattern must be a string', pointer).toLowerCase();
    return (given) => typeof given === 'string' && given.toLowerCase() === text;
  },
  wildcard: (value, pointer) => wildcard(string(value, 'wildcard match pattern must be a string', pointer), pointer),
  numeric: (value, pointer) => {
    if (!Array.isArray(value)) throw invalid('Value of numeric must be an array.', pointer);
    const test = numeric(value, pointer);
    return (given) => typeof given === 'number' && test(given);
  },
  exists: (value, pointer) => {
    if (typeof value !== 'boolean') throw invalid('exists match pattern must be either true or false.', pointer);
    return value ? () => true : ABSENT;
  },
  cidr: (value, pointer) => cidr(string(value, 'prefix match pattern must be a string', pointer), pointer),
  'anything-but': anythingBut,
};

function string(value: unknown, reason: string, pointer: string): string {
  if (typeof value !== 'string') throw invalid(reason, pointer);
  return value;
}

type Test = (value: Scalar) => boolean;

function affix(value: unknown, side: 'prefix' | 'suffix', pointer: string): Test {
  if (isObject(value)) {
    const [[name, inner] = [undefined, undefined], ...more] = Object.entries(value);
    if (name !== 'equals-ignore-case') throw invalid(`Unsupported ${side} pattern: ${name ?? ''}`, pointer);
    if (more.length > 0) throw invalid('Only one key allowed in match expression', pointer);
    const text = string(inner, 'equals-ignore-case match pattern must be a string', pointer).toLowerCase();
    return (given) => typeof given === 'string' && ends(given.toLowerCase(), text, side);
  }
  const text = string(value, `${side} match pattern must be a string`, pointer);
  return (given) => typeof given === 'string' && ends(given, text, side);
}

const ends = (given: string, text: string, side: 'prefix' | 'suffix'): boolean =>
  side === 'prefix' ? given.startsWith(text) : given.endsWith(text);

function wildcard(pattern: string, pointer: string): Test {
  const pieces = readWildcard(pattern, pointer);
  if (isTooComplex(pieces)) {
    throw invalid(
      'Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character',
      pointer,
    );
  }
  const [head, ...rest] = pieces as [string, ...string[]];
  if (rest.length === 0) return (given) => given === head;
  const tail = rest.pop() as string;
  return (given) => {
    if (typeof given !== 'string' || !given.startsWith(head) || !given.endsWith(tail)) return false;
    const end = given.length - tail.length;
    let at = head.length;
    for (const piece of rest) {
      const found = given.indexOf(piece, at);
      if (found < 0) return false;
      at = found + piece.length;
    }
    return at <= end;
  };
}

/** The text between the stars. `*` is any run of characters; a backslash takes `*` or `\` as itself. */
function readWildcard(pattern: string, pointer: string): string[] {
  const pieces: string[] = [''];
  for (let at = 0; at < pattern.length; at += 1) {
    const sign = pattern[at] as string;
    if (sign === '*') {
      if (pattern[at + 1] === '*') throw invalid(`Consecutive wildcard characters at pos ${at}`, pointer);
      pieces.push('');
      continue;
    }
    if (sign === '\\') {
      at += 1;
      if (pattern[at] !== '*' && pattern[at] !== '\\')
        throw invalid(`Invalid escape character at pos ${at - 1}`, pointer);
    }
    pieces.push((pieces.pop() as string) + (pattern[at] as string));
  }
  return pieces;
}

/**
 * Whether the service's automaton would have too many places to be in at once.
 *
 * Its bound is not published. This one accepts and refuses what the service was seen to: it counts the places that
 * some text can reach together, a star twice, since it may stay or go on.
 */
function isTooComplex(pieces: readonly string[]): boolean {
  const signs = pieces.flatMap((piece, index) => (index === 0 ? [...piece] : ['*', ...piece]));
  // A text's letters move the places on; any other letter only leaves the stars.
  const letters = new Set(signs.filter((sign) => sign !== '*'));
  const close = (places: number[]): number[] => [
    ...new Set(places.flatMap((place) => (signs[place] === '*' ? [place, place + 1] : [place]))),
  ];
  const seen = new Set<string>();
  const open = [close([0])];
  for (let places = open.pop(); places; places = open.pop()) {
    const key = places.toSorted((a, b) => a - b).join();
    if (seen.has(key)) continue;
    seen.add(key);
    const stars = places.filter((place) => signs[place] === '*').length;
    if (stars + places.length > MOST_PLACES || seen.size > MOST_STEPS) return true;
    for (const letter of letters) {
      const next = places.flatMap((place) =>
        signs[place] === '*' ? [place] : signs[place] === letter ? [place + 1] : [],
      );
      if (next.length > 0) open.push(close(next));
    }
  }
  return false;
}

const MOST_PLACES = 15;
const MOST_STEPS = 2000;

/** The service compares numbers within ±5e9 only. */
const LARGEST = 5e9;

function numeric(terms: readonly unknown[], pointer: string): (value: number) => boolean {
  const [operator, first, ...rest] = terms;
  if (typeof operator !== 'string')
    throw invalid(`Invalid member in numeric match: ${JSON.stringify(operator)}`, pointer);
  const number = (value: unknown, sign: string): number => {
    if (typeof value !== 'number') throw invalid(`Value of ${sign === '=' ? 'equals' : sign} must be numeric`, pointer);
    if (Math.abs(value) > LARGEST)
      throw invalid(`Value must be between -${LARGEST} and ${LARGEST}, inclusive`, pointer);
    return value;
  };
  const compare = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator] : undefined;
  if (!compare) throw invalid(`Unrecognized numeric range operator: ${operator}`, pointer);
  const bound = number(first, operator);
  if (rest.length === 0) return (value) => compare(value, bound);
  // Only a lower bound may be followed, by an upper one.
  if (!operator.startsWith('>')) throw invalid('Too many elements in numeric expression', pointer);
  const [second, last, ...excess] = rest;
  if (typeof second !== 'string') throw invalid(`Bad value in numeric range: ${JSON.stringify(second)}`, pointer);
  if (second !== '<' && second !== '<=') throw invalid(`Bad numeric range operator: ${second}`, pointer);
  const top = number(last, second);
  if (excess.length > 0) throw invalid('Too many terms in numeric range expression', pointer);
  if (bound >= top) throw invalid('Bottom must be less than top', pointer);
  const below = COMPARISONS[second] as (a: number, b: number) => boolean;
  return (value) => compare(value, bound) && below(value, top);
}

const COMPARISONS: Record<string, ((a: number, b: number) => boolean) | undefined> = {
  '=': (a, b) => a === b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
};

function cidr(text: string, pointer: string): Test {
  const [address, bits, ...more] = text.split('/');
  if (address === undefined || bits === undefined || more.length > 0) {
    throw invalid("Malformed CIDR, one '/' required", pointer);
  }
  if (!/^\d+$/.test(bits)) throw invalid('Malformed CIDR, mask bits must be an integer', pointer);
  if (!isAddress(address)) throw invalid(`Nonstandard IP address: ${address}`, pointer);
  const base = ipaddr.parse(address);
  const width = base.kind() === 'ipv4' ? 32 : 128;
  const mask = Number(bits);
  if (mask >= width) throw invalid(`IPv${width === 32 ? 4 : 6} mask bits must be < ${width}`, pointer);
  return (given) => {
    if (typeof given !== 'string' || !isAddress(given)) return false;
    const parsed = ipaddr.parse(given);
    return parsed.kind() === base.kind() && parsed.match(base, mask);
  };
}

// ipaddr.js also reads 127.1 and octal, which the service does not.
const isAddress = (text: string): boolean => ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);

/** Suits every value but those named, of whatever type; what is missing does not suit. */
function anythingBut(value: unknown, pointer: string): Test {
  if (isObject(value)) {
    const [[name, inner] = [undefined, undefined], ...more] = Object.entries(value);
    const operator = name !== undefined && BUT.has(name) ? OPERATORS[name] : undefined;
    if (!operator) throw invalid(`Unsupported anything-but pattern: ${name ?? ''}`, pointer);
    if (more.length > 0) throw invalid('Only one key allowed in match expression', pointer);
    const at = `${pointer}/${name}`;
    const list = Array.isArray(inner) ? inner : [inner];
    if (list.length === 0) throw invalid('Empty arrays are not allowed', at);
    const tests = list.map((item) => {
      if (isObject(item)) throw invalid(ONE_OR_LIST, at);
      if (typeof item !== 'string') {
        throw invalid(
          name === 'equals-ignore-case'
            ? `Inside anything-but/${name} list, number|start|null|boolean is not supported.`
            : `${name === 'wildcard' ? name : 'prefix/suffix'} match pattern must be a string`,
          at,
        );
      }
      if (item === '' && (name === 'prefix' || name === 'suffix')) throw invalid('Null prefix/suffix not allowed', at);
      return operator(item, at) as Test;
    });
    return (given) => !tests.some((test) => test(given));
  }
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!Array.isArray(value) && typeof value !== 'string' && typeof value !== 'number') {
    throw invalid(ONE_OR_LIST, pointer);
  }
  const types = new Set(list.map((item) => typeof item));
  if (list.some((item) => typeof item !== 'string' && typeof item !== 'number')) {
    throw invalid('Inside anything but list, start|null|boolean is not supported.', pointer);
  }
  if (types.size !== 1) {
    throw invalid(
      'Inside anything but list, either all values are number or string, mixed type is not supported',
      pointer,
    );
  }
  const named = new Set<unknown>(list);
  return (given) => !named.has(given);
}

const ONE_OR_LIST = 'Value of anything-but must be an array or single string/number value.';
const BUT = new Set(['prefix', 'suffix', 'equals-ignore-case', 'wildcard']);

// ---- matching an event

/** Which element of which array a value was found in, innermost first. */
type Place = { array: readonly unknown[]; index: number; outer: Place } | null;

function matches(rule: Rule, event: unknown): boolean {
  let places: Place[][] | undefined;
  for (const { path, matchers, absent } of rule) {
    const found: Place[] = [];
    const state = { seen: false };
    collect(event, path, 0, null, (value, place) => {
      state.seen = true;
      if (matchers.some((matcher) => matcher(value))) found.push(place);
    });
    if (found.length === 0) {
      // Absence is a matter of the whole event, not of one element.
      if (absent && !state.seen) continue;
      return false;
    }
    // Only places within arrays of objects can contradict each other.
    if (!found.includes(null)) (places ??= []).push(found);
  }
  return !places || places.length === 1 || consistent(places, 0, []);
}

/** Visits the leaves at a path: through objects by name, through arrays by every element. */
function collect(
  value: unknown,
  path: readonly string[],
  from: number,
  place: Place,
  visit: (value: Scalar, place: Place) => void,
): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const item: unknown = value[index];
      collect(item, path, from, isObject(item) ? { array: value, index, outer: place } : place, visit);
    }
    return;
  }
  if (from === path.length) {
    if (!isObject(value) && value !== undefined) visit(value as Scalar, place);
    return;
  }
  if (!isObject(value)) return;
  // A name with dots in it is the same field as the names nested.
  let name = path[from] as string;
  for (let to = from + 1; ; to += 1) {
    if (Object.hasOwn(value, name)) collect(value[name], path, to, place, visit);
    if (to === path.length) return;
    name = `${name}.${path[to]}`;
  }
}

/** One place a field, so that no two of them are in different elements of one array. */
function consistent(fields: readonly (readonly Place[])[], at: number, chosen: readonly Place[]): boolean {
  const places = fields[at];
  if (!places) return true;
  return places.some(
    (place) => chosen.every((other) => agree(place, other)) && consistent(fields, at + 1, [...chosen, place]),
  );
}

function agree(a: Place, b: Place): boolean {
  for (let one = a; one; one = one.outer) {
    for (let two = b; two; two = two.outer) {
      if (one.array === two.array && one.index !== two.index) return false;
    }
  }
  return true;
}
