import { Clock, authorOf, flag, isRow, textField } from './fields.ts';
import { jsonElements } from './json.ts';
import { markdownOfHtml } from './markdown.ts';
import { type ImportComment, type ReadItem, skipped, warning } from './record.ts';

/**
 * Twikoo's comments as its databases hold and export them: a list or lines of `{_id, nick, mail, link, ip, master, url, href,
 * comment, pid, rid, isSpam, created, updated}`, the text as HTML. `rid` is the thread's root, used where `pid` is missing.
 */
export async function* readTwikoo(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const clock = new Clock();
  const seen = new Set<string>();
  for await (const item of jsonElements(pieces, { root: 'elements' })) {
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    const { line } = item;
    const row = isRow(item.value) ? item.value : {};
    const id = textField(row, '_id', 'id');
    const path = textField(row, 'url');
    if (id === '' || path === '') {
      yield skipped(line, 'A comment with an _id and a url was expected here.');
      continue;
    }
    const href = textField(row, 'href');
    const thread: ImportComment['thread'] = { key: path, ...(/^https?:\/\//.test(href) && { url: href }) };
    if (!seen.has(path)) {
      seen.add(path);
      yield { kind: 'thread', line, ...thread };
    }
    const author = authorOf({
      name: textField(row, 'nick'),
      email: textField(row, 'mail'),
      url: textField(row, 'link'),
      ip: textField(row, 'ip'),
      isAuthor: flag(row, 'master'),
    });
    const parent = textField(row, 'pid', 'rid');
    const time = clock.read(row['created']);
    if (time === undefined) {
      yield {
        ...skipped(line, `Comment ${id} has no date that can be read.`),
        comment: { author, reply: parent !== '' },
      };
      continue;
    }
    if (time.guessed) yield warning(line, `Comment ${id} has no date that can be read; it got that of the one before.`);
    yield {
      kind: 'comment',
      line,
      sourceId: id,
      thread,
      ...(parent !== '' && { parentSourceId: parent }),
      author,
      body: markdownOfHtml(textField(row, 'comment'), 'auto'),
      at: time.at,
      status: flag(row, 'isSpam') ? 'spam' : 'published',
    };
  }
}
