import { Clock, authorOf, flag, isRow, textField, timeOf } from './fields.ts';
import { jsonElements } from './json.ts';
import { markdownOfHtml, markdownOfMixed } from './markdown.ts';
import { type ImportComment, type ReadItem, skipped, warning } from './record.ts';

/**
 * Remark42's backup (backend/app/migrator/native.go): JSON Lines, gzipped as a rule. The first line holds
 * `{version, users, posts}`, each other one a comment (backend/app/store/comment.go).
 *
 * The text is taken as it was typed (`orig`), else from its HTML. `user.ip` is a hash and is left out.
 */
export async function* readRemark42(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const clock = new Clock();
  const seen = new Set<string>();
  const readOnly = new Set<string>();
  const emails = new Map<string, string>();
  for await (const item of jsonElements(pieces, { root: 'elements' })) {
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    const { line } = item;
    const row = isRow(item.value) ? item.value : {};
    if ('users' in row || 'posts' in row || ('version' in row && !('id' in row))) {
      for (const post of list(row['posts'])) if (flag(post, 'read_only')) readOnly.add(textField(post, 'url'));
      for (const user of list(row['users'])) {
        const details = isRow(user['details']) ? user['details'] : user;
        const email = textField(details, 'email');
        if (email !== '') emails.set(textField(user, 'id'), email);
      }
      continue;
    }
    const id = textField(row, 'id');
    const url = isRow(row['locator']) ? textField(row['locator'], 'url') : '';
    if (id === '' || url === '') {
      yield skipped(line, 'A comment with an id and a locator was expected here.');
      continue;
    }
    const title = textField(row, 'title');
    const thread: ImportComment['thread'] = {
      key: url,
      ...(/^https?:\/\//.test(url) && { url }),
      ...(title !== '' && { title }),
    };
    if (!seen.has(url)) {
      seen.add(url);
      yield { kind: 'thread', line, ...thread, ...(readOnly.has(url) && { closed: true }) };
    }
    const user = isRow(row['user']) ? row['user'] : {};
    const author = authorOf({
      name: textField(user, 'name'),
      email: textField(user, 'email') || (emails.get(textField(user, 'id')) ?? ''),
      ip: textField(user, 'ip'),
      isAuthor: flag(user, 'admin'),
      escaped: true,
    });
    const parent = textField(row, 'pid');
    const time = clock.read(row['time']);
    if (time === undefined) {
      yield {
        ...skipped(line, `Comment ${id} has no date that can be read.`),
        comment: { author, reply: parent !== '' },
      };
      continue;
    }
    if (time.guessed) yield warning(line, `Comment ${id} has no date that can be read; it got that of the one before.`);
    const deleted = flag(row, 'delete');
    const orig = textField(row, 'orig');
    const editedAt = isRow(row['edit']) ? timeOf(row['edit']['time']) : undefined;
    yield {
      kind: 'comment',
      line,
      sourceId: id,
      thread,
      ...(parent !== '' && { parentSourceId: parent }),
      author: deleted && author.name === 'deleted' ? { name: '' } : author,
      body: deleted ? '' : orig === '' ? markdownOfHtml(textField(row, 'text')) : markdownOfMixed(orig),
      at: time.at,
      status: deleted ? 'deleted' : 'published',
      ...(editedAt !== undefined && { editedAt }),
    };
  }
}

const list = (value: unknown) => (Array.isArray(value) ? value.filter(isRow) : []);
