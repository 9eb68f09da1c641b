import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_PASSWORD, testInstance, type TestInstance } from '../instance.ts';
import { launchBrowser } from './launch.ts';
import { listenFor } from './listen.ts';

let sluice: TestInstance;
let url: string;
let browser: Browser;
let admin: BrowserContext;
let page: Page;
const faults: string[] = [];

const submit = (detail: object) =>
  sluice.runtime.bus.put([
    {
      source: 'sluice.comments',
      type: 'CommentSubmitted',
      detail: {
        schema: 1,
        site: 'demo',
        thread: '/drawn',
        author: { name: 'Ada' },
        body: 'A plain thank-you.',
        ...detail,
      },
    },
  ]);

beforeAll(async () => {
  ({ sluice, url } = await listenFor(testInstance));
  browser = await launchBrowser();
  admin = await browser.newContext({ viewport: { width: 1400, height: 1000 }, colorScheme: 'light' });
  await admin.request.post(`${url}/v1/moderation/sessions`, { data: { user: 'admin', password: ADMIN_PASSWORD } });
  page = await admin.newPage();
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  // The demo's own comments have used up the pace at which every run is kept.
  await sluice.quiet();
  await new Promise((done) => setTimeout(done, 3000));
  await submit({ id: 'drawn-published', author: { name: 'Ada', email: 'ada@private.example' } });
  await submit({ id: 'drawn-broken', site: 'nowhere', body: '<img src=x onerror=alert(1)>' });
  await submit({
    id: 'drawn-held',
    body: 'Four write-ups on queues that I found useful: https://kim.example/backoff https://kim.example/order https://kim.example/delay https://kim.example/retry',
  });
  await sluice.quiet();
});
afterAll(async () => {
  await browser?.close();
  await sluice?.end();
});

const shot = async (name: string) => {
  if (process.env.SLUICE_SCREENSHOTS)
    await page.screenshot({ path: `${process.env.SLUICE_SCREENSHOTS}/${name}.png`, fullPage: true });
};

/** Opens the first execution that is about a comment. */
async function open(comment: string, workflow: string): Promise<void> {
  await page.goto(`${url}/executions?comment=${comment}&workflow=${workflow}`);
  await page.locator('tbody a').first().click();
  await page.locator('#execution h1').waitFor();
}

const boxOf = (state: string) => page.locator('.state', { has: page.getByText(state, { exact: true }) });

describe('/executions', () => {
  it('lists what is kept, and finds by workflow, status and comment', async () => {
    await page.goto(`${url}/executions`);
    expect(await page.locator('tbody tr').count()).toBeGreaterThan(3);
    await shot('list');
    await page.getByLabel('Comment').fill('drawn-held');
    await page.getByRole('button', { name: 'Find' }).click();
    await page.locator('h2', { hasText: 'the comment remembers' }).waitFor();
    expect(await page.locator('table').first().locator('tbody tr').count()).toBe(2);
    await shot('found');
    await page.goto(`${url}/executions?status=RUNNING`);
    await expect(page.locator('tbody tr').first().innerText()).resolves.toContain('drawn-held');
  });

  it('draws a published comment over its workflow, with input and output of each state', async () => {
    await open('drawn-published', 'moderation');
    for (const state of ['Validate', 'Judge', 'Publish']) {
      expect(await boxOf(state).first().getAttribute('class')).toContain('succeeded');
    }
    expect(await boxOf('Reject').first().getAttribute('class')).toContain('idle');
    await page.locator('.steps li', { hasText: 'Judge' }).locator('summary').first().click();
    await shot('published');
    const text = await page.locator('#execution').innerHTML();
    expect(text).toContain('drawn-published');
    expect(text).not.toContain('ada@private.example');
  });

  it('shows where a run failed and was caught, and lets nothing of a reader run', async () => {
    await open('drawn-broken', 'moderation');
    expect(await boxOf('Validate').first().getAttribute('class')).toContain('caught');
    expect(await boxOf('DeadLetter').first().getAttribute('class')).toContain('succeeded');
    await page.locator('.steps li.caught summary').first().click();
    await expect(page.locator('.steps li.caught .fault').innerText()).resolves.toContain('Site.Unknown');
    await shot('caught');
    expect(await page.locator('#execution img').count()).toBe(0);
  });

  it('shows a waiting review live: its state now, then its end, without a reload', async () => {
    await open('drawn-held', 'review');
    expect(await boxOf('Await').first().getAttribute('class')).toContain('running');
    await shot('waiting');
    await page.locator('.steps li', { hasText: 'Await' }).locator('summary').first().click();
    const headers = await sluice.asAdmin();
    const { body: comment } = await sluice.call('GET', '/v1/moderation/comments/drawn-held', undefined, headers);
    const version = comment.version ?? comment.comment?.version ?? comment.row?.version;
    await sluice.call(
      'POST',
      '/v1/moderation/decisions',
      { decisions: [{ id: 'drawn-held', version, action: 'publish' }] },
      headers,
    );
    await page.locator('h1 .badge.succeeded').waitFor({ timeout: 8000 });
    expect(
      await page.locator('.steps li', { hasText: 'Await' }).first().locator('details').first().getAttribute('open'),
    ).not.toBeNull();
    await shot('decided');
  });

  it('asks for an admin, in words where a person asks', async () => {
    const visitor = await browser.newPage();
    const answer = await visitor.goto(`${url}/executions`);
    expect(answer?.status()).toBe(401);
    await expect(visitor.locator('h1').innerText()).resolves.toBe('Sign in first');
    await visitor.close();
    for (const path of ['/executions', '/executions/review/x', '/executions/review/x/live']) {
      expect((await sluice.call('GET', path)).status).toBe(401);
    }
  });

  it('reads in the dark, and on a narrow screen without scrolling sideways', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 800 });
    await open('drawn-published', 'moderation');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await shot('narrow');
  });

  it('says nothing of what is not there, and breaks no policy on the way', async () => {
    expect((await page.goto(`${url}/executions/review/none`))?.status()).toBe(404);
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
  });
});
