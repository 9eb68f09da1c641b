import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildFrontEnd } from '../build.ts';
import { clock, fieldOf, isLight, webAddress } from './format.ts';
import { PAGE_HEADERS, PAGE_STYLE_HASH } from './page-frame.ts';
import { PAGE_ENGLISH, pageSpeech } from './page-words.ts';
import { renderStatePage, renderThreadPage } from './thread-page.ts';
import { type Comment, type Mine, append, arrivals, find, merge, nextAskMs, worthKeeping } from './thread.ts';
import { ENGLISH, type Words, choose, speaker } from './words.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const MINUTE = 60_000;
/** 9 KB: what a reader on a slow line pays for the widget. */
const BUDGET_BYTES = 9000;

function comment(id: string, more: Partial<Comment> = {}): Comment {
  return {
    id,
    parentId: null,
    depth: 0,
    state: 'published',
    author: { name: 'Ada' },
    html: '<p>ok</p>',
    createdAt: NOW - 2 * 3_600_000,
    replyCount: more.replies?.length ?? 0,
    replies: [],
    ...more,
  };
}

function own(more: Partial<Mine> = {}): Mine {
  return {
    ...comment('mine'),
    statusUrl: '',
    capability: '',
    editableUntil: new Date(NOW + MINUTE).toISOString(),
    body: '',
    status: 'received',
    createdAt: NOW,
    ...more,
  };
}

/** Per key: the blanks of a text, the forms of a plural, the keys of a list. `forms` are those of another language. */
function outline(words: Words, forms?: readonly string[]): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(words).map(([key, entry]) => {
      if (typeof entry === 'string') return [key, (entry.match(/\{\w+\}/g) ?? []).toSorted()];
      return [key, ('one' in entry && forms ? [...forms] : Object.keys(entry)).toSorted()];
    }),
  );
}

describe('what the widget weighs', () => {
  it('stays within 9 KB gzip, everything in for English', async () => {
    const out = mkdtempSync(join(tmpdir(), 'sluice-size-'));
    const built = await buildFrontEnd(join(import.meta.dirname, 'vite.config.ts'), out);
    const bundle = built.find(({ file }) => file === 'embed.js');
    expect(bundle?.gzipBytes).toBeLessThanOrEqual(BUDGET_BYTES);
    expect(built.filter(({ file }) => file.startsWith('embed/')).length).toBeGreaterThanOrEqual(10);
  });
});

describe('languages', () => {
  const folder = join(import.meta.dirname, 'words');
  const files = readdirSync(folder).map((file) => file.replace('.json', ''));

  it.each(files)('%s says everything that English says, with the same blanks and its own plurals', (lang) => {
    const words = JSON.parse(readFileSync(join(folder, `${lang}.json`), 'utf8')) as Words;
    expect(outline(words)).toEqual(
      outline(PAGE_ENGLISH, new Intl.PluralRules(lang).resolvedOptions().pluralCategories),
    );
    expect(JSON.stringify(words)).not.toContain('""');
  });

  it('counts in the grammar of the language', () => {
    const polish = JSON.parse(readFileSync(join(folder, 'pl.json'), 'utf8')) as Words;
    const say = speaker(polish, 'pl');
    expect([1, 3, 12, 25].map((n) => say('count', { n }))).toEqual([
      '1 komentarz',
      '3 komentarze',
      '12 komentarzy',
      '25 komentarzy',
    ]);
    expect(speaker(ENGLISH, 'en')('fresh', { n: 1234 })).toBe('1,234 new comments');
    expect(speaker(ENGLISH, 'en')('replyTo', { name: '$& {n}' })).toBe('Your reply to $& {n}');
  });

  it.each([
    [['pt-BR'], 'pt'],
    [['', null, 'de_AT'], 'de'],
    [['xx', 'fr'], 'fr'],
    [['en-GB', 'de'], 'en'],
    [['xx'], 'en'],
  ])('wanting %j gets %s', (wanted, lang) => {
    expect(choose(wanted, ['de', 'en', 'fr', 'pt'])).toBe(lang);
  });
});

describe('formats', () => {
  it.each([
    [10_000, 'this minute'],
    [5 * MINUTE, '5 minutes ago'],
    [26 * 60 * MINUTE, 'yesterday'],
    [400 * 24 * 60 * MINUTE, 'last year'],
    [-5000, 'this minute'],
  ])('an age of %i ms reads "%s"', (age, text) => {
    const told = clock('en')(NOW - age, NOW);
    expect(told.text).toBe(text);
    expect(told.exact).toContain('20');
  });

  it.each([
    ['https://a.example', 'https://a.example'],
    ['HTTP://a.example', 'HTTP://a.example'],
    ['javascript:alert(1)', undefined],
    [' javascript:alert(1)', undefined],
    ['data:text/html,x', undefined],
    ['//a.example', undefined],
    [undefined, undefined],
  ])('links %j to %j', (address, href) => {
    expect(webAddress(address)).toBe(href);
  });

  it('finds the field that a pointer names, in both spellings', () => {
    expect(['/body', '#/body', '/author/name', '#/author/email', '/page/url'].map(fieldOf)).toEqual([
      'body',
      'body',
      'name',
      'email',
      'page/url',
    ]);
  });

  it.each([
    ['rgb(255, 255, 255)', true],
    ['rgb(29, 37, 41)', false],
    ['rgba(230, 230, 230, 0.9)', true],
    ['oklch(0.93 0.01 200)', true],
    ['oklab(0.2 0 0)', false],
    ['color(srgb 0.9 0.9 0.9)', true],
    ['color(srgb 0.1 0.1 0.1)', false],
  ])('text in %s is light: %s', (color, light) => {
    expect(isLight(color)).toBe(light);
  });
});

describe('the thread', () => {
  it('finds a reply at any depth', () => {
    const deep = comment('c');
    expect(find([comment('a', { replies: [comment('b', { replies: [deep] })] })], 'c')).toBe(deep);
    expect(find([], 'c')).toBeUndefined();
  });

  it('joins pages that overlap without repeating a comment', () => {
    const ids = append([comment('a'), comment('b')], [comment('b'), comment('c')]).map(({ id }) => id);
    expect(ids).toEqual(['a', 'b', 'c']);
  });

  it('keeps replies that were unfolded when a fresh page arrives', () => {
    const replies = ['1', '2', '3', '4', '5'].map((id) => comment(id));
    const shown = [comment('a', { replies, replyCount: 5, repliesCursor: null })];
    const fresh = [comment('a', { replies: replies.slice(0, 3), replyCount: 6, repliesCursor: 'r3', html: 'new' })];
    const [merged] = merge(shown, fresh);
    expect(merged).toMatchObject({ html: 'new', repliesCursor: 'r3' });
    expect(merged?.replies.map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5']);
  });

  it('does not announce to a writer what they are writing', () => {
    expect(arrivals(5, 3, [])).toBe(2);
    expect(arrivals(5, 3, [own()])).toBe(1);
    expect(arrivals(3, 5, [])).toBe(0);
  });

  it.each([
    ['while a machine looks at it', own(), true],
    ['while a person looks at it', own({ status: 'waiting', createdAt: NOW - 20 * 86_400_000 }), true],
    ['published, until it can no longer be edited', own({ status: 'published' }), true],
    ['not longer', own({ status: 'published', editableUntil: new Date(NOW - 1).toISOString() }), false],
    ['nor once deleted', own({ status: 'deleted' }), false],
    ['nor a month after', own({ status: 'rejected', createdAt: NOW - 31 * 86_400_000 }), false],
  ])('remembers a comment %s', (_name, mine, kept) => {
    expect(worthKeeping(mine, NOW)).toBe(kept);
  });

  it('asks soon at first, then at most every ten seconds; ever less often while a person decides', () => {
    expect([0, 1, 20].map((asked) => nextAskMs(own(), asked))).toEqual([1000, 1500, 10_000]);
    expect([0, 1, 20].map((asked) => nextAskMs(own({ status: 'waiting' }), asked))).toEqual([30_000, 45_000, 300_000]);
  });
});

describe('the page without scripts', () => {
  const evil = `"><script>alert(1)</script>'&`;
  const speech = pageSpeech();
  const page = renderThreadPage({
    speech,
    site: 'demo',
    thread: `a/b${evil}`,
    title: evil,
    url: 'https://blog.example/a?b=1&c=2',
    comments: [
      comment('a', {
        author: { name: evil, url: 'javascript:alert(1)', role: 'author' },
        replies: [comment('b', { state: 'removed', html: '', author: { name: '' } })],
        replyCount: 4,
        repliesCursor: 'x',
      }),
    ],
    total: 2,
    nextCursor: 'n&1',
    now: NOW,
  });

  it('escapes every text, and links no address that could run', () => {
    expect(page).not.toContain('<script');
    expect(page).not.toContain('javascript:');
    expect(page).toContain('&lt;script&gt;');
  });

  it('shows comments, badges, tombstones, and the ways on', () => {
    expect(page).toContain('<h1>2 comments</h1>');
    expect(page).toContain('<p>ok</p>');
    expect(page).toContain('>Author</span>');
    expect(page).toContain('Removed by a moderator.');
    expect(page).toContain('order=oldest&amp;cursor=n%261');
    expect(page).toContain('parent=a&amp;cursor=x');
    expect(page).toContain('3 more replies');
    expect(page).toContain('href="https://blog.example/a?b=1&amp;c=2"');
  });

  it('escapes what was typed into the form, and marks the fields that do not fit', () => {
    const form = {
      action: '/t/demo/t',
      shown: evil,
      reply: { name: evil, cancel: '/t/demo/t' },
      to: 'b',
      draft: { name: evil, email: evil, url: evil, body: `\n</textarea>${evil}`, notify: true },
      faults: { email: evil },
      notice: evil,
      preview: '<p>As it will be.</p>',
    };
    const filled = renderThreadPage({
      speech,
      site: 'demo',
      thread: 't',
      comments: [comment('b')],
      total: 1,
      nextCursor: null,
      form,
      now: NOW,
    });
    expect(filled).not.toContain('<script');
    expect(filled.match(/<\/textarea>/g)).toHaveLength(1);
    expect(filled.match(/aria-invalid="true"/g)).toHaveLength(1);
    expect(filled).toContain('<p>As it will be.</p>');
    expect(renderStatePage(speech, { status: 'rejected', reason: evil, back: evil })).not.toContain('<script');
  });

  it('reads from right to left where the language does', () => {
    const arabic = { speech: pageSpeech('ar'), site: 'demo', thread: 't', comments: [], nextCursor: null, now: NOW };
    expect(renderThreadPage({ ...arabic, total: 2 })).toContain('<html lang="ar" dir="rtl">');
  });

  it('has one style, which its policy names by hash', async () => {
    const css = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(css));
    expect(PAGE_STYLE_HASH).toBe(`'sha256-${Buffer.from(digest).toString('base64')}'`);
    expect(PAGE_HEADERS['content-security-policy']).toContain(PAGE_STYLE_HASH);
    expect(page).not.toContain('style=');
  });

  it('says so when there is nothing yet, or when the thread is closed', () => {
    const empty = { speech, site: 'demo', thread: 't', comments: [], total: 0, nextCursor: null, now: NOW };
    expect(renderThreadPage(empty)).toContain('No comments yet.');
    expect(renderThreadPage({ ...empty, closed: true })).toContain('This thread is closed.');
  });
});
