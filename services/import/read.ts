import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { SluiceError } from '../../shared/errors.ts';
import { readArtalk } from './artalk.ts';
import { readCommento } from './commento.ts';
import { readDisqus } from './disqus.ts';
import { readIsso } from './isso.ts';
import { readIssoDatabase } from './isso-database.ts';
import { FORMATS, type ImportFormat, type Pieces, type ReadItem, type Source } from './record.ts';
import { readRemark42 } from './remark42.ts';
import { readSluice } from './sluice.ts';
import { textOf } from './text.ts';
import { readTwikoo } from './twikoo.ts';
import { readWaline } from './waline.ts';
import { readWordpress } from './wordpress.ts';

export type ReadOptions = {
  /** Default `auto`: told from the content. */
  format?: ImportFormat | 'auto';
  /** Bytes of the file read so far (compressed ones, if it is compressed); once a chunk. */
  onProgress?: (bytes: number) => void;
  /** Called once, before the first record. */
  onFormat?: (format: ImportFormat) => void;
};

const READERS: Record<ImportFormat, (text: Pieces) => AsyncIterable<ReadItem>> = {
  disqus: ({ pieces }) => readDisqus(pieces),
  wordpress: ({ pieces }) => readWordpress(pieces),
  isso: ({ pieces }) => readIsso(pieces),
  commento: readCommento,
  remark42: ({ pieces }) => readRemark42(pieces),
  waline: readWaline,
  artalk: ({ pieces }) => readArtalk(pieces),
  twikoo: ({ pieces }) => readTwikoo(pieces),
  sluice: ({ pieces }) => readSluice(pieces),
};

/** Larger ones are new memory each time, which costs more than what they save. */
export const PIECE_BYTES = 64 * 1024;

/** How much of a file is looked at to tell its format. */
const HEAD_CHARACTERS = 65_536;

/**
 * Streams what an export holds, in the file's order: threads before their comments, but not always parents before replies
 * (see order.ts). Memory does not grow with the file, but for the threads, and Commento's comments when the source is a
 * stream: their authors' names stand after them (give a function, and the file is read twice instead).
 *
 * Never throws for what the file holds: what cannot be read comes as `skipped` with its line. Throws `Import.Unreadable`
 * when the format cannot be told.
 */
export async function* read(source: Source, options: ReadOptions = {}): AsyncGenerator<ReadItem> {
  const { pieces, faults } = textOf(typeof source === 'function' ? source() : source, options.onProgress);
  const { head, all } = await peek(pieces);
  const format = options.format === undefined || options.format === 'auto' ? formatOf(head) : options.format;
  if (format === undefined) {
    throw unknown(head);
  }
  options.onFormat?.(format);
  const again = typeof source === 'function' ? () => textOf(source()).pieces : undefined;
  for await (const item of READERS[format]({ pieces: all, ...(again && { again }) })) {
    if (faults.length > 0) yield* faults.splice(0);
    yield item;
  }
  yield* faults.splice(0);
}

/** As `read`, for a file by its path: also opens Isso's `comments.db`. */
export async function* readFile(path: string, options: ReadOptions = {}): AsyncGenerator<ReadItem> {
  const { format = 'auto' } = options;
  if ((format === 'auto' || format === 'isso') && (await startsWith(path, 'SQLite format 3\0'))) {
    options.onFormat?.('isso');
    yield* readIssoDatabase(path, options.onProgress);
    return;
  }
  yield* read(() => createReadStream(path, { highWaterMark: PIECE_BYTES }), options);
}

async function startsWith(path: string, magic: string): Promise<boolean> {
  let file;
  try {
    file = await open(path);
  } catch (cause) {
    throw new SluiceError('Import.Unreadable', `${path} cannot be opened: ${(cause as Error).message}`, {
      hint: 'check the path and who may read it',
      cause,
    });
  }
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === magic;
  } finally {
    await file.close();
  }
}

async function peek(pieces: AsyncIterable<string>): Promise<{ head: string; all: AsyncIterable<string> }> {
  const source = pieces[Symbol.asyncIterator]();
  let head = '';
  let done = false;
  while (head.length < HEAD_CHARACTERS && !done) {
    const next = await source.next();
    if (next.done) done = true;
    else head += next.value;
  }
  const all = (async function* () {
    if (head !== '') yield head;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  })();
  return { head: head.slice(0, HEAD_CHARACTERS), all };
}

/**
 * The format by its content: XML by its namespaces or root, JSON by the names that no other system has. Undefined when
 * nothing fits.
 */
export function formatOf(head: string): ImportFormat | undefined {
  if (/xmlns(?::\w+)?\s*=\s*["']http:\/\/disqus\.com["']|<disqus[\s>]/.test(head)) return 'disqus';
  if (/["']http:\/\/wordpress\.org\/export\/|<rss[\s>]|<wp:\w+>/.test(head)) return 'wordpress';
  const has = (...names: string[]) => names.every((name) => new RegExp(`"${name}"\\s*:`).test(head));
  if (/"format"\s*:\s*"sluice"/.test(head.slice(0, 1000))) return 'sluice';
  if (has('commentHex') || has('commenterHex') || (has('commenters') && has('comments'))) return 'commento';
  if (has('page_key') || (has('rid', 'content') && has('is_pending'))) return 'artalk';
  if (has('locator', 'user') || /^\s*\{"version"\s*:\s*\d+\s*,\s*"users"/.test(head)) return 'remark42';
  if (/"type"\s*:\s*"waline"/.test(head) || has('objectId', 'nick') || has('insertedAt') || has('Comment', 'Users'))
    return 'waline';
  if (has('_id', 'nick') || has('mailMd5') || has('nick', 'href', 'comment')) return 'twikoo';
  if (has('comments') || /^\s*\[\s*\]\s*$/.test(head)) return 'isso';
  return undefined;
}

function unknown(head: string): SluiceError {
  const text = head.trim();
  if (text === '') return unreadable('The file is empty', 'export it again');
  // Its other bytes are no text, so they are not here.
  if (text.startsWith('PK'))
    return unreadable('The file looks like a ZIP archive', 'unpack it, and import what is in it');
  // In a terminal, what cannot be printed may move the cursor.
  const begin = JSON.stringify(text.slice(0, 40)).replace(/\p{C}/gu, '\uFFFD');
  return unreadable(
    `The file is none of the formats known here; it begins with ${begin}`,
    `name its format with --format (${FORMATS.join(', ')}), or export it again`,
  );
}

const unreadable = (message: string, hint: string) => new SluiceError('Import.Unreadable', message, { hint });
