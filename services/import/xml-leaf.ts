/** An element with its own text and its children, as far as they were read. */
export type XmlNode = {
  name: string;
  line: number;
  attributes: Record<string, string>;
  text: string;
  children: XmlNode[];
};

/** A start tag as almost all are: plain names, quoted values without references. Sticky. */
const START = /<([A-Za-z][\w:.-]*)((?:\s+[A-Za-z][\w:.-]*\s*=\s*(?:"[^"<&]*"|'[^'<&]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([A-Za-z][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;
const REFERENCE = /&(?:amp|lt|gt|quot|apos|#(\d{1,7})|#x([\da-fA-F]{1,6}));/g;
const NAMED: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" };
const NONE: Record<string, string> = Object.freeze({});
const DEPTH_LIMIT = 16;

/**
 * Reads one element that is plainly well formed, several times faster than a full parser.
 *
 * It accepts less than XML, never more: for all that it does not know for sure (declarations, odd names, references in
 * attributes, unknown entities, a wrong end tag) it answers `odd`, and the strict parser decides.
 *
 * @returns the element and the index past it; `short` if the text ends before it does
 */
export function leafAt(
  text: string,
  start: number,
  line: number,
  ignored: ReadonlySet<string> | undefined,
): { node: XmlNode; end: number } | 'short' | 'odd' {
  const stack: XmlNode[] = [];
  let at = start;
  for (;;) {
    let node: XmlNode | undefined = stack.at(-1);
    // `at` stands on a `<`.
    const next = text.charCodeAt(at + 1);
    if (next === 0x2f) {
      if (node === undefined) return 'odd';
      const end = at + 2 + node.name.length;
      if (end >= text.length) return text.indexOf('>', at) === -1 ? 'short' : 'odd';
      if (!text.startsWith(node.name, at + 2) || text.charCodeAt(end) !== 0x3e) return 'odd';
      at = end + 1;
      stack.pop();
      if (stack.length === 0) return { node, end: at };
      node = stack.at(-1)!;
    } else if (next === 0x21) {
      const isComment = text.startsWith('!--', at + 1);
      if (!isComment && !text.startsWith('![CDATA[', at + 1)) return text.length - at < 10 ? 'short' : 'odd';
      const from = at + (isComment ? 4 : 9);
      const end = text.indexOf(isComment ? '--' : ']]>', from);
      if (end === -1) return 'short';
      if (isComment && text.charCodeAt(end + 2) !== 0x3e) return end + 2 >= text.length ? 'short' : 'odd';
      if (!isComment && node !== undefined && stack.length > 1 && ignored?.has(node.name) !== true) {
        node.text += text.slice(from, end);
      }
      at = end + 3;
    } else {
      START.lastIndex = at;
      const tag = START.exec(text);
      if (tag === null) return text.indexOf('>', at) === -1 ? 'short' : 'odd';
      const [whole, name, written, alone] = tag;
      if (stack.length >= DEPTH_LIMIT || (node !== undefined && name === stack[0]!.name)) return 'odd';
      const child: XmlNode = { name: name!, line, attributes: NONE, text: '', children: [] };
      if (written !== '') {
        child.attributes = {};
        for (const [, key, double, single] of written!.matchAll(ATTRIBUTE)) {
          if (Object.hasOwn(child.attributes, key!)) return 'odd';
          child.attributes[key!] = double ?? single!;
        }
      }
      node?.children.push(child);
      at += whole.length;
      if (alone === '') {
        stack.push(child);
        node = child;
      } else if (node === undefined) return { node: child, end: at };
    }
    const end = text.indexOf('<', at);
    if (end === -1) return 'short';
    if (end > at) {
      // An element with children has no text of its own that anyone needs, but it must be well formed.
      const between = text.slice(at, end);
      if (between.includes('&')) {
        const decoded = decoded5(between);
        if (decoded === undefined) return 'odd';
        node!.text += decoded;
      } else if (stack.length > 1) node!.text += between;
      if (between.includes(']]>')) return 'odd';
      at = end;
    }
  }
}

function decoded5(text: string): string | undefined {
  let odd = false;
  let references = 0;
  const decoded = text.replace(REFERENCE, (whole, decimal: string | undefined, hex: string | undefined) => {
    references++;
    if (decimal === undefined && hex === undefined) return NAMED[whole]!;
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    if (code < 0x20 || (code >= 0xd800 && code < 0xe000) || code > 0xffff) odd = true;
    return odd ? '' : String.fromCharCode(code);
  });
  let ampersands = 0;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) ampersands++;
  return odd || ampersands !== references ? undefined : decoded;
}
