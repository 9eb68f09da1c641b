/**
 * Comments as HTML, or as Markdown with HTML in it, to plain Markdown: paragraphs, line breaks, links, emphasis, code,
 * quotes and lists. Never throws; time grows with the length.
 */

type Element = { name: string; href: string; alt: string; children: (Element | string)[] };
type Token =
  | { kind: 'text'; text: string }
  | { kind: 'open' | 'close'; name: string; attributes: string; whole: string; alone: boolean };

/** A tag longer than this is text. */
const TAG_LIMIT = 8192;
/** Deeper elements are flattened into the one above; quotes and lists stop nesting earlier. */
const DEPTH_LIMIT = 64;
const BLOCK_DEPTH_LIMIT = 10;

const VOID = new Set([
  'br',
  'hr',
  'img',
  'input',
  'meta',
  'link',
  'wbr',
  'source',
  'embed',
  'col',
  'area',
  'base',
  'param',
  'track',
]);
/** Elements that are dropped with all that they hold. */
const DROPPED = new Set([
  'script',
  'style',
  'template',
  'noscript',
  'object',
  'svg',
  'math',
  'head',
  'title',
  'select',
  'audio',
  'video',
  'canvas',
  'textarea',
  'iframe',
]);
const BLOCKS = new Set([
  'p',
  'div',
  'section',
  'article',
  'header',
  'footer',
  'table',
  'tr',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'blockquote',
  'pre',
  'ul',
  'ol',
  'li',
  'hr',
  'dl',
  'dt',
  'dd',
  'figure',
  'figcaption',
  'address',
  'center',
  'form',
  'fieldset',
  'details',
  'summary',
  'main',
  'nav',
  'aside',
  'thead',
  'tbody',
  'tfoot',
  'caption',
]);
const MARKS: Record<string, string> = {
  b: '**',
  strong: '**',
  i: '*',
  em: '*',
  cite: '*',
  dfn: '*',
  var: '*',
  del: '~~',
  s: '~~',
  strike: '~~',
};
const INLINE = new Set([
  ...Object.keys(MARKS),
  'a',
  'span',
  'u',
  'ins',
  'font',
  'small',
  'big',
  'sub',
  'sup',
  'code',
  'tt',
  'kbd',
  'samp',
  'q',
  'mark',
  'abbr',
  'acronym',
  'label',
  'td',
  'th',
  'time',
  'button',
  'bdi',
  'bdo',
  'body',
  'html',
  'spoiler',
  'picture',
  'marquee',
  'blink',
]);
const isKnown = (name: string) => INLINE.has(name) || BLOCKS.has(name) || VOID.has(name) || DROPPED.has(name);

const NAMED: Record<string, string> = {
  amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', laquo: '«', raquo: '»', hellip: '…', ndash: '–', mdash: '—',
  lsquo: '‘', rsquo: '’', sbquo: '‚', ldquo: '“', rdquo: '”', bdquo: '„', bull: '•', middot: '·', copy: '©', reg: '®', trade: '™',
  euro: '€', pound: '£', yen: '¥', cent: '¢', sect: '§', para: '¶', deg: '°', plusmn: '±', times: '×', divide: '÷', frac12: '½',
  auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è', ecirc: 'ê', agrave: 'à',
  aacute: 'á', acirc: 'â', ccedil: 'ç', iacute: 'í', ntilde: 'ñ', oacute: 'ó', ocirc: 'ô', uacute: 'ú', ugrave: 'ù', aring: 'å',
  oslash: 'ø', aelig: 'æ', rarr: '→', larr: '←', hearts: '♥', zwj: '\u200d', zwnj: '\u200c', shy: '\u00ad', iexcl: '¡', iquest: '¿',
}; // prettier-ignore

/** Character references of HTML, as far as comments use them; others stay as they stand. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|([a-zA-Z][a-zA-Z\d]{1,8}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return Object.hasOwn(NAMED, name) ? NAMED[name]! : whole;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      const isText = (code >= 0x20 && code < 0xd800 && code !== 0x7f) || (code > 0xdfff && code < 0x110000);
      return isText ? String.fromCodePoint(code) : code === 9 || code === 10 ? ' ' : '';
    },
  );
}

/**
 * HTML of a comment as Markdown.
 *
 * @param newlines how a line end in the text reads: `space` as in HTML, `break` as WordPress shows it (wpautop), `auto` as
 *   a break where no paragraph or line break is marked up
 */
export function markdownOfHtml(html: string, newlines: 'space' | 'break' | 'auto' = 'space'): string {
  const breaks = newlines === 'break' || (newlines === 'auto' && !/<(?:p|br|div|li|blockquote)[\s/>]/i.test(html));
  if (!html.includes('<') && !html.includes('&') && !breaks) return escapeText(html.replace(/\s+/g, ' ').trim(), true);
  const unified = html.includes('\r') ? html.replace(/\r\n?/g, '\n') : html;
  const root = tree(unified, breaks);
  return tidy(renderBlocks(root, 0));
}

/**
 * Markdown whose writer may have used HTML tags: the tags become Markdown or go, code stays as it is.
 */
export function markdownOfMixed(markdown: string): string {
  const text = markdown.replace(/\r\n?/g, '\n');
  if (!/<[a-z!/]/i.test(text)) return text.trim();
  const out: string[] = [];
  for (const { code, part } of codeParts(text)) out.push(code ? part : withoutTags(part));
  return out.join('').trim();
}

/** Cuts Markdown into code (fences, spans) and the rest. A fence or span that is never closed is no code. */
function* codeParts(text: string): Generator<{ code: boolean; part: string }> {
  const fence = /(?<=^|\n) {0,3}(`{3,32}|~{3,32})[^\n]*\n|(`{1,32})/g;
  const unclosed = new Set<string>();
  let from = 0;
  for (let hit = fence.exec(text); hit !== null; hit = fence.exec(text)) {
    const mark = hit[1] ?? hit[2]!;
    if (unclosed.has(mark)) continue;
    let end = text.indexOf(hit[1] === undefined ? mark : `\n${mark}`, fence.lastIndex - (hit[1] === undefined ? 0 : 1));
    if (end === -1) {
      unclosed.add(mark);
      continue;
    }
    end += mark.length + (hit[1] === undefined ? 0 : 1);
    if (hit.index > from) yield { code: false, part: text.slice(from, hit.index) };
    yield { code: true, part: text.slice(hit.index, end) };
    from = fence.lastIndex = end;
  }
  if (from < text.length) yield { code: false, part: text.slice(from) };
}

function withoutTags(markdown: string): string {
  let out = '';
  const hrefs: string[] = [];
  let dropped: string | undefined;
  for (const token of tokens(markdown)) {
    if (dropped !== undefined) {
      if (token.kind === 'close' && token.name === dropped) dropped = undefined;
      continue;
    }
    if (token.kind === 'text') out += token.text;
    else if (!isKnown(token.name)) out += token.whole;
    else if (DROPPED.has(token.name)) {
      if (token.kind === 'open' && !token.alone) dropped = token.name;
    } else if (token.name === 'br') out += '\n';
    else if (token.name === 'img') {
      const url = webUrl(attributeOf(token.attributes, 'src'));
      const alt = decodeEntities(attributeOf(token.attributes, 'alt'));
      out += url === undefined ? alt : link(escapeText(alt || 'image', false), url);
    } else if (token.name === 'a') {
      if (token.kind === 'open') {
        const url = webUrl(attributeOf(token.attributes, 'href'));
        hrefs.push(url ?? '');
        if (url !== undefined) out += '[';
      } else {
        const url = hrefs.pop();
        if (url) out += `](${destination(url)})`;
      }
    } else if (MARKS[token.name] !== undefined) out += MARKS[token.name];
    else if (BLOCKS.has(token.name) && !out.endsWith('\n\n')) out += '\n';
  }
  for (const url of hrefs.toReversed()) if (url) out += `](${destination(url)})`;
  return out;
}

function* tokens(html: string): Generator<Token> {
  let at = 0;
  let text = 0;
  let noEnd = false; // no `>` follows: what remains is text
  while (!noEnd) {
    const open = html.indexOf('<', at);
    if (open === -1) break;
    const end = tagEnd(html, open);
    if (end === -1) {
      noEnd = html.indexOf('>', open) === -1;
      at = open + 1;
      continue;
    }
    if (html[open + 1] === '!' || html[open + 1] === '?') {
      if (open > text) yield { kind: 'text', text: html.slice(text, open) };
      at = text = end;
      continue;
    }
    const whole = html.slice(open, end);
    const parts = /^<(\/?)([a-zA-Z][a-zA-Z\d]{0,15})(?=[\s/>])([^]*?)(\/?)>$/.exec(whole);
    if (parts === null) {
      at = open + 1;
      continue;
    }
    if (open > text) yield { kind: 'text', text: html.slice(text, open) };
    const name = parts[2]!.toLowerCase();
    const alone = parts[4] === '/' || VOID.has(name);
    yield { kind: parts[1] === '/' ? 'close' : 'open', name, attributes: parts[3]!, whole, alone };
    at = text = end;
  }
  if (text < html.length) yield { kind: 'text', text: html.slice(text) };
}

/** Index past the `>` that ends the tag at `open`, -1 if there is none near. */
function tagEnd(html: string, open: number): number {
  if (html.startsWith('<!--', open)) {
    const end = html.indexOf('-->', open + 4);
    return end === -1 ? -1 : end + 3;
  }
  if (!/[a-zA-Z/!?]/.test(html[open + 1] ?? '')) return -1;
  const limit = Math.min(html.length, open + TAG_LIMIT);
  let quote = '';
  for (let at = open + 1; at < limit; at++) {
    const c = html[at]!;
    if (quote !== '') {
      if (c === quote) quote = '';
    } else if (c === '>') return at + 1;
    else if (c === '<') return -1;
    else if ((c === '"' || c === "'") && html[at - 1] === '=') quote = c;
  }
  return -1;
}

function attributeOf(attributes: string, name: string): string {
  const found = new RegExp(`(?:^|[\\s"'])${name}\\s{0,16}=\\s{0,16}(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(
    attributes,
  );
  return decodeEntities(found?.[1] ?? found?.[2] ?? found?.[3] ?? '').trim();
}

/** The URL if a link may go there: http, https or mailto. */
export function webUrl(url: string): string | undefined {
  const cleaned = url.replace(/[\s\u0000-\u001f]/g, ''); // oxlint-disable-line no-control-regex
  return /^(?:https?:\/\/|mailto:)[^\s<>]+$/i.test(cleaned) && cleaned.length <= 4096 ? cleaned : undefined;
}

function tree(html: string, breaks: boolean): Element {
  const root: Element = { name: '', href: '', alt: '', children: [] };
  const stack = [root];
  let dropped: string | undefined;
  let pre = 0;
  for (const token of tokens(html)) {
    const top = stack.at(-1)!;
    if (token.kind === 'text') {
      if (dropped === undefined) top.children.push(...textNodes(token.text, breaks && pre === 0));
      continue;
    }
    const { name } = token;
    if (dropped !== undefined) {
      if (token.kind === 'close' && name === dropped) dropped = undefined;
      continue;
    }
    if (!isKnown(name)) {
      // `<T>` in prose is no tag of ours; the escaping below shows it as it was typed. A custom element goes.
      if (!/^<\/?[a-zA-Z]+\s*\/?>$/.test(token.whole) || name.length > 3) continue;
      top.children.push(token.whole.replace('<', '&lt;'));
      continue;
    }
    if (token.kind === 'close') {
      const at = stack.findLastIndex((element) => element.name === name);
      if (at > 0) stack.length = at;
      pre = stack.filter((element) => element.name === 'pre').length;
      continue;
    }
    if (DROPPED.has(name)) {
      const url = name === 'iframe' ? webUrl(attributeOf(token.attributes, 'src')) : undefined;
      if (url !== undefined) top.children.push({ name: 'a', href: url, alt: '', children: [] });
      if (!token.alone) dropped = name;
      continue;
    }
    const element: Element = {
      name,
      href:
        name === 'a'
          ? attributeOf(token.attributes, 'href')
          : name === 'img'
            ? attributeOf(token.attributes, 'src')
            : '',
      alt: name === 'img' ? attributeOf(token.attributes, 'alt') : '',
      children: [],
    };
    if (name === 'p' || name === 'li') {
      // HTML closes an open paragraph or item by itself when the next begins.
      const at = stack.findLastIndex(
        (other) => other.name === name || other.name === 'ul' || other.name === 'ol' || other.name === 'blockquote',
      );
      if (at > 0 && stack[at]!.name === name) stack.length = at;
    }
    stack.at(-1)!.children.push(element);
    if (!VOID.has(name) && stack.length < DEPTH_LIMIT) {
      stack.push(element);
      if (name === 'pre') pre++;
    }
  }
  return root;
}

function textNodes(text: string, breaks: boolean): (Element | string)[] {
  if (!breaks || !text.includes('\n')) return [text];
  return text
    .split('\n')
    .flatMap((line, index): (Element | string)[] =>
      index === 0 ? [line] : [{ name: 'newline', href: '', alt: '', children: [] }, line],
    );
}

/** A line end beside a `<br>` or a block is the source's layout, not another break. */
const isBreak = (node: Element | string) => typeof node !== 'string' && (node.name === 'br' || node.name === 'newline');
const isBlock = (node: Element | string): node is Element => typeof node !== 'string' && BLOCKS.has(node.name);

function renderBlocks(parent: Element, depth: number): string {
  const blocks: string[] = [];
  let run: (Element | string)[] = [];
  const flush = () => {
    blocks.push(...paragraphs(run));
    run = [];
  };
  for (const child of parent.children) {
    if (isBlock(child)) {
      flush();
      blocks.push(renderBlock(child, depth + 1));
    } else if (typeof child !== 'string' && hasBlock(child)) {
      flush();
      blocks.push(renderBlocks(child, depth + 1)); // <b><p>…: what holds blocks marks nothing
    } else run.push(child);
  }
  flush();
  return blocks.filter((block) => block.trim() !== '').join('\n\n');
}

const hasBlock = (element: Element): boolean =>
  element.children.some((child) => typeof child !== 'string' && (isBlock(child) || hasBlock(child)));

/** Inline nodes as paragraphs: two breaks in a row part them. */
function paragraphs(run: readonly (Element | string)[]): string[] {
  const lines: (Element | string)[][] = [[]];
  let previous = '';
  for (const node of run) {
    if (!isBreak(node)) {
      lines.at(-1)!.push(node);
      if (typeof node !== 'string' || node.trim() !== '') previous = '';
      continue;
    }
    const { name } = node as Element;
    const doubled = name === 'newline' && previous === 'br';
    previous = doubled ? 'newline' : name;
    if (!doubled) lines.push([]);
  }
  const out: string[] = [];
  let current: string[] = [];
  for (const line of lines) {
    const text = inline(line, true).trim();
    if (text === '') {
      if (current.length > 0) out.push(current.join('  \n'));
      current = [];
    } else current.push(text);
  }
  if (current.length > 0) out.push(current.join('  \n'));
  return out;
}

function renderBlock(element: Element, depth: number): string {
  const { name } = element;
  if (name === 'hr') return '---';
  if (name === 'pre') return fence(plain(element));
  if (name === 'blockquote') {
    const inner = renderBlocks(element, depth);
    return depth > BLOCK_DEPTH_LIMIT ? inner : prefixed(inner, '> ', '> ');
  }
  if (name === 'ul' || name === 'ol') {
    const items = element.children.filter((child) => typeof child !== 'string' || child.trim() !== '');
    let number = 0;
    return items
      .map((item) => {
        const holder: Element =
          typeof item !== 'string' && item.name === 'li' ? item : { name: 'li', href: '', alt: '', children: [item] };
        const inner = renderBlocks(holder, depth);
        if (inner === '') return '';
        number++;
        if (depth > BLOCK_DEPTH_LIMIT) return inner;
        const bullet = name === 'ul' ? '- ' : `${number}. `;
        return prefixed(inner, bullet, ' '.repeat(bullet.length)).replace(/\n\n( *(?:-|\d+\.) )/g, '\n$1');
      })
      .filter((item) => item !== '')
      .join('\n');
  }
  if (/^h[1-6]$/.test(name)) {
    const inner = renderBlocks(element, depth);
    return inner === '' || inner.includes('\n') || inner.includes('**') ? inner : `**${inner}**`;
  }
  return renderBlocks(element, depth);
}

const prefixed = (text: string, first: string, others: string) =>
  text === ''
    ? ''
    : text
        .split('\n')
        .map((line, index) => (index === 0 ? first : others) + line)
        .map((line) => (/^[> ]*$/.test(line) ? line.trimEnd() : line))
        .join('\n');

function inline(nodes: readonly (Element | string)[], lineStart: boolean): string {
  let out = '';
  for (const node of nodes) {
    const starts = lineStart && out.trim() === '';
    if (typeof node === 'string') {
      const text = decodeEntities(node).replace(/[\t\n\f\r][\t\n\f\r ]*| [\t\n\f\r ]+/g, ' ');
      out += escapeText(out.endsWith(' ') || out.endsWith('\n') ? text.replace(/^ /, '') : text, starts);
    } else {
      const text = inlineElement(node, starts);
      out += out.endsWith(' ') ? text.replace(/^ (?! \n)/, '') : text;
    }
  }
  return out;
}

function inlineElement(element: Element, lineStart: boolean): string {
  const { name } = element;
  if (name === 'br' || name === 'newline') return '  \n';
  if (name === 'img') {
    const url = webUrl(element.href);
    const alt = escapeText(element.alt, false);
    return url === undefined ? alt : link(alt || 'image', url);
  }
  if (name === 'code' || name === 'tt' || name === 'kbd' || name === 'samp') return codeSpan(plain(element));
  const inner = inline(element.children, lineStart);
  if (name === 'a') {
    const url = webUrl(element.href);
    if (url === undefined) return inner;
    const shown = plain(element).trim();
    const cut = /^(.*?)(?:\.\.\.|…)$/.exec(shown)?.[1];
    // Disqus shows a long address cut; it was typed whole.
    const isAddress = shown === '' || shown === url || (cut !== undefined && cut.length > 7 && url.startsWith(cut));
    if (isAddress)
      return /^https?:\/\/[^\s()[\]*`<>\\]+$/.test(url) ? url : `<${url.replace(/[<>]/g, encodeURIComponent)}>`;
    return link(inner.replace(/\s*\n\s*/g, ' ').trim(), url);
  }
  if (name === 'q') return `“${inner}”`;
  if (name === 'td' || name === 'th') return `${inner.trim()} `;
  const mark = MARKS[name];
  if (mark === undefined) return inner;
  const trimmed = inner.trim();
  if (trimmed === '' || trimmed.startsWith('*') || trimmed.endsWith('*')) return inner;
  return (
    inner.slice(0, inner.length - inner.trimStart().length) +
    mark +
    trimmed +
    mark +
    inner.slice(inner.trimEnd().length)
  );
}

const link = (text: string, url: string) => `[${text}](${destination(url)})`;
const destination = (url: string) => (/[()\\]/.test(url) ? `<${url.replace(/[<>\\]/g, encodeURIComponent)}>` : url);

function plain(element: Element): string {
  return element.children
    .map((child) => (typeof child === 'string' ? decodeEntities(child) : isBreak(child) ? '\n' : plain(child)))
    .join('');
}

function fence(code: string): string {
  const text = code.replace(/^\n+|\s+$/g, '');
  if (text === '') return '';
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].slice(0, 10_000).map(([run]) => run.length));
  const mark = '`'.repeat(Math.min(longest + 1, 100));
  return `${mark}\n${text}\n${mark}`;
}

function codeSpan(code: string): string {
  const text = code.replace(/\s+/g, ' ').trim();
  if (text === '') return '';
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].slice(0, 10_000).map(([run]) => run.length));
  const mark = '`'.repeat(Math.min(longest + 1, 100));
  const pad = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return mark + pad + text + pad + mark;
}

/** Escapes what Markdown would take for markup; addresses stay whole, so that they still become links. */
function escapeText(text: string, lineStart: boolean): string {
  if (!text.includes('http')) return escapeProse(text, lineStart);
  let out = '';
  let from = 0;
  for (const hit of text.matchAll(/https?:\/\/[^\s<>]+/g)) {
    out += escapeProse(text.slice(from, hit.index), lineStart && from === 0) + hit[0];
    from = hit.index + hit[0].length;
  }
  return out + escapeProse(text.slice(from), lineStart && from === 0);
}

/** Plain words need no look. A list's or heading's mark is one at the start of a line only. */
const SPECIAL = /[\\`*[\]~<&_]|^\s*(?:[#>+=-]|\d{1,9}[.)])/;

function escapeProse(text: string, lineStart: boolean): string {
  if (!SPECIAL.test(text)) return text;
  const escaped = text
    .replace(/[\\`*[\]]|~(?=~)|<(?=[a-zA-Z/!?])|&(?=#?\w{1,31};)/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, '\\_');
  if (!lineStart) return escaped;
  return escaped
    .replace(/^(\s*)([#>]|[-+](?=\s|$)|-{3,}|={3,})/, '$1\\$2')
    .replace(/^(\s*\d{1,9})([.)])(?=\s|$)/, '$1\\$2');
}

const tidy = (text: string) =>
  text
    .replace(/\n{3,}/g, '\n\n')
    .replace(/\u00a0/g, ' ')
    .trim();
