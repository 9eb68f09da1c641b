import { createHash } from 'node:crypto';
import { clock, type Clock, webAddress } from './format.ts';
import type { Comment } from './thread.ts';
import { ENGLISH, type Say, speaker } from './words.ts';

/** What the page without scripts shows: the answer of `GET …/comments`, and where it belongs. */
export type ThreadPage = {
  site: string;
  thread: string;
  /** The post's title, else the thread's key stands in. */
  title?: string;
  /** The post; only http(s) becomes a link. */
  url?: string;
  comments: readonly Comment[];
  /** All that is published, replies too. */
  total: number;
  nextCursor: string | null;
  closed?: boolean;
  order?: 'oldest' | 'newest';
  /** True for any page but the first: offers the way back to the start. */
  continued?: boolean;
  /** The comment whose replies these are. */
  parent?: string;
  /** Milliseconds since the epoch, for "2 hours ago". */
  now: number;
};

const CSS = `
:root{color-scheme:light dark;--ink:light-dark(#1d2529,#e4e9ea);--quiet:light-dark(#586369,#9aa7ac);--accent:light-dark(#0b5f78,#7fcbe0);--on-accent:light-dark(#fff,#06242e);--surface:color-mix(in srgb,currentColor 5%,transparent)}
*{box-sizing:border-box}
body{margin:0 auto;padding:clamp(1.25rem,5vw,3rem) 1.25rem 4rem;max-width:42.5rem;background:light-dark(#fbfaf7,#12181b);color:var(--ink);font:1rem/1.55 system-ui,'Segoe UI',sans-serif;overflow-wrap:anywhere}
h1{margin:0 0 .25rem;font-size:1.625rem;line-height:1.2}
a{color:var(--accent);text-underline-offset:.18em}
.quiet,time{color:var(--quiet);font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin-block:1.25rem;font-size:.9375rem}
p{margin:0}
ol{margin:0;padding:0;list-style:none}
li.comment{margin-block-start:1.75rem;scroll-margin-block:2rem}
li.comment>ol,li.comment>.more{margin-inline-start:1rem;padding-inline-start:1.3rem;border-inline-start:2px solid var(--surface)}
header{display:flex;flex-wrap:wrap;align-items:center;gap:0 .75rem}
header a{color:inherit;text-decoration:none}
header a:hover{text-decoration:underline}
.face{display:grid;place-items:center;width:2rem;height:2rem;border-radius:50%;background:var(--surface)}
.name{font-weight:600}
.staff{background:var(--accent);color:var(--on-accent)}
.badge{padding:0 .6em;border-radius:1em;font-size:.75rem}
.body,.gone{margin-inline-start:2.75rem}
.gone{color:var(--quiet)}
.body ol{padding-inline-start:2.5em;list-style:decimal}
.body>*{margin:0}
.body>*+*{margin-block-start:.75em}
pre,:not(pre)>code{background:var(--surface);font:.875em/1.5 ui-monospace,monospace}
pre{padding:1em;overflow:auto}
blockquote{padding-inline-start:1em;border-inline-start:3px solid color-mix(in srgb,currentColor 45%,transparent)}
:target>article{background:color-mix(in srgb,var(--accent) 13%,transparent);box-shadow:0 0 0 .6rem color-mix(in srgb,var(--accent) 13%,transparent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
@media (max-width:30em){.body,.gone{margin-inline-start:0}li.comment>ol,li.comment>.more{margin:0;padding-inline-start:.85rem}}
`;

/** Source expression for `style-src`: the page's own style is the only one that may apply. */
export const THREAD_PAGE_STYLE_HASH = `'sha256-${createHash('sha256').update(CSS).digest('base64')}'`;

/** The policy to send with the page: nothing runs, nothing is fetched but images that a site's policy lets through. */
export const THREAD_PAGE_CSP = `default-src 'none'; style-src ${THREAD_PAGE_STYLE_HASH}; img-src https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const LANG = 'en';
// Made with the first page: Intl takes 10 ms, and most calls of the door write none.
let speaks: Say | undefined;
let tells: Clock | undefined;
const say: Say = (key, values) => (speaks ??= speaker(ENGLISH, LANG))(key, values);
const when: Clock = (at, now) => (tells ??= clock(LANG))(at, now);

/**
 * A thread as a whole HTML page, without scripts.
 *
 * Every text is escaped here. `html` of a comment goes in as it is: the renderer's sanitizer has made it.
 */
export function renderThreadPage(page: ThreadPage): string {
  const { site, thread, title = thread, url, comments, total, nextCursor, closed, order = 'oldest' } = page;
  const here = `/t/${encodeURIComponent(site)}/${encodeURIComponent(thread)}`;
  const other = order === 'oldest' ? 'newest' : 'oldest';
  const link = (query: Record<string, string>, text: string) =>
    `<a href="${escape(`${here}?${new URLSearchParams(query)}`)}">${escape(text)}</a>`;
  const back = webAddress(url);
  const post = back ? `<a href="${escape(back)}">${escape(title)}</a>` : escape(title);
  const state = closed
    ? say('closed')
    : back
      ? 'Writing a comment needs JavaScript, under the post.'
      : 'Writing a comment needs JavaScript.';
  const steps = [
    ...(page.continued || page.parent ? [link({ order }, say('all'))] : []),
    ...(comments.length && !page.parent ? [link({ order: other }, say(other))] : []),
    `<a href="${escape(`/v1/sites/${encodeURIComponent(site)}/threads/${encodeURIComponent(thread)}/feed.atom`)}">Atom feed</a>`,
    `<a href="/privacy?site=${encodeURIComponent(site)}">Privacy</a>`,
  ];
  const more = nextCursor
    ? `<nav>${link({ order, cursor: nextCursor, ...(page.parent && { parent: page.parent }) }, say('more'))}</nav>`
    : '';
  const item = (comment: Comment): string => {
    const replies = comment.replies.map(item).join('');
    const rest = comment.repliesCursor
      ? `<p class="more">${link(
          { parent: comment.id, cursor: comment.repliesCursor },
          say('moreReplies', { n: Math.max(1, comment.replyCount - comment.replies.length) }),
        )}</p>`
      : '';
    return `<li class="comment" id="sluice-${escape(comment.id)}">${article(comment, page.now)}${
      replies && `<ol>${replies}</ol>`
    }${rest}</li>`;
  };
  return `<!doctype html>
<html lang="${LANG}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(`${say('comments')}: ${title}`)}</title>
${back ? `<link rel="canonical" href="${escape(back)}">\n` : ''}<style>${CSS}</style>
</head>
<body>
<main>
<h1>${escape(total ? say('count', { n: total }) : say('comments'))}</h1>
<p class="quiet">${post}. ${escape(state)}</p>
<nav aria-label="${escape(say('comments'))}">${steps.join('')}</nav>
${comments.length ? `<ol>${comments.map(item).join('\n')}</ol>` : `<p>${escape(closed ? '' : say('empty'))}</p>`}
${more}
</main>
</body>
</html>
`;
}

function article({ id, author, html, state, createdAt, editedAt }: Comment, now: number): string {
  if (state !== 'published') return `<article><p class="gone">${escape(say(state))}</p></article>`;
  const { name, role } = author;
  const { text, exact, iso } = when(createdAt, now);
  const href = webAddress(author.url);
  const face = [...name][0]?.toUpperCase() ?? '';
  const who = href ? `<a href="${escape(href)}" rel="nofollow ugc noopener">${escape(name)}</a>` : escape(name);
  return `<article><header><span class="face${role ? ' staff' : ''}" aria-hidden="true">${escape(face)}</span>
<span class="name" dir="auto">${who}</span>${role ? ` <span class="badge staff">${escape(say(role))}</span>` : ''}
<a href="#sluice-${escape(id)}"><time datetime="${escape(iso)}" title="${escape(exact)}">${escape(text)}</time></a>${
    editedAt ? ` <span class="quiet">${escape(say('edited'))}</span>` : ''
  }</header>
<div class="body" dir="auto">${html}</div></article>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
