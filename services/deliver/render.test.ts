import { describe, expect, it } from 'vitest';
import { oneLine, renderConfirmation, renderDigest, renderReplies, type CommentView } from './render.ts';
import { speech } from './words.ts';

const VIEW: CommentView = {
  author: 'Bob',
  html: '<p>Fine.</p>',
  text: 'Fine.',
  excerpt: 'Fine.',
  at: 0,
  title: 'A Post',
  url: 'https://blog.example/post#sluice-1',
  parentExcerpt: 'What I wrote',
};
const mail = (set: Partial<CommentView>) =>
  renderReplies(
    {
      site: 'A Blog',
      comments: [{ ...VIEW, ...set }],
      unsubscribeUrl: 'https://x.example/u',
      dataUrl: 'https://x.example/privacy',
    },
    speech(),
  );

const NASTY: [name: string, text: string][] = [
  ['CR LF', 'a\r\nBcc: v@x.example'],
  ['a lone CR', 'a\rBcc: v@x.example'],
  ['line separators', 'a\u2028b\u2029c\u0085d'],
  ['NUL', 'a\u0000b'],
  ['a lone surrogate', 'a\uD800b'],
  ['bidi controls', 'a\u202Eb\u2066c'],
  ['quotes and tags', '"><script>alert(1)</script>'],
  ['a megabyte', 'x'.repeat(1_000_000)],
];

describe('what readers typed', () => {
  it.each(NASTY)('is one safe line in the subject, and inert in the HTML: %s', (_name, text) => {
    const { subject, html } = mail({ author: text, title: text, excerpt: text, parentExcerpt: text });
    // oxlint-disable-next-line no-control-regex
    expect(subject).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/);
    expect(subject.length).toBeLessThanOrEqual(121);
    expect(subject.isWellFormed()).toBe(true);
    expect(html).not.toContain('<script');
    expect(html.length).toBeLessThan(20_000);
  });

  it('keeps the joiners that Persian and emoji need', () => {
    expect(oneLine('می\u200Cخواهم 👩\u200D🔧', 40)).toBe('می\u200Cخواهم 👩\u200D🔧');
  });

  it('is cut where it is long: mail programs clip what is over 102 KB', () => {
    const { text, html } = mail({ text: 'word '.repeat(4000), html: `<p>${'word '.repeat(4000)}</p>` });
    expect(text.length).toBeLessThan(5000);
    expect(html.length).toBeLessThan(5000);
  });

  it('is not in the mail that asks to confirm', () => {
    const { text, html } = renderConfirmation(
      { site: 'A Blog', url: 'https://x.example/c', days: 7, unsubscribeUrl: 'https://x.example/u' },
      speech(),
    );
    expect(text).toContain('https://x.example/c');
    expect(html).toContain('href="https://x.example/c"');
  });
});

it('breaks the lines of plain text between words, and leaves code and links alone', () => {
  const words = 'some words that go on '.repeat(8).trim();
  const code = `const line = '${'x'.repeat(100)} y';`;
  const address = `https://blog.example/${'path/'.repeat(20)}`;
  const typed = [words, `> ${words}`, `- ${words}`, '```', code, '```', `see ${address} there`].join('\n');
  const lines = mail({ text: typed }).text.split('\n');
  expect(lines).toContain(code);
  expect(lines).toContain(address);
  expect(lines.filter((line) => line.length > 76)).toEqual([code, address]);
  expect(lines.filter((line) => line.startsWith('> some') || line.startsWith('> words'))).not.toEqual([]);
  expect(lines.filter((line) => line.startsWith('  '))).not.toEqual([]);
  expect(lines.join(' ').replaceAll(/ [> ] ?/g, ' ')).toContain(words);
});

it('renders an empty digest without a row', () => {
  const { text } = renderDigest({
    site: 'A Blog',
    waiting: 0,
    more: false,
    escalated: false,
    escalationHours: 72,
    now: 0,
    moderateUrl: 'https://x.example/moderate',
    unsubscribeUrl: 'https://x.example/u',
    first: [],
  });
  expect(text).toContain('0 comments wait');
});

it('names a thread without a title by its site', () => {
  expect(mail({ title: '' }).subject).toBe('Bob replied to your comment on A Blog');
});
