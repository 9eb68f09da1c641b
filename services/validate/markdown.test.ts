import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excerpt, linksOf, plainText, render } from './markdown.ts';

const DATA = process.env['SLUICE_TEST_DATA'];

const TAGS = new Set('p br em strong code pre blockquote ul ol li a'.split(' '));
const TEXT_ENTITY = /^&(?:amp|lt|gt|quot|#39);/;

/**
 * What is wrong with HTML that should be ours: a tokenizer of its own, stricter than HTML, that takes only tags in the
 * one spelling that `render` writes, balanced, with the attributes and protocols that are allowed.
 */
function faultOf(html: string): string | undefined {
  const open: string[] = [];
  for (let at = 0; at < html.length;) {
    const rest = html.slice(at, at + 20_000);
    if (rest.startsWith('<')) {
      const tag = /^<(\/?)([a-z]+)((?: [a-z]+="[^"<>]*")*)( \/)?>/.exec(rest);
      if (!tag) return `no tag: ${rest.slice(0, 40)}`;
      const [whole, closing, name = '', attributes = '', empty] = tag;
      if (!TAGS.has(name)) return `tag ${name}`;
      if (closing) {
        if (attributes || empty || open.pop() !== name) return `unbalanced ${name}`;
      } else if ((name === 'br') !== Boolean(empty)) return `empty ${name}`;
      else if (!empty) open.push(name);
      const found = Object.fromEntries(
        [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key, value]) => [key, value]),
      );
      const allowed = name === 'a' ? ['href', 'rel'] : name === 'ol' ? ['start'] : name === 'code' ? ['class'] : [];
      const other = Object.keys(found).find((key) => !allowed.includes(key));
      if (other) return `attribute ${other}`;
      if (name === 'a' && !closing && !/^(?:https?:\/\/[^/]|mailto:.)/i.test(found['href'] ?? ''))
        return `href ${found['href']}`;
      if (name === 'a' && !closing && found['rel'] !== 'nofollow ugc noopener') return 'rel';
      if (found['start'] !== undefined && !/^\d{1,9}$/.test(found['start'])) return `start ${found['start']}`;
      if (found['class'] !== undefined && !/^language-[\w+#-]{1,20}$/.test(found['class']))
        return `class ${found['class']}`;
      at += whole.length;
    } else {
      if (rest.startsWith('>')) return 'bare >';
      if (rest.startsWith('&') && !TEXT_ENTITY.test(rest)) return `entity ${rest.slice(0, 12)}`;
      at += 1;
    }
  }
  return open.length > 0 ? `open ${open.join()}` : undefined;
}

const REL = 'rel="nofollow ugc noopener"';
const CASES: [sentence: string, body: string, html: string][] = [
  ['emphasis', '*a* **b** _c_', '<p><em>a</em> <strong>b</strong> <em>c</em></p>'],
  ['inline code', '`<b>`', '<p><code>&lt;b&gt;</code></p>'],
  ['fenced code', '```js\nx < 1\n```', '<pre><code class="language-js">x &lt; 1\n</code></pre>'],
  ['fenced code without an unsafe class', '```a"b&c\nx\n```', '<pre><code>x\n</code></pre>'],
  ['indented code', 'a\n\n    b', '<p>a</p>\n<pre><code>b\n</code></pre>'],
  ['quotes', '> a', '<blockquote>\n<p>a</p>\n</blockquote>'],
  [
    'an address within a link as its text',
    '[<https://a.example>](https://b.example)',
    `<p><a href="https://b.example" ${REL}>https://a.example</a></p>`,
  ],
  [
    'an address within a link to nowhere',
    '[<https://a.example> b]()',
    `<p><a href="https://a.example" ${REL}>https://a.example</a> b</p>`,
  ],
  ['lists', '- a\n- b', '<ul>\n<li>a</li>\n<li>b</li>\n</ul>'],
  ['ordered lists from where they start', '3. a', '<ol start="3">\n<li>a</li>\n</ol>'],
  ['line breaks', 'a\nb', '<p>a<br />\nb</p>'],
  ['links', '[a](https://b.example "t")', `<p><a href="https://b.example" ${REL}>a</a></p>`],
  [
    'bare addresses',
    'see https://b.example/x.',
    `<p>see <a href="https://b.example/x" ${REL}>https://b.example/x</a>.</p>`,
  ],
  ['mailto links', '[a](mailto:a@b.example)', `<p><a href="mailto:a@b.example" ${REL}>a</a></p>`],
  ['no link to a file name', 'node.js main.rs', '<p>node.js main.rs</p>'],
  ['no link to javascript:', '[a](javascript:alert)', '<p>[a](javascript:alert)</p>'],
  ['no link to data:', '[a](data:text/html,x)', '<p>[a](data:text/html,x)</p>'],
  ['no link to another scheme written in entities', '[a](jav&#x61;script:x)', '<p>[a](javascript:x)</p>'],
  ['no link without a scheme', '[a](//b.example) [b](/c)', '<p>[a](//b.example) [b](/c)</p>'],
  ['raw HTML as text', '<b onclick=x>a</b>', '<p>&lt;b onclick=x&gt;a&lt;/b&gt;</p>'],
  ['headings as text', '# a', '<p># a</p>'],
  ['link definitions as text', '[a]: b', '<p>[a]: b</p>'],
  ['images as links', '![a](https://b.example/c.png)', `<p>!<a href="https://b.example/c.png" ${REL}>a</a></p>`],
];
describe('render shows', () => {
  it.each(CASES)('%s', (_sentence, body, html) => {
    expect(render(body).trim()).toBe(html);
    expect(faultOf(render(body))).toBeUndefined();
  });

  it('images where the site allows them, over https alone', () => {
    expect(render('![a](https://b.example/c.png)', { images: true })).toContain(
      '<img src="https://b.example/c.png" alt="a"',
    );
    expect(render('![a](http://b.example/c.png)', { images: true })).not.toContain('src=');
    expect(render('![a](javascript:alert(1))', { images: true })).not.toContain('<img');
  });

  it('20 levels of blocks, and all text beyond them', () => {
    const html = render(`${'> '.repeat(30)}deep\n\nafter`);
    expect(html.match(/<blockquote>/g)).toHaveLength(20);
    expect(html).toContain('&gt; deep');
    expect(html).toContain('<p>after</p>');
    expect(render(`${'- '.repeat(30)}deep\n\nafter`)).toContain('<p>after</p>');
  });
});

// oxlint-disable-next-line vitest/expect-expect -- the property holds it
it('gives simple markup the HTML that the sanitizer gives it', () => {
  // A fence with a language bars the fast path.
  const fence = ['```js\nx\n```\n\n', '<pre><code class="language-js">x\n</code></pre>\n'] as const;
  const piece = fc.oneof(
    fc.constantFrom(
      ...'*_`[]()<>&"\'\\!#'.split(''),
      'a',
      'é',
      ' ',
      '\n',
      '\n\n',
      '> ',
      '- ',
      '1. ',
      '3. ',
      '**',
      '```\n',
    ),
    fc.constantFrom(
      'https://a.example/?b=1&c=2',
      '[x](http://b.example)',
      '<https://ü.example/é>',
      '[y](mailto:a@b.example)',
    ),
    fc.constantFrom(
      '&quot;',
      '&amp;quot;',
      '&lt;p&gt;',
      '&#39;',
      '[z](https://a"b)',
      '[z](http://a\'b "t")',
      '<p>',
      '</p>',
    ),
    fc.string({ unit: 'binary', maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      const text = pieces.join('');
      expect(fence[1] + render(text)).toBe(render(fence[0] + text));
    }),
    { numRuns: 5000 },
  );
});

// oxlint-disable-next-line vitest/expect-expect -- the property holds it
it('gives plain text the HTML that the parser and sanitizer give it', () => {
  const piece = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'a',
        'B',
        'é',
        '1',
        '1.',
        '2)',
        '12',
        ' ',
        '  ',
        '\n',
        '\n\n',
        '-',
        '+',
        '~~~',
        '=',
        '#',
        '.',
        ',',
        '!',
        '?',
        '"',
        "'",
        '(',
        ')',
        ':',
        '/',
        '://',
        'http',
        'mailto',
        '|',
        '{',
        '$',
        '%',
        '@',
        ';',
        '\u00A0',
        '\u2028',
        '\uFEFF',
        '\u0085',
        '\f',
        '\v',
        '😀',
        '\u200D',
        '^',
        '---',
        '===',
        'www.a.com',
        '\u3000',
        '\u180E',
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 3 }) },
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      // An escaped character anywhere bars the fast path; its paragraph is cut off again.
      expect(render(text)).toBe(render(`\\.\n\n${text}`).slice('<p>.</p>\n'.length));
    }),
    { numRuns: 5000 },
  );
});

it('writes only allowed tags, attributes and protocols, whatever comes', () => {
  const piece = fc.constantFrom(
    '<',
    '>',
    '</',
    '/>',
    '<a href="',
    '"',
    "'",
    '`',
    '```',
    '\n',
    '    ',
    '> ',
    '- ',
    '1. ',
    '[',
    ']',
    '](',
    ')',
    '(',
    '![',
    '*',
    '**',
    '_',
    '\\',
    '&',
    '&#60;',
    '&lt;',
    '&#x0;',
    'javascript:',
    'JaVaScRiPt&colon;',
    'https://',
    'http://a.b/',
    'mailto:',
    'data:text/html,',
    '<script>',
    '<!--',
    '-->',
    '<![CDATA[',
    'onload=',
    ' ',
    'x',
    '\t',
    '\0',
    '\uD800',
    'style=',
    '~~~',
    '<https://a>',
    '"onx="',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      expect(faultOf(render(pieces.join('')))).toBeUndefined();
    }),
    { numRuns: 5000 },
  );
});

const SIZE = 16_384;
const fill = (piece: string) => piece.repeat(Math.ceil(SIZE / piece.length)).slice(0, SIZE);
const BOMBS: [name: string, body: string][] = [
  ...[
    '>',
    '> ',
    '> - ',
    '- ',
    '1. ',
    '- a\n  ',
    '*',
    '*a ',
    '**a',
    '_',
    '*a_ ',
    '[',
    '![',
    '[a](',
    '[[a](b)',
    '](',
    '`',
    '`a``b',
    '```\n',
    '<',
    '<!--',
    '&',
    '&#',
    '\\',
    'http://',
    'http://a ',
    'https://a@',
    'mailto:a@b.c ',
    'www.a.com ',
    'a.',
    ' ',
    ' a',
    '\n',
    'x\n>y\n',
    '\u200D',
    'Z\u0300',
  ].map((piece): [string, string] => [JSON.stringify(piece), fill(piece)]),
  ['lists in lists', fill(Array.from({ length: 60 }, (_, depth) => `${'  '.repeat(depth)}- a\n`).join(''))],
  ['brackets opened, then closed', '['.repeat(SIZE / 2) + ']'.repeat(SIZE / 2)],
  ['links opened, then closed', '[a]('.repeat(SIZE / 8) + ')'.repeat(SIZE / 2)],
  [
    'runs of backticks that grow',
    Array.from({ length: 180 }, (_, length) => `${'`'.repeat(length)}a`)
      .join('')
      .slice(0, SIZE),
  ],
  ['stars around a letter', `${'*'.repeat(8000)}a${'*'.repeat(8000)}`],
];
describe('16 KiB cost no more than milliseconds of', () => {
  // Work cannot be counted inside the parser. Time is bounded generously, for slow machines with neighbours: what grows with
  // the square takes seconds here, what is linear less than 50 ms (measured 3 to 40).
  it.each(BOMBS)('%s', (_name, body) => {
    const started = performance.now();
    const html = render(body);
    linksOf(body);
    excerpt(body);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(html.length).toBeLessThan(SIZE * 12);
    expect(faultOf(html)).toBeUndefined();
  });
});

describe('plain text', () => {
  it('is what readers see, without markup', () => {
    expect(plainText('> **a** [b](https://c.example)\n\n- `d`\n- e &amp; f\n\n```\ng\n```')).toBe('a b\nd\ne & f\ng');
  });
  it('has no control, bidi or zero-width characters', () => {
    expect(plainText('a\u0007\u202Eb\u200B *c*')).toBe('ab c');
  });
  it('is cut at a word for an excerpt, and never within a character', () => {
    expect(excerpt('one two three\nfour', 15)).toBe('one two three…');
    expect(excerpt('😀'.repeat(30), 10)).toBe(`${'😀'.repeat(9)}…`);
    expect(excerpt('short')).toBe('short');
  });
});

const LINKS: [sentence: string, body: string, extra: string | undefined, links: ReturnType<typeof linksOf>][] = [
  ['none', 'no links, node.js and main.rs', undefined, { hosts: [], count: 0 }],
  ['a bare address', 'https://Blog.Example.co.uk/x', undefined, { hosts: ['example.co.uk'], count: 1 }],
  ['a Markdown link', '[x](http://a.example.com)', undefined, { hosts: ['example.com'], count: 1 }],
  ['a Markdown link in entities', '[x](http&#58;//a.example.com)', undefined, { hosts: ['example.com'], count: 1 }],
  ['a www address without a scheme', 'www.casino.com', undefined, { hosts: ['casino.com'], count: 1 }],
  ['a host that is only written', 'visit slot88.com now', undefined, { hosts: ['slot88.com'], count: 0 }],
  ['a host in code', '`https://slot88.com`', undefined, { hosts: ['slot88.com'], count: 0 }],
  ["the writer's URL, not counted", 'hello', 'https://me.example.org', { hosts: ['example.org'], count: 0 }],
  ['a host in punycode', 'http://müller.de', undefined, { hosts: ['xn--mller-kva.de'], count: 1 }],
  ['a network address', 'http://192.0.2.7/x', undefined, { hosts: ['192.0.2.7'], count: 1 }],
  ['the same host once', 'http://a.com http://b.a.com', undefined, { hosts: ['a.com'], count: 2 }],
  ['mail', '[x](mailto:a@b.example.com)', undefined, { hosts: ['example.com'], count: 1 }],
];
it.each(LINKS)('linksOf finds %s', (_sentence, body, extra, links) => {
  expect(linksOf(body, extra)).toEqual(links);
});

describe.skipIf(!DATA)('with the real data (needs SLUICE_TEST_DATA)', () => {
  it('no attack line of the XSS lists leaves more than allowed HTML', () => {
    let lines = 0;
    for (const file of readdirSync(join(DATA!, 'xss'))) {
      for (const line of readFileSync(join(DATA!, 'xss', file), 'utf8').split('\n')) {
        lines++;
        for (const body of [line, `[x](${line})`, `\`\`\`${line}\n`, `<${line}>`]) {
          const fault = faultOf(render(body));
          if (fault) throw new Error(`${fault}: ${body}`);
        }
      }
    }
    expect(lines).toBeGreaterThan(6000);
  });

  it('no naughty string and no CommonMark example leaves more either', () => {
    const naughty = JSON.parse(readFileSync(join(DATA!, 'text/blns.json'), 'utf8')) as string[];
    const examples = JSON.parse(readFileSync(join(DATA!, 'text/commonmark-0.31.2.json'), 'utf8')) as {
      markdown: string;
    }[];
    for (const body of [...naughty, ...examples.map(({ markdown }) => markdown)]) {
      expect(faultOf(render(body))).toBeUndefined();
      plainText(body);
      linksOf(body);
    }
    expect(examples.length).toBeGreaterThan(600);
  });
});
