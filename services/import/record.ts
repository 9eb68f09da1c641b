/**
 * What a reader hands over: threads, comments, and a sentence for everything that it could not hand over.
 *
 * Readers add nothing of ours: no ids, no HTML, no clock. Keys, addresses and names stand as they do in the source.
 */

export const FORMATS = [
  'disqus',
  'wordpress',
  'isso',
  'commento',
  'remark42',
  'waline',
  'artalk',
  'twikoo',
  'sluice',
] as const;
export type ImportFormat = (typeof FORMATS)[number];

export type ImportStatus = 'published' | 'held' | 'rejected' | 'spam' | 'deleted';

export type ImportAuthor = {
  /** May be empty: some sources know no name. */
  name: string;
  email?: string;
  /** http or https. */
  url?: string;
  ip?: string;
  /** The source says that this is the author or an administrator of the site. */
  isAuthor?: boolean;
};

export type ImportThread = {
  kind: 'thread';
  line: number;
  /** URL or path, never empty. */
  key: string;
  /** Other keys under which the source knew the thread (Disqus identifiers). */
  aliases?: readonly string[];
  url?: string;
  title?: string;
  closed?: boolean;
};

export type ImportComment = {
  kind: 'comment';
  /** Where the record begins, from 1; for a database the row's id. */
  line: number;
  /** Unique in the file. */
  sourceId: string;
  thread: { key: string; url?: string; title?: string };
  parentSourceId?: string;
  author: ImportAuthor;
  /** Markdown; no HTML but what the writer showed as code. Empty for a deleted comment. */
  body: string;
  /** Milliseconds since the epoch. */
  at: number;
  status: ImportStatus;
  editedAt?: number;
};

/** Something in the file that is not imported. */
export type Skipped = {
  kind: 'skipped';
  line: number;
  /** A sentence; `pingback` and `trackback` alone for those. */
  reason: string;
  /** Set when a whole comment was found and left out: it counts as a comment of the file. */
  comment?: { author: ImportAuthor; reply: boolean };
  /** Set when a whole thread was found and left out. */
  thread?: true;
};

/** Something that is imported, but not quite as it stands in the file. */
export type Warning = { kind: 'warning'; line: number; reason: string };

export type ImportRecord = ImportThread | ImportComment;
export type ReadItem = ImportRecord | Skipped | Warning;

/** How a reader gets at the bytes: a stream once, or a function that opens the file again for a second pass. */
export type Source = AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** What a reader of one format is given: the text, and the text again where the source can be opened twice. */
export type Pieces = { pieces: AsyncIterable<string>; again?: () => AsyncIterable<string> };

export const skipped = (line: number, reason: string): Skipped => ({ kind: 'skipped', line, reason: printed(reason) });
export const warning = (line: number, reason: string): Warning => ({ kind: 'warning', line, reason: printed(reason) });

/** A reason may quote the file, and is shown in a terminal, which takes some characters for commands. */
const printed = (reason: string) => reason.replace(/\p{Cc}/gu, '\uFFFD');
