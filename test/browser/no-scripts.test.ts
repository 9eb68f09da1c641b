import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { testInstance, type TestInstance } from '../instance.ts';
import { launchBrowser } from './launch.ts';
import { listenFor } from './listen.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let sluice: TestInstance;
let url: string;
let pages: Page[] = [];

beforeAll(async () => {
  ({ sluice, url } = await listenFor((env) => testInstance(env)));
  browser = await launchBrowser();
});
afterEach(async () => {
  for (const page of pages) await page.context().close();
  pages = [];
});
afterAll(async () => {
  await browser?.close();
  await sluice?.end();
});

async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  const page = await context.newPage();
  pages.push(page);
  page.setDefaultTimeout(10_000);
  await page.goto(url + path);
  return page;
}

/** What axe finds on the page as the server wrote it: axe is a script, so a browser that runs some has to show it. */
async function violations(page: Page, options: BrowserContextOptions = {}): Promise<string[]> {
  const other = await browser.newPage({ bypassCSP: true, ...options });
  await other.setContent(await page.content());
  await other.evaluate(AXE);
  const found = await other.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; help: string }[] }> } };
    return (await axe.run()).violations.map(({ id, help }) => `${id}: ${help}`);
  });
  await other.close();
  return found;
}

it('writes a comment, sees it published, and answers it, without a script', async () => {
  const page = await open('/t/demo/no-scripts');
  await page.getByRole('link', { name: 'Write a comment' }).click();
  await page.getByLabel('Your comment').fill('Written with *nothing* but HTML.');
  await page.getByLabel('Name').fill('Ines');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.locator('.preview em', { hasText: 'nothing' }).waitFor();
  expect(await page.getByLabel('Your comment').inputValue()).toBe('Written with *nothing* but HTML.');
  expect(await violations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Published.').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Whole thread' }).click();
  await page.getByText('Written with nothing but HTML.').waitFor();

  await page.getByRole('link', { name: 'Reply Ines' }).click();
  const form = page.locator('li.comment form');
  await form.getByLabel('Your reply to Ines').fill('So was this.');
  await form.getByLabel('Name').fill('Omar');
  expect(await violations(page)).toEqual([]);
  await form.getByRole('button', { name: 'Send' }).click();
  await page.getByText('Published.').waitFor();
  await page.getByRole('link', { name: 'Whole thread' }).click();
  await page.locator('li li', { hasText: 'So was this.' }).waitFor();
});

it.each(['light', 'dark'] as const)(
  'shows what does not fit at its field, on a phone, with all that was typed, %s',
  async (colorScheme) => {
    const options = { viewport: { width: 390, height: 700 }, colorScheme };
    const page = await open(`/t/demo/faults-${colorScheme}`, options);
    await page.getByLabel('Your comment').fill('  <i>kept</i>\nas it was');
    await page.getByLabel('Name').fill('Mara Lindqvist');
    await page.getByLabel('E-mail (optional)').fill('ines@blog.example');
    await page.getByLabel('E-mail me about replies').check();
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('This name is somebody else’s here.').waitFor();
    expect(await page.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('Your comment').inputValue()).toBe('  <i>kept</i>\nas it was');
    expect(await page.getByLabel('E-mail (optional)').inputValue()).toBe('ines@blog.example');
    expect(await page.getByLabel('E-mail me about replies').isChecked()).toBe(true);
    expect(await violations(page, options)).toEqual([]);
    await page.getByLabel('Name').fill('Ines');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Published.').waitFor();
  },
);

it('speaks Arabic from right to left, to the end', async () => {
  const page = await open('/t/demo/arabic', { locale: 'ar', viewport: { width: 390, height: 700 } });
  expect(await page.locator('html').getAttribute('dir')).toBe('rtl');
  expect(await violations(page)).toEqual([]);
  await page.locator('textarea').fill('شكرًا على المقال.');
  await page.locator('[name=name]').fill('ليلى');
  await page.locator('button.first').click();
  await page.locator('.state', { hasText: 'نُشر.' }).waitFor();
  expect(await page.locator('html').getAttribute('dir')).toBe('rtl');
});

it('takes nothing from a form on another site', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  pages.push(page);
  await page.setContent(
    `<form method="post" action="${url}/t/demo/foreign"><input name="name" value="Eve"><input name="body" value="Forged."><button>Win</button></form>`,
  );
  const [answer] = await Promise.all([
    page.waitForResponse((one) => one.url().endsWith('/t/demo/foreign')),
    page.getByRole('button').click(),
  ]);
  expect(answer.status()).toBe(403);
  await sluice.quiet();
  expect((await sluice.call('GET', '/v1/sites/demo/threads/foreign/comments')).body.total).toBe(0);
});
