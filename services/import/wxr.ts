import type { ImportStatus } from './record.ts';

/** A thread or a comment for WordPress; each thread comes before its comments, and its comments together. */
export type WxrRow =
  | { type: 'thread'; key: string; url?: string; title?: string; closed: boolean }
  | {
      type: 'comment';
      id: string;
      parentId: string | null;
      author: { name: string; email?: string; url?: string; ip?: string };
      /** Sanitized HTML: what readers see is what WordPress stores. */
      html: string;
      at: number;
      status: ImportStatus;
    };

/** WordPress knows no tombstone and no rejection: both go to its trash, the latter with its text. */
const APPROVED: Record<ImportStatus, string> = {
  published: '1',
  held: '0',
  spam: 'spam',
  rejected: 'trash',
  deleted: 'trash',
};

/**
 * A site's threads and comments as WXR 1.2, in pieces, for WordPress' importer (Tools > Import > WordPress) and all that read
 * it.
 *
 * WordPress numbers its comments: ours are numbered in the order in which they come or are first answered. Each thread
 * becomes a post of the same address. Memory grows with the largest thread only. What XML cannot hold (control characters,
 * lone surrogates) is left out.
 */
export async function* encodeWxr(
  rows: AsyncIterable<WxrRow> | Iterable<WxrRow>,
  channel: { title: string; url: string; exportedAt: number },
): AsyncGenerator<string> {
  yield `<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0"
  xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
  xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:wfw="http://wellformedweb.org/CommentAPI/"
  xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
<title>${escape(channel.title)}</title>
<link>${escape(channel.url)}</link>
<description></description>
<pubDate>${new Date(channel.exportedAt).toUTCString()}</pubDate>
<wp:wxr_version>1.2</wp:wxr_version>
<wp:base_site_url>${escape(channel.url)}</wp:base_site_url>
<wp:base_blog_url>${escape(channel.url)}</wp:base_blog_url>
<generator>Sluice</generator>
`;
  let posts = 0;
  let last = 0;
  let numbers = new Map<string, number>();
  const numberOf = (id: string) => {
    let number = numbers.get(id);
    if (number === undefined) numbers.set(id, (number = ++last));
    return number;
  };
  for await (const row of rows) {
    if (row.type === 'thread') {
      if (posts > 0) yield '</item>\n';
      numbers = new Map();
      yield item(row, ++posts, channel);
    } else if (posts > 0) {
      yield comment(row, numberOf(row.id), row.parentId === null ? 0 : numberOf(row.parentId));
    }
  }
  if (posts > 0) yield '</item>\n';
  yield '</channel>\n</rss>\n';
}

function item(
  thread: Extract<WxrRow, { type: 'thread' }>,
  number: number,
  channel: { url: string; exportedAt: number },
): string {
  const url =
    thread.url ?? (URL.canParse(thread.key, channel.url) ? new URL(thread.key, channel.url).href : thread.key);
  const date = sqlDate(channel.exportedAt);
  return `<item>
<title>${cdata(thread.title ?? thread.key)}</title>
<link>${escape(url)}</link>
<pubDate>${new Date(channel.exportedAt).toUTCString()}</pubDate>
<dc:creator>${cdata('sluice')}</dc:creator>
<guid isPermaLink="false">${escape(url)}</guid>
<description></description>
<content:encoded>${cdata('')}</content:encoded>
<excerpt:encoded>${cdata('')}</excerpt:encoded>
<wp:post_id>${number}</wp:post_id>
<wp:post_date>${cdata(date)}</wp:post_date>
<wp:post_date_gmt>${cdata(date)}</wp:post_date_gmt>
<wp:comment_status>${thread.closed ? 'closed' : 'open'}</wp:comment_status>
<wp:ping_status>closed</wp:ping_status>
<wp:post_name>${cdata(slug(url))}</wp:post_name>
<wp:status>publish</wp:status>
<wp:post_parent>0</wp:post_parent>
<wp:menu_order>0</wp:menu_order>
<wp:post_type>post</wp:post_type>
<wp:post_password></wp:post_password>
<wp:is_sticky>0</wp:is_sticky>
`;
}

function comment(row: Extract<WxrRow, { type: 'comment' }>, number: number, parent: number): string {
  const date = sqlDate(row.at);
  // WordPress stores names escaped; it shows `&lt;` as `<`.
  const name = row.author.name.replace(/[&<>"]/g, (c) => XML[c]!);
  return `<wp:comment>
<wp:comment_id>${number}</wp:comment_id>
<wp:comment_author>${cdata(name)}</wp:comment_author>
<wp:comment_author_email>${cdata(row.author.email ?? '')}</wp:comment_author_email>
<wp:comment_author_url>${escape(row.author.url ?? '')}</wp:comment_author_url>
<wp:comment_author_IP>${cdata(row.author.ip ?? '')}</wp:comment_author_IP>
<wp:comment_date>${cdata(date)}</wp:comment_date>
<wp:comment_date_gmt>${cdata(date)}</wp:comment_date_gmt>
<wp:comment_content>${cdata(row.status === 'deleted' ? '' : row.html)}</wp:comment_content>
<wp:comment_approved>${cdata(APPROVED[row.status])}</wp:comment_approved>
<wp:comment_type>${cdata('comment')}</wp:comment_type>
<wp:comment_parent>${parent}</wp:comment_parent>
<wp:comment_user_id>0</wp:comment_user_id>
</wp:comment>
`;
}

const XML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML 1.0 §2.2: what no document may hold, escaped or not. */
// oxlint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
const clean = (text: string) => text.replace(FORBIDDEN, '').toWellFormed();

const escape = (text: string) => clean(text).replace(/[&<>"]/g, (c) => XML[c]!);
/** `]]>` would end the section: it is cut in two, as WordPress' own `wxr_cdata` does. */
const cdata = (text: string) => `<![CDATA[${clean(text).replaceAll(']]>', ']]]]><![CDATA[>')}]]>`;
const sqlDate = (time: number) => new Date(time).toISOString().slice(0, 19).replace('T', ' ');
const slug = (url: string) =>
  (URL.canParse(url) ? new URL(url).pathname : url)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 200) || 'home';
