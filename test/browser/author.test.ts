import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MailMessage } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { testInstance, type TestInstance } from '../instance.ts';
import { launchBrowser } from './launch.ts';
import { listenFor } from './listen.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let sluice: TestInstance;
let url: string;
const servers: Server[] = [];

/** A page of another origin. */
async function pageAt(html: string): Promise<string> {
  const server = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html));
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const blogPage = () =>
  `<!doctype html><html lang="en"><title>A post</title><link rel="icon" href="data:,"><main><h1>A post</h1>
   <script src="${url}/embed.js" data-site="blog" data-thread="post" data-author="mara"></script></main></html>`;

beforeAll(async () => {
  ({ sluice, url } = await listenFor((env) => testInstance(env, { demo: false })));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  for (const server of servers) server.close();
  await sluice?.end();
});

async function linkMailed(): Promise<string> {
  for (let look = 0; look < 200; look++) {
    const { items } = await sluice.runtime.ports.table.query({ pk: 'MAILBOX', limit: 10 });
    const link = items
      .map(({ message }) => /http\S+\/author#in=[\w.-]+/.exec((message as MailMessage).text)?.[0])
      .at(-1);
    if (link) return link;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('no link was mailed');
}

async function violations(page: Page): Promise<string[]> {
  // As a value of the page's own world: the page's policy lets no script in.
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; help: string }[] }> } };
    return (await axe.run()).violations.map(({ id, help }) => `${id}: ${help}`);
  });
}

/** The sign-in window that a press opens. */
async function opened(context: BrowserContext, press: () => Promise<void>): Promise<Page> {
  const [popup] = await Promise.all([context.waitForEvent('page'), press()]);
  await popup.waitForLoadState();
  popup.setDefaultTimeout(10_000);
  return popup;
}

it(
  'signs an author in by mail, hands the token to the blog alone, and ends it everywhere',
  { timeout: 90_000 },
  async () => {
    const blog = await pageAt(blogPage());
    const { table, clock } = sluice.runtime.ports;
    await sitesOf(table, clock).put({
      id: 'blog',
      name: 'A blog',
      origins: [blog],
      threadParams: [],
      authors: [{ id: 'mara', name: 'Mara', email: 'mara@blog.example', notify: 'none' }],
      moderatorEmails: [],
    });
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    await page.goto(blog);
    await page.getByLabel('Your comment').focus();
    const popup = await opened(context, () => page.getByRole('button', { name: 'Sign in as author' }).click());
    expect(await violations(popup)).toEqual([]);
    await popup.getByLabel('Your e-mail address').fill('mara@blog.example');
    await popup.getByRole('button', { name: 'Mail me a link' }).click();
    await popup.getByText('a link is on its way').waitFor();

    const tab = await context.newPage();
    await tab.goto(await linkMailed());
    expect(tab.url()).not.toContain('#in=');
    expect(await violations(tab)).toEqual([]);
    await tab.getByRole('button', { name: 'Sign in' }).click();
    await tab.getByText('You are signed in').waitFor();
    expect(await violations(tab)).toEqual([]);

    // Another page asks for the same token: it is no origin of the site.
    const thief = await context.newPage();
    await thief.goto(
      await pageAt(`<script>var got = []; addEventListener('message', (event) => got.push(event.data));
      function ask() { open('${url}/author?site=blog&author=mara&origin=' + encodeURIComponent(location.origin)); }</script>
      <button onclick="ask()">Ask</button>`),
    );
    const wrong = await opened(context, () => thief.getByRole('button').click());
    await wrong.getByRole('button', { name: 'Comment as Mara' }).click();
    await wrong.getByText('is no origin of the site').waitFor();
    expect(await thief.evaluate('got')).toEqual([]);

    // The window that was opened from the blog has noticed by itself.
    await popup.getByRole('button', { name: 'Comment as Mara' }).click();
    await page.getByRole('button', { name: 'Sign out Mara' }).waitFor();
    await page.getByLabel('Your comment').fill('The author speaks.');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.badge.author').waitFor();

    // Ended in every browser: what the widget still has opens nothing.
    const token = await page.evaluate(
      () => JSON.parse(localStorage.getItem('sluice-author:blog') ?? '{}').token as string,
    );
    await tab.getByRole('button', { name: 'End it in every browser' }).click();
    await tab.getByText('is signed out of the comments everywhere').waitFor();
    const answer = await fetch(`${url}/v1/sites/blog/threads/post/comments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Author ${token}` },
      body: JSON.stringify({ author: { name: 'Mara' }, body: 'Once more.' }),
    });
    expect([401, 403]).toContain(answer.status);
    await context.close();
  },
);
