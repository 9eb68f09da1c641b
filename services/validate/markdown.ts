import markdownIt, { type MarkdownIt, type StateBlock, type Token } from 'markdown-it';
import sanitizeHtml from 'sanitize-html';
import { parse as parseHost } from 'tldts';
import { BIDI, CONTROL, INVISIBLE } from './characters.ts';

/** Blocks within blocks; what lies deeper shows as the text that it is. */
const MAX_NESTING = 20;
/** Relative addresses would lead elsewhere in a feed, a mail and on the desk. */
const ABSOLUTE = /^(?:https?:\/\/[^/]|mailto:.)/i;
const LINK_REL = 'nofollow ugc noopener';

/** Everything of Markdown that comments may use. No headings, tables, rules, raw HTML or hidden link definitions. */
const BLOCK_RULES = ['blockquote', 'code', 'fence', 'list', 'paragraph'];
const INLINE_RULES = [
  'autolink',
  'backticks',
  'emphasis',
  'balance_pairs',
  'fragments_join',
  'entity',
  'escape',
  'link',
  'linkify',
  'newline',
  'text',
];

// Made when first needed: most comments are plain, and a function that starts must not wait for what they do not use.
let madeTextOnly: MarkdownIt | undefined;
let madeWithImages: MarkdownIt | undefined;
const textOnly = () => (madeTextOnly ??= markdown([]));
const withImages = () => (madeWithImages ??= markdown(['image']));

/** What may leave here, whatever the parser before it let through. */
const SANITIZE: sanitizeHtml.IOptions = {
  allowedTags: ['p', 'br', 'em', 'strong', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li', 'a'],
  allowedAttributes: { a: ['href', 'rel'], ol: ['start'] },
  allowedClasses: { code: [/^language-[a-z0-9+#-]{1,20}$/i] },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  transformTags: {
    a: (tagName, { href = '' }) => ({ tagName, attribs: ABSOLUTE.test(href) ? { href, rel: LINK_REL } : {} }),
  },
};
const SANITIZE_IMAGES: sanitizeHtml.IOptions = {
  ...SANITIZE,
  allowedTags: [...(SANITIZE.allowedTags as string[]), 'img'],
  allowedAttributes: { a: ['href', 'rel'], ol: ['start'], img: ['src', 'alt', 'loading', 'referrerpolicy'] },
  allowedSchemesByTag: { img: ['https'] },
  transformTags: {
    ...SANITIZE.transformTags,
    img: (tagName, { src = '', alt = '' }) => ({
      tagName,
      attribs: { src, alt, loading: 'lazy', referrerpolicy: 'no-referrer' },
    }),
  },
};

/**
 * The sanitized HTML of a comment, the only form that reaches a page.
 *
 * Nothing of the text is lost: what is no Markdown of ours shows as it was written. Work grows with the length of the body
 * (at most 16 KiB by the policy), not with its nesting.
 */
export function render(body: string, { images = false }: { images?: boolean } = {}): string {
  if (isPlain(body)) return renderPlain(body);
  const html = images ? withImages().render(body) : textOnly().renderer.render(parse(body), textOnly().options, {});
  return sanitizeSimple(html) ?? sanitizeHtml(html, images ? SANITIZE_IMAGES : SANITIZE);
}

/** Tags in the one spelling that the parser writes, by what the sanitizer makes of them. */
const SIMPLE_TAGS = new Map<string, string>([
  ['<br>', '<br />'],
  ['</a>', '</a>'],
  ...['p', 'em', 'strong', 'code', 'pre', 'blockquote', 'ul', 'ol', 'li'].flatMap((name): [string, string][] => [
    [`<${name}>`, `<${name}>`],
    [`</${name}>`, `</${name}>`],
  ]),
]);
const SIMPLE_LINK = /^<a href="(https?:\/\/[a-z0-9](?:[\w.~:/?#@!$*+,;=%-]|&amp;)*)">$/i;

/**
 * What the sanitizer makes of HTML that has none but these tags, ten times as fast; undefined for any other. Byte for byte
 * the same: a property test holds it to that.
 */
export function sanitizeSimple(html: string): string | undefined {
  let simple = true;
  const clean = html.replace(/<[^>]*>?|&quot;/g, (tag) => {
    if (tag === '&quot;') return '"';
    const known = SIMPLE_TAGS.get(tag);
    if (known !== undefined) return known;
    const link = SIMPLE_LINK.exec(tag);
    if (link) return `<a href="${link[1]}" rel="${LINK_REL}">`;
    simple = false;
    return '';
  });
  return simple ? clean : undefined;
}

/** The text that readers see, without markup and without what does not show; blocks on lines of their own. */
export function plainText(body: string): string {
  if (isPlain(body)) return tidy(body);
  let text = '';
  for (const token of parse(body)) {
    if (token.type === 'inline') text += inlineText(token.children ?? []) + '\n';
    else if (token.type === 'fence' || token.type === 'code_block') text += token.content + '\n';
  }
  return tidy(text);
}

/** The start of the text on one line, at most `max` characters (code points), cut at a word where one ends near. */
export function excerpt(body: string, max = 200): string {
  const text = plainText(body);
  // Of a long text the start is enough, unless that is nearly all white space.
  const start = text.length > 3 * max ? onOneLine(text.slice(0, 3 * max)) : '';
  const line = start.length > 2 * max ? start : onOneLine(text);
  if (line.length <= max) return line;
  const near = line.slice(0, max * 2 + 2);
  const characters = /[\uD800-\uDFFF]/.test(near) ? Array.from(near) : near;
  if (characters.length <= max) return line;
  const kept = characters.slice(0, max - 1);
  const cut = typeof kept === 'string' ? kept : kept.join('');
  const space = cut.lastIndexOf(' ');
  return `${space > cut.length * 0.8 ? cut.slice(0, space) : cut}…`;
}

/** A single space, as most white space is, stays as it is. */
const onOneLine = (text: string) => text.replace(/ \s+|[^\S ]\s*/g, ' ').trim();

export type Links = {
  /** Registrable domains (else the host or address as it stands), lower-case, punycode, each once, at most 100. */
  hosts: readonly string[];
  /** Links in the body that a reader could follow, and bare `www.` addresses. The writer's own URL is not one. */
  count: number;
};

const MAX_HOSTS = 100;
/** Addresses that no renderer links but that a reader may type in. `node.js` and `main.rs` are none. */
const WRITTEN_HOST =
  /(?<![\p{L}\p{N}@._-])(?:https?:\/\/|www\.)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}\p{L}[\p{L}\p{N}-]{1,23})(?![\p{L}\p{N}_@-]|\.\p{L})/giu;
const COMMON_TLD =
  /\.(?:com|net|org|info|biz|xyz|top|site|online|shop|store|club|live|vip|win|bet|casino|link|click|pro|icu|buzz|app|dev|io|co|me|ru|cn|tk|ml|ga|cf|gq|su|pw|ly|gl)$/i;

/** Where the body's links lead, and the writer's own URL. */
export function linksOf(body: string, extraUrl?: string): Links {
  const hosts = new Set<string>();
  let count = 0;
  if (isPlain(body)) {
    count = wwwCount(body);
  } else {
    for (const token of parse(body)) {
      let inLink = false;
      for (const child of token.children ?? []) {
        if (child.type === 'link_close') inLink = false;
        if (child.type === 'text' && !inLink) count += wwwCount(child.content);
        if (child.type !== 'link_open') continue;
        inLink = true;
        count++;
        add(hosts, String(child.attrGet('href') ?? ''));
      }
    }
  }
  // Most dots end a sentence; one within a host stands before a letter.
  if (/\.\p{L}/u.test(body)) {
    for (const [written, host] of body.matchAll(WRITTEN_HOST)) {
      if (hosts.size >= MAX_HOSTS) break;
      if (/^(?:https?:|www\.)/i.test(written) || COMMON_TLD.test(host ?? '')) add(hosts, `http://${host}`);
    }
  }
  if (extraUrl) add(hosts, extraUrl);
  return { hosts: [...hosts], count };
}

/** A host as `linksOf` names it: `https://Blog.Example.co.uk/x` and `blog.example.co.uk` are `example.co.uk`. */
export function registrableHost(urlOrHost: string): string | undefined {
  let ascii: string;
  try {
    // `URL` speaks IDNA, so that homographs and upper case meet in punycode.
    const url = new URL(/^[a-z][a-z0-9+.-]*:/i.test(urlOrHost) ? urlOrHost : `http://${urlOrHost}`);
    ascii = url.protocol === 'mailto:' ? (url.pathname.split('@').at(-1) ?? '') : url.hostname;
  } catch {
    return undefined;
  }
  const { domain, hostname } = parseHost(ascii, { allowPrivateDomains: true });
  return domain ?? hostname ?? undefined;
}

function wwwCount(text: string): number {
  return text.match(/(?<![\p{L}\p{N}./@-])www\.[\p{L}\p{N}]/giu)?.length ?? 0;
}

function add(hosts: Set<string>, url: string): void {
  const host = hosts.size < MAX_HOSTS ? registrableHost(url) : undefined;
  if (host) hosts.add(host);
}

function markdown(extra: readonly string[]): MarkdownIt {
  const md = markdownIt({ html: false, linkify: true, breaks: true, maxNesting: 100 });
  md.block.ruler.enableOnly(BLOCK_RULES);
  const inline = [...INLINE_RULES, ...extra];
  md.inline.ruler.enableOnly(inline, true);
  md.inline.ruler2.enableOnly(inline, true);
  // `main.rs` and `me@example.com` are no links here: the first is none, the second would feed harvesters.
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false }).add('ftp:', null).add('//', null);
  md.validateLink = (url) => ABSOLUTE.test(url);
  md.core.ruler.push('idle_links', ({ tokens }) => tokens.forEach(dropIdleLinks));
  const tokenize = md.block.tokenize.bind(md.block);
  // markdown-it drops what lies deeper than its own maxNesting: a comment would lose text.
  md.block.tokenize = (state, startLine, endLine) =>
    state.level >= MAX_NESTING ? asParagraph(state, startLine, endLine) : tokenize(state, startLine, endLine);
  return md;
}

/** `[text]()` is text, and so is an address within a link's text: `[<https://a>](https://b)` leads to b alone. */
function dropIdleLinks(token: Token): void {
  if (!token.children?.some(({ type }) => type === 'link_open')) return;
  const kept: boolean[] = [];
  token.children = token.children.filter(({ type, attrs }) => {
    if (type === 'link_close') return kept.pop();
    if (type !== 'link_open') return true;
    const leads = !kept.includes(true) && attrs?.some(([name, value]) => name === 'href' && value !== '') === true;
    kept.push(leads);
    return leads;
  });
}

/** The lines of a block as one paragraph, up to where an outer block goes on. */
function asParagraph(state: StateBlock, startLine: number, endLine: number): void {
  let line = startLine + 1;
  while (line < endLine && (state.isEmpty(line) || state.sCount[line]! >= state.blkIndent)) line++;
  state.push('paragraph_open', 'p', 1);
  const inline = state.push('inline', '', 0);
  inline.content = state.getLines(startLine, line, state.blkIndent, false).trim();
  inline.map = [startLine, line];
  inline.children = [];
  state.push('paragraph_close', 'p', -1);
  state.line = line;
}

let parsedBody: string | undefined;
let parsedTokens: Token[] = [];

/** Tokens of a body; the last one is kept, since rendering, excerpt and links of one comment follow each other. */
function parse(body: string): Token[] {
  if (body !== parsedBody) {
    parsedTokens = textOnly().parse(body, {});
    parsedBody = body;
  }
  return parsedTokens;
}

/** What could make the parser do more than paragraphs and line breaks: markup and entities anywhere, or control characters, */
// oxlint-disable-next-line no-control-regex
const MARKUP = /[\\`*_[\]<>&\0\r\t]/;
/** and at the start of a line a list marker, a fence or white space, at its end white space, or a run of empty lines. */
const LINE_START = /[^\S\n]|[-+~]|\d{1,9}[.)]/y;

function hasLineMarkup(body: string): boolean {
  for (let from = 0; ;) {
    const next = body.indexOf('\n', from);
    const end = next < 0 ? body.length : next;
    LINE_START.lastIndex = from;
    if (end > from && (LINE_START.test(body) || /\s/.test(body[end - 1]!))) return true;
    if (next < 0) return false;
    from = next + 1;
  }
}

let lookedAt: string | undefined;
let lookedPlain = false;

function isPlain(body: string): boolean {
  if (body === lookedAt) return lookedPlain;
  lookedAt = body;
  lookedPlain =
    !MARKUP.test(body) &&
    !(body.includes(':') && /:\/\/|mailto:/i.test(body)) &&
    !hasLineMarkup(body) &&
    body !== '' &&
    !body.startsWith('\n') &&
    !body.endsWith('\n');
  return lookedPlain;
}

/** Byte for byte what the parser and the sanitizer make of a plain body; a property test holds it to that. */
function renderPlain(body: string): string {
  let html = '';
  for (const paragraph of body.split(/\n{2,}/)) html += `<p>${paragraph.replaceAll('\n', '<br />\n')}</p>\n`;
  return html;
}

function inlineText(tokens: readonly Token[]): string {
  let text = '';
  for (const token of tokens) {
    if (token.type === 'softbreak' || token.type === 'hardbreak') text += '\n';
    else text += token.content;
  }
  return text;
}

function tidy(text: string): string {
  // Most texts have nothing to take out, and the patterns are dear.
  const shown = /[^\t\n -~]/.test(text) ? text.replace(CONTROL, '').replace(BIDI, '').replace(INVISIBLE, '') : text;
  return (shown.includes('\n\n') ? shown.replace(/\n{2,}/g, '\n') : shown).trim();
}
