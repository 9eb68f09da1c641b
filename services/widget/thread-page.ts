import { type CommentForm, renderCommentForm } from './comment-form.ts';
import { webAddress } from './format.ts';
import { escape, frame } from './page-frame.ts';
import type { PageSpeech } from './page-words.ts';
import type { Comment } from './thread.ts';

/** What the page without scripts shows: the answer of `GET …/comments`, and where it belongs. */
export type ThreadPage = {
  speech: PageSpeech;
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
  /** New comments may wait for a person. */
  holds?: boolean;
  /** The deepest reply: whoever answers one that deep answers beside it. */
  replyDepth?: number;
  order?: 'oldest' | 'newest';
  /** True for any page but the first: offers the way back to the start. */
  continued?: boolean;
  /** The comment whose replies these are. */
  parent?: string;
  /** Stands at the end, or under the comment that it answers. */
  form?: CommentForm & { to?: string };
  /** What every link of this page takes along: the language that was asked for. */
  keeps?: Record<string, string>;
  /** Milliseconds since the epoch, for "2 hours ago". */
  now: number;
};

/** The address of a thread's page. */
export function threadPath(site: string, thread: string, query: Record<string, string> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `/t/${encodeURIComponent(site)}/${encodeURIComponent(thread)}${search && `?${search}`}`;
}

/**
 * A thread as a whole HTML page, without scripts.
 *
 * Every text is escaped here. `html` of a comment goes in as it is: the renderer's sanitizer has made it.
 */
export function renderThreadPage(page: ThreadPage): string {
  const { site, thread, title = thread, url, comments, total, nextCursor, closed, order = 'oldest', form } = page;
  const { speech, keeps = {}, replyDepth = Infinity } = page;
  const { say } = speech;
  const turned: Record<string, string> = order === 'newest' ? { order, ...keeps } : keeps;
  const link = (query: Record<string, string>, text: string) =>
    `<a href="${escape(threadPath(site, thread, { ...query, ...keeps }))}">${escape(text)}</a>`;
  const back = webAddress(url);
  const post = back ? `<a href="${escape(back)}">${escape(title)}</a>` : escape(title);
  const other = order === 'oldest' ? 'newest' : 'oldest';
  const state = closed ? say('closed') : page.holds ? say('holds') : '';
  const atEnd = form && form.to === undefined ? renderCommentForm(form, speech) : '';
  const steps = [
    ...(atEnd ? [`<a href="#write">${escape(say('write'))}</a>`] : []),
    ...(page.continued || page.parent ? [link({ order }, say('all'))] : []),
    ...(comments.length && !page.parent ? [link({ order: other }, say(other))] : []),
    `<a href="${escape(`/v1/sites/${encodeURIComponent(site)}/threads/${encodeURIComponent(thread)}/feed.atom`)}">${escape(say('feed'))}</a>`,
    `<a href="${escape(`/privacy?${new URLSearchParams({ site, ...keeps })}`)}">${escape(say('privacy'))}</a>`,
  ];
  const more = nextCursor
    ? `<nav>${link({ order, cursor: nextCursor, ...(page.parent && { parent: page.parent }) }, say('more'))}</nav>`
    : '';
  const under = ({ id, parentId, depth, state, author }: Comment): string => {
    if (form?.to === id) return renderCommentForm(form, speech);
    if (closed || state !== 'published') return '';
    const to = (depth >= replyDepth && parentId) || id;
    const reply = escape(threadPath(site, thread, { reply: to, ...turned }));
    return `<p class="act"><a href="${reply}">${escape(say('reply'))}<span class="unseen"> <bdi>${escape(author.name)}</bdi></span></a></p>`;
  };
  const item = (comment: Comment): string => {
    const replies = comment.replies.map(item).join('');
    const rest = comment.repliesCursor
      ? `<p class="more">${link(
          { parent: comment.id, cursor: comment.repliesCursor },
          say('moreReplies', { n: Math.max(1, comment.replyCount - comment.replies.length) }),
        )}</p>`
      : '';
    return `<li class="comment" id="sluice-${escape(comment.id)}">${article(comment, speech, page.now)}${under(comment)}${
      replies && `<ol>${replies}</ol>`
    }${rest}</li>`;
  };
  return frame(speech, {
    title: `${say('comments')}: ${title}`,
    head: back ? `<link rel="canonical" href="${escape(back)}">\n` : '',
    body: `<h1>${escape(total ? say('count', { n: total }) : say('comments'))}</h1>
<p class="quiet"><bdi>${post}</bdi></p>${state && `\n<p class="state">${escape(state)}</p>`}
<nav aria-label="${escape(say('comments'))}">${steps.join('')}</nav>
${comments.length ? `<ol>${comments.map(item).join('\n')}</ol>` : `<p>${escape(closed ? '' : say('empty'))}</p>`}
${more}
${atEnd}`,
  });
}

/** What became of a comment, in words, for who has just sent it. `back` leads to the thread, `again` to this page. */
export function renderStatePage(
  speech: PageSpeech,
  { status, reason, back, again }: { status: State; reason?: string; back: string; again?: string },
): string {
  const { say } = speech;
  const why = reason ? ` ${say('reason')}: ${speech.reason(reason)}` : '';
  const link = (href: string, text: string) => `<a href="${escape(href)}">${escape(text)}</a>`;
  return frame(speech, {
    title: say('body'),
    body: `<h1>${escape(say('body'))}</h1>
<p class="state">${escape(say(status) + why)}</p>
<nav aria-label="${escape(say('comments'))}">${again ? link(again, say('again')) : ''}${link(back, say('all'))}</nav>`,
  });
}

export type State = 'received' | 'waiting' | 'published' | 'rejected' | 'removed' | 'deleted' | 'delayed' | 'missing';

function article(
  { id, author, html, state, createdAt, editedAt }: Comment,
  { say, when }: PageSpeech,
  now: number,
): string {
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
