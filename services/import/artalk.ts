import { Clock, authorOf, flag, isRow, textField, timeOf } from './fields.ts';
import { jsonElements } from './json.ts';
import { markdownOfMixed } from './markdown.ts';
import { type ImportComment, type ReadItem, skipped, warning } from './record.ts';

/** Artalk keeps no role in its exports, only the words on the badge. */
const ADMIN_BADGE = /admin|author|owner|管理|作者|博主|站长/i;

/**
 * Artalk's Artrans (https://artalk.js.org/guide/transfer, internal/entity/artran.go): a list of comments, all fields text.
 * `rid` is the parent, "0" for none. A page key may be a path; the site's first URL makes it whole.
 */
export async function* readArtalk(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const clock = new Clock();
  const threads = new Map<string, ImportComment['thread']>();
  for await (const item of jsonElements(pieces, { root: 'elements' })) {
    if (item.kind === 'skipped') {
      yield item;
      continue;
    }
    const { line } = item;
    const row = isRow(item.value) ? item.value : {};
    const id = textField(row, 'id');
    const key = textField(row, 'page_key');
    if (id === '' || key === '') {
      yield skipped(line, 'A comment with an id and a page_key was expected here.');
      continue;
    }
    let thread = threads.get(key);
    if (thread === undefined) {
      const title = textField(row, 'page_title');
      const base = textField(row, 'site_urls').split(',')[0]!.trim();
      const url = URL.canParse(key) ? key : URL.canParse(key, base) ? new URL(key, base).href : undefined;
      thread = { key, ...(url !== undefined && /^https?:/.test(url) && { url }), ...(title !== '' && { title }) };
      threads.set(key, thread);
      yield { kind: 'thread', line, ...thread, ...(flag(row, 'page_admin_only') && { closed: true }) };
    }
    const author = authorOf({
      name: textField(row, 'nick'),
      email: textField(row, 'email'),
      url: textField(row, 'link'),
      ip: textField(row, 'ip'),
      isAuthor: ADMIN_BADGE.test(textField(row, 'badge_name')),
    });
    const parent = textField(row, 'rid');
    const reply = parent !== '' && parent !== '0';
    const time = clock.read(row['created_at']);
    if (time === undefined) {
      yield { ...skipped(line, `Comment ${id} has no date that can be read.`), comment: { author, reply } };
      continue;
    }
    if (time.guessed) yield warning(line, `Comment ${id} has no date that can be read; it got that of the one before.`);
    const updated = timeOf(row['updated_at']);
    yield {
      kind: 'comment',
      line,
      sourceId: id,
      thread,
      ...(reply && { parentSourceId: parent }),
      author,
      body: markdownOfMixed(textField(row, 'content')),
      at: time.at,
      status: flag(row, 'is_pending') ? 'held' : 'published',
      // Artalk touches `updated_at` with each vote too, but never the text without it; a second is no edit.
      ...(updated !== undefined && updated - time.at > 1000 && { editedAt: updated }),
    };
  }
}
