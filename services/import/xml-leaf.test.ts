import * as fc from 'fast-check';
import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { post, wpComment } from './fixtures.ts';
import { type XmlNode, leafAt } from './xml-leaf.ts';

/** The same element as the strict parser sees it; throws where that finds a fault. */
function strict(text: string): XmlNode {
  const parser = new SaxesParser({ xmlns: false, position: false });
  const stack: XmlNode[] = [{ name: '', line: 1, attributes: {}, text: '', children: [] }];
  const keep = (words: string) => {
    if (stack.length > 2) stack.at(-1)!.text += words;
  };
  parser.on('opentag', ({ name, attributes }) => {
    const node = { name, line: 1, attributes, text: '', children: [] };
    stack.at(-1)!.children.push(node);
    stack.push(node);
  });
  parser.on('closetag', () => stack.pop());
  parser.on('text', keep);
  parser.on('cdata', keep);
  parser.write(text).close();
  return stack[0]!.children[0]!;
}

/** Text beside elements of the record itself is nobody's. */
const withoutOwn = (node: XmlNode): XmlNode => ({ ...node, text: '' });

describe('the fast way to read a record', () => {
  it.each([post('1', { parent: '3' }).trim(), wpComment('1').trim()])('is taken for an ordinary record %#', (text) => {
    expect(leafAt(text, 0, 1, undefined)).toEqual({ node: strict(text), end: text.length });
  });

  it('accepts nothing that the strict parser refuses, and sees the same', () => {
    const bases = [
      post('1', { parent: '3' }).trim(),
      wpComment('1').trim(),
      '<post a="1" b=\'2\'><x>&amp;&#65;</x><!-- c --><y/></post>',
    ];
    const piece = fc.constantFrom(
      '<',
      '>',
      '/',
      '&',
      ';',
      '"',
      "'",
      '=',
      ' ',
      '-',
      '!',
      ']]>',
      '<![CDATA[',
      '<!--',
      '-->',
      '&lt;',
      '&#x41;',
      '&#0;',
      '&nbsp;',
      '<?x?>',
      '</post>',
      'a',
      ':',
      '<x/>',
    );
    fc.assert(
      fc.property(fc.constantFrom(...bases), fc.nat(), fc.nat({ max: 3 }), piece, (base, where, removed, put) => {
        const at = where % base.length;
        const text = base.slice(0, at) + put + base.slice(at + removed);
        const leaf = leafAt(text, 0, 1, undefined);
        if (typeof leaf === 'string') return;
        expect(withoutOwn(leaf.node)).toEqual(withoutOwn(strict(text.slice(0, leaf.end))));
      }),
      { numRuns: 3000 },
    );
  });

  it('waits for the rest of a record that is cut anywhere', () => {
    const text = post('1', { parent: '3' }).trim();
    for (let cut = 6; cut < text.length; cut++)
      expect(leafAt(text.slice(0, cut), 0, 1, undefined)).not.toBeTypeOf('object');
  });
});
