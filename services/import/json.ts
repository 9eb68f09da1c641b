import { type Skipped, skipped } from './record.ts';
import { countLines } from './text.ts';

/** Where the elements of a JSON document stand. */
export type JsonShape = {
  /**
   * `elements`: a top-level array's elements, or values one after the other (JSON Lines), whole.
   * `members`: a top-level object; arrays among its members are opened and their elements handed over.
   */
  root: 'elements' | 'members';
  /** Objects to look into for such arrays (`members` only). */
  through?: ReadonlySet<string>;
};

/** `name` is the member that held the array, or the member itself where it is no array; empty for `elements`. */
export type JsonElement = { kind: 'element'; name: string; value: unknown; line: number };

/** An element longer than this many characters is taken as broken. */
const ELEMENT_LIMIT = 16 * 1024 * 1024;
const DEPTH_LIMIT = 256;
/** How often a broken element is searched for the next whole one inside it; then it is passed over whole. */
const SEARCH_LIMIT = 256;

/** After a line end or a comma, an object with its first name. */
const NEXT_OBJECT = /(?:\}\s{0,64},|\n,?)\s{0,64}(?=\{\s{0,64}")/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;

/**
 * Streams the elements of a JSON document without holding it.
 *
 * The splitter only matches brackets and quotes; each element is parsed alone. One that cannot be parsed is reported by
 * its line, and reading goes on where the next object seems to begin. Cutting a file costs the element cut.
 */
export async function* jsonElements(
  pieces: AsyncIterable<string>,
  shape: JsonShape,
): AsyncGenerator<JsonElement | Skipped> {
  let text = '';
  let at = 0; // next character to look at
  let counted = 0; // line ends before here are counted
  let line = 1; // of `text[counted]`
  let searches = 0;
  let ended = false;
  const source = pieces[Symbol.asyncIterator]();

  /** The line of an index; indexes mostly grow, so that each line end is counted once. */
  const lineOf = (index: number): number => {
    if (index < counted) return line - countLines(text.slice(index, counted), counted - index);
    for (let end = text.indexOf('\n', counted); end !== -1 && end < index; end = text.indexOf('\n', end + 1)) line++;
    counted = index;
    return line;
  };

  /** Appends a piece; what lies before `keep` is forgotten. Answers how far indexes moved, or -1 at the end. */
  const more = async (keep: number): Promise<number> => {
    if (ended) return -1;
    const next = await source.next();
    if (next.done) {
      ended = true;
      return -1;
    }
    lineOf(keep);
    text = text.slice(keep) + next.value;
    counted -= keep;
    at -= keep;
    return keep;
  };

  /** The next character that is no blank, or undefined at the end. */
  const peek = async (): Promise<string | undefined> => {
    for (;;) {
      for (; at < text.length; at++) {
        const c = text.charCodeAt(at);
        if (c !== 0x20 && c !== NEWLINE && c !== 0x0d && c !== 0x09) return text[at];
      }
      if ((await more(at)) === -1) return undefined;
    }
  };

  /** Moves `at` past the value that begins there; answers its text and fault. Bounded by ELEMENT_LIMIT. */
  const take = async (): Promise<{ start: number; fault?: string }> => {
    let start = at;
    let depth = 0;
    let inString = false;
    let newline = -2; // the next line end, looked for once
    for (;;) {
      for (; at < text.length; at++) {
        if (inString) {
          // Most characters stand in strings: jump to what ends one.
          const quote = text.indexOf('"', at);
          if (newline < at && newline !== -1) newline = text.indexOf('\n', at);
          if (newline !== -1 && (quote === -1 || newline < quote)) {
            at = newline;
            return { start, fault: 'a text is not closed at the end of its line' };
          }
          if (quote === -1) break; // looked at again with more
          let escapes = 0;
          while (quote - escapes > at && text.charCodeAt(quote - escapes - 1) === BACKSLASH) escapes++;
          at = quote;
          if (escapes % 2 === 1) continue;
          inString = false;
          if (depth > 0) continue;
          at++;
          return { start };
        }
        const c = text.charCodeAt(at);
        if (c === QUOTE) inString = true;
        else if (c === 0x7b || c === 0x5b) {
          if (++depth > DEPTH_LIMIT) return { start, fault: `it is nested deeper than ${DEPTH_LIMIT}` };
        } else if (c === 0x7d || c === 0x5d) {
          if (depth === 0) return { start }; // the end of what is around a number or word
          if (--depth === 0) {
            at++;
            return { start };
          }
        } else if (depth === 0 && (c === 0x2c || c === 0x20 || c === NEWLINE || c === 0x0d)) return { start };
      }
      if (text.length - start > ELEMENT_LIMIT)
        return { start, fault: `there is no end to it within ${ELEMENT_LIMIT} characters` };
      const moved = await more(start);
      newline = -2;
      if (moved === -1) {
        const bare = depth === 0 && !inString;
        at = text.length;
        return bare ? { start } : { start, fault: 'the file ends before it does' };
      }
      start -= moved;
    }
  };

  /** Reads one value into `found`, or reports it and finds the next place to go on from. */
  const value = async function* (name: string): AsyncGenerator<JsonElement | Skipped> {
    const { start, fault } = await take();
    const at0 = lineOf(start);
    const raw = text.slice(start, at);
    let reason = fault;
    if (reason === undefined) {
      try {
        yield { kind: 'element', name, value: JSON.parse(raw) as unknown, line: at0 };
        return;
      } catch (cause) {
        reason = (cause as Error).message.split('\n')[0]!.slice(0, 160);
      }
    }
    yield skipped(at0, `The record that begins here cannot be read: ${reason.replace(/[.\s]+$/, '')}.`);
    if (++searches <= SEARCH_LIMIT) {
      // Inside what was taken, another record may begin.
      const next = new RegExp(NEXT_OBJECT, 'g');
      next.lastIndex = start + 1;
      const hit = next.exec(text.slice(0, Math.max(at, start + 1)));
      if (hit !== null) {
        at = hit.index + hit[0].length;
        return;
      }
    }
    if (fault !== undefined) await resume();
  };

  /** After a fault without an end: forward to where an object begins a line or follows another. */
  const resume = async (): Promise<void> => {
    const next = new RegExp(NEXT_OBJECT, 'g');
    for (;;) {
      next.lastIndex = at;
      const hit = next.exec(text);
      if (hit !== null) {
        at = hit.index + hit[0].length;
        return;
      }
      at = Math.max(at, text.length - 200);
      if ((await more(at)) === -1) {
        at = text.length;
        return;
      }
    }
  };

  /** The elements of an array whose bracket was read. */
  const elements = async function* (name: string): AsyncGenerator<JsonElement | Skipped> {
    for (;;) {
      const c = await peek();
      if (c === undefined) {
        yield skipped(lineOf(at), 'The file ends before its list does; there may have been more.');
        return;
      }
      if (c === ']') {
        at++;
        return;
      }
      if (c === ',') at++;
      else if (c === '}' || c === ':') {
        yield skipped(lineOf(at), `There is a stray "${c}" in a list.`);
        at++;
      } else yield* value(name);
    }
  };

  const members = async function* (depth: number): AsyncGenerator<JsonElement | Skipped> {
    for (;;) {
      const c = await peek();
      if (c === undefined) {
        yield skipped(lineOf(at), 'The file ends before its object does; there may have been more.');
        return;
      }
      if (c === '}') {
        at++;
        return;
      }
      if (c === ',') {
        at++;
        continue;
      }
      if (c !== '"') {
        yield skipped(lineOf(at), 'A name in quotes was expected here; reading goes on at the next record.');
        await resume();
        yield* elements('');
        continue;
      }
      const { start, fault } = await take();
      const name = fault === undefined ? nameOf(text.slice(start, at)) : '';
      if ((await peek()) === ':') at++;
      const first = await peek();
      if (first === '[') {
        at++;
        yield* elements(name);
      } else if (first === '{' && depth < 4 && shape.through?.has(name)) {
        at++;
        yield* members(depth + 1);
      } else if (first !== undefined) yield* value(name);
    }
  };

  for (;;) {
    const first = await peek();
    if (first === undefined) return;
    if (first === '\uFEFF' || first === ',') at++;
    else if (first === '#') {
      // LeanCloud's export begins with a line `#filetype:JSON-streaming …`.
      while (at < text.length && text.charCodeAt(at) !== NEWLINE) {
        if (++at === text.length && (await more(at)) === -1) break;
      }
    } else if (first === '[' && shape.root === 'elements') {
      at++;
      yield* elements('');
    } else if (first === '{' && shape.root === 'members') {
      at++;
      yield* members(0);
    } else if (first === '{') yield* value('');
    else {
      yield skipped(lineOf(at), `An object was expected here, but there is "${first}".`);
      await resume();
    }
  }
}

function nameOf(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return '';
  }
}
