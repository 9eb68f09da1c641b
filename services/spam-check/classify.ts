/**
 * `npm run --silent classify`: JSON lines in, one JSON line out for each, in order and in flat memory.
 */
import { once } from 'node:events';
import { assess, shippedModel } from './model.ts';
import { verdictOf } from './thresholds.ts';

const USAGE = `usage: npm run --silent classify < comments.jsonl > verdicts.jsonl

In:  {"id": "…", "text": "…", "author"?: "…", "link"?: "…"}, one a line; other fields are ignored
Out: {"id", "score", "toxicity", "verdict": "publish"|"hold"|"reject", "signals": [{"name", "weight", "words"}]}, one a line
     score is P(spam), toxicity P(toxic) (0 where the language was not measured); weights are log-odds
     a line that cannot be judged: {"id": its id or null, "line": its number from 1, "error"}
`;

/** Longest line that is parsed, bytes: four times the largest body with everything in it escaped. */
export const LINE_LIMIT = 1_048_576;
const SHOWN_SIGNALS = 5;
const FLUSH_UNITS = 65_536;

/** Answers one line. Never throws. */
export function answer(line: string, number: number): string {
  let id: string | number | null = null;
  const fault = (error: string) => JSON.stringify({ id, line: number, error });
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (cause) {
    id = idIn(line);
    if (line.trim() === '') return fault('the line is empty: expected a JSON object');
    return fault(`not JSON: ${(cause as Error).message.slice(0, 200)}`);
  }
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    return fault('expected a JSON object {id, text, author?, link?}');
  const { id: given, text, author, link } = row as Record<string, unknown>;
  if (typeof given === 'string' || typeof given === 'number') id = given;
  if (id === null) return fault('id is missing: expected a string');
  if (typeof text !== 'string')
    return fault(`text is ${text === undefined ? 'missing' : typeof text}: expected a string`);
  // null is how many exporters write "none".
  for (const [name, value] of [
    ['author', author],
    ['link', link],
  ] as const)
    if (value !== undefined && value !== null && typeof value !== 'string')
      return fault(`${name} is ${typeof value}: expected a string`);
  try {
    const judged = assess({
      text,
      ...(typeof author === 'string' && { author }),
      ...(typeof link === 'string' && { link }),
    });
    return JSON.stringify({
      id,
      score: fixed(judged.score),
      toxicity: fixed(judged.toxicity),
      verdict: verdictOf(judged),
      signals: judged.signals.slice(0, SHOWN_SIGNALS),
    });
  } catch (cause) {
    return fault(`could not be judged: ${(cause as Error).message.slice(0, 200)}`);
  }
}

const fixed = (p: number) => Number(p.toFixed(6));

/** The id of a line that does not parse, where its beginning still shows one. */
function idIn(line: string): string | null {
  const match = /^\s*\{\s*"id"\s*:\s*("(?:[^"\\]|\\.){0,200}"|\d{1,15}(?=\s*[,}]))/.exec(line.slice(0, 1_000));
  if (!match) return null;
  try {
    return JSON.parse(match[1]!) as string;
  } catch {
    return null;
  }
}

// Bytes that are no UTF-8 become U+FFFD: what can be read of the comment is judged.
const decode = (bytes: Buffer) => bytes.toString('utf8');

/**
 * Answers every line of a byte stream.
 *
 * @param write resolves once more may be written; awaited, so that nothing piles up
 */
export async function classify(
  input: AsyncIterable<Uint8Array>,
  write: (text: string) => Promise<void>,
): Promise<void> {
  let number = 0;
  let held: Buffer[] = [];
  let heldBytes = 0;
  let cut = false;
  let out = '';
  const finish = () => {
    number++;
    const bytes = Buffer.concat(held);
    if (cut) {
      const id = idIn(decode(bytes.subarray(0, 1_000)));
      out += `${JSON.stringify({ id, line: number, error: `the line is longer than ${LINE_LIMIT} bytes` })}\n`;
    } else
      out += `${answer(
        decode(bytes)
          .replace(/\r$/, '')
          .replace(/^\uFEFF/, ''),
        number,
      )}\n`;
    held = [];
    heldBytes = 0;
    cut = false;
  };
  const hold = (bytes: Buffer) => {
    if (bytes.length === 0) return;
    // Of a line that is too long, only the beginning stays.
    const room = LINE_LIMIT - heldBytes;
    if (bytes.length > room) cut = true;
    if (room > 0) held.push(bytes.subarray(0, room));
    heldBytes += Math.min(bytes.length, Math.max(0, room));
  };
  for await (const part of input) {
    const chunk = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      hold(chunk.subarray(from, end));
      from = end + 1;
      finish();
      if (out.length > FLUSH_UNITS) {
        await write(out);
        out = '';
      }
    }
    hold(chunk.subarray(from));
    if (out) {
      await write(out);
      out = '';
    }
  }
  if (heldBytes > 0) finish();
  if (out) await write(out);
}

if (import.meta.main) {
  if (process.argv.includes('--help') || process.argv.includes('-h')) {
    process.stdout.write(USAGE);
  } else {
    // The reader went away (`| head`): there is nobody to tell.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
    shippedModel();
    await classify(process.stdin, async (text) => {
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
    });
  }
}
