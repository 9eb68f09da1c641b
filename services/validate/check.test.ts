import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../shared/policy.ts';
import { checkDraft, type Draft } from './check.ts';

const DATA = process.env['SLUICE_TEST_DATA'];
const SITE = { origins: ['https://blog.example'] };
const draft = (change: Partial<Draft> = {}): Draft => ({ author: { name: 'Ada' }, body: 'Thanks!', ...change });
const named = (name: string) => draft({ author: { name } });
const check = (given: Draft) => checkDraft(given, DEFAULT_POLICY, SITE);
const taken = (given: Draft) => {
  const checked = check(given);
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  return checked.draft;
};
const pointers = (given: Draft) => {
  const checked = check(given);
  return checked.ok ? [] : checked.faults.map(({ pointer }) => pointer);
};

const REFUSED: [sentence: string, draft: Draft, pointer: string][] = [
  ['an empty body', draft({ body: ' \n\t ' }), '/body'],
  ['a body of characters that do not show', draft({ body: '\u200B\u2060\uFEFF\u2800' }), '/body'],
  ['NUL in the body', draft({ body: 'a\0b' }), '/body'],
  ['an escape character in the body', draft({ body: 'a\u001B[31mb' }), '/body'],
  ['a C1 control in the body', draft({ body: 'a\u009Bb' }), '/body'],
  ['a lone surrogate in the body', draft({ body: 'a\uD800b' }), '/body'],
  ['a body of one byte too many', draft({ body: 'x'.repeat(16_385) }), '/body'],
  ['a body that is too long in UTF-8 only', draft({ body: 'é'.repeat(8193) }), '/body'],
  ['10 MB of >', draft({ body: '>'.repeat(10_000_000) }), '/body'],
  ['a tower of accents in the body', draft({ body: `Z${'\u0300'.repeat(30)}` }), '/body'],
  ['an empty name', named('  '), '/author/name'],
  ['a name without letters', named('.. – ..'), '/author/name'],
  ['a name without width', named('\u200B\u200B'), '/author/name'],
  ['a name of Hangul fillers', named('\u3164\u3164'), '/author/name'],
  ['a name with a line break', named('Ada\nAdmin'), '/author/name'],
  ['a name with a control character', named('Ada\u0007'), '/author/name'],
  ['a name that turns its direction', named('Ada\u202Enimda'), '/author/name'],
  ['a name with a lone surrogate', named('Ada\uDC00'), '/author/name'],
  ['a name of 81 characters', named('x'.repeat(81)), '/author/name'],
  ['a name in towers of accents', named(`A${'\u0315'.repeat(9)}da`), '/author/name'],
  ['a name with a Cyrillic а among Latin letters', named('P\u0430ul'), '/author/name'],
  ['an e-mail without a domain', draft({ author: { name: 'Ada', email: 'ada@' } }), '/author/email'],
  [
    'an e-mail with a header in it',
    draft({ author: { name: 'Ada', email: 'a@b.example\r\nBcc: c@d.example' } }),
    '/author/email',
  ],
  [
    'an e-mail of 255 characters',
    draft({ author: { name: 'Ada', email: `a@${'b.'.repeat(125)}com` } }),
    '/author/email',
  ],
  ['two e-mails', draft({ author: { name: 'Ada', email: 'a@b.example,c@d.example' } }), '/author/email'],
  ['a javascript: URL', draft({ author: { name: 'Ada', url: 'javascript:alert(1)' } }), '/author/url'],
  [
    'a javascript: URL with a tab in it',
    draft({ author: { name: 'Ada', url: 'java\tscript:alert(1)' } }),
    '/author/url',
  ],
  ['a URL with a password', draft({ author: { name: 'Ada', url: 'https://a:b@c.example/' } }), '/author/url'],
  [
    'a URL of 2,001 characters',
    draft({ author: { name: 'Ada', url: `https://a.example/${'x'.repeat(1983)}` } }),
    '/author/url',
  ],
  ['a page elsewhere', draft({ page: { url: 'https://other.example/p', title: '' } }), '/page/url'],
  [
    'a page whose host only begins like the site',
    draft({ page: { url: 'https://blog.example.evil.example/', title: '' } }),
    '/page/url',
  ],
  ['a page on another port', draft({ page: { url: 'https://blog.example:8443/', title: '' } }), '/page/url'],
];

describe('a draft is refused for', () => {
  it.each(REFUSED)('%s', (_sentence, given, pointer) => {
    expect(pointers(given)).toEqual([pointer]);
  });

  it('all that is wrong with it at once', () => {
    const all = draft({ author: { name: '', email: 'x', url: 'x' }, body: '', page: { url: 'x', title: '' } });
    expect(pointers(all)).toEqual(['/body', '/author/name', '/author/email', '/author/url', '/page/url']);
  });
});

const NAMES = [
  'José Ñandú',
  'Владимир',
  '山田 太郎',
  'محمد',
  'דוד',
  'ज्योति',
  'Nguyễn Thị Thu',
  'X Æ A-12',
  "O'Brien",
  'Владимир (Vladimir)',
  'Bobby 😀',
  '田中Taro',
  'می‌خواهم',
  'R2D2',
  'Κώστας',
  'µTorrent fan',
];

describe('a draft is taken', () => {
  it.each(NAMES)('from %s', (name) => {
    expect(taken(named(name)).author.name).toBe(name.normalize('NFC'));
  });

  it('with 80 characters in the name, whatever their bytes', () => {
    expect(taken(named('👩‍👩‍👧‍👦'.repeat(79) + 'a')).author.name).toContain('👩‍👩‍👧‍👦');
  });

  it('with the body in NFC and with line feeds', () => {
    expect(taken(draft({ body: '\r\n  cafe\u0301\r\nx\ry\u2028z\n\n' })).body).toBe('  café\nx\ny\nz');
  });

  it('with bidi controls and zero-width characters taken out and counted', () => {
    const checked = taken(draft({ body: 'a\u202Eb\u2066c ca\u200Bsi\u200Dno' }));
    expect(checked).toMatchObject({ body: 'abc casino', bidi: 2, hidden: 2 });
  });

  it('with the joiners that emoji and Persian need, and the tags of flags', () => {
    const body = '👩‍👧 می‌خواهم 🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}';
    expect(taken(draft({ body }))).toMatchObject({ body, hidden: 0 });
  });

  it('without text that is smuggled in tag characters', () => {
    expect(taken(draft({ body: 'hi\u{E0068}\u{E0069}\u{E0068}\u{E0069}' })).body).toBe('hi');
  });

  it('with a URL that lacks its scheme', () => {
    expect(taken(draft({ author: { name: 'Ada', url: 'Ada.example/x' } })).author.url).toBe('https://ada.example/x');
  });

  it.each(['ada@blog.example', 'ada+x@sub.blog.example', 'аня@почта.рф', "o'neil@xn--80a1acny.xn--p1ai"])(
    'with the e-mail %s',
    (email) => {
      expect(taken(draft({ author: { name: 'Ada', email } })).author.email).toBe(email);
    },
  );

  it('with empty optional fields as if they were absent', () => {
    expect(taken(draft({ author: { name: 'Ada', email: '', url: ' ' }, parentId: '' }))).toEqual({
      author: { name: 'Ada' },
      body: 'Thanks!',
      bidi: 0,
      hidden: 0,
    });
  });

  it('from any page, when the site names no origins', () => {
    const page = { url: 'https://anywhere.example/p', title: ' A\npost\u202E ' };
    const checked = checkDraft(draft({ page }), DEFAULT_POLICY, { origins: [] });
    expect(checked).toMatchObject({ ok: true, draft: { page: { url: page.url, title: 'A post' } } });
  });
});

it('takes a checked draft again and changes nothing', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(text, text, (name, body) => {
      const once = check({ author: { name }, body });
      if (!once.ok) return;
      expect(check({ author: once.draft.author, body: once.draft.body })).toMatchObject({
        ok: true,
        draft: { author: once.draft.author, body: once.draft.body },
      });
    }),
    { numRuns: 2000 },
  );
});

it.skipIf(!DATA)('answers every naughty string (needs SLUICE_TEST_DATA)', () => {
  const strings = JSON.parse(readFileSync(join(DATA!, 'text/blns.json'), 'utf8')) as string[];
  expect(strings.length).toBeGreaterThan(400);
  for (const text of strings) {
    const checked = check({
      author: { name: text, email: text, url: text },
      body: text,
      page: { url: text, title: text },
    });
    expect(checked.ok || checked.faults.every(({ detail }) => detail.length > 10)).toBe(true);
  }
});
