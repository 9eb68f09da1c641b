import { Clock, authorOf, cutLoose } from './fields.ts';
import { contentId } from './ids.ts';
import { markdownOfHtml } from './markdown.ts';
import { type ImportComment, type ImportThread, type ReadItem, skipped, warning } from './record.ts';
import { type XmlShape, attribute, childText, xmlRecords } from './xml.ts';
import type { XmlNode } from './xml-leaf.ts';

const SHAPE: XmlShape = {
  records: { thread: ['disqus'], post: ['disqus'] },
  references: new Set(['thread']),
};

/** Posts whose thread has not come yet. Disqus writes threads first; an edited file may not. */
const WAITING_LIMIT = 100_000;

/**
 * Disqus' XML export: https://docs.disqus.com/developers/export/, http://disqus.com/api/schemas/1.0/disqus.xsd.
 *
 * A thread's key is its link: its `<id/>` is what the page called it, is often empty, and becomes an alias. A deleted post
 * is a tombstone even if it was also spam. A post whose thread is not in the file belongs to no page and is left out, by
 * line.
 */
export async function* readDisqus(pieces: AsyncIterable<string>): AsyncGenerator<ReadItem> {
  const threads = new Map<string, ImportThread>();
  const waiting: { post: XmlNode; thread: string }[] = [];
  const clock = new Clock();

  for await (const item of xmlRecords(pieces, SHAPE)) {
    if (item.kind !== 'record') yield item;
    else if (item.node.name === 'thread') {
      const thread = threadOf(item.node);
      if (thread === undefined) {
        const id = attribute(item.node, 'id');
        yield {
          ...skipped(item.node.line, `The thread ${id} has neither a link nor an id, so no page to stand on.`),
          thread: true,
        };
      } else {
        threads.set(cutLoose(attribute(item.node, 'id')), thread);
        yield thread;
      }
    } else {
      const id = attribute(
        item.node.children.find((child) => child.name === 'thread'),
        'id',
      );
      const thread = threads.get(id);
      if (thread !== undefined) yield* comment(item.node, thread, clock);
      else if (waiting.length < WAITING_LIMIT) waiting.push({ post: item.node, thread: id });
      else yield orphan(item.node, id);
    }
  }
  for (const { post, thread: id } of waiting) {
    const thread = threads.get(id);
    if (thread === undefined) yield orphan(post, id);
    else yield* comment(post, thread, clock);
  }
}

function threadOf(node: XmlNode): ImportThread | undefined {
  const identifier = cutLoose(childText(node, 'id'));
  const link = cutLoose(childText(node, 'link'));
  const key = link || identifier;
  if (key === '') return undefined;
  const title = cutLoose(childText(node, 'title'));
  return {
    kind: 'thread',
    line: node.line,
    key,
    ...(link !== '' && identifier !== '' && identifier !== link && { aliases: [identifier] }),
    ...(link !== '' && { url: link }),
    ...(title !== '' && { title }),
    ...(childText(node, 'isClosed') === 'true' && { closed: true }),
  };
}

const orphan = (post: XmlNode, thread: string): ReadItem => ({
  ...skipped(
    post.line,
    thread === ''
      ? `The post ${attribute(post, 'id')} names no thread.`
      : `The post ${attribute(post, 'id')} belongs to thread ${thread}, which is not in the file.`,
  ),
  comment: { author: writer(post), reply: parentOf(post) !== '' },
});

function writer(post: XmlNode) {
  const author = post.children.find((child) => child.name === 'author');
  if (author === undefined) return { name: '' };
  return authorOf({
    name: childText(author, 'name') || childText(author, 'username'),
    email: childText(author, 'email'),
    url: childText(author, 'link') || childText(author, 'url'),
    ip: childText(post, 'ipAddress'),
  });
}

const parentOf = (post: XmlNode) =>
  attribute(
    post.children.find((child) => child.name === 'parent'),
    'id',
  );

function* comment(post: XmlNode, thread: ImportThread, clock: Clock): Generator<ReadItem> {
  const author = writer(post);
  const parent = parentOf(post);
  const written = childText(post, 'createdAt');
  const time = clock.read(written);
  const id = attribute(post, 'id') || childText(post, 'id');
  if (time === undefined) {
    yield {
      ...skipped(post.line, `The post ${id} has no date that can be read ("${written.slice(0, 40)}").`),
      comment: { author, reply: parent !== '' },
    };
    return;
  }
  if (time.guessed)
    yield warning(
      post.line,
      `The post ${id} has no date that can be read ("${written.slice(0, 40)}"); it got that of the one before.`,
    );
  const deleted = childText(post, 'isDeleted') === 'true';
  const status = deleted
    ? 'deleted'
    : childText(post, 'isSpam') === 'true'
      ? 'spam'
      : childText(post, 'isApproved') === 'false'
        ? 'held'
        : 'published';
  const record: ImportComment = {
    kind: 'comment',
    line: post.line,
    sourceId: id,
    thread: { key: thread.key, ...(thread.url && { url: thread.url }), ...(thread.title && { title: thread.title }) },
    ...(parent !== '' && { parentSourceId: parent }),
    author,
    body: deleted ? '' : markdownOfHtml(childText(post, 'message'), 'auto'),
    at: time.at,
    status,
  };
  if (id === '') record.sourceId = contentId(record);
  yield record;
}
