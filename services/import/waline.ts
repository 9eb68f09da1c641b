import { Clock, authorOf, isRow, textField } from './fields.ts';
import { jsonElements } from './json.ts';
import { markdownOfMixed } from './markdown.ts';
import { type ImportComment, type ImportStatus, type Pieces, type ReadItem, skipped, warning } from './record.ts';

const STATUS: Record<string, ImportStatus> = { approved: 'published', '': 'published', waiting: 'held', spam: 'spam' };
const SHAPE = { root: 'members', through: new Set(['data', 'results']) } as const;

/**
 * Waline's export (packages/server/src/controller/db.js): `{type: 'waline', version, data: {Comment, Counter, Users}}`; also
 * a bare list of comments, and LeanCloud's own JSON Lines, as Valine leaves them.
 *
 * `pid` is the parent, `rid` the thread's root, used where `pid` is missing. Waline begins a reply with `[@name](#id)`; the
 * link would point nowhere here, so the name stays alone. Who is an administrator stands after the comments, and is known
 * only where the file can be opened twice.
 */
export async function* readWaline({ pieces, again }: Pieces): AsyncGenerator<ReadItem> {
  const admins = new Set<string>();
  if (again !== undefined) {
    for await (const item of jsonElements(again(), SHAPE)) {
      if (item.kind !== 'element' || item.name !== 'Users' || !isRow(item.value)) continue;
      if (textField(item.value, 'type') === 'administrator') admins.add(textField(item.value, 'objectId', 'id'));
    }
  }
  const clock = new Clock();
  const seen = new Set<string>();
  for await (const item of unwrapped(pieces)) {
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    if (!['', 'Comment', 'results', 'data'].includes(item.name)) continue;
    const { line } = item;
    const row = isRow(item.value) ? item.value : {};
    const id = textField(row, 'objectId', 'id', '_id');
    const path = textField(row, 'url');
    if (id === '' || path === '') {
      if (item.name !== 'data') yield skipped(line, 'A comment with an objectId and a url was expected here.');
      continue;
    }
    const thread: ImportComment['thread'] = { key: path, ...(/^https?:\/\//.test(path) && { url: path }) };
    if (!seen.has(path)) {
      seen.add(path);
      yield { kind: 'thread', line, ...thread };
    }
    const user = textField(row, 'user_id');
    const author = authorOf({
      name: textField(row, 'nick'),
      email: textField(row, 'mail'),
      url: textField(row, 'link'),
      ip: textField(row, 'ip'),
      isAuthor: user !== '' && admins.has(user),
    });
    const parent = textField(row, 'pid', 'rid');
    const time = clock.read(row['insertedAt'] ?? row['createdAt']);
    if (time === undefined) {
      yield {
        ...skipped(line, `Comment ${id} has no date that can be read.`),
        comment: { author, reply: parent !== '' },
      };
      continue;
    }
    if (time.guessed) yield warning(line, `Comment ${id} has no date that can be read; it got that of the one before.`);
    const state = textField(row, 'status');
    const status = STATUS[state];
    if (status === undefined)
      yield warning(line, `Comment ${id} has the unknown status "${state.slice(0, 40)}"; it is held.`);
    yield {
      kind: 'comment',
      line,
      sourceId: id,
      thread,
      ...(parent !== '' && parent !== '0' && { parentSourceId: parent }),
      author,
      body: markdownOfMixed(withoutMention(textField(row, 'comment'))),
      at: time.at,
      status: status ?? 'held',
    };
  }
}

/** The document's own members, or its elements where it is a list or lines of comments. */
async function* unwrapped(pieces: AsyncIterable<string>) {
  const source = pieces[Symbol.asyncIterator]();
  const first = await source.next();
  const head = first.done ? '' : first.value;
  const all = (async function* () {
    yield head;
    for (let next = await source.next(); !next.done; next = await source.next()) yield next.value;
  })();
  const isDocument = /^\s*\{\s*"(?:type|errno|errmsg|data|version|time|tables|results|Comment)"\s*:/.test(head);
  yield* jsonElements(all, isDocument ? SHAPE : { root: 'elements' });
}

const withoutMention = (text: string) =>
  text
    .replace(/^\s*\[(@[^\]\n]{1,100})\]\(#[\w-]{1,64}\)/, '$1')
    .replace(/^\s*<a class="at" href="#[\w-]{1,64}">(@[^<\n]{1,100})<\/a>/, '$1');
