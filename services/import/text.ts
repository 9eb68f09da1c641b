import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { type Skipped, type Warning, skipped, warning } from './record.ts';

/** A stream's text in pieces; `faults` fills while one reads, and is complete after the last piece. */
export type Text = { pieces: AsyncIterable<string>; faults: (Skipped | Warning)[] };

/** XML 1.0 allows no other control characters, and JSON none at all; WordPress exports are known to hold some. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;

/**
 * Bytes to text: gunzips by magic bytes, decodes by BOM, by UTF-16's pattern, by an XML declaration, else as UTF-8; drops
 * control characters.
 *
 * Never throws for what the bytes are; a broken compression ends the text and says so.
 */
export function textOf(bytes: AsyncIterable<Uint8Array>, onProgress?: (bytes: number) => void): Text {
  const faults: Text['faults'] = [];
  return { pieces: decode(inflate(count(bytes, onProgress), faults), faults), faults };
}

async function* count(bytes: AsyncIterable<Uint8Array>, onProgress?: (bytes: number) => void) {
  let total = 0;
  for await (const chunk of bytes) {
    total += chunk.byteLength;
    onProgress?.(total);
    yield chunk;
  }
}

/** Joins the first chunks until `size` bytes are there or the stream ends, then passes on the rest. */
async function* withHead(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined = new Uint8Array(0);
  for await (const chunk of bytes) {
    if (head === undefined) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length >= size) {
      yield head;
      head = undefined;
    }
  }
  if (head !== undefined) yield head;
}

async function* inflate(bytes: AsyncIterable<Uint8Array>, faults: Text['faults']): AsyncGenerator<Uint8Array> {
  const chunks = withHead(bytes, 2)[Symbol.asyncIterator]();
  const first = await chunks.next();
  if (first.done) return;
  const rest = (async function* () {
    yield first.value;
    for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
  })();
  if (first.value[0] !== 0x1f || first.value[1] !== 0x8b) {
    yield* rest;
    return;
  }
  const gunzip = createGunzip();
  const input = Readable.from(rest, { objectMode: false });
  input.on('error', (cause) => gunzip.destroy(cause));
  input.pipe(gunzip);
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (cause) {
    if (!isZlibFault(cause)) throw cause;
    faults.push(
      skipped(0, `The compressed file is damaged or cut short (${cause.message}); what came before is read.`),
    );
  }
}

const isZlibFault = (cause: unknown): cause is Error & { code: string } =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' && cause.code.startsWith('Z_');

async function* decode(bytes: AsyncIterable<Uint8Array>, faults: Text['faults']): AsyncGenerator<string> {
  let decoder: TextDecoder | undefined;
  let line = 1;
  let replaced = false;
  let dropped = false;
  const clean = (text: string, bytes?: Uint8Array) => {
    if (!replaced && decoder?.encoding === 'utf-8' && text.includes('\uFFFD') && !holdsReplacement(bytes)) {
      replaced = true;
      const at = line + countLines(text, text.indexOf('\uFFFD'));
      faults.push(warning(at, 'Bytes here are not valid UTF-8; they are shown as \uFFFD. Is it another encoding?'));
    }
    const cleaned = text.replace(FORBIDDEN, '');
    if (!dropped && cleaned.length < text.length) {
      dropped = true;
      const at = line + countLines(text, text.search(FORBIDDEN));
      faults.push(warning(at, 'Control characters, which no text should hold, are left out from here on.'));
    }
    line += countLines(text, text.length);
    return cleaned;
  };
  for await (const chunk of withHead(bytes, 256)) {
    decoder ??= new TextDecoder(encodingOf(chunk, faults));
    const text = clean(decoder.decode(chunk, { stream: true }), chunk);
    if (text) yield text;
  }
  const last = clean(decoder?.decode() ?? '');
  if (last) yield last;
}

/** Some writers put U+FFFD themselves: then it is no sign of a wrong encoding. */
const holdsReplacement = (bytes: Uint8Array | undefined) =>
  bytes !== undefined && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes('\uFFFD');

/** Number of line ends in `text` before `end`. */
export function countLines(text: string, end: number): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at !== -1 && at < end; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
}

/** XML 1.0, appendix F: byte order mark, then the pattern of `<?`, then the declaration. A declared UTF-16 that we could read as ASCII is none. */
function encodingOf(head: Uint8Array, faults: Text['faults']): string {
  const [a, b, c, d] = head;
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8';
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (isMarkup(a) && b === 0 && d === 0) return 'utf-16le';
  if (a === 0 && isMarkup(b) && c === 0) return 'utf-16be';
  const declared = /<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(
    Buffer.from(head.subarray(0, 256)).toString('latin1'),
  )?.[1];
  if (declared === undefined || /^(utf-?8|utf-?16|ucs-?2|ascii|us-ascii)/i.test(declared)) return 'utf-8';
  try {
    return new TextDecoder(declared).encoding;
  } catch {
    faults.push(warning(1, `The declared encoding "${declared}" is not known here; the file is read as UTF-8.`));
    return 'utf-8';
  }
}

const isMarkup = (byte: number | undefined) => byte === 0x3c || byte === 0x7b || byte === 0x5b;
