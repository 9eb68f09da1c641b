import { Clock, type Row, authorOf, isRow, textField, timeOf } from './fields.ts';
import { jsonElements } from './json.ts';
import { markdownOfMixed } from './markdown.ts';
import { type ImportComment, type ImportStatus, type ReadItem, skipped, warning } from './record.ts';

/** `mode` in Isso's `db/comments.py`: 1 valid, 2 pending, 4 deleted but kept for its replies. */
export const ISSO_MODES: Record<string, ImportStatus> = {
  '': 'published',
  '1': 'published',
  '2': 'held',
  '4': 'deleted',
};

/**
 * Isso's generic JSON (`Generic` in isso/migrate.py): a list of threads `{id, title, comments}`. Comment ids are unique
 * within their thread only, so the thread's id is part of ours. `parent` and `mode` are read where someone added them.
 */
export async function* readIsso(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const clock = new Clock();
  for await (const item of jsonElements(pieces, { root: 'elements' })) {
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    const thread = isRow(item.value) ? item.value : {};
    const key = textField(thread, 'id', 'uri');
    const comments: unknown = thread['comments'];
    if (key === '' || !Array.isArray(comments)) {
      yield skipped(item.line, 'A thread with an id and comments was expected here.');
      continue;
    }
    const title = textField(thread, 'title');
    yield { kind: 'thread', line: item.line, key, ...urlOf(key), ...(title !== '' && { title }) };
    for (const comment of comments as unknown[]) {
      if (isRow(comment)) {
        yield* issoComment(
          comment,
          { key, ...urlOf(key), ...(title !== '' && { title }) },
          item.line,
          clock,
          `${key}#`,
        );
      } else yield skipped(item.line, `The thread ${key} has a comment that is no object.`);
    }
  }
}

export const urlOf = (key: string) => (/^https?:\/\//.test(key) ? { url: key } : {});

/** One comment of Isso, of the JSON or of the database. */
export function* issoComment(
  row: Row,
  thread: ImportComment['thread'],
  line: number,
  clock: Clock,
  prefix: string,
): Generator<ReadItem> {
  const id = textField(row, 'id');
  const parent = textField(row, 'parent');
  const author = authorOf({
    name: textField(row, 'author'),
    email: textField(row, 'email'),
    url: textField(row, 'website'),
    ip: textField(row, 'remote_addr'),
  });
  const time = clock.read(row['created']);
  if (id === '' || time === undefined) {
    yield {
      ...skipped(
        line,
        id === ''
          ? 'A comment without an id cannot be told from others.'
          : `Comment ${id} has no date that can be read.`,
      ),
      comment: { author, reply: parent !== '' },
    };
    return;
  }
  if (time.guessed) yield warning(line, `Comment ${id} has no date that can be read; it got that of the one before.`);
  const mode = textField(row, 'mode');
  const status = ISSO_MODES[mode];
  if (status === undefined)
    yield warning(line, `Comment ${id} has the unknown mode "${mode.slice(0, 20)}"; it is held.`);
  const editedAt = timeOf(row['modified']);
  yield {
    kind: 'comment',
    line,
    sourceId: prefix + id,
    thread,
    ...(parent !== '' && { parentSourceId: prefix + parent }),
    author,
    body: status === 'deleted' ? '' : markdownOfMixed(textField(row, 'text')),
    at: time.at,
    status: status ?? 'held',
    ...(editedAt !== undefined && { editedAt }),
  };
}
