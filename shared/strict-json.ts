import { SluiceError } from './errors.ts';

const MAX_DEPTH = 32;

/**
 * `JSON.parse` for what strangers send: refuses what parsers read differently, or what poisons objects.
 *
 * That is duplicate keys, a key `__proto__`, a `constructor` with a `prototype` in it, nesting deeper than 32, and in strings
 * and keys NUL and lone surrogates, escaped too. Throws `Request.Malformed` with line and column. What it takes has the value
 * that `JSON.parse` gives it.
 */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw fault(text, placeOfSyntaxFault(text), 'is no JSON', 'send well-formed JSON', cause);
  }
  if (typeof value === 'object' || typeof value === 'string') scan(text);
  return value;
}

type Open = { keys: Set<string> | undefined; parentKey: string | undefined };

/** One pass over text that `JSON.parse` took: it need not doubt the grammar. */
function scan(text: string): void {
  const open: Open[] = [];
  let top: Open | undefined;
  let key: string | undefined;
  let expectsKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22 /* " */) {
      const start = at;
      const end = endOfString(text, at);
      const string = stringAt(text, start, end);
      at = end - 1;
      if (!expectsKey || !top?.keys) continue;
      if (top.keys.has(string)) throw fault(text, start, 'repeats a key of its object', 'send each key once');
      if (string === '__proto__' || (string === 'prototype' && top.parentKey === 'constructor')) {
        throw fault(text, start, `has the key ${string}, which no field of ours has`, 'leave it out');
      }
      top.keys.add(string);
      key = string;
      expectsKey = false;
    } else if (code === 0x7b /* { */ || code === 0x5b /* [ */) {
      if (open.length === MAX_DEPTH) {
        throw fault(text, at, `nests deeper than ${MAX_DEPTH}`, 'send the documented fields, none nests as deep');
      }
      expectsKey = code === 0x7b;
      top = { keys: expectsKey ? new Set() : undefined, parentKey: key };
      key = undefined;
      open.push(top);
    } else if (code === 0x7d /* } */ || code === 0x5d /* ] */) {
      open.pop();
      top = open.at(-1);
      expectsKey = false;
      key = undefined;
    } else if (code === 0x2c /* , */) {
      expectsKey = top?.keys !== undefined;
      key = undefined;
    }
  }
}

/** The place after the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code === 0x5c) at++;
  }
  return text.length;
}

function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  const string = raw.includes('\\') ? (JSON.parse(text.slice(start, end)) as string) : raw;
  if (!string.isWellFormed()) {
    throw fault(text, start, 'has half of a character (a lone surrogate) in a string', 'send well-formed Unicode');
  }
  if (string.includes('\0')) throw fault(text, start, 'has NUL in a string', 'leave it out');
  return string;
}

function fault(text: string, at: number, what: string, hint: string, cause?: unknown): SluiceError {
  const line = text.slice(0, at).split('\n').length;
  const column = at - text.lastIndexOf('\n', at - 1);
  // Without JSON.parse's own message: that quotes what was sent.
  return new SluiceError('Request.Malformed', `The body ${what}, at line ${line}, column ${column}`, { hint, cause });
}

const TOKEN =
  /[\t\n\r ]*(?:("(?:[^"\\\u0000-\u001F]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([{}[\],:]))/y; // oxlint-disable-line no-control-regex

/** Where the first token stands that JSON does not allow; V8 tells it only for some faults. */
function placeOfSyntaxFault(text: string): number {
  const closers: string[] = [];
  let allowed = 'v'; // v a value, k a key, : , and closers as themselves; E the end
  TOKEN.lastIndex = 0;
  for (;;) {
    const from =
      TOKEN.lastIndex + (/^[\t\n\r ]*/.exec(text.slice(TOKEN.lastIndex, TOKEN.lastIndex + 1000))?.[0].length ?? 0);
    const token = TOKEN.exec(text);
    if (!token) return from;
    const [, string, scalar, punctuation = ''] = token;
    const after = closers.length > 0 ? `,${closers.at(-1)}` : 'E';
    if (string !== undefined && allowed.includes('k')) allowed = ':';
    else if ((string ?? scalar) !== undefined && allowed.includes('v')) allowed = after;
    else if ((punctuation === '{' || punctuation === '[') && allowed.includes('v')) {
      closers.push(punctuation === '{' ? '}' : ']');
      allowed = punctuation === '{' ? 'k}' : 'v]';
    } else if (punctuation !== '' && allowed.includes(punctuation)) {
      if (punctuation === ':') allowed = 'v';
      else if (punctuation === ',') allowed = closers.at(-1) === '}' ? 'k' : 'v';
      else {
        closers.pop();
        allowed = closers.length > 0 ? `,${closers.at(-1)}` : 'E';
      }
    } else return from;
  }
}
