import { Clock, authorOf, flag, isRow, textField } from './fields.ts';
import { jsonElements } from './json.ts';
import { markdownOfHtml, markdownOfMixed } from './markdown.ts';
import { type ImportComment, type ImportStatus, type Pieces, type ReadItem, skipped, warning } from './record.ts';

const SHAPE = { root: 'members' } as const;
const STATUS: Record<string, ImportStatus> = {
  approved: 'published',
  unapproved: 'held',
  flagged: 'held',
  '': 'published',
};

/** What commenterHex says of who did not sign in. */
const ANONYMOUS = 'anonymous';

type Commenter = { name: string; email: string; link: string; isModerator: boolean };

/**
 * Commento's export, version 1 (`domainExport` in commento's api): `{version, comments, commenters}`.
 *
 * Names stand after the comments that need them. Where the file can be opened twice it is; else the comments wait in
 * memory. `anonymous` is no author, so it is not counted as one.
 */
export async function* readCommento({ pieces, again }: Pieces): AsyncGenerator<ReadItem> {
  const commenters = new Map<string, Commenter>();
  const learn = (value: unknown) => {
    if (!isRow(value)) return;
    commenters.set(textField(value, 'commenterHex'), {
      name: textField(value, 'name'),
      email: textField(value, 'email'),
      link: textField(value, 'link'),
      isModerator: flag(value, 'isModerator'),
    });
  };
  if (again !== undefined) {
    for await (const item of jsonElements(again(), SHAPE)) {
      if (item.kind === 'element' && item.name === 'commenters') learn(item.value);
    }
  }
  const run: Run = { commenters, clock: new Clock(), seen: new Set(), nameless: { comments: 0, line: 0 } };
  const waiting: { value: unknown; line: number }[] = [];
  for await (const item of jsonElements(pieces, SHAPE)) {
    if (item.kind === 'skipped') yield item;
    else if (item.name === 'commenters') learn(item.value);
    else if (item.name === 'comments' || (isRow(item.value) && 'commentHex' in item.value)) {
      if (again === undefined) waiting.push(item);
      else yield* comment(item.value, item.line, run);
    } else if (item.name === 'version' && item.value !== 1) {
      yield warning(item.line, `The export is of version ${JSON.stringify(item.value)}; version 1 is known here.`);
    }
  }
  for (const { value, line } of waiting) yield* comment(value, line, run);
  const { comments, line } = run.nameless;
  if (comments > 0) {
    yield warning(
      line,
      `The file does not list the writers of some comments (${comments}, the first here), which have no name now. Is it cut?`,
    );
  }
}

type Run = {
  commenters: ReadonlyMap<string, Commenter>;
  clock: Clock;
  seen: Set<string>;
  /** Comments whose writers the file does not list. */
  nameless: { comments: number; line: number };
};

function* comment(value: unknown, line: number, { commenters, clock, seen, nameless }: Run): Generator<ReadItem> {
  const row = isRow(value) ? value : {};
  const id = textField(row, 'commentHex');
  const path = textField(row, 'url', 'path');
  if (id === '' || path === '') {
    yield skipped(line, 'A comment with a commentHex and a url was expected here.');
    return;
  }
  const domain = textField(row, 'domain');
  const url = /^https?:\/\//.test(path)
    ? path
    : domain === ''
      ? undefined
      : `https://${domain}${path.startsWith('/') ? '' : '/'}${path}`;
  const thread: ImportComment['thread'] = { key: path, ...(url !== undefined && { url }) };
  if (!seen.has(path)) {
    seen.add(path);
    yield { kind: 'thread', line, ...thread };
  }
  const hex = textField(row, 'commenterHex');
  const commenter = commenters.get(hex);
  if (commenter === undefined && hex !== '' && hex !== ANONYMOUS && nameless.comments++ === 0) nameless.line = line;
  const author = authorOf({
    name: commenter?.name ?? '',
    email: commenter?.email ?? '',
    url: commenter?.link ?? '',
    isAuthor: commenter?.isModerator ?? false,
  });
  const parent = textField(row, 'parentHex');
  const reply = parent !== '' && parent !== 'root';
  const time = clock.read(row['creationDate']);
  if (time === undefined) {
    yield { ...skipped(line, `Comment ${id} has no date that can be read.`), comment: { author, reply } };
    return;
  }
  if (time.guessed) yield warning(line, `Comment ${id} has no date that can be read; it got that of the one before.`);
  const state = textField(row, 'state');
  const deleted = flag(row, 'deleted');
  const status = deleted ? 'deleted' : STATUS[state];
  if (status === undefined)
    yield warning(line, `Comment ${id} has the unknown state "${state.slice(0, 40)}"; it is held.`);
  const markdown = textField(row, 'markdown');
  yield {
    kind: 'comment',
    line,
    sourceId: id,
    thread,
    ...(reply && { parentSourceId: parent }),
    author,
    body: deleted ? '' : markdown === '' ? markdownOfHtml(textField(row, 'html')) : markdownOfMixed(markdown),
    at: time.at,
    status: status ?? 'held',
  };
}
