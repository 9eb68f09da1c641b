import { beforeEach, describe, expect, it } from 'vitest';
import { serve } from '../../shared/http.ts';
import { vaultOf } from '../../shared/vault.ts';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import { storyOf } from '../../test/stories.ts';
import { authorNotify } from '../author-notify/handler.ts';
import { deliver } from './handler.ts';
import { mailToken, readMailToken, type MailLink } from './mail-links.ts';
import { mailRoutes } from './mail-routes.ts';

const MINUTE = 60_000;

let ports: MemoryPorts;
let story: ReturnType<typeof storyOf>;
let notify: (input: unknown) => Promise<unknown>;
let pump: () => Promise<number>;
let fetch: (path: string, init?: RequestInit) => Promise<Response>;

beforeEach(() => {
  ports = memoryPorts();
  story = storyOf(ports);
  notify = authorNotify(ports);
  const consumer = deliver(ports);
  pump = () => ports.pump('notify', consumer);
  const app = serve(mailRoutes<undefined>(ports), { authenticate: async () => undefined, log: ports.log });
  fetch = async (path, init) => app.request(path, init);
});

const pathIn = (text: string) => /https:\/\/comments\.example(\/v1\/mail\/\S+)/.exec(text)![1]!;
const form = (body: string) => ({
  method: 'POST',
  body,
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
});

async function conversation({ confirmed }: { confirmed: boolean }) {
  await story.site();
  const ada = await story.person('Ada', { confirmed });
  const parent = await story.comment({
    author: { name: 'Ada', key: ada.key, contact: ada.contact },
    notifyReplies: true,
  });
  const reply = async (body: string, name = 'Bob') => {
    const page = { url: 'https://blog.example/post', title: 'A <Post>' };
    const { id } = await story.comment({ parentId: parent.id, author: { name, key: `w-${name}` }, page }, { body });
    await notify({ id, version: 1 });
    ports.wind(11 * MINUTE);
    await pump();
    return id;
  };
  return { ada, parent, reply };
}

describe('the link that confirms', () => {
  it('does nothing until its button is pressed, and then sends what waited', async () => {
    const { ada, reply } = await conversation({ confirmed: false });
    await reply('the reply that waits');
    expect(ports.mails).toHaveLength(1);
    const path = pathIn(ports.mails[0]!.text);

    const asked = await fetch(path);
    expect(asked.status).toBe(200);
    expect(asked.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(asked.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect((await story.contacts.address(ada.emailHash))?.confirmedAt).toBeUndefined();

    for (let i = 0; i < 2; i++) expect((await fetch(path, form(''))).status).toBe(200);
    await pump();
    expect(ports.mails).toHaveLength(2);
    expect(ports.mails[1]!.text).toContain('the reply that waits');
    await reply('the next reply', 'Cy');
    expect(ports.mails).toHaveLength(3);
  });

  it.each([
    ['its mail', '?lang=de', 'fr', 'Deine Adresse bestätigen?', 'lang="de" dir="ltr"'],
    ['the browser, where the mail says nothing', '', 'ar,en;q=0.5', 'هل تؤكد عنوانك؟', 'lang="ar" dir="rtl"'],
    ['nobody that we know', '?lang=xx&utm_source=mail', 'tlh', 'Confirm your address?', 'lang="en" dir="ltr"'],
  ])('speaks as %s', async (_who, query, accepted, title, tag) => {
    const { reply } = await conversation({ confirmed: false });
    await reply('hello');
    const headers = { 'accept-language': accepted };
    const text = await (await fetch(pathIn(ports.mails[0]!.text) + query, { headers })).text();
    expect(text).toContain(`<h1>${title}</h1>`);
    expect(text).toContain(`<html ${tag}>`);
  });

  it('has beside it one that ends the asking, of all sites and for good', async () => {
    const { ada, reply } = await conversation({ confirmed: false });
    await reply('hello');
    const way = pathIn(ports.mails[0]!.unsubscribeUrl!);
    expect(await (await fetch(way)).text()).toContain('All mail from here');
    expect(await story.contacts.unsubscribed(ada.emailHash, 'blog', '/post')).toBe(false);
    await fetch(way, form('List-Unsubscribe=One-Click'));
    ports.wind(40 * 24 * 60 * MINUTE);
    const again = await story.person('Ada', { confirmed: false });
    const late = await story.comment({
      author: { name: 'Ada', key: ada.key, contact: again.contact },
      notifyReplies: true,
    });
    await notify({ id: late.id, version: 1 });
    ports.wind(11 * MINUTE);
    await pump();
    expect(ports.mails).toHaveLength(1);
    await fetch(way, form('choice=again'));
    expect(await story.contacts.unsubscribed(ada.emailHash, 'blog', '/post')).toBe(false);
  });

  it('ends after 7 days', async () => {
    const { reply } = await conversation({ confirmed: false });
    await reply('hello');
    const path = pathIn(ports.mails[0]!.text);
    ports.wind(7 * 24 * 60 * MINUTE);
    const answer = await fetch(path, form(''));
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('This link does not work');
  });
});

describe('the link that unsubscribes', () => {
  it('does nothing on GET, and shows what it is about with the title escaped', async () => {
    const { ada, reply } = await conversation({ confirmed: true });
    await reply('one');
    const answer = await fetch(pathIn(ports.mails[0]!.unsubscribeUrl!));
    const text = await answer.text();
    expect(text).toContain('A &lt;Post&gt;');
    expect(text).not.toMatch(/<script|@people\.example/);
    expect(await story.contacts.unsubscribed(ada.emailHash, 'blog', '/post')).toBe(false);
  });

  it.each([
    ['a form', form('List-Unsubscribe=One-Click')],
    [
      'multipart',
      {
        method: 'POST',
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
        body: '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
      },
    ],
  ])('works with one click (RFC 8058) as %s', async (_as, init) => {
    const { reply } = await conversation({ confirmed: true });
    await reply('one');
    const path = pathIn(ports.mails[0]!.unsubscribeUrl!);
    for (let i = 0; i < 2; i++) expect((await fetch(path, init)).status).toBe(200);
    await reply('two', 'Cy');
    expect(ports.mails).toHaveLength(1);
  });

  it.each(['held', 'digest'] as const)('ends with one click what comes of all threads: %s', async (wish) => {
    await story.site({ authors: [{ id: 'eve', name: 'Eve', email: 'eve@blog.example', notify: wish }] });
    const held = wish === 'held';
    const news = async (thread: string) => {
      const { id } = await story.comment({ thread, ...(held && { status: 'held' }) });
      await notify({ id, version: 1, ...(held && { kind: 'held' }) });
      for (let hour = 0; hour < 26; hour++) {
        ports.wind(60 * MINUTE);
        await pump();
      }
    };
    await news('/one');
    expect(ports.mails).toHaveLength(1);
    const path = pathIn(ports.mails[0]!.unsubscribeUrl!);
    expect(await (await fetch(path)).text()).toContain(held ? 'what waits for review on A Blog' : 'Digests of new');
    await fetch(path, form('List-Unsubscribe=One-Click'));
    await news('/two');
    expect(ports.mails).toHaveLength(1);
    await fetch(path, form('choice=again'));
    await news('/three');
    expect(ports.mails).toHaveLength(2);
  });

  it('ends one thread, or all, or is taken back', async () => {
    const { ada, reply } = await conversation({ confirmed: true });
    await reply('one');
    const path = pathIn(ports.mails[0]!.unsubscribeUrl!);
    await fetch(path, form('choice=thread'));
    expect(await story.contacts.unsubscribed(ada.emailHash, 'blog', '/post')).toBe(true);
    expect(await story.contacts.unsubscribed(ada.emailHash, 'blog', '/other')).toBe(false);
    await fetch(path, form('choice=all'));
    expect(await story.contacts.unsubscribed(ada.emailHash, 'elsewhere', '/other')).toBe(true);
    await fetch(path, form('choice=again'));
    expect(await story.contacts.unsubscribed(ada.emailHash, 'blog', '/post')).toBe(false);
  });

  it('does not confirm, nor the other way round', async () => {
    const { reply } = await conversation({ confirmed: true });
    await reply('one');
    const path = pathIn(ports.mails[0]!.unsubscribeUrl!).replace('unsubscribe', 'confirm');
    expect((await fetch(path, form(''))).status).toBe(404);
  });
});

describe('a token', () => {
  const vault = vaultOf(new Uint8Array(32).fill(1));
  const links: MailLink[] = [
    { kind: 'confirm', address: 'a'.repeat(32), contact: 'k_1', until: 2000 },
    { kind: 'unsubscribe', address: 'a'.repeat(32), scope: { comment: 'c'.repeat(64) } },
    { kind: 'unsubscribe', address: 'a'.repeat(32), scope: { digestOf: 'blog.example' } },
    { kind: 'unsubscribe', address: 'a'.repeat(32), scope: { newsOf: 'blog.example' } },
    { kind: 'unsubscribe', address: 'a'.repeat(32), scope: { all: true } },
    {
      kind: 'person',
      address: 'a'.repeat(32),
      contact: 'k'.repeat(34),
      site: 's'.repeat(63),
      until: 2_000_000_000_000,
    },
  ];

  it.each(links)('reads back as it was made, and fits a header line: $kind', (link) => {
    const token = mailToken(vault, link);
    expect(token).toMatch(/^[\w.-]{1,300}$/);
    expect(readMailToken(vault, token, 1000)).toEqual(link);
  });

  it.each(['', '.', 'x', 'x.y', 'a.b.c', `${'A'.repeat(5000)}.x`, '%00', '../../etc'])(
    'is refused when it is %j',
    (bad) => {
      expect(readMailToken(vault, bad, 1000)).toBeUndefined();
    },
  );

  it('is refused when a letter changed, or another instance made it', () => {
    const token = mailToken(vault, links[1]!);
    expect(readMailToken(vault, `${token.startsWith('W') ? 'X' : 'W'}${token.slice(1)}`, 1000)).toBeUndefined();
    expect(readMailToken(vaultOf(new Uint8Array(32).fill(2)), token, 1000)).toBeUndefined();
  });

  it('leads to a clear page when it is bad', async () => {
    for (const path of ['/v1/mail/confirm/x.y', '/v1/mail/unsubscribe/x']) {
      for (const init of [{}, form('')]) {
        const answer = await fetch(path, init);
        expect(answer.status).toBe(404);
        expect(await answer.text()).toContain('This link does not work');
      }
    }
  });
});
