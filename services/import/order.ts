import { HashTable } from './hash-table.ts';
import { hash64, importId } from './ids.ts';
import { type ReadOptions, read, readFile } from './read.ts';
import {
  type ImportComment,
  type ImportFormat,
  type ImportThread,
  type ReadItem,
  type Skipped,
  type Source,
  type Warning,
  skipped,
  warning,
} from './record.ts';

/** A comment with its place: our id, its parent's, and how deep it stands (0 at the top; the policy's limit is not applied). */
export type PlannedComment = ImportComment & { id: string; parentId: string | null; depth: number };
export type PlanItem = ImportThread | PlannedComment | Skipped | Warning;

/** Replies that wait for their parents, in one pass; about 100 MB of comments of the usual length. */
const HOLD_LIMIT = 50_000;

/**
 * What to write for a file, parents always before their replies.
 *
 * One pass, where parents come first, as they do in the exports of all systems known here. Replies that come before their
 * parents wait in memory, at most `holdLimit` of them; when more would wait and the file can be opened again, further
 * passes take the rest. Beside these a comment costs about 40 bytes.
 *
 * - An id that came before is left out and said (the first one stands).
 * - A reply whose parent is not in the file, or in another thread, or was left out, is kept at the top with a warning.
 * - In a cycle of replies the first of the file is kept at the top with a warning.
 *
 * Deterministic: the same file makes the same ids, so a second import writes nothing new. Throws what `read` throws.
 *
 * @param from a path, or a stream, or a function that opens one
 */
export async function* importPlan(
  from: string | Source,
  options: ReadOptions & { site: string; holdLimit?: number },
): AsyncGenerator<PlanItem> {
  let format: ImportFormat | undefined;
  const { site, holdLimit, ...readOptions } = options;
  const open = (first: boolean) => {
    const { onProgress: _onProgress, ...silent } = readOptions;
    const passOptions: ReadOptions = {
      ...(first ? readOptions : silent),
      onFormat: (found) => {
        format = found;
        if (first) options.onFormat?.(found);
      },
    };
    return typeof from === 'string' ? readFile(from, passOptions) : read(from, passOptions);
  };
  const again = typeof from === 'string' || typeof from === 'function' ? () => open(false) : undefined;
  const limit = again === undefined ? Number.POSITIVE_INFINITY : (holdLimit ?? HOLD_LIMIT);
  const idOf = (sourceId: string) => importId(site, format!, sourceId);
  for await (const item of inOrder(open(true), again, limit)) {
    if (item.kind !== 'comment') yield item;
    else {
      const { parent, depth, comment } = item;
      // The reader made the record for us alone: adding to it is cheaper than a copy.
      yield Object.assign(comment, {
        id: idOf(comment.sourceId),
        parentId: parent === undefined ? null : idOf(parent),
        depth,
      });
    }
  }
}

type Placed = { kind: 'comment'; comment: ImportComment; parent: string | undefined; depth: number };

/** Numbers of comments, as columns: objects would cost ten times as much. */
class Columns {
  /** 0 only named as a parent, 1 read, 2 handed out. */
  state = new Uint8Array(1024);
  depth = new Int32Array(1024);
  /** Parent's number, -1 at the top. */
  parent = new Int32Array(1024);
  thread = new Int32Array(1024);
  line = new Float64Array(1024);
  /** Which comment of the file it is: tells the first of an id from a later one, in a later pass. */
  ordinal = new Int32Array(1024);

  room(number: number): void {
    if (number < this.state.length) return;
    for (const name of ['state', 'depth', 'parent', 'thread', 'line', 'ordinal'] as const) {
      const old = this[name];
      const grown = new (old.constructor as new (size: number) => typeof old)(old.length * 2);
      grown.set(old as never);
      (this as Record<typeof name, typeof old>)[name] = grown;
    }
  }
}

const READ = 1;
const DONE = 2;

/** The items of `first`, comments with their place and after their parents. `again` reads the same items anew. */
export async function* inOrder(
  first: AsyncIterable<ReadItem>,
  again: (() => AsyncIterable<ReadItem>) | undefined,
  holdLimit: number,
): AsyncGenerator<ImportThread | Placed | Skipped | Warning> {
  const table = new HashTable();
  const threads = new HashTable();
  const columns = new Columns();
  /** Replies by their parent's number. */
  const held = new Map<number, ImportComment[]>();
  let holding = 0;
  let overflow = false;

  const numberOf = (sourceId: string) => {
    const number = table.add(...hash64(sourceId));
    columns.room(number);
    return number;
  };

  const elsewhere = (number: number) => {
    const parent = columns.parent[number]!;
    return parent !== -1 && columns.thread[parent] !== columns.thread[number];
  };

  /** The comment, and all replies that waited for it. */
  function* release(comment: ImportComment, number: number, atTop: boolean): Generator<Placed | Warning> {
    const queue: { comment: ImportComment; number: number; atTop: boolean }[] = [{ comment, number, atTop }];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const parent = next.atTop ? -1 : columns.parent[next.number]!;
      const depth = parent === -1 ? 0 : columns.depth[parent]! + 1;
      columns.state[next.number] = DONE;
      columns.depth[next.number] = depth;
      yield {
        kind: 'comment',
        comment: next.comment,
        parent: parent === -1 ? undefined : next.comment.parentSourceId,
        depth,
      };
      const waiting = held.get(next.number);
      if (waiting === undefined) continue;
      held.delete(next.number);
      holding -= waiting.length;
      // Last first onto the stack, so that they come in the order of the file.
      for (const reply of waiting.toReversed()) {
        const replyNumber = numberOf(reply.sourceId);
        const atTop = elsewhere(replyNumber);
        if (atTop) yield topped(reply, `answers ${reply.parentSourceId}, which stands in another thread`);
        queue.push({ comment: reply, number: replyNumber, atTop });
      }
    }
  }

  const hold = (comment: ImportComment, parent: number) => {
    if (holding >= holdLimit) {
      overflow = true;
      return;
    }
    holding++;
    const waiting = held.get(parent);
    if (waiting === undefined) held.set(parent, [comment]);
    else waiting.push(comment);
  };

  let ordinal = 0;
  for await (const item of first) {
    if (item.kind !== 'comment') {
      yield item;
      continue;
    }
    const number = numberOf(item.sourceId);
    ordinal++;
    if (columns.state[number] !== 0) {
      yield {
        ...skipped(item.line, `The id ${item.sourceId} came before, at line ${columns.line[number]}.`),
        comment: { author: item.author, reply: item.parentSourceId !== undefined },
      };
      continue;
    }
    const parent = item.parentSourceId === undefined ? -1 : numberOf(item.parentSourceId);
    columns.state[number] = READ;
    columns.line[number] = item.line;
    columns.ordinal[number] = ordinal;
    columns.parent[number] = parent;
    columns.thread[number] = threads.add(...hash64(item.thread.key));
    if (parent === -1) yield* release(item, number, true);
    else if (columns.state[parent] !== DONE) hold(item, parent);
    else if (elsewhere(number)) {
      yield topped(item, `answers ${item.parentSourceId}, which stands in another thread`);
      yield* release(item, number, true);
    } else yield* release(item, number, false);
  }
  if (holding === 0 && !overflow) return;

  // All is read: what still waits has a parent that will not come, or is one of a cycle, or hangs below such a one.
  const why = breaks(table.size, columns, elsewhere);
  function* place(comment: ImportComment, number: number): Generator<Placed | Warning> {
    const reason = why.get(number);
    if (reason !== undefined) {
      yield topped(
        comment,
        reason === 'cycle'
          ? 'is an answer to one of its own answers'
          : `answers ${comment.parentSourceId}, which ${reason}`,
      );
      yield* release(comment, number, true);
    } else if (columns.state[columns.parent[number]!] === DONE) yield* release(comment, number, false);
    else hold(comment, columns.parent[number]!);
  }
  for (;;) {
    for (const [parent, comments] of held) {
      const loose = comments.filter(({ sourceId }) => why.has(numberOf(sourceId)));
      if (loose.length === 0) continue;
      const others = comments.filter(({ sourceId }) => !why.has(numberOf(sourceId)));
      holding -= loose.length;
      if (others.length === 0) held.delete(parent);
      else held.set(parent, others);
      for (const comment of loose) yield* place(comment, numberOf(comment.sourceId));
    }
    if (!overflow || again === undefined) return;
    overflow = false;
    held.clear();
    holding = 0;
    ordinal = 0;
    for await (const item of again()) {
      if (item.kind !== 'comment') continue;
      const number = numberOf(item.sourceId);
      ordinal++;
      if (columns.state[number] !== READ || columns.ordinal[number] !== ordinal) continue;
      yield* place(item, number);
    }
  }
}

const topped = (comment: ImportComment, why: string) =>
  warning(comment.line, `Comment ${comment.sourceId} ${why}; it stands at the top of its thread.`);

/** Which comments must stand at the top so that all others hang below one that is handed out. */
function breaks(
  size: number,
  { state, parent, ordinal }: Columns,
  elsewhere: (number: number) => boolean,
): Map<number, 'is not in the file' | 'stands in another thread' | 'cycle'> {
  const why = new Map<number, 'is not in the file' | 'stands in another thread' | 'cycle'>();
  const walked = new Int32Array(size); // the walk that came by, so that each comment is walked once
  for (let start = 0; start < size; start++) {
    let number = start;
    while (state[number] === READ && walked[number] === 0 && !why.has(number)) {
      walked[number] = start + 1;
      const up = parent[number]!;
      if (state[up] === 0) why.set(number, 'is not in the file');
      else if (elsewhere(number)) why.set(number, 'stands in another thread');
      else number = up;
    }
    if (state[number] !== READ || walked[number] !== start + 1 || why.has(number)) continue;
    // The walk met itself: `number` is on a cycle.
    let earliest = number;
    for (let at = parent[number]!; at !== number; at = parent[at]!)
      if (ordinal[at]! < ordinal[earliest]!) earliest = at;
    why.set(earliest, 'cycle');
  }
  return why;
}
