import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../test/browser/launch.ts';
import { buildFrontEnd } from '../build.ts';
import { privacyPage } from '../door/privacy.ts';
import { type FakeServer, fakeServer } from './fake-server.ts';
import { PAGE_HEADERS } from './page-frame.ts';
import { pageSpeech } from './page-words.ts';
import { type ThreadPage, renderThreadPage } from './thread-page.ts';

const AXE = readFileSync(join(import.meta.dirname, '../../node_modules/axe-core/axe.min.js'), 'utf8');
const dist = mkdtempSync(join(tmpdir(), 'sluice-widget-'));

let browser: Browser;
let server: FakeServer;
let pages: Page[] = [];
let faults: string[] = [];

beforeAll(async () => {
  await buildFrontEnd(join(import.meta.dirname, 'vite.config.ts'), dist);
  browser = await launchBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  server = await fakeServer(dist);
  faults = [];
});
afterEach(async () => {
  for (const page of pages) await page.context().close();
  pages = [];
  server.close();
  if (faults.length) throw new Error(faults.join('\n'));
});

const html = (attributes = '', { lang = 'en', head = '', before = '', after = '' } = {}) => `<!doctype html>
<html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>A post</title>
<link rel="icon" href="data:,">${head}</head><body><main><h1>A post</h1>${before}
<script src="/embed.js" data-site="demo" data-thread="t" ${attributes}></script>${after}</main></body></html>`;

async function visit(page: string | undefined, options: BrowserContextOptions & { hash?: string } = {}): Promise<Page> {
  if (page !== undefined) server.pages.set('/post', { html: page });
  const context = await browser.newContext({ viewport: { width: 900, height: 800 }, ...options });
  const tab = await context.newPage();
  pages.push(tab);
  tab.on('pageerror', (error) => faults.push(error.message));
  tab.setDefaultTimeout(8000);
  await tab.goto(`${server.origin}/post${options.hash ?? ''}`);
  await tab.locator('section[aria-busy=false]').waitFor();
  return tab;
}

const submissions = () => server.calls.filter(({ method, path }) => method === 'POST' && path.endsWith('/comments'));

const hasFocus = (locator: Locator) => locator.evaluate((it) => it === (it.getRootNode() as ShadowRoot).activeElement);

async function compose(page: Page, body: string, name = 'Ines') {
  await page.getByLabel('Your comment').fill(body);
  await page.getByLabel('Name').fill(name);
}

function fillThread() {
  const parent = server.seed({
    name: 'Ada',
    html: '<p>A point with <code>code</code> and <a href="https://a.example">a link</a>.</p>',
  });
  server.seed({ name: 'Mara', role: 'author', parentId: parent });
  server.seed({ name: 'Gone', parentId: parent, status: 'removed' });
  for (let at = 0; at < 8; at++) server.seed({ name: 'Cy' });
}

async function violations(page: Page) {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    type Axe = {
      run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }>;
    };
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run();
    return violations.map(({ id, nodes }) => [id, nodes[0]?.html, nodes[0]?.failureSummary]);
  });
}

describe('writing', () => {
  it('follows a comment from received to published, where it counts once', async () => {
    const page = await visit(html('data-poll="1"'));
    await compose(page, 'A quiet *thank you*.');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Sent. It is being checked.').last().waitFor();
    expect(await page.locator('.comment').textContent()).toContain('A quiet *thank you*.');
    expect(await hasFocus(page.locator('.comment'))).toBe(true);
    server.decide('c1', 'published');
    await page.getByRole('heading', { name: '1 comment' }).waitFor();
    await page.locator('.comment .body > p:not(.plain)').waitFor();
    expect(await page.locator('.state').count()).toBe(0);
    await page.waitForTimeout(1500);
    expect(await page.getByText('1 new comment').isVisible()).toBe(false);
    expect(submissions()[0]?.body).toMatchObject({
      author: { name: 'Ines' },
      form: { hp: '' },
      page: { title: 'A post' },
    });
  });

  it('sends what the API knows, and the e-mail only to be told', async () => {
    const page = await visit(html());
    await compose(page, 'With everything');
    await page.getByLabel('E-mail me').check();
    await page.getByRole('button', { name: 'Send' }).click();
    expect(submissions()).toEqual([]);
    await page.getByLabel('E-mail (optional)').fill('ines@example.com');
    await page.getByLabel('Website').fill('example.com');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    expect(submissions()[0]?.body).toMatchObject({
      author: { name: 'Ines', email: 'ines@example.com', url: 'example.com' },
      body: 'With everything',
      notifyReplies: true,
    });
    expect(await page.context().cookies()).toEqual([]);
  });

  it('answers in place, under the comment', async () => {
    const parent = server.seed({ name: 'Ada' });
    const page = await visit(html());
    await page.getByRole('button', { name: 'Reply' }).click();
    await page.getByLabel('Your reply to Ada').fill('Indeed.');
    await page.locator('.comment').getByLabel('Name').fill('Bo');
    await page.locator('.comment').getByRole('button', { name: 'Send' }).click();
    await page.locator('.comment .comment .state').waitFor();
    server.decide('c2', 'published');
    await page.getByRole('heading', { name: '2 comments' }).waitFor();
    expect(submissions()[0]?.body).toMatchObject({ parentId: parent });
    expect(await page.locator('.comment .comment').textContent()).toContain('Indeed.');
  });

  it('shows what does not fit at its field, with the draft intact', async () => {
    const page = await visit(html());
    await compose(page, 'please refuse-me');
    await page.getByLabel('E-mail (optional)').fill('a@b');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('The text has a forbidden word.').waitFor();
    await page.getByText('This is not an address.').waitFor();
    expect(await page.getByLabel('Your comment').inputValue()).toBe('please refuse-me');
    expect(await page.getByLabel('Your comment').getAttribute('aria-invalid')).toBe('true');
    expect(await hasFocus(page.getByLabel('Your comment'))).toBe(true);
    await page.getByLabel('Your comment').fill('now fine');
    await page.getByLabel('E-mail (optional)').fill('a@b.example');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    expect(new Set(submissions().map(({ headers }) => headers['idempotency-key'])).size).toBe(2);
  });

  it('makes one comment of a submission whose answer was lost', async () => {
    server.faults.push({ status: 0, taken: true }, { status: 503 });
    const page = await visit(html());
    await compose(page, 'Only once');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('No connection').waitFor();
    expect(await page.getByLabel('Your comment').inputValue()).toBe('Only once');
    await page.locator('.state').waitFor();
    expect(server.rows).toHaveLength(1);
    expect(submissions().length).toBeGreaterThan(1);
  });

  it('says when to try again after too many', async () => {
    server.faults.push({ status: 429, headers: { 'retry-after': '42' } });
    const page = await visit(html());
    await compose(page, 'Hasty');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('next try in 42 s').waitFor();
    expect(await page.getByLabel('Your comment').inputValue()).toBe('Hasty');
  });

  it('keeps the draft on reload, and forgets it once sent', async () => {
    const page = await visit(html());
    await compose(page, 'Half a thought');
    await page.reload();
    await page.getByLabel('Name').waitFor();
    expect(await page.getByLabel('Your comment').inputValue()).toBe('Half a thought');
    expect(await page.getByLabel('Name').inputValue()).toBe('Ines');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    await page.reload();
    await page.locator('.state').waitFor();
    expect(await page.getByLabel('Your comment').inputValue()).toBe('');
  });

  it('remembers a writer only when asked to', async () => {
    const page = await visit(html());
    await compose(page, 'First');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    await page.reload();
    await page.getByLabel('Your comment').focus();
    expect(await page.getByLabel('Name').inputValue()).toBe('');
    await compose(page, 'Second');
    await page.getByLabel('Remember me').check();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').nth(1).waitFor();
    await page.reload();
    await page.getByLabel('Your comment').focus();
    expect(await page.getByLabel('Name').inputValue()).toBe('Ines');
  });

  it('keeps a name for its writer once asked to, and proves it with every comment after', async () => {
    const page = await visit(html());
    const write = async (body: string, nth: number) => {
      await compose(page, body);
      await page.getByRole('button', { name: 'Send' }).click();
      await page.locator('.state').nth(nth).waitFor();
    };
    await write('First', 0);
    await page.getByLabel('Your comment').focus();
    await page.getByLabel('Let only me').check();
    await write('Second', 1);
    await page.reload();
    await page.getByLabel('Your comment').focus();
    expect(await page.getByLabel('Let only me').isChecked()).toBe(true);
    await write('Third', 2);
    const sent = submissions().map(({ body }) => body as { keepName: boolean; nameCapability?: string });
    expect(sent.map(({ keepName }) => keepName)).toEqual([false, true, true]);
    expect(sent.map(({ nameCapability }) => nameCapability)).toEqual([undefined, undefined, 'mine-alone']);
  });

  it('takes a thread called “author” for a thread, and no sign-in', async () => {
    const page = await visit(html('data-author="mara"').replace('data-thread="t"', 'data-thread="author"'));
    await compose(page, 'Under the page about the author');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    await page.reload();
    await page.getByLabel('Your comment').focus();
    await page.getByRole('button', { name: 'Sign in as author' }).waitFor();
  });

  it('shows a preview as wide as the form, whatever is in it', async () => {
    const page = await visit(html(), { viewport: { width: 360, height: 700 } });
    const width = () => page.locator('form').evaluate((form: HTMLElement) => form.offsetWidth);
    const before = await width();
    await compose(page, `    ${'a long line '.repeat(30)}`);
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.locator('.preview pre').waitFor();
    expect(await width()).toBe(before);
  });

  it('offers no appeal where the server has none', async () => {
    const page = await visit(html());
    await compose(page, 'Judge me');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    server.decide('c1', 'rejected', 'spam');
    await page.getByText('Not published. Reason: Spam').first().waitFor();
    expect(await page.getByRole('button', { name: 'Appeal' }).count()).toBe(0);
  });

  it('previews by the server and goes back to the text', async () => {
    const page = await visit(html());
    await compose(page, 'Some <b>words</b>');
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.locator('.preview p').waitFor();
    expect(await page.locator('.preview').textContent()).toBe('Some <b>words</b>');
    await page.getByRole('button', { name: 'Edit' }).click();
    expect(await page.getByLabel('Your comment').inputValue()).toBe('Some <b>words</b>');
  });

  it('tells the reason of a rejection and takes one appeal', async () => {
    const page = await visit(html());
    await compose(page, 'Judge me');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    server.decide('c1', 'rejected', 'off-topic');
    await page.getByText('Not published. Reason: Off topic').first().waitFor();
    await page.getByRole('button', { name: 'Appeal' }).click();
    await page.getByLabel('Why publish it?').fill('It is about the river.');
    await page.locator('.comment').getByRole('button', { name: 'Send' }).click();
    await page.locator('.state', { hasText: 'Waiting for a moderator' }).waitFor();
    const appeal = server.calls.find(({ path }) => path.endsWith('/appeal'));
    expect(appeal).toMatchObject({
      body: { text: 'It is about the river.' },
      headers: { authorization: 'Bearer may-c1' },
    });
    expect(await page.getByRole('button', { name: 'Appeal' }).count()).toBe(0);
  });

  it('edits and deletes with the capability, after a reload too, and never puts it into a URL', async () => {
    const page = await visit(html());
    await compose(page, 'Frist');
    await page.getByRole('button', { name: 'Send' }).click();
    server.decide('c1', 'published');
    await page.locator('.comment .body > p:not(.plain)').waitFor();
    await page.reload();
    await page.locator('.comment').getByRole('button', { name: 'Edit' }).click();
    await page.locator('.comment textarea').fill('First');
    await page.locator('.comment').getByRole('button', { name: 'Send' }).click();
    await page.locator('.comment .body', { hasText: 'First' }).waitFor();
    await page.locator('.comment').getByText('edited').waitFor();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Really delete?' }).click();
    await page.getByText('Deleted by its writer.').last().waitFor();
    expect(server.rows[0]).toMatchObject({ body: 'First', status: 'deleted' });
    expect(server.calls.filter(({ path }) => path.includes('may-'))).toEqual([]);
  });

  it('knows in each tab what was written in the other', async () => {
    const page = await visit(html());
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.locator('section[aria-busy=false]').waitFor();
    await compose(page, 'From the first tab');
    await page.getByRole('button', { name: 'Send' }).click();
    await other.locator('.comment', { hasText: 'From the first tab' }).waitFor();
    await compose(other, 'From the second tab');
    await other.getByRole('button', { name: 'Send' }).click();
    await page.locator('.comment', { hasText: 'From the second tab' }).waitFor();
    server.decide('c1', 'published');
    await page.locator('.comment .body > p:not(.plain)').first().waitFor();
    await page.reload();
    await expect.poll(() => page.getByRole('button', { name: 'Edit' }).count()).toBe(2);
  });

  it('takes a second press on “Delete” for an answer only while it is asked', async () => {
    const page = await visit(html());
    await compose(page, 'Stays');
    await page.getByRole('button', { name: 'Send' }).click();
    server.decide('c1', 'published');
    await page.locator('.comment .body > p:not(.plain)').waitFor();
    await page.clock.install();
    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Really delete?' }).waitFor();
    await page.clock.runFor(10_000);
    await page.getByRole('button', { name: 'Delete', exact: true }).waitFor();
    expect(server.rows[0]?.status).toBe('published');
  });

  it('gives the focus to the comment where its buttons were drawn anew under an open form', async () => {
    const page = await visit(html());
    await compose(page, 'Edited too early');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('button', { name: 'Edit' }).click();
    server.decide('c1', 'published');
    await page.locator('.comment .body > p:not(.plain)').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await hasFocus(page.locator('.comment'))).toBe(true);
  });

  it('has no form and no replies in a closed thread', async () => {
    server.seed({ name: 'Ada' });
    server.state.closed = true;
    const page = await visit(html());
    await page.getByText('This thread is closed.').waitFor();
    expect(await page.locator('form').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Reply' }).count()).toBe(0);
  });

  it('says so while new comments wait for a moderator, and stops by itself', async () => {
    server.state.holds = 'hours';
    const page = await visit(html('data-poll="0.3"'));
    const note = page.getByText('Comments may wait for a moderator.');
    await note.waitFor();
    await page.locator('textarea').fill('Half a text');
    server.state.holds = '';
    await note.waitFor({ state: 'detached' });
    expect(await page.locator('textarea').inputValue()).toBe('Half a text');
  });

  it('takes a sign-in from its own server only, and sends the token as Author', async () => {
    server.pages.set('/author', {
      html: `<script>opener.postMessage({type:'sluice-author',site:'demo',token:'tok',name:'Mara'},'*')</script>`,
    });
    const page = await visit(html('data-author="mara"'));
    await page.getByLabel('Your comment').focus();
    await page.evaluate(() => postMessage({ type: 'sluice-author', site: 'other', token: 'evil', name: 'Eve' }, '*'));
    await page.getByRole('button', { name: 'Sign in as author' }).click();
    await page.getByRole('button', { name: 'Sign out Mara' }).waitFor();
    await page.getByLabel('Your comment').fill('As the author');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    expect(submissions()[0]).toMatchObject({
      headers: { authorization: 'Author tok' },
      body: { author: { name: 'Mara' } },
    });
    expect(await page.content()).not.toContain('tok"');
  });
});

describe('reading', () => {
  it('announces arrivals by a button and inserts nothing by itself; an unchanged thread costs a 304', async () => {
    server.seed({ name: 'Ada' });
    const page = await visit(html('data-poll="0.3"'));
    await expect.poll(() => server.calls.some(({ status }) => status === 304)).toBe(true);
    for (const name of ['Bo', 'Cy', 'Di']) server.seed({ name });
    await page.getByRole('button', { name: '3 new comments' }).waitFor();
    expect(await page.locator('.comment').count()).toBe(1);
    await page.getByRole('button', { name: '3 new comments' }).click();
    await page.getByRole('heading', { name: '4 comments' }).waitFor();
    await expect.poll(() => page.locator('.hit').count()).toBe(3);
    expect(await page.getByRole('button', { name: 'new comment' }).count()).toBe(0);
    expect(server.calls.every(({ headers }) => headers.cookie === undefined)).toBe(true);
  });

  it('opens a permalink on a later page, highlights it, and leads back to the whole thread', async () => {
    for (let at = 1; at <= 50; at++) server.seed({ name: `Reader ${at}`, html: `<p>Number ${at}</p>` });
    const page = await visit(html(), { hash: '#sluice-c42' });
    await page.locator('.hit', { hasText: 'Number 42' }).waitFor();
    expect(await page.locator('.hit').evaluate((it) => it.getBoundingClientRect().top)).toBeLessThan(800);
    await page.getByRole('button', { name: 'Whole thread' }).click();
    await page.getByText('Number 1', { exact: true }).waitFor();
  });

  it('loads more comments and more replies, and turns the order', async () => {
    const parent = server.seed({ name: 'Ada', html: '<p>Root</p>' });
    for (let at = 1; at <= 5; at++) server.seed({ name: 'Bo', parentId: parent, html: `<p>Reply ${at}</p>` });
    for (let at = 1; at <= 30; at++) server.seed({ name: 'Cy', html: `<p>Number ${at}</p>` });
    const page = await visit(html());
    await page.getByRole('button', { name: '2 more replies' }).click();
    await page.getByText('Reply 5').waitFor();
    await page.getByRole('button', { name: 'Load more comments' }).click();
    await page.getByText('Number 30').waitFor();
    expect(await page.getByRole('button', { name: 'Load more comments' }).isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Newest first' }).click();
    // Number 30 stands on the page already: what turns is who comes first.
    await expect.poll(() => page.locator('.comment .body').first().textContent()).toBe('Number 30');
  });

  it('says on the button that was pressed that loading failed, and loads at the next press', async () => {
    for (let at = 1; at <= 30; at++) server.seed({ name: 'Cy', html: `<p>Number ${at}</p>` });
    const page = await visit(html());
    await page.route(/cursor=/, (route) => route.abort());
    await page.getByRole('button', { name: 'Load more comments' }).click();
    await page.getByRole('button', { name: 'Loading failed. Try again.' }).waitFor();
    await page.unroute(/cursor=/);
    server.state.delayMs = 500;
    await page.getByRole('button', { name: 'Loading failed. Try again.' }).click();
    await page.locator('section[aria-busy=true]').waitFor();
    await page.getByText('Number 30').waitFor();
    expect(await page.locator('section[aria-busy=true]').count()).toBe(0);
  });

  it('says to the eye too that a permalink leads to no comment', async () => {
    server.seed({ name: 'Ada' });
    const page = await visit(html(), { hash: '#sluice-gone' });
    await page.locator('.notice', { hasText: 'Comment not found.' }).first().waitFor();
  });

  it('marks authors, tells the time exactly on hover, and leaves a tombstone', async () => {
    const parent = server.seed({ name: 'Gone', status: 'removed' });
    server.seed({
      name: 'Mara',
      role: 'author',
      parentId: parent,
      createdAt: new Date(Date.now() - 7_200_000).toISOString(),
    });
    const page = await visit(html());
    await page.getByText('Removed by a moderator.').waitFor();
    expect(await page.locator('.badge').textContent()).toBe('Author');
    expect(await page.locator('time').textContent()).toBe('2 hours ago');
    expect(await page.locator('time').getAttribute('title')).toContain(String(new Date().getFullYear()));
  });

  it('reports a comment', async () => {
    server.seed({ name: 'Ada' });
    const page = await visit(html());
    await page.getByRole('button', { name: 'Report' }).click();
    await page.getByLabel('Reason').selectOption('abuse');
    await page.getByLabel('Note').fill('see line two');
    await page.locator('.comment').getByRole('button', { name: 'Send' }).click();
    await page.getByText('Thank you.').first().waitFor();
    expect(server.calls.at(-1)).toMatchObject({
      path: '/v1/comments/c1/reports',
      body: { reason: 'abuse', note: 'see line two' },
    });
  });

  it('leaves what attackers write inert', async () => {
    const evil = '"><img src=x onerror="window.hit=1"><script>window.hit=1</script>';
    server.seed({ name: evil, url: 'javascript:window.hit=1', html: '<p>ok</p>' });
    const page = await visit(html(), { hash: `#sluice-${encodeURIComponent(evil)}` });
    await page.locator('.comment').waitFor();
    expect(await page.locator('.name').textContent()).toBe(evil);
    expect(await page.locator('a[href^=javascript]').count()).toBe(0);
    await compose(page, evil, evil);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    expect(await page.evaluate(() => 'hit' in globalThis)).toBe(false);
  });

  it('works under a strict content security policy', async () => {
    server.seed({ name: 'Ada' });
    server.pages.set('/post', {
      html: html(),
      headers: {
        'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:",
      },
    });
    const page = await visit(undefined);
    const refused: string[] = [];
    page.on('console', (message) => message.text().includes('Content Security') && refused.push(message.text()));
    await page.reload();
    await page.locator('.comment').waitFor();
    expect(await page.locator('.face').evaluate((it) => getComputedStyle(it).borderRadius)).toBe('50%');
    expect(refused).toEqual([]);
  });

  it('costs a reader two requests, 9,000 bytes of script, and no long task', async () => {
    fillThread();
    const cost = async () => {
      const page = await visit(html());
      const asked: { url: string; bytes: Promise<number> }[] = [];
      page.on('requestfinished', (request) =>
        asked.push({ url: request.url(), bytes: request.sizes().then(({ responseBodySize }) => responseBodySize) }),
      );
      await page.reload();
      await page.locator('section[aria-busy=false]').waitFor();
      const blockedMs = await page.evaluate(
        () =>
          new Promise<number>((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => {
              for (const { duration } of list.getEntries()) sum += Math.max(0, duration - 50);
            }).observe({ type: 'longtask', buffered: true });
            setTimeout(() => resolve(sum), 100);
          }),
      );
      const scriptBytes = await asked.find(({ url }) => url.endsWith('/embed.js'))?.bytes;
      return { requests: asked.filter(({ url }) => !url.endsWith('/post')).length, scriptBytes, blockedMs };
    };
    // The best of three, as below.
    const all = [await cost(), await cost(), await cost()];
    expect(all.map(({ requests }) => requests)).toEqual([2, 2, 2]);
    expect(all[0]?.scriptBytes).toBeGreaterThan(0);
    expect(all[0]?.scriptBytes).toBeLessThanOrEqual(9000);
    expect(Math.min(...all.map(({ blockedMs }) => blockedMs))).toBeLessThanOrEqual(50);
  });

  it('shows a thousand comments within 300 ms of their arrival', async () => {
    const page = await visit(html());
    const show = () =>
      page.evaluate(async (origin) => {
        const comments = Array.from({ length: 1000 }, (_, at) => ({
          id: `k${at}`,
          parentId: null,
          depth: 0,
          state: 'published',
          author: { name: `Reader ${at}` },
          html: '<p>Some words that fill a line or two of the column.</p>',
          createdAt: new Date(0).toISOString(),
          replyCount: 0,
          replies: [],
        }));
        const text = JSON.stringify({ comments, total: 1000, nextCursor: null, thread: { closed: false } });
        const real = globalThis.fetch;
        let arrived = 0;
        globalThis.fetch = async () => {
          arrived = performance.now();
          return new Response(text);
        };
        const element = document.createElement('sluice-comments');
        for (const [name, value] of Object.entries({ site: 'demo', thread: 'big', server: origin }))
          element.setAttribute(name, value);
        const loaded = new Promise((resolve) => element.addEventListener('sluice-load', resolve));
        document.body.append(element);
        await loaded;
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
        globalThis.fetch = real;
        return performance.now() - arrived;
      }, server.origin);
    // The best of three: what the widget needs, not what the neighbours on this machine do.
    const took = Math.min(await show(), await show(), await show());
    process.stdout.write(`1,000 comments: ${Math.round(took)} ms\n`);
    expect(took).toBeLessThan(300);
  });
});

describe('for everyone', () => {
  it.each(['light', 'dark'] as const)('gives axe nothing to say, %s, with forms open', async (colorScheme) => {
    fillThread();
    const head =
      '<meta name="color-scheme" content="light dark"><style>body{background:Canvas;max-width:40rem;margin:auto}</style>';
    const page = await visit(html('data-author="mara"', { head }), { colorScheme });
    expect(await violations(page)).toEqual([]);
    await compose(page, 'refuse-me');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('forbidden word').waitFor();
    await compose(page, 'Pending');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.state').waitFor();
    await page.getByRole('button', { name: 'Reply' }).first().click();
    await page.getByRole('button', { name: 'Report' }).nth(1).click();
    expect(await violations(page)).toEqual([]);
  });

  it('can be used by keyboard alone', async () => {
    server.seed({ name: 'Ada' });
    const page = await visit(html());
    const focused = () =>
      page.evaluate(() => {
        const at = document.activeElement?.shadowRoot?.activeElement;
        return `${at?.tagName.toLowerCase()} ${(at as HTMLInputElement)?.labels?.[0]?.textContent ?? at?.textContent ?? ''}`;
      });
    const tabTo = async (what: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        if ((await focused()).startsWith(what)) return;
      }
      throw new Error(`Tab never reached ${what}`);
    };
    await tabTo('textarea Your comment');
    await page.keyboard.type('By keys');
    await tabTo('input Name');
    await page.keyboard.type('Kim');
    await tabTo('button Send');
    await page.keyboard.press('Enter');
    await page.locator('.state').waitFor();
    expect(await focused()).toContain('li');
    await tabTo('button Reply');
    await page.keyboard.press('Enter');
    expect(await focused()).toContain('textarea Your reply to Ada');
    await tabTo('button Cancel');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('button Reply');
  });

  it('speaks Arabic from right to left', async () => {
    fillThread();
    const page = await visit(html('', { lang: 'ar' }));
    const root = page.locator('section.root');
    expect(await root.getAttribute('dir')).toBe('rtl');
    expect(await page.locator('.badge').textContent()).not.toBe('Author');
    const [face, name] = await Promise.all(
      ['.face', '.name'].map((part) =>
        page
          .locator(part)
          .first()
          .evaluate((it) => it.getBoundingClientRect().left),
      ),
    );
    expect(face).toBeGreaterThan(name ?? 0);
  });

  it('reads as English where the words of a language do not come', async () => {
    server.seed({ name: 'Ada' });
    const context = await browser.newContext();
    await context.route('**/embed/ar.json', (route) => route.abort());
    server.pages.set('/post', { html: html('', { lang: 'ar' }) });
    const page = await context.newPage();
    pages.push(page);
    await page.goto(`${server.origin}/post`);
    await page.locator('section[lang=en][dir=ltr]').waitFor();
    await page.getByRole('heading', { name: '1 comment' }).waitFor();
  });

  it('follows the page into the dark, however it goes there', async () => {
    const head = '<style>.night{background:#111;color:#eee}</style>';
    const page = await visit(html('', { head }));
    const dark = () => page.locator('section.root').evaluate((it) => it.classList.contains('dark'));
    expect(await dark()).toBe(false);
    await page.evaluate(() => document.body.classList.add('night'));
    await expect.poll(dark).toBe(true);
    const auto = await visit(html('data-theme="auto"'), { colorScheme: 'dark' });
    expect(await auto.locator('section.root').evaluate((it) => it.classList.contains('dark'))).toBe(true);
  });

  it.each([
    ['a long thread', 30],
    ['an empty thread', 0],
  ])('shifts nothing while %s loads, not even a footer', async (_name, count) => {
    for (let at = 0; at < count; at++) server.seed({ name: 'Cy' });
    server.state.delayMs = 300;
    const page = await visit(html('', { after: '<footer>Imprint</footer>' }));
    await page.waitForTimeout(300);
    const shift = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) sum += (entry as unknown as { value: number }).value;
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => resolve(sum), 100);
        }),
    );
    expect(shift).toBeLessThanOrEqual(0.02);
  });
});

describe('the pages', () => {
  it.each(['light', 'dark'] as const)('the demo post stands as it is, %s', async (colorScheme) => {
    server.seed({ name: 'Ada', thread: 'how-a-comment-travels' });
    const page = await visit(readFileSync(join(dist, 'demo.html'), 'utf8'), { colorScheme });
    await page.getByRole('heading', { name: '1 comment' }).waitFor();
    expect(await violations(page)).toEqual([]);
    const elsewhere = await page.evaluate(() =>
      performance.getEntriesByType('resource').filter(({ name }) => !name.startsWith(location.origin)),
    );
    expect(elsewhere).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('the thread can be read without scripts, %s', async (colorScheme) => {
    const parent = server.seed({ name: 'Ada', url: 'https://ada.example' });
    server.seed({ name: 'Mara', role: 'author', parentId: parent });
    const answer = await fetch(`${server.origin}/v1/sites/demo/threads/t/comments`);
    const { comments, total } = (await answer.json()) as Pick<ThreadPage, 'comments' | 'total'>;
    const url = 'https://blog.example/post';
    const text = {
      speech: pageSpeech(),
      site: 'demo',
      thread: 't',
      title: 'A post',
      url,
      comments,
      total,
      nextCursor: 'r2',
      now: Date.now(),
    };
    server.pages.set('/t/demo/t', { html: renderThreadPage(text), headers: PAGE_HEADERS });
    const context = await browser.newContext({ colorScheme, bypassCSP: true });
    const page = await context.newPage();
    pages.push(page);
    await page.goto(`${server.origin}/t/demo/t#sluice-c2`);
    expect(await page.locator('.badge').textContent()).toBe('Author');
    expect(
      await page
        .locator('.face')
        .first()
        .evaluate((it) => getComputedStyle(it).borderRadius),
    ).toBe('50%');
    expect(await violations(page)).toEqual([]);
  });
});

it('tells on a phone too what is kept, without scrolling sideways', async () => {
  server.pages.set('/privacy', { html: privacyPage().raw!.text });
  const page = await browser.newPage({ viewport: { width: 320, height: 640 } });
  pages.push(page);
  await page.goto(`${server.origin}/privacy`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
});

describe('the recipes', () => {
  const examples = join(import.meta.dirname, '../../examples');
  const names = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory());

  it.each(names.map(({ name }) => name))('%s shows its thread', async (name) => {
    const source = readFileSync(join(examples, name, 'index.html'), 'utf8');
    const thread = /thread="([^"]+)"/.exec(source)?.[1] ?? '';
    server.seed({ name: 'Ada', html: '<p>It works here.</p>', thread });
    // The recipes name a host that is nobody's: here it is ours.
    server.pages.set('/post', { html: source.replaceAll('https://comments.example.com', server.origin) });
    const page = await visit(undefined);
    await page.getByText('It works here.').waitFor();
    expect(source).toContain(`/t/my-blog/${encodeURIComponent(thread)}"`);
  });
});
