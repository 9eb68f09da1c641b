import { createContext, Script } from 'node:vm';

/** A search may take this long; the service's own bound is not known. */
const TIMEOUT_MS = 1000;
/** Twenty characters are a million ways for the worst of patterns: milliseconds. */
const SHORT = 20;

const runPattern = new Script('pattern.exec(text)');
const room = createContext({ pattern: /x/, text: '' });

/** A search that was stopped. The code is jsonata's own for running out of time. */
export class PatternStopped extends Error {
  readonly code = 'D1012';
}

/** A regular expression that is stopped when it backtracks without end. */
export class BoundedRegExp extends RegExp {
  /** @throws PatternStopped */
  override exec(text: string): RegExpExecArray | null {
    // Short texts end in time by themselves; a room with a clock costs half a millisecond.
    if (text.length <= SHORT) return super.exec(text);
    const pattern = new RegExp(this.source, this.flags);
    pattern.lastIndex = this.lastIndex;
    room['pattern'] = pattern;
    room['text'] = text;
    try {
      const found = runPattern.runInContext(room, { timeout: TIMEOUT_MS }) as RegExpExecArray | null;
      this.lastIndex = pattern.lastIndex;
      return found;
    } catch (cause) {
      throw new PatternStopped(`a search took over ${TIMEOUT_MS} ms`, { cause });
    }
  }
}
