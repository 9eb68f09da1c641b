import type { Comment } from '../../shared/comment.ts';
import type { Call, Reply } from '../../shared/http.ts';
import type { Store } from '../../shared/store/comments.ts';
import { permalink } from '../deliver/permalink.ts';
import { normaliseThreadKey } from '../validate/thread-key.ts';
import { threadPath } from '../widget/thread-page.ts';
import type { Door } from './door.ts';
import { cacheable } from './read.ts';

const ENTRIES = 50;
/** Newest submissions of the site among which news is looked for: what waited longer than for so many is not news. */
const SITE_NEWEST = 300;

/** Atom (RFC 4287) of a site's newest comments, or of one thread's. */
export async function readFeed(door: Door, call: Call): Promise<Reply> {
  const { sites, store, ports } = door;
  const { site } = await sites.rules(call.params.site ?? '');
  const asked =
    call.params.thread === undefined ? undefined : normaliseThreadKey(call.params.thread, site.threadParams);
  const record = asked === undefined ? undefined : await sites.thread(site.id, asked);
  const key = record?.key ?? asked;
  const comments =
    key === undefined
      ? newestOf(await store.newestPublished(site.id, SITE_NEWEST))
      : await inThread(store, site.id, key);
  const texts = await store.revisions(
    comments.map(({ id, publishedRevision }) => ({ id, revision: publishedRevision ?? 1 })),
  );
  const threads = new Map(
    await Promise.all(
      [...new Set(comments.map(({ thread }) => thread))].map(
        async (thread) => [thread, await sites.thread(site.id, thread, { stale: true })] as const,
      ),
    ),
  );
  const self = `${ports.publicUrl}${call.url.pathname}`;
  const page = key === undefined ? site.origins[0] : (record?.url ?? ports.publicUrl + threadPath(site.id, key));
  const newest = Math.max(0, ...comments.map((comment) => comment.editedAt ?? shownAt(comment)));
  const entry = (comment: Comment, html: string) => `  <entry>
    <id>urn:sluice:comment:${xml(comment.id)}</id>
    <title>${xml(`${comment.author.name}: ${beginning(comment.excerpt)}`)}</title>
    <updated>${new Date(comment.editedAt ?? shownAt(comment)).toISOString()}</updated>
    <published>${new Date(comment.submittedAt).toISOString()}</published>
    <author><name>${xml(comment.author.name)}</name></author>
    <link rel="alternate" type="text/html" href="${xml(permalink(ports.publicUrl, comment, threads.get(comment.thread)?.url))}"/>
    <content type="html">${xml(html)}</content>
  </entry>`;
  const text = `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <id>${xml(self)}</id>
  <title>${xml(`Comments on ${record?.title ?? key ?? site.name}`)}</title>
  <updated>${new Date(newest).toISOString()}</updated>
  <link rel="self" type="application/atom+xml" href="${xml(self)}"/>${page === undefined ? '' : `\n  <link rel="alternate" type="text/html" href="${xml(page)}"/>`}
${comments.map((comment, index) => entry(comment, texts[index]?.html ?? '')).join('\n')}
</feed>
`;
  return cacheable(call, text, 'application/atom+xml; charset=utf-8');
}

/** A thread's newest, answers too: of the top level as many as the feed has, of the answers those that are new on the site. */
async function inThread(store: Store, site: string, thread: string): Promise<readonly Comment[]> {
  const [level, anywhere] = await Promise.all([
    store.level(site, thread, null, { order: 'descending', limit: ENTRIES }),
    store.newestPublished(site, SITE_NEWEST),
  ]);
  const found = [...level.comments, ...anywhere].filter(
    (comment) => comment.status === 'published' && comment.thread === thread,
  );
  return newestOf([...new Map(found.map((comment) => [comment.id, comment])).values()]);
}

/** By publication: what waited for a moderator is news when it appears, and would stand below what is read already. */
const newestOf = (comments: readonly Comment[]): readonly Comment[] =>
  comments.toSorted((a, b) => shownAt(b) - shownAt(a)).slice(0, ENTRIES);

const shownAt = ({ publishedAt, submittedAt }: Comment): number => publishedAt ?? submittedAt;

/** Cut between characters: half an emoji is none. */
const beginning = (text: string): string => [...text].slice(0, 80).join('');

/** Text as XML 1.0 allows it. */
function xml(text: string): string {
  return (
    text
      .toWellFormed()
      // oxlint-disable-next-line no-control-regex
      .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
