import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ADMIN_PASSWORD, testInstance, type TestInstance } from '../instance.ts';
import { launchBrowser } from './launch.ts';
import { listenFor } from './listen.ts';

let sluice: TestInstance;
let url: string;
let browser: Browser;
const faults: string[] = [];

beforeAll(async () => {
  ({ sluice, url } = await listenFor(testInstance));
  await sluice.quiet();
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await sluice?.end();
});

async function open(path: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 900 } });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  await page.goto(`${url}${path}`);
  return page;
}

it('shows a newcomer a post with comments, and the author’s answers marked', async () => {
  const page = await open('/');
  await expect.poll(() => page.getByText('15 comments').count()).toBe(1);
  expect(await page.getByText('Author', { exact: true }).count()).toBeGreaterThan(3);
  await page.close();
});

it('takes a comment from the form and shows it published', async () => {
  const page = await open('/');
  await page.getByLabel('Your comment').fill('Written in a browser, *plainly*.');
  await page.getByLabel('Name', { exact: false }).first().fill('Robin');
  await page
    .getByRole('button', { name: /^(post|send|submit|publish|comment)/i })
    .first()
    .click();
  await expect
    .poll(
      async () =>
        (await sluice.call('GET', '/v1/sites/demo/threads/how-a-comment-travels/comments?order=newest&limit=1')).body
          .comments[0].html,
      { timeout: 10_000 },
    )
    .toBe('<p>Written in a browser, <em>plainly</em>.</p>\n');
  await expect.poll(() => page.getByText('Written in a browser,').count()).toBeGreaterThan(0);
  await page.close();
});

it('lets a moderator publish what was held, by keyboard, and the reader sees it', async () => {
  const page = await open('/moderate');
  await page.locator('input[type=password]').fill(ADMIN_PASSWORD);
  await page.locator('input:not([type=password])').first().fill('admin');
  await page.keyboard.press('Enter');
  await page.getByText('Kenji').first().waitFor();
  await page.keyboard.press('p');
  await expect
    .poll(
      async () =>
        (await sluice.call('GET', '/v1/sites/demo/threads/how-a-comment-travels/comments?order=newest&limit=1')).body
          .total,
      { timeout: 10_000 },
    )
    .toBe(17);
  await page.close();
});

it('raised no script error and no breach of the content policy', () => {
  expect(faults).toEqual([]);
});
