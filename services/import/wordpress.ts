import { Clock, authorOf, cutLoose } from './fields.ts';
import { contentId } from './ids.ts';
import { decodeEntities, markdownOfHtml } from './markdown.ts';
import { type ImportComment, type ImportStatus, type ReadItem, skipped, warning } from './record.ts';
import { type XmlShape, childText, xmlRecords } from './xml.ts';
import type { XmlNode } from './xml-leaf.ts';

const SHAPE: XmlShape = {
  records: {
    item: ['rss', 'channel'],
    'wp:comment': ['rss', 'channel', 'item'],
    'wp:author': ['rss', 'channel'],
  },
  ignored: new Set(['content:encoded', 'excerpt:encoded', 'description', 'wp:meta_value']),
};

/** https://developer.wordpress.org/reference/functions/wp_get_comment_status/ and `wp_trash_post_comments` for `post-trashed`. */
const STATUS: Record<string, ImportStatus> = {
  '1': 'published',
  approve: 'published',
  approved: 'published',
  '0': 'held',
  hold: 'held',
  spam: 'spam',
  trash: 'deleted',
  'post-trashed': 'rejected',
};

/** Types of WooCommerce, Action Scheduler and the like: notes of a shop, not words of readers. */
const NOTES = new Set(['order_note', 'action_log', 'webhook_delivery', 'note', 'shop_order_note', 'edd_payment_note']);

/**
 * WordPress' WXR 1.0 to 1.2 (https://codex.wordpress.org/Tools_Export_Screen; `export_wp` in wp-admin/includes/export.php),
 * and Disqus' import format, which is WXR with `dsq:thread_identifier`.
 *
 * A thread is an item with comments; its key is the item's link. `trash` becomes a tombstone, so that replies keep their
 * place; `post-trashed` is rejected. The text reads as WordPress shows it: line ends are breaks.
 */
export async function* readWordpress(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const clock = new Clock();
  /** User ids and addresses of the blog's authors. */
  const staff = { ids: new Set<string>(), emails: new Set<string>() };
  let current: XmlNode | undefined;
  let key = '';
  let thread: ImportComment['thread'] = { key };

  for await (const item of xmlRecords(pieces, SHAPE)) {
    if (item.kind !== 'record') {
      yield item;
      continue;
    }
    const { node, parent } = item;
    if (node.name === 'wp:author') {
      const email = childText(node, 'wp:author_email').toLowerCase();
      const id = childText(node, 'wp:author_id');
      if (email !== '') staff.emails.add(email);
      if (id !== '' && id !== '0') staff.ids.add(id);
    }
    if (node.name !== 'wp:comment') continue;
    if (parent !== current || current === undefined) {
      current = parent;
      thread = threadOf(parent);
      key = thread.key;
      if (key !== '') {
        const closed = parent !== undefined && childText(parent, 'wp:comment_status') === 'closed';
        const aliases = [parent === undefined ? '' : childText(parent, 'dsq:thread_identifier')].filter(
          (alias) => alias !== '' && alias !== key,
        );
        yield {
          kind: 'thread',
          line: parent!.line,
          ...thread,
          ...(aliases.length > 0 && { aliases }),
          ...(closed && { closed }),
        };
      }
    }
    yield* comment(node, thread, clock, staff);
  }
}

function threadOf(item: XmlNode | undefined): ImportComment['thread'] {
  if (item === undefined) return { key: '' };
  const link = childText(item, 'link') || childText(item, 'guid');
  const id = childText(item, 'wp:post_id');
  const title = decodeEntities(childText(item, 'title'));
  return {
    key: cutLoose(link || childText(item, 'dsq:thread_identifier') || (id === '' ? '' : `?p=${id}`)),
    ...(/^https?:\/\//.test(link) && { url: link }),
    ...(title !== '' && { title }),
  };
}

function* comment(
  node: XmlNode,
  thread: ImportComment['thread'],
  clock: Clock,
  staff: { ids: Set<string>; emails: Set<string> },
): Generator<ReadItem> {
  const { line } = node;
  const id = childText(node, 'wp:comment_id');
  const parent = childText(node, 'wp:comment_parent');
  const email = childText(node, 'wp:comment_author_email');
  const user = childText(node, 'wp:comment_user_id');
  // An address can be typed by anyone, a user id cannot; authors without one in the file are told by their address.
  const isAuthor = user !== '' && user !== '0' && (staff.ids.has(user) || staff.emails.has(email.toLowerCase()));
  const author = authorOf({
    name: childText(node, 'wp:comment_author'),
    email,
    url: childText(node, 'wp:comment_author_url'),
    ip: childText(node, 'wp:comment_author_IP'),
    isAuthor,
    escaped: true,
  });
  const reply = parent !== '' && parent !== '0';
  const leave = (reason: string): ReadItem => ({ ...skipped(line, reason), comment: { author, reply } });

  const type = childText(node, 'wp:comment_type').toLowerCase();
  if (type === 'pingback' || type === 'trackback') {
    yield leave(type);
    return;
  }
  if (NOTES.has(type)) {
    yield leave(`Comment ${id} is of type "${type}", a note of the shop or its plugins.`);
    return;
  }
  if (thread.key === '') {
    yield leave(`Comment ${id} stands in an item without a link, so there is no page for it.`);
    return;
  }
  const written = childText(node, 'wp:comment_date_gmt');
  const time = clock.read(written.startsWith('0000') || written === '' ? childText(node, 'wp:comment_date') : written);
  if (time === undefined) {
    yield leave(`Comment ${id} has no date that can be read ("${written.slice(0, 40)}").`);
    return;
  }
  if (time.guessed)
    yield warning(
      line,
      `Comment ${id} has no date that can be read ("${written.slice(0, 40)}"); it got that of the one before.`,
    );
  const approved = childText(node, 'wp:comment_approved').toLowerCase();
  const status = STATUS[approved];
  if (status === undefined)
    yield warning(line, `Comment ${id} has the unknown status "${approved.slice(0, 40)}"; it is held.`);
  const record: ImportComment = {
    kind: 'comment',
    line,
    sourceId: id,
    thread,
    ...(reply && { parentSourceId: parent }),
    author,
    body: status === 'deleted' ? '' : markdownOfHtml(childText(node, 'wp:comment_content'), 'break'),
    at: time.at,
    status: status ?? 'held',
  };
  if (id === '' || id === '0') record.sourceId = contentId(record);
  yield record;
}
