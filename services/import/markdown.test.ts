import * as fc from 'fast-check';
import MarkdownIt from 'markdown-it';
import { describe, expect, it } from 'vitest';
import { markdownOfHtml, markdownOfMixed } from './markdown.ts';

const CASES: [html: string, markdown: string][] = [
  ['<p>One</p><p>Two</p>', 'One\n\nTwo'],
  ['One<br>two<br /><br/>three', 'One  \ntwo\n\nthree'],
  ['<b>Bold</b>, <em> so </em>so', '**Bold**, *so* so'],
  ['<a href="https://a.example/x" rel="nofollow">here</a>', '[here](https://a.example/x)'],
  ['<a href="https://a.example/long/path">https://a.example/lo...</a>', 'https://a.example/long/path'],
  ['<a href="https://a.example/(x)">x</a>', '[x](<https://a.example/(x)>)'],
  ['<a href="javascript:alert(1)">click</a>', 'click'],
  ['<blockquote><p>Said</p></blockquote>Yes', '> Said\n\nYes'],
  ['<ul><li>a<li>b<ul><li>c</ul></ul>', '- a\n- b\n  - c'],
  ['<ol><li>a</li><li>b</li></ol>', '1. a\n2. b'],
  ['Use <code>a &lt; `b`</code>', 'Use `` a < `b` ``'],
  ['<pre><code>if (a) {\n  b\n}</code></pre>', '```\nif (a) {\n  b\n}\n```'],
  ['<script>alert(1)</script>Hi<style>p{}</style>', 'Hi'],
  ['5 &lt; 6 &amp; *not bold* &lt;script&gt;', '5 < 6 & \\*not bold\\* \\<script>'],
  ['snake_case_name and _em_', 'snake_case_name and \\_em\\_'],
  ['see https://a.example/a_b_c*d', 'see https://a.example/a_b_c*d'],
  ['1. not a list', '1\\. not a list'],
  ['<p># no heading</p>', '\\# no heading'],
  ['<img src="https://a.example/p.png" alt="A fig">', '[A fig](https://a.example/p.png)'],
  ['List<String> and a<b', 'List and a\\<b'],
  ['<div><div>Deep</div></div>', 'Deep'],
  ['&#128512; &eacute; &unknown; &#0;', '😀 é \\&unknown;'],
];

describe('HTML as Markdown', () => {
  it.each(CASES)('%s', (html, markdown) => {
    expect(markdownOfHtml(html)).toBe(markdown);
  });

  it('reads line ends as WordPress shows them', () => {
    expect(markdownOfHtml('One\ntwo\n\nthree<br />\nfour', 'break')).toBe('One  \ntwo\n\nthree  \nfour');
  });

  it('reads line ends as breaks only where nothing else is marked up', () => {
    expect([markdownOfHtml('a\nb', 'auto'), markdownOfHtml('<p>a\nb</p>', 'auto')]).toEqual(['a  \nb', 'a b']);
  });

  it('never throws, and never makes HTML of ours', () => {
    const renderer = new MarkdownIt({ html: false });
    const piece = fc.constantFrom(
      '<p>',
      '</p>',
      '<b',
      '<a href="',
      '">',
      "'",
      '<script>',
      '</script>',
      '<!--',
      '-->',
      '`',
      '*',
      '[',
      '](',
      ')',
      '<ul><li>',
      '<pre>',
      '&lt;',
      '&#x',
      ';',
      'word ',
      '\n',
      '<blockquote>',
      '<',
      '>',
      'javascript:x',
      '<img src=x onerror=alert(1)>',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
          fc.string(),
        ),
        (html) => {
          for (const markdown of [markdownOfHtml(html), markdownOfHtml(html, 'break'), markdownOfMixed(html)]) {
            expect(renderer.render(markdown)).not.toMatch(/<(?:script|img src=x)|href="javascript/i);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  const LONG: [name: string, html: string][] = [
    ['open brackets', '<'.repeat(200_000)],
    ['tags without an end', '<a href="x'.repeat(20_000)],
    ['comments without an end', '<!--'.repeat(50_000)],
    ['nested quotes', '<blockquote>'.repeat(20_000)],
    ['nested lists', '<ul><li>'.repeat(20_000)],
    ['nested marks', '<b>x'.repeat(50_000)],
    ['backticks', '`a'.repeat(100_000)],
    ['spaces', `${' '.repeat(200_000)}x`],
    ['breaks', '<br>'.repeat(50_000)],
    ['ampersands', '&#'.repeat(100_000)],
    ['code', `<code>${'`'.repeat(100_000)}</code>`],
  ];
  it.each(LONG)('takes no long time for %s', (_name, html) => {
    const began = performance.now();
    markdownOfHtml(html, 'break');
    markdownOfMixed(html);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});

describe('Markdown with HTML in it', () => {
  const MIXED: [mixed: string, markdown: string][] = [
    ['plain *text* <3', 'plain *text* <3'],
    ['a <b>bold</b> word<br>more', 'a **bold** word\nmore'],
    ['`<b>` stays, <i>this</i> not', '`<b>` stays, *this* not'],
    ['```html\n<script>x</script>\n```\n<script>x</script>after', '```html\n<script>x</script>\n```\nafter'],
    ['<https://a.example> and a<T>', '<https://a.example> and a<T>'],
    ['<a href="https://a.example">x</a> <a href="javascript:1">y</a>', '[x](https://a.example) y'],
    ['<img src="data:x" alt="smile" class="emoji">', 'smile'],
  ];
  it.each(MIXED)('%s', (mixed, markdown) => {
    expect(markdownOfMixed(mixed)).toBe(markdown);
  });
});
