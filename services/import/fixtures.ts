import type { ReadOptions } from './read.ts';
import { read } from './read.ts';
import type { ImportComment, ReadItem } from './record.ts';

/** Test material in our own words, in the shape of each system's export. */

const utf8 = new TextEncoder();

/** The bytes, cut into chunks of `size`, so that tests meet every boundary. */
export async function* chunks(bytes: Uint8Array | string, size = 7): AsyncGenerator<Uint8Array> {
  const all = typeof bytes === 'string' ? utf8.encode(bytes) : bytes;
  for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

export const readAll = (bytes: Uint8Array | string, options: ReadOptions = {}, size?: number): Promise<ReadItem[]> =>
  collect(read(() => chunks(bytes, size), options));

export const commentsOf = (items: readonly { kind: string }[]) =>
  items.filter((item): item is ImportComment => item.kind === 'comment');
export const reasonsOf = (items: readonly ReadItem[]) =>
  items.flatMap((item) => (item.kind === 'skipped' ? [`${item.line}: ${item.reason}`] : []));
export const warningsOf = (items: readonly { kind: string }[]) =>
  items
    .filter((item): item is Extract<ReadItem, { kind: 'warning' }> => item.kind === 'warning')
    .map(({ reason }) => reason);

export const disqus = (inner: string, declaration = '<?xml version="1.0" encoding="utf-8"?>') => `${declaration}
<disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<category dsq:id="1"><forum>garden</forum><title>General</title></category>
<thread dsq:id="10"><id/><forum>garden</forum><category dsq:id="1"/><link>https://garden.example/2020/bees/</link><title>On bees &amp; figs</title><isClosed>false</isClosed></thread>
${inner}
</disqus>
`;

export const post = (
  id: string,
  { message = `Words of ${id}.`, parent = '', thread = '10', extra = '', author = `<name>Writer ${id}</name>` } = {},
) => `<post dsq:id="${id}">
<id/>
<message><![CDATA[<p>${message}</p>]]></message>
<createdAt>2020-05-0${(Number(id) % 9) + 1}T08:00:00Z</createdAt>
<isDeleted>false</isDeleted>
<isSpam>false</isSpam>
<author>${author}</author>
<thread dsq:id="${thread}"/>
${parent === '' ? '' : `<parent dsq:id="${parent}"/>`}${extra}
</post>
`;

export const wxr = (items: string, version = '1.2') => `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wp="http://wordpress.org/export/${version}/">
<channel><title>Garden</title><link>https://garden.example</link><wp:wxr_version>${version}</wp:wxr_version>
<wp:author><wp:author_id>7</wp:author_id><wp:author_login>ada</wp:author_login><wp:author_email>ada@garden.example</wp:author_email></wp:author>
${items}</channel></rss>
`;

export const wpItem = (
  comments: string,
  head = '<title>Figs &#038; bees</title><link>https://garden.example/figs/</link>',
) =>
  `<item>${head}<content:encoded><![CDATA[<p>A long post.</p>]]></content:encoded><wp:post_id>3</wp:post_id><wp:comment_status>closed</wp:comment_status>
${comments}</item>
`;

export const wpComment = (
  id: string,
  {
    approved = '1',
    type = '',
    parent = '0',
    content = `Words of ${id}.`,
    user = '0',
    email = `w${id}@example.org`,
  } = {},
) => `<wp:comment>
<wp:comment_id>${id}</wp:comment_id>
<wp:comment_author><![CDATA[Writer ${id}]]></wp:comment_author>
<wp:comment_author_email>${email}</wp:comment_author_email>
<wp:comment_author_url></wp:comment_author_url>
<wp:comment_author_IP>203.0.113.9</wp:comment_author_IP>
<wp:comment_date>2020-05-01 10:00:00</wp:comment_date>
<wp:comment_date_gmt>2020-05-01 08:00:00</wp:comment_date_gmt>
<wp:comment_content><![CDATA[${content}]]></wp:comment_content>
<wp:comment_approved>${approved}</wp:comment_approved>
<wp:comment_type>${type}</wp:comment_type>
<wp:comment_parent>${parent}</wp:comment_parent>
<wp:comment_user_id>${user}</wp:comment_user_id>
</wp:comment>
`;

export const artran = (id: string, fields: Record<string, string> = {}) => ({
  id,
  rid: '0',
  content: `Words of ${id}.`,
  ip: '203.0.113.9',
  created_at: '2021-10-28 20:50:15 +0800',
  updated_at: '2021-10-28 20:50:15 +0800',
  is_pending: 'false',
  nick: `Writer ${id}`,
  email: `w${id}@example.org`,
  link: '',
  badge_name: '',
  page_key: '/figs/',
  page_title: 'Figs',
  site_urls: 'https://garden.example,https://www.garden.example',
  ...fields,
});
