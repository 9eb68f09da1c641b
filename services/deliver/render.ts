import type { Speech } from './words.ts';

export type Rendered = { subject: string; text: string; html: string };

export type CommentView = {
  author: string;
  /** Sanitized: the only form that goes into HTML as it is. */
  html: string;
  /** As the writer typed it (Markdown). */
  text: string;
  excerpt: string;
  at: number;
  title: string;
  url: string;
  parentExcerpt?: string;
};

/** Longer comments are cut in mail; the link leads to the whole. Gmail clips a mail at 102 KB. */
const TEXT_CHARACTERS = 4000;
const HTML_CHARACTERS = 12_000;
const SUBJECT_CHARACTERS = 120;

type CommentsMail = {
  site: string;
  comments: readonly [CommentView, ...CommentView[]];
  unsubscribeUrl: string;
};

/** What a mail about comments says around them. */
type Frame = {
  subject: string;
  /** Who did what where, above each comment. */
  lead(comment: CommentView): { text: string; html: string };
  context(excerpt: string): string;
  /** Of the link to each. */
  link: string;
  /** Why it came, and what one may do about it. */
  why: string;
  links: readonly { label: string; url: string }[];
  /** An excerpt, unless the whole text was asked for. */
  whole: boolean;
};

/** Mail about one reply or a burst of them, oldest first, in the language of who gets it. */
export function renderReplies(mail: CommentsMail & { dataUrl: string }, speech: Speech): Rendered {
  const { comments, unsubscribeUrl, dataUrl } = mail;
  const { say, html } = speech;
  const [first] = comments;
  const site = oneLine(mail.site, 80);
  const placeOf = (title: string, characters: number) => say('quote', { title: oneLine(title, characters) });
  const place = first.title ? placeOf(first.title, 80) : site;
  const n = comments.length;
  return renderComments(comments, speech, {
    subject: n > 1 ? say('replies', { n, place }) : say('replied', { name: oneLine(first.author, 40), place }),
    lead({ author, title }) {
      const key = title ? 'lead' : 'leadUntitled';
      const name = oneLine(author, 80);
      const where = placeOf(title, 120);
      return {
        text: say(key, { name, place: where }),
        html: html(key, { place: where }, { name: `<strong dir="auto">${escapeHtml(name)}</strong>` }),
      };
    },
    context: (text) => say('youWrote', { text }),
    link: say('read'),
    why: say('whyReply', { site }),
    links: [
      { label: say('end'), url: unsubscribeUrl },
      { label: say('data'), url: dataUrl },
    ],
    whole: true,
  });
}

/**
 * Mail about one comment or a burst of them to an author or a moderator. An excerpt: what was held may be vile, and need not
 * be sent in full.
 */
export function renderNews(kind: 'author' | 'held', mail: CommentsMail): Rendered {
  const { comments, unsubscribeUrl } = mail;
  const [first] = comments;
  const several = comments.length > 1;
  const site = oneLine(mail.site, 80);
  const title = oneLine(first.title, 80);
  const on = title ? ` on “${title}”` : ` on ${site}`;
  const name = oneLine(first.author, 40);
  const subject = {
    author: several ? `${comments.length} new comments${onAll(comments, on, site)}` : `${name} commented${on}`,
    held: several ? `${comments.length} comments wait for you on ${site}` : `A comment waits for you${on}`,
  }[kind];
  const end = { author: ':', held: '; it waits for you:' }[kind];
  return renderComments(
    comments,
    { lang: 'en', dir: 'ltr' },
    {
      subject,
      lead({ author, title: of }) {
        const who = oneLine(author, 80);
        const rest = ` commented${of ? ` on “${oneLine(of, 120)}”` : ''}${end}`;
        return { text: who + rest, html: `<strong>${escapeHtml(who)}</strong>${escapeHtml(rest)}` };
      },
      context: (excerpt) => `In reply to: ${excerpt}`,
      link: { author: 'Open the thread', held: 'Open the review queue' }[kind],
      why: {
        author: `You get this because you write for ${site}.`,
        held: `You get this because you moderate ${site}.`,
      }[kind],
      links: [{ label: 'No more of these', url: unsubscribeUrl }],
      whole: false,
    },
  );
}

function renderComments(
  comments: readonly CommentView[],
  { lang, dir }: Pick<Speech, 'lang' | 'dir'>,
  frame: Frame,
): Rendered {
  const text = [
    ...comments.flatMap((comment) => [
      frame.lead(comment).text,
      '',
      ...(comment.parentExcerpt ? [`> ${frame.context(oneLine(comment.parentExcerpt, 300))}`, ''] : []),
      frame.whole ? plain(comment.text, TEXT_CHARACTERS) : oneLine(comment.excerpt, 500),
      '',
      `${frame.link}: ${comment.url}`,
      '',
      '* * *',
      '',
    ]),
    frame.why,
    ...frame.links.map(({ label, url }) => `${label}: ${url}`),
    '',
  ]
    .map(folded)
    .join('\n');

  const html = comments
    .map((comment) =>
      [
        `<p class="who">${frame.lead(comment).html}</p>`,
        comment.parentExcerpt
          ? `<p class="context" dir="auto" style="${quoteStyle(dir)};opacity:.8">${escapeHtml(frame.context(oneLine(comment.parentExcerpt, 300)))}</p>`
          : '',
        frame.whole && comment.html.length <= HTML_CHARACTERS
          ? `<div class="comment" dir="auto">${wrapped(comment.html, dir)}</div>`
          : `<p class="comment" dir="auto">${escapeHtml(oneLine(comment.excerpt, 500))}</p>`,
        `<p>${link(comment.url, frame.link)}</p>`,
      ].join(''),
    )
    .join('<hr style="border:0;border-top:1px solid #9aa0a6;margin:20px 0">');
  const links = frame.links.map(({ label, url }) => link(url, label, true)).join(' · ');
  const page = { title: frame.subject, body: html, foot: `<p>${escapeHtml(frame.why)} ${links}</p>`, lang, dir };
  return { subject: oneLine(frame.subject, SUBJECT_CHARACTERS), text, html: htmlPage(page) };
}

/** Asks an address whether it wants mail. Holds nothing that a reader typed: it may go to somebody who never wrote here. */
export function renderConfirmation(
  { site, url, days, unsubscribeUrl }: { site: string; url: string; days: number; unsubscribeUrl: string },
  speech: Speech,
): Rendered {
  const { say } = speech;
  const name = oneLine(site, 80);
  const otherwise = say('confirmElse', { n: days });
  const ask = say('confirmAsk', { site: name });
  const way = { label: say('end'), url: unsubscribeUrl };
  const words = { ask, url, label: say('confirmLabel'), otherwise, way };
  return asking(say('confirmSubject', { site: name }), { ...words, ...speech });
}

/** The link to what is kept of an address. Holds nothing that the one who asked for it typed: that may have been anybody. */
export function renderData(
  { site, url, hours }: { site: string; url: string; hours: number },
  speech: Speech,
): Rendered {
  const { say } = speech;
  const name = oneLine(site, 80);
  const otherwise = say('dataElse', { n: hours });
  const ask = say('dataAsk', { site: name });
  return asking(say('dataSubject', { site: name }), { ask, url, label: say('dataLabel'), otherwise, ...speech });
}

/** The link that signs an author in. Holds nothing that the one who asked for it typed: that may have been anybody. */
export function renderSignIn({ site, url, minutes }: { site: string; url: string; minutes: number }): Rendered {
  const name = oneLine(site, 80);
  const subject = `Sign in as an author of ${name}`;
  const ask = `This link signs you in at ${name}, once, within ${minutes} minutes:`;
  const otherwise = 'If you did not ask, do nothing.';
  return asking(subject, { ask, url, label: 'Sign in', otherwise });
}

/** A mail of one link. */
function asking(
  subject: string,
  {
    ask,
    url,
    label,
    otherwise,
    way,
    lang = 'en',
    dir = 'ltr',
  }: {
    ask: string;
    url: string;
    label: string;
    otherwise: string;
    /** Out of mails like this. */
    way?: { label: string; url: string };
  } & Partial<Pick<Speech, 'lang' | 'dir'>>,
): Rendered {
  const body = `<p>${escapeHtml(ask)}</p><p>${link(url, label)}</p>`;
  const foot = `<p>${escapeHtml(otherwise)}${way ? ` ${link(way.url, way.label, true)}` : ''}</p>`;
  return {
    subject: oneLine(subject, SUBJECT_CHARACTERS),
    text: [ask, '', url, '', otherwise, ...(way ? [`${way.label}: ${way.url}`] : []), ''].map(folded).join('\n'),
    html: htmlPage({ title: subject, body, foot, lang, dir }),
  };
}

export type DigestView = {
  site: string;
  waiting: number;
  /** There are more than were counted. */
  more: boolean;
  escalated: boolean;
  escalationHours: number;
  now: number;
  moderateUrl: string;
  unsubscribeUrl: string;
  first: readonly {
    author: string;
    /** Of the post; empty where it has none. */
    title: string;
    excerpt: string;
    since: number;
    reasons: readonly string[];
    holdReason?: string;
    /** Asks whether to do what `?do=` names. */
    decideUrl: string;
  }[];
};

const DECISIONS = [
  ['publish', 'Publish'],
  ['reject', 'Reject'],
  ['spam', 'Spam'],
] as const;

/** What waits for a moderator, oldest first. */
export function renderDigest(digest: DigestView): Rendered {
  const site = oneLine(digest.site, 80);
  const count = `${digest.waiting}${digest.more ? '+' : ''}`;
  const waits = digest.waiting === 1 ? 'comment waits' : 'comments wait';
  const subject = digest.escalated
    ? `Over ${digest.escalationHours} hours: ${count} ${waits} on ${site}`
    : `${count} ${waits} for review on ${site}`;
  const oldest = digest.first[0];
  const lead = `${count} ${waits} for review on ${site}${oldest ? `, the oldest for ${age(digest.now - oldest.since)}` : ''}.`;
  const rows = digest.first.map((row) => {
    const reasons = [...(row.holdReason ? [row.holdReason] : []), ...row.reasons].map((reason) => oneLine(reason, 160));
    return {
      author: oneLine(row.author, 80),
      where: `${row.title ? ` on “${oneLine(row.title, 120)}”` : ''}, ${age(digest.now - row.since)} ago`,
      excerpt: oneLine(row.excerpt, 300),
      reasons,
      links: DECISIONS.map(([word, label]) => ({ label, url: `${row.decideUrl}?do=${word}` })),
    };
  });
  const rest = digest.more
    ? 'And more.'
    : digest.waiting > rows.length
      ? `And ${digest.waiting - rows.length} more.`
      : '';
  const text = [
    lead,
    '',
    `Review them: ${digest.moderateUrl}`,
    '',
    ...rows.flatMap((row) => [
      `${row.author}${row.where}:`,
      `    ${row.excerpt}`,
      ...row.reasons.map((reason) => `    - ${reason}`),
      ...row.links.map(({ label, url }) => `    ${label}: ${url}`),
      '',
    ]),
    ...(rest ? [rest, ''] : []),
    `You get this because you moderate ${site}.`,
    `No more of these: ${digest.unsubscribeUrl}`,
    '',
  ].join('\n');
  const list = rows
    .map(
      (row) =>
        `<p style="margin-bottom:0"><strong>${escapeHtml(row.author)}</strong>${escapeHtml(row.where)}</p><p style="margin:4px 0">${escapeHtml(row.excerpt)}</p>` +
        (row.reasons.length > 0
          ? `<ul style="margin:0 0 4px;opacity:.8">${row.reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join('')}</ul>`
          : '') +
        `<p style="margin:0 0 20px">${row.links.map(({ label, url }) => `<span style="display:inline-block;padding:8px 24px 8px 0">${link(url, label)}</span>`).join('')}</p>`,
    )
    .join('');
  const html = `<p>${escapeHtml(lead)}</p><p>${link(digest.moderateUrl, 'Open the review queue')}</p>${list}${rest ? `<p>${rest}</p>` : ''}`;
  const foot = `<p>You get this because you moderate ${escapeHtml(site)}. ${link(digest.unsubscribeUrl, 'No more of these', true)}</p>`;
  return { subject: oneLine(subject, SUBJECT_CHARACTERS), text, html: htmlPage({ title: subject, body: html, foot }) };
}

/**
 * Text on one line, for headers and sentences: controls (CR and LF among them), bidi controls and invisible format
 * characters become a space (not the joiners, which Persian and emoji need), so that no reader's words end a header or turn a
 * line around. What looks like an encoded word (RFC 2047) is taken apart: mail programs would decode it into any of these.
 */
export function oneLine(text: string, characters: number): string {
  const flat = text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]|(?![\u200C\u200D])\p{Cf}/gu, ' ')
    .replaceAll(/\s+/gu, ' ')
    .replaceAll(/=(?=\?[^\s?]+\?[bq]\?)/gi, '= ')
    .trim();
  return cut(flat, characters);
}

/** Text of several lines without controls other than newline and tab. */
function plain(text: string, characters: number): string {
  const clean = text
    .toWellFormed()
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[^\P{Cc}\n\t]+|[\u202A-\u202E\u2066-\u2069]+/gu, '');
  return cut(clean.trim(), characters);
}

const LINE_CHARACTERS = 76;

/**
 * Lines of at most 76 characters where the spaces allow it: not all that show plain text break it (RFC 3676, 4.2). Quotes go on
 * as quotes, items are indented, and code stays as it was typed.
 */
function folded(text: string): string {
  let inCode = false;
  return text
    .split('\n')
    .flatMap((line) => {
      const isFence = /^[> ]*(?:```|~~~)/.test(line);
      if (isFence) inCode = !inCode;
      if (isFence || inCode || line.length <= LINE_CHARACTERS || /^(?:\t| {4}|\|)/.test(line)) return [line];
      const [, quote = '', item = '', rest = ''] = /^((?:> ?)*)((?:[-*+]|\d+[.)]) +)?(.*)$/.exec(line) ?? [];
      const lines: string[] = [];
      let current = quote + item;
      let isEmpty = true;
      for (const word of rest.split(' ')) {
        if (!isEmpty && current.length + 1 + word.length > LINE_CHARACTERS) {
          lines.push(current);
          current = quote + ' '.repeat(item.length) + word;
        } else current += isEmpty ? word : ` ${word}`;
        isEmpty = false;
      }
      return [...lines, current];
    })
    .join('\n');
}

function cut(text: string, characters: number): string {
  const all = [...text];
  return all.length <= characters
    ? text
    : `${all
        .slice(0, characters - 1)
        .join('')
        .trimEnd()}…`;
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Code breaks its lines: mail programs on phones do not scroll sideways. Sanitized HTML has no attributes on these. */
function wrapped(html: string, dir: Speech['dir']): string {
  return html
    .replaceAll('<pre>', '<pre dir="ltr" style="white-space:pre-wrap;font-size:14px">')
    .replaceAll('<blockquote>', `<blockquote style="${quoteStyle(dir)}">`);
}

/** A line on the side where the text begins; mail programs do not know logical sides. */
function quoteStyle(dir: Speech['dir']): string {
  const side = dir === 'rtl' ? 'right' : 'left';
  return `border-${side}:3px solid #9aa0a6;margin:0 0 12px;padding-${side}:12px`;
}

function onAll(comments: readonly CommentView[], on: string, site: string): string {
  return comments.every(({ title }) => title === comments[0]?.title) ? on : ` on ${site}`;
}

function age(ms: number): string {
  const hours = Math.max(0, Math.floor(ms / 3_600_000));
  if (hours < 1) return 'less than an hour';
  if (hours < 48) return hours === 1 ? 'an hour' : `${hours} hours`;
  return `${Math.floor(hours / 24)} days`;
}

function link(url: string, words: string, quiet = false): string {
  const style = quiet
    ? 'color:inherit;text-decoration:underline'
    : 'color:#0b57d0;font-weight:600;text-decoration:underline';
  return `<a href="${escapeHtml(url)}" style="${style}"${quiet ? '' : ' class="link"'}>${escapeHtml(words)}</a>`;
}

/**
 * The frame of every mail: one column, no tables, no images, nothing from elsewhere. Styles stand on the elements, since
 * clients drop what they do not know of <style>; there only the dark colours are. Language and direction stand on the column
 * too, since some keep no <html>.
 */
function htmlPage({
  title,
  body,
  foot,
  lang = 'en',
  dir = 'ltr',
}: { title: string; body: string; foot: string } & Partial<Pick<Speech, 'lang' | 'dir'>>): string {
  return `<!doctype html>
<html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>${escapeHtml(title)}</title><style>:root{color-scheme:light dark}@media (prefers-color-scheme:dark){body{background:#16181c!important;color:#e6e6e6!important}.link,.comment a{color:#8ab4f8!important}}</style></head>
<body style="margin:0;padding:24px 16px;background:#ffffff;color:#1c1e21;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"><div lang="${lang}" dir="${dir}" style="max-width:560px;margin:0 auto;overflow-wrap:anywhere">
${body}
<div style="margin-top:28px;padding-top:12px;border-top:1px solid #9aa0a6;font-size:13px;opacity:.75">${foot}</div>
</div></body></html>
`;
}
