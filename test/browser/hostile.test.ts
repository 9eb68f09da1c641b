import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import type { Browser, Page } from 'playwright-core';
import { SaxesParser } from 'saxes';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sesMail } from '../../infra/aws/adapters/mail.ts';
import { smtpMail, type SmtpMail } from '../../infra/local/mail.ts';
import { compose } from '../../services/deliver/compose.ts';
import type { Ready } from '../../services/deliver/reader.ts';
import { oneLine } from '../../services/deliver/render.ts';
import type { Door } from '../../services/door/door.ts';
import { readFeed } from '../../services/door/feeds.ts';
import { excerpt, render } from '../../services/validate/markdown.ts';
import { signed } from '../../services/webhook/payload.ts';
import type { Comment } from '../../shared/comment.ts';
import { Policy } from '../../shared/policy.ts';
import type { MailMessage } from '../../shared/ports.ts';
import { memoryPorts } from '../fakes.ts';
import { aComment, storyOf } from '../stories.ts';
import { launchBrowser } from './launch.ts';

const DATA = process.env['SLUICE_TEST_DATA'];

const OWN = [
  '<script>seen(1)</script>',
  '"><img src=x onerror=seen(2)>',
  "'-seen(3)-'\" onmouseover=seen(3) x='",
  '</title></style></textarea></noscript></script><svg onload=seen(4)>',
  '<!--><iframe srcdoc="<script>parent.seen(5)</script>">-->',
  '[click](javascript:seen(6)) <javascript:seen(6)> [x]: vbscript:seen(6)',
  'javascript:seen(7)//https://blog.example/',
  ' \tjava\nscript:seen(8)',
  'data:text/html,<script>seen(9)</script>',
  '<base href="https://evil.example/"><meta http-equiv=refresh content="0;url=https://evil.example">',
  '<form action="https://evil.example"><button>Sign in</button></form><link rel=stylesheet href=//evil.example>',
  '![pixel](https://evil.example/p.gif) <img src=https://evil.example/p.gif>',
  'x\r\nBcc: victim@people.example\r\nContent-Type: text/html\r\n\r\n<b>body</b>',
  'x\nBcc: victim@people.example',
  'x\rSubject: other\r.\rQUIT',
  '\r\n.\r\nMAIL FROM:<evil@people.example>\r\n',
  '=?utf-8?B?PHNjcmlwdD4=?= =?utf-8?Q?=0D=0ABcc:_victim@people.example?=',
  '--_boundary\r\nContent-Type: text/html\r\n\r\n<script>seen(10)</script>',
  'a\u0000b\u0008c\u001Bd\u007Fe\u0085f\u2028g\u2029h',
  '\u202Egnp.exe\u2066\u200B\uFEFF\u00AD',
  'half \uD83D of it \uDE00, \uFFFE\uFFFF',
  ']]><content type="xhtml"><script xmlns="http://www.w3.org/1999/xhtml">seen(11)</script>',
  '&lt;script&gt;seen(12)&lt;/script&gt; &#60;b&#62; &amp;amp; &nbsp;',
  '<!channel> <@U123> <!subteam^S1> <https://evil.example|https://blog.example> *b* `c`',
  'Grüße aus 東京 🗼, und noch viel mehr davon 東京東京東京東京東京東京東京東京東京東京東京東京',
  `${'&<">'.repeat(700)}`,
  'x'.repeat(3000),
  '$& $1 $` $\' {name} {place} ${"x"}',
];

/** Own strings, and the real lists where they are. */
const STRINGS: readonly string[] = [
  ...OWN,
  ...(DATA
    ? [
        ...readdirSync(join(DATA, 'xss')).flatMap((file) => readFileSync(join(DATA, 'xss', file), 'utf8').split('\n')),
        ...(JSON.parse(readFileSync(join(DATA, 'text/blns.json'), 'utf8')) as string[]),
      ]
    : []),
];

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launchBrowser();
  page = await browser.newPage();
});
afterAll(() => browser?.close());

/** So many strings stand in one mail. */
const TOGETHER = 25;

const chunksOf = (size: number) =>
  Array.from({ length: Math.ceil(STRINGS.length / size) }, (_, at) => STRINGS.slice(at * size, (at + 1) * size));

const commentOf = (text: string, index: number): Comment =>
  aComment({
    id: `c${index}`,
    author: { name: text, key: 'w' },
    page: { url: text, title: text },
    excerpt: excerpt(text),
    submittedAt: index,
    holdReason: text,
    judgement: { signals: [{ name: 'x', weight: 1, words: text }] } as unknown as Comment['judgement'] & object,
  });

/** Every kind of mail, with these strings wherever a string of somebody else's goes. */
async function mailsOf(texts: readonly string[], ports = memoryPorts()): Promise<readonly MailMessage[]> {
  const [first = ''] = texts;
  const site = {
    id: 'blog',
    name: first || 'x',
    origins: [],
    threadParams: [],
    authors: [],
    moderatorEmails: [],
  };
  const base = { to: 'ada@people.example', emailHash: 'a'.repeat(32), site, policy: Policy.parse({}) };
  const about = texts.map((text, index) => ({
    comment: commentOf(text, index),
    parent: commentOf(text, index),
    revision: { commentId: `c${index}`, revision: 1, body: text, html: render(text), at: 0 },
    thread: { site: 'blog', key: '/post', title: text, url: text },
  }));
  const each = (kind: Ready['kind'], set: Partial<Ready> = {}) =>
    about.map((one): Ready => ({ ...base, kind, about: one, ...set })) as [Ready, ...Ready[]];
  const one = (kind: Ready['kind'], set: Partial<Ready> = {}): [Ready] => [{ ...base, kind, ...set }];
  const digest = { waiting: texts.length, more: false, escalated: false, first: about.map(({ comment }) => comment) };
  const kinds = [
    each('reply'),
    each('reply', { lang: 'ar' }),
    each('author'),
    each('held'),
    one('digest', { digest: digest as Ready['digest'] & object }),
    one('confirmation', { contact: 'k' }),
    one('person', { contact: 'k', lang: 'ja' }),
    one('sign-in', { signIn: { id: 's', until: 0 } }),
  ];
  const composed = await Promise.all(kinds.map((items) => compose(ports, items)));
  return composed.map((mail, index) => ({ ...mail, to: base.to, messageId: `<m${index}@comments.example>` }));
}

/** What a browser's own parser finds in documents that should not be there. */
function activeIn(documents: readonly string[]): Promise<string[]> {
  return page.evaluate((all) => {
    const tags = new Set(
      'html head meta title style body div p a b span strong em code pre blockquote ul ol li br hr bdi'.split(' '),
    );
    const attributes: Record<string, RegExp> = {
      lang: /^[a-z]{2}$/,
      dir: /^(?:ltr|rtl|auto)$/,
      class: /^(?:who|context|comment|link|language-[\w+#-]{1,20})$/,
      style: /^(?!.*(?:url|expression|import))[\w\s:;,.#/'%()-]*$/,
      charset: /^utf-8$/,
      name: /^(?:viewport|color-scheme|supported-color-schemes)$/,
      content: /^[\w\s=-]*$/,
      href: /^(?:https?:\/\/[^/]|mailto:.)/,
      rel: /^nofollow ugc noopener$/,
      start: /^\d{1,9}$/,
    };
    const faults: string[] = [];
    for (const html of all) {
      const parsed = new DOMParser().parseFromString(html, 'text/html');
      if (parsed.querySelectorAll('style').length > 1) faults.push('a second style');
      for (const element of parsed.querySelectorAll('*')) {
        if (!tags.has(element.localName)) faults.push(`<${element.localName}>`);
        for (const { name, value } of element.attributes) {
          if (!attributes[name]?.test(value)) faults.push(`${element.localName} ${name}=${value.slice(0, 80)}`);
        }
        // What the URL parser makes of it, whatever its spelling; what it cannot read leads nowhere.
        if (element instanceof HTMLAnchorElement && !/^(?:https?|mailto|):$/.test(element.protocol)) {
          faults.push(`leads to ${element.protocol}`);
        }
      }
    }
    return faults;
  }, documents);
}

it.runIf(!DATA)('tries its own strings alone: SLUICE_TEST_DATA is unset', () => {});

describe('a mail with hostile words in every place', { timeout: 180_000 }, () => {
  it('has HTML that holds nothing active, and a title and text that are plain', async () => {
    for (const texts of chunksOf(TOGETHER)) {
      const mails = await mailsOf(texts);
      expect(await activeIn(mails.map(({ html }) => html))).toEqual([]);
      for (const { subject, text, from } of mails) {
        for (const line of [subject, from.name]) {
          expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u202A-\u202E\u2066-\u2069]/u);
        }
        expect(text).not.toMatch(/(?![\n\t])\p{Cc}|\p{Cs}|[\u202A-\u202E\u2066-\u2069]/u);
      }
    }
  });

  it('runs and loads nothing when a browser shows it', async () => {
    const asked: string[] = [];
    const tab = await browser.newPage();
    tab.on('request', (request) => asked.push(request.url()));
    tab.on('dialog', (dialog) => void dialog.dismiss());
    await tab.exposeFunction('seen', (number: number) => asked.push(`ran ${number}`));
    for (const text of OWN) {
      for (const { html } of await mailsOf([text])) await tab.setContent(html);
    }
    await tab.close();
    expect(asked).toEqual([]);
  });

  it('arrives by SMTP with its own headers alone, in ASCII, on short lines', async () => {
    const { mail, raw, end } = await smtp();
    const every = [...OWN.map((text) => [text]), ...chunksOf(TOGETHER)];
    for (const texts of every) {
      const mails = await mailsOf(texts);
      raw.length = 0;
      for (const message of mails) await mail.send(message);
      for (const [index, text] of raw.entries()) {
        const sent = mails[index]!;
        expect(wireFaults(text)).toEqual([]);
        expect(namesOf(text)).toEqual(namesFor(sent));
        const { headerLines } = await simpleParser(text.split('\r\n\r\n', 1)[0]!);
        const lines = headerLines.map(({ line }) => line.replace(/\r\n(?=[ \t])/g, '').toLowerCase());
        for (const [name, value] of Object.entries(sent.headers!)) {
          expect(lines).toContain(`${name}: ${value}`.toLowerCase());
        }
      }
      if (texts.length > 1) continue;
      const [text = ''] = raw;
      const read = await simpleParser(text);
      expect([read.subject, read.from!.value[0]!.name]).toEqual([mails[0]!.subject, mails[0]!.from.name]);
    }
    await end();
  });

  it('is handed to SES with a name in words of 75 characters that read back (RFC 2047)', async () => {
    let sent: { FromEmailAddress: string; Content: { Simple: { Subject: { Data: string } } } } | undefined;
    const client = { send: async ({ input }: { input: never }) => ((sent = input), { MessageId: 'm' }) };
    const mail = sesMail(client as never);
    const [message] = await mailsOf(['x']);
    for (const text of STRINGS) {
      const name = oneLine(text, 80);
      if (!name) continue;
      await mail.send({ ...message!, from: { ...message!.from, name }, subject: name });
      const { FromEmailAddress: from, Content } = sent!;
      expect(from).toMatch(/^[ -~]+$/);
      expect(Content.Simple.Subject.Data).not.toMatch(/\p{Cc}/u);
      for (const word of from.match(/=\?[^ ]*\?=/g) ?? []) expect(word.length).toBeLessThanOrEqual(75);
      const { from: read } = await simpleParser(`From: ${from}\r\n\r\n`);
      expect(read!.value).toEqual([{ name, address: message!.from.address }]);
    }
  });
});

describe('a webhook with hostile words', () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const event = {
    type: 'CommentPublished',
    detail: { site: 'blog', id: 'c', version: 1, at: '2026-11-23T10:00:00.000Z' },
  };
  const bodyOf = (format: 'slack' | 'standard', text: string) =>
    signed(
      { format },
      [secret],
      event,
      {
        siteName: text,
        title: text,
        comment: commentOf(text, 0),
        permalink: `https://blog.example/post?${encodeURIComponent(text.slice(0, 100).toWellFormed())}#sluice-c`,
        moderateUrl: 'https://comments.example/moderate',
      },
      0,
    ).body;

  it('mentions nobody in Slack, holds one link, and is whole', () => {
    for (const text of STRINGS) {
      const { text: said } = JSON.parse(bodyOf('slack', text)) as { text: string };
      expect(said.length).toBeLessThanOrEqual(5000);
      const link = /<https:\/\/blog\.example\/post\?[^<>|\s]*#sluice-c\|Read it>$/;
      expect(said).toMatch(link);
      expect(said.replace(link, '')).not.toMatch(
        /[<>]|&(?!(?:amp|lt|gt);)|[\p{Cs}\u202A-\u202E\u2066-\u2069]|(?!\n)\p{Cc}/u,
      );
    }
  });

  it('is JSON with the words as they are', () => {
    for (const text of STRINGS) {
      expect(JSON.parse(bodyOf('standard', text))).toMatchObject({ data: { comment: { author: { name: text } } } });
    }
  });
});

it('a feed with hostile words is XML, and its HTML holds nothing active', { timeout: 180_000 }, async () => {
  for (const texts of chunksOf(50)) {
    const ports = memoryPorts();
    const story = storyOf(ports);
    await story.site({ name: texts[0] || 'x', origins: [] });
    for (const [index, text] of texts.entries()) {
      await story.comment({ ...commentOf(text, index), thread: `/${index}` }, { body: text, html: render(text) });
    }
    const call = {
      params: { site: 'blog' },
      url: new URL('https://comments.example/v1/sites/blog/feed.atom'),
      header: () => undefined,
    };
    const { raw } = await readFeed({ ...story, ports } as unknown as Door, call as never);
    const found: { contents: string[]; names: string[]; links: string[]; elements: Set<string> } = {
      contents: [],
      names: [],
      links: [],
      elements: new Set(),
    };
    let inner = '';
    const parser = new SaxesParser();
    parser.on('opentag', ({ name, attributes }) => {
      found.elements.add(name);
      inner = '';
      if (name === 'link') found.links.push(String(attributes['href']));
    });
    parser.on('text', (part) => (inner += part));
    parser.on('closetag', ({ name }) => {
      if (name === 'content') found.contents.push(inner);
      if (name === 'name') found.names.push(inner);
    });
    parser.on('error', (error) => {
      throw error;
    });
    parser.write(raw!.text).close();
    expect([...found.elements].toSorted()).toEqual(
      ['author', 'content', 'entry', 'feed', 'id', 'link', 'name', 'published', 'title', 'updated'].toSorted(),
    );
    expect(found.names).toHaveLength(texts.length);
    expect(found.links.filter((link) => !/^https?:\/\/[^/]/.test(link))).toEqual([]);
    expect(await activeIn(found.contents)).toEqual([]);
  }
});

async function smtp(): Promise<{ mail: SmtpMail; raw: string[]; end: () => Promise<void> }> {
  const raw: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        raw.push(Buffer.concat(chunks).toString('latin1'));
        done(null);
      });
    },
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`;
  const mail = smtpMail({ url, log: memoryPorts().log });
  const end = () => {
    mail.close();
    return new Promise<void>((done) => server.close(() => done()));
  };
  return { mail, raw, end };
}

/** What is wrong with a message on the wire: RFC 5322, 2.1.1 and 2.2; RFC 2047, 2; RFC 2046, 5.1.4 (plain text first). */
function wireFaults(raw: string): string[] {
  const [head = ''] = raw.split('\r\n\r\n', 1);
  return [
    ...(raw.match(/[^\t\r\n -~]/) ? ['not ASCII'] : []),
    ...(raw.match(/(?<!\r)\n|\r(?!\n)/) ? ['a lone CR or LF'] : []),
    ...raw.split('\r\n').flatMap((line) => (line.length > 998 ? [`a line of ${line.length}`] : [])),
    ...head
      .split('\r\n')
      .flatMap((line) => (/^(?:[A-Za-z-]+:(?: \S|$)|[ \t]+\S)/.test(line) ? [] : [`header: ${line}`])),
    ...(head.match(/=\?[^\s?]+\?[BQ]\?[^\s?]*\?=/gi) ?? []).flatMap((word) => (word.length > 75 ? [word] : [])),
    ...(partsOf(raw).join() === 'text/plain,text/html' ? [] : ['parts']),
  ];
}

/** The media types between the boundaries. */
function partsOf(raw: string): (string | undefined)[] {
  const boundary = /^Content-Type: multipart\/alternative;\s+boundary="([^"]+)"/m.exec(raw)?.[1] ?? '';
  const [, ...parts] = raw.split(`\r\n--${boundary}`);
  return parts.slice(0, -1).map((part) => /^\r\nContent-Type: ([\w/]+)/.exec(part)?.[1]);
}

const namesOf = (raw: string) =>
  [...raw.split('\r\n\r\n', 1)[0]!.matchAll(/^([A-Za-z-]+):/gm)].map(([, name]) => name!.toLowerCase()).toSorted();

const namesFor = ({ headers = {}, unsubscribeUrl }: MailMessage) =>
  [
    'From',
    'To',
    'Subject',
    'Message-ID',
    'Date',
    'MIME-Version',
    'Content-Type',
    ...Object.keys(headers),
    ...(unsubscribeUrl ? ['List-Unsubscribe', 'List-Unsubscribe-Post'] : []),
  ]
    .map((name) => name.toLowerCase())
    .toSorted();
