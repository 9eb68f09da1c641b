import { type SaxesTagPlain, SaxesParser } from 'saxes';
import { type Skipped, type Warning, skipped, warning } from './record.ts';
import { countLines } from './text.ts';
import { type XmlNode, leafAt } from './xml-leaf.ts';

/** Where the records of a document stand. */
export type XmlShape = {
  /** Each record's ancestors, outermost first. A record may stand in another one (a comment in its post). */
  records: Readonly<Record<string, readonly string[]>>;
  /** Elements that are also used inside a record as a mere reference, without children. */
  references?: ReadonlySet<string>;
  /** Elements whose text nobody needs. */
  ignored?: ReadonlySet<string>;
};

/** A whole record; `parent` is the record around it as far as it was read by then. */
export type XmlRecord = { kind: 'record'; node: XmlNode; parent?: XmlNode };

/** A record, or the space between two, longer than this many characters is taken as broken. */
const RECORD_LIMIT = 16 * 1024 * 1024;
/** A record that is not whole in this many characters is left to the parser, which needs no whole one. */
const LEAF_LIMIT = 1024 * 1024;
/** No export nests elements this deep. */
const DEPTH_LIMIT = 64;
/** No entity has a name this long. */
const ENTITY_LIMIT = 64;

/** Named entities of HTML that exports use although XML does not know them. */
const ENTITIES: Record<string, string> = {
  nbsp: '\u00a0',
  laquo: '«',
  raquo: '»',
  hellip: '…',
  ndash: '–',
  mdash: '—',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  copy: '©',
  reg: '®',
  euro: '€',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  agrave: 'à',
  ccedil: 'ç',
};

class Fault extends Error {}

/**
 * Streams the records of an XML document, each as soon as its end tag is read.
 *
 * The parser is strict. When it meets a fault, the record that it is in is reported by its line, and reading starts afresh
 * at the next start tag of a record. So a fault costs one record, and cutting a file costs the record cut. Entities that
 * a DTD declares are not known (https://owasp.org/www-community/vulnerabilities/XML_External_Entity_(XXE)_Processing),
 * so that one which uses them is a fault and never an expansion.
 */
export async function* xmlRecords(
  pieces: AsyncIterable<string>,
  shape: XmlShape,
): AsyncGenerator<XmlRecord | Skipped | Warning> {
  const names = Object.keys(shape.records);
  const marker = new RegExp(`<(?:${names.join('|')})(?=[\\s/>])`, 'g');
  const longest = Math.max(...names.map((name) => name.length)) + 2;
  const out: (XmlRecord | Skipped | Warning)[] = [];

  let parser: SaxesParser | undefined;
  let stack: XmlNode[] = [];
  let firstLine = 1; // of what the parser was given first, and the lines that it was not given
  let line = 1; // of the next character to feed
  let fed = 0; // characters since the last record began or ended
  let faulty = false;
  let opened = false; // an element, by what was fed last
  let resumed = false; // reading resumed at what may be a mere mention of a record inside the lost one
  /** What was fed last began a comment or CDATA section; a record in it is none. May be wrong this way only. */
  let inSection = false;
  let mentions = new Set<XmlNode>();

  const isRecord = (node: XmlNode) => Object.hasOwn(shape.records, node.name) && !mentions.has(node);
  const openRecord = () => stack.findLast(isRecord);

  const open = (tag: SaxesTagPlain) => {
    const inside = openRecord();
    const node: XmlNode = {
      name: tag.name,
      line: firstLine + parser!.line - 1,
      attributes: tag.attributes,
      text: '',
      children: [],
    };
    if (stack.length >= DEPTH_LIMIT) throw new Fault(`elements are nested deeper than ${DEPTH_LIMIT}`);
    const around = stack.at(-1);
    if (around !== undefined && mentions.has(around)) {
      throw new Fault(`it is not closed before the next <${around.name}> begins at line ${around.line}`);
    }
    if (inside !== undefined && Object.hasOwn(shape.records, node.name)) {
      if (shape.references?.has(node.name)) mentions.add(node);
      else if (inside.name !== shape.records[node.name]!.at(-1)) {
        throw new Fault(`it is not closed before the next <${node.name}> begins at line ${node.line}`);
      } else fed = 0;
    }
    if (inside !== undefined) resumed = false;
    around?.children.push(node);
    stack.push(node);
    opened = true;
  };

  /** The parser closes an element before it sees that the end tag has another name. */
  let closed: { node: XmlNode; wasMention: boolean } | undefined;
  const close = () => {
    const node = stack.pop()!;
    closed = { node, wasMention: mentions.has(node) };
    if (mentions.delete(node)) return;
    const parent = openRecord();
    if (!isRecord(node)) {
      if (parent === undefined) stack.at(-1)?.children.pop(); // of no record: kept, it would be the whole file
      return;
    }
    stack.at(-1)?.children.pop(); // handed out
    fed = 0;
    if (resumed) throw new Fault('a mention, not a record');
    hand(node, parent);
  };

  const hand = (node: XmlNode, parent: XmlNode | undefined) => {
    if (swallowed(node, node.name)) {
      out.push(
        skipped(
          node.line,
          `A text in the <${node.name}> that begins here is not closed: it holds the end of this record and the start of another. Both are left out.`,
        ),
      );
    } else out.push(parent === undefined ? { kind: 'record', node } : { kind: 'record', node, parent });
  };

  /** Records that hold no records, read without the parser where they are plainly well formed. */
  const leaves = new Set(names.filter((name) => !containsRecords(shape, name)));
  const takesLeaf = (name: string) => {
    if (faulty || stack.length === 0 || resumed || inSection || !leaves.has(name)) return false;
    return stack.at(-1)!.name === shape.records[name]!.at(-1) && !mentions.has(stack.at(-1)!);
  };

  const start = (name: string | undefined) => {
    parser = new SaxesParser({ xmlns: false, position: false });
    Object.assign(parser.ENTITIES, ENTITIES);
    firstLine = line;
    inSection = false;
    fed = 0;
    const ancestors = name === undefined ? [] : shape.records[name]!;
    const around = stack.find((node) => node.name === ancestors.at(-1) && isRecord(node));
    stack = [];
    mentions = new Set();
    parser.on('opentag', open);
    for (const ancestor of ancestors) parser.write(`<${ancestor}>`);
    if (around !== undefined) {
      // The comment's post goes on: what was read of it before the fault still holds.
      stack.pop();
      stack.at(-1)?.children.pop();
      stack.push(around);
    }
    const keep = (text: string) => {
      const node = stack.at(-1);
      if (node === undefined || isRecord(node) || shape.ignored?.has(node.name)) return;
      if (openRecord() !== undefined) node.text += text;
    };
    parser.on('closetag', close);
    parser.on('text', keep);
    parser.on('cdata', keep);
    faulty = false;
  };

  const fail = (message: string) => {
    if (closed !== undefined && message.startsWith('unexpected close tag')) {
      const { node, wasMention } = closed;
      stack.push(node);
      if (wasMention) mentions.add(node);
      const handed = out.at(-1);
      if (handed?.kind === 'record' && handed.node === node) out.pop();
    }
    closed = undefined;
    const record = openRecord();
    const at = firstLine + (parser?.line ?? 1) - 1;
    if (!resumed) {
      const what = message.replace(/[.\s]+$/, '');
      out.push(
        skipped(
          at,
          record === undefined
            ? `The file cannot be read here: ${what}. Reading goes on at the next record.`
            : `The <${record.name}> that begins at line ${record.line} cannot be read: ${what}.`,
        ),
      );
    }
    faulty = true;
    parser = undefined;
    // Keep the post around a broken comment, drop the comment itself.
    if (record !== undefined) {
      const around = stack.slice(0, stack.indexOf(record)).findLast(isRecord);
      stack = around === undefined ? (containsRecords(shape, record.name) ? [record] : []) : [around];
    } else stack = [];
  };

  const feed = (text: string, mark: string | undefined) => {
    const begun = Math.max(text.lastIndexOf('<!--'), text.lastIndexOf('<![CDATA['));
    const ended = Math.max(text.lastIndexOf('-->'), text.lastIndexOf(']]>'));
    if (begun !== ended) inSection = begun > ended;
    if (faulty && mark !== undefined) {
      start(mark);
      resumed = shape.references?.has(mark) === true;
    }
    if (!faulty) {
      fed += text.length;
      opened = false;
      try {
        parser!.write(text);
        // An `&` without its `;` would swallow all that follows.
        if ((parser as unknown as { entity: string }).entity.length > ENTITY_LIMIT) {
          throw new Fault('an & stands alone; it should be &amp;');
        }
        if (fed > RECORD_LIMIT) throw new Fault(`there is no end to it within ${RECORD_LIMIT} characters`);
      } catch (cause) {
        fail((cause as Error).message);
        if (mark !== undefined && !opened) {
          // The fault is of the record before: the one that begins here may be whole.
          start(mark);
          resumed = shape.references?.has(mark) === true;
          try {
            parser!.write(text);
          } catch (second) {
            fail((second as Error).message);
          }
        }
      }
    }
    line += countLines(text, text.length);
  };

  start(undefined);
  let rest = '';
  let begun = false;
  for await (const piece of pieces) {
    let text = rest + piece;
    rest = '';
    if (!begun) {
      const declaration = text.indexOf('<?xml');
      const first = declaration === -1 ? text.indexOf('<') : declaration;
      if (first === -1 && text.length < 65_536) {
        rest = text;
        continue;
      }
      const stray = first === -1 ? text : text.slice(0, first);
      if (stray.trim() !== '') out.push(warning(1, 'Something stands before the XML begins; it is left out.'));
      line += countLines(stray, stray.length);
      firstLine = line;
      text = text.slice(stray.length);
      begun = true;
    }
    // A start tag may be cut in two: hold back what could still become a marker.
    const last = text.lastIndexOf('<');
    if (last !== -1 && text.length - last < longest) {
      rest = text.slice(last);
      text = text.slice(0, last);
    }
    let from = 0;
    let mark: string | undefined;
    marker.lastIndex = 0;
    for (let hit = marker.exec(text); hit !== null; hit = marker.exec(text)) {
      if (hit.index > from) feed(text.slice(from, hit.index), mark);
      from = hit.index;
      mark = hit[0].slice(1);
      if (!takesLeaf(mark)) continue;
      const leaf = leafAt(text, from, line, shape.ignored);
      if (leaf === 'odd') continue;
      if (leaf === 'short') {
        if (text.length - from > LEAF_LIMIT) continue;
        rest = text.slice(from) + rest;
        text = text.slice(0, from);
        break;
      }
      hand(leaf.node, openRecord());
      const lines = countLines(text.slice(from, leaf.end), leaf.end - from);
      line += lines;
      firstLine += lines;
      fed = 0;
      from = marker.lastIndex = leaf.end;
      mark = undefined;
    }
    if (from < text.length) feed(text.slice(from), mark);
    yield* out.splice(0);
  }
  // What was held back: a record that the file cuts, or text that only looked like one.
  marker.lastIndex = 0;
  const cut = marker.exec(rest);
  if (cut !== null && cut.index > 0) feed(rest.slice(0, cut.index), undefined);
  if (rest !== '') feed(rest.slice(cut?.index ?? 0), cut?.[0].slice(1));
  if (!faulty) {
    const record = openRecord();
    try {
      parser!.close();
    } catch (cause) {
      const message = (cause as Error).message;
      if (record !== undefined) fail('the file ends before it does');
      else {
        out.push(
          skipped(line, `The file ends before its time (${message.replace(/[.\s]+$/, '')}); there may have been more.`),
        );
      }
    }
  }
  yield* out.splice(0);
}

/**
 * A CDATA section that lost its end goes on to that of the next record, which is well formed and wrong. Nothing is read from
 * inside it: else whoever can write a comment could forge another.
 */
function swallowed(node: XmlNode, record: string): boolean {
  const end = node.text.indexOf(`</${record}>`);
  return (
    (end !== -1 && node.text.includes(`<${record}`, end)) || node.children.some((child) => swallowed(child, record))
  );
}

const containsRecords = (shape: XmlShape, name: string) =>
  Object.values(shape.records).some((ancestors) => ancestors.at(-1) === name);

/** The text of the first child of that name, trimmed; empty where there is none. */
export function childText(node: XmlNode, name: string): string {
  for (const child of node.children) if (child.name === name) return child.text.trim();
  return '';
}

/** An attribute by its local name, whatever its prefix. */
export function attribute(node: XmlNode | undefined, name: string): string {
  if (node === undefined) return '';
  for (const key in node.attributes) {
    if (key === name || key.endsWith(`:${name}`)) return node.attributes[key]!.trim();
  }
  return '';
}
