import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from 'vitest';
import { buildFrontEnd, frontEnds } from '../../services/build.ts';
import { ADMIN_PASSWORD, testInstance, type TestInstance } from '../instance.ts';
import { launchBrowser } from './launch.ts';
import { listenFor } from './listen.ts';

/** The pages of the desk over the whole product: what they do is looked for in the product, not in the page alone. */
const require = createRequire(import.meta.url);
let sluice: TestInstance;
let url: string;
let browser: Browser;
let page: Page;
let admin: Record<string, string>;
const faults: string[] = [];

beforeAll(async () => {
  const config = frontEnds().find((file) => file.includes(join('services', 'desk')));
  if (config) await buildFrontEnd(config);
  ({ sluice, url } = await listenFor(testInstance));
  await sluice.quiet();
  admin = await sluice.asAdmin();
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await sluice?.end();
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/.test(message.text())) faults.push(message.text());
  });
  await page.goto(`${url}/moderate/`);
  await page.fill('input[name=user]', 'admin');
  await page.fill('input[name=password]', ADMIN_PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.row:not(.gap)');
});
afterEach(async () => {
  await page.close();
  expect(faults).toEqual([]);
});

const go = (place: string) => page.goto(`${url}/moderate/#/${place}`);
const has = (text: string) => page.getByText(text).first().waitFor();

async function axe(): Promise<string[]> {
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return page.evaluate(async () => {
    type Found = { violations: { id: string; nodes: { html: string }[] }[] };
    const found = await (globalThis as unknown as { axe: { run(options: object): Promise<Found> } }).axe.run({
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
    });
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  });
}

describe('“Add my site”', () => {
  it('leads from the demo to a blog, and follows a test comment until it is decided', async () => {
    await go('start');
    await page.fill('input[name=id]', 'blog.example');
    await page.fill('input[name=name]', 'My Blog');
    await page.fill('input[name=origins]', 'https://blog.example');
    await page.keyboard.press('Enter');
    await has('data-site="blog.example"');
    await page.fill('.steps input[name=id]', 'robin');
    await page.fill('.steps input[name=name]', 'Robin');
    await page.keyboard.press('Enter');
    await has('Robin ✓');
    expect(await axe()).toEqual([]);
    await page.click('button:has-text("Send a test comment")');
    await page.waitForSelector('.follow .status.published, .follow .status.held', { timeout: 15_000 });
    expect(await page.textContent('.follow')).toContain('Judge');
    const { body } = await sluice.call('GET', '/v1/moderation/comments?site=blog.example', undefined, admin);
    expect(body.total).toBe(1);
    await page.click('.follow a:has-text("story")');
    await page.waitForSelector('.timeline');
  });
});

describe('the story of a comment', () => {
  it('draws its run over the workflow, and says who was not told', async () => {
    const { body } = await sluice.call('GET', '/v1/moderation/comments?site=demo&status=published', undefined, admin);
    const row = body.comments.find((one: { parent?: object }) => one.parent);
    await go(`comments/${row.id}`);
    await has('was not told');
    await page.click('summary:has-text("Drawn over")');
    await page.waitForSelector('svg.drawing .state.succeeded');
    expect(await page.$$eval('svg.drawing .edge.used', (edges) => edges.length)).toBeGreaterThan(2);
    expect(await axe()).toEqual([]);
  });
});

describe('threads', () => {
  it('are renamed, closed and merged', async () => {
    await sluice.call('POST', '/v1/sites/demo/threads/%2Fmerge-me/comments', {
      author: { name: 'Ada' },
      body: 'Over here.',
    });
    await sluice.quiet();
    await go('threads');
    // The other site came by the test before.
    if (await page.locator('select.site').count()) await page.selectOption('select.site', 'demo');
    const thread = page.locator('.cards > li', { hasText: 'how-a-comment-travels' });
    await thread.locator('summary').click();
    await thread.locator('input[name=alias]').fill('/merge-me');
    await page.keyboard.press('Enter');
    await has('/merge-me leads here now');
    const merged = await sluice.call('GET', '/v1/sites/demo/threads/%2Fmerge-me/comments?order=newest&limit=1');
    expect(merged.body.total).toBeGreaterThan(10);
    await thread.locator('input[name=title]').fill('Another title');
    await page.keyboard.press('Enter');
    await has('Another title');
    expect(await axe()).toEqual([]);
    await thread.getByLabel('closed').check();
    await has('Saved');
    const refused = await sluice.call('POST', '/v1/sites/demo/threads/%2Fmerge-me/comments', {
      author: { name: 'Ada' },
      body: 'Too late.',
    });
    expect(refused.body.code).toBe('Thread.Closed');
  });
});

describe('the settings of a site', () => {
  it('name what its authors are told of, and the parameters that tell its posts apart', async () => {
    await go('sites');
    await page.fill('input[name=threadParams]', 'p page_id');
    await page.click('button:has-text("Save")');
    await has('Saved');
    await page.fill('input[name=id]', 'eve');
    await page.locator('input[name=name]').last().fill('Eve');
    await page.fill('input[name=email]', 'eve@blog.example');
    await page.selectOption('select[name=notify]', 'digest');
    await page.click('button:has-text("Add"):visible');
    await page.locator('li:has-text("Eve"):has-text("all of a day, in one mail")').waitFor();
    expect(await axe()).toEqual([]);
    const { body } = await sluice.call('GET', '/v1/moderation/sites', undefined, admin);
    const authors = expect.arrayContaining([{ id: 'eve', name: 'Eve', email: 'eve@blog.example', notify: 'digest' }]);
    expect(body.sites).toContainEqual(expect.objectContaining({ threadParams: ['p', 'page_id'], authors }));
    await page.fill('input[name=threadParams]', '');
    await page.click('button:has-text("Save")');
    await page.click('button[aria-label="Remove: Eve"]');
  });
});

describe('webhooks', () => {
  it('are added with a secret that is shown once, tried, and taken away', async () => {
    await go('webhooks');
    await page.fill('input[name=url]', 'https://hooks.invalid/sluice');
    await page.keyboard.press('Enter');
    await has('whsec_');
    expect(await axe()).toEqual([]);
    await page.click('button:has-text("Send a test")');
    await page.getByText('Last delivery failed').waitFor({ timeout: 15_000 });
    await page.reload();
    await page.waitForSelector('.letter');
    expect(await page.textContent('.page')).not.toContain('whsec_');
    await page.click('button:has-text("New secret")');
    await has('whsec_');
    await page.click('button:has-text("Remove")');
    await has('Nothing here');
  });
});

describe('people', () => {
  it('are given roles, and a person is found, exported and forgotten', async () => {
    await sluice.call('POST', '/v1/sites/demo/threads/persons/comments', {
      author: { name: 'Quokka', email: 'quokka@people.example' },
      body: 'A comment of a person.',
    });
    await sluice.quiet();
    await go('people');
    await page.fill('input[name=email]', 'quokka@people.example');
    await page.keyboard.press('Enter');
    await has('1 comment, 1 contact');
    expect(await axe()).toEqual([]);
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('button:has-text("Export for them")')]);
    expect(await readFile(await file.path(), 'utf8')).toContain('A comment of a person.');
    await page.click('button:has-text("Forget them")');
    await has('Forgotten: 1 comment');
    const { body } = await sluice.call('GET', '/v1/sites/demo/threads/persons/comments');
    expect(JSON.stringify(body)).not.toContain('Quokka');
  });
});

describe('operations', () => {
  it('shows each queue with the age of what waits', async () => {
    await sluice.runtime.ports.queues['dead-letters']?.send('{}').catch(() => undefined);
    await go('operations');
    await has('Oldest waits');
    expect(await page.textContent('.page')).toContain('intake');
    await has('Last 24 hours');
    expect(await axe()).toEqual([]);
  });
});

it.each([390, 1280])('no page shifts while it loads, at %i px', async (width) => {
  await page.setViewportSize({ width, height: 844 });
  for (const place of ['', 'threads', 'webhooks', 'start', 'people', 'operations', 'sites']) {
    await go(place);
    await page.waitForTimeout(400);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect([place, wide]).toEqual([place, 0]);
  }
});
