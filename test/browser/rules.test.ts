import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { buildFrontEnd, frontEnds } from '../../services/build.ts';
import { PASSWORD, sampleDesk } from '../../services/desk/testing/sample.ts';
import { serveDesk, type Served } from '../../services/desk/testing/serve.ts';
import { addComment, type Memory } from '../../services/moderation/testing/memory.ts';
import { Policy } from '../../shared/policy.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { launchBrowser } from './launch.ts';

const require = createRequire(import.meta.url);
let browser: Browser;
let ports: Memory;
let served: Served;
let page: Page;

beforeAll(async () => {
  const config = frontEnds().find((file) => file.includes(join('services', 'desk')));
  if (config) await buildFrontEnd(config);
  browser = await launchBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  ports = await sampleDesk(12);
  served = await serveDesk(ports);
  page = await signedIn('mia');
});
afterEach(async () => {
  await page.context().close();
  await served.stop();
});

async function signedIn(user: string): Promise<Page> {
  const window = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  window.on('pageerror', (error) => {
    throw error;
  });
  await window.goto(`${served.url}/moderate/`);
  await window.fill('input[name=user]', user);
  await window.fill('input[name=password]', PASSWORD);
  await window.keyboard.press('Enter');
  await window.waitForSelector('.row:not(.gap)');
  return window;
}

const said = (text: string) => expect.poll(() => page.textContent('main'), { timeout: 8000 }).toContain(text);
const sites = () => sitesOf(ports.table, ports.clock);

async function faults(): Promise<string[]> {
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return await page.evaluate(async () => {
    type Axe = { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    const { axe } = globalThis as unknown as { axe: Axe };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await axe.run({ runOnly: tags });
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  });
}

it('bans a writer from a comment by keyboard, lists the ban, and lifts it', async () => {
  await page.click('[data-id=c0001] .row-open');
  await page.locator('.detail button', { hasText: 'Ban' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('dialog[open]');
  expect(await faults()).toEqual([]);
  expect(await page.evaluate(() => (document.activeElement as HTMLInputElement).name)).toBe('subject');
  for (let n = 0; n < 3; n++) await page.keyboard.press('Tab');
  await page.keyboard.type('advertising');
  await page.keyboard.press('Enter');
  await said('Banned: Writer: crypto_king');
  expect((await sites().fresh('demo')).bans).toMatchObject([
    { kind: 'writer', value: 'key-crypto_king', action: 'reject', reason: 'advertising', by: 'mia', comment: 'c0001' },
  ]);

  await page.click('nav a:has-text("Bans")');
  await said('crypto_king');
  expect(await faults()).toEqual([]);
  await page.fill('input[name=value]', 'shop.example');
  await page.fill('input[name=reason]', 'sells watches');
  await page.selectOption('select[name=days]', '30');
  await page.keyboard.press('Enter');
  await said('Banned: Links to: shop.example');
  await page.click('button[aria-label="Lift: Writer crypto_king"]');
  await said('Lifted');
  expect((await sites().fresh('demo')).bans).toMatchObject([{ kind: 'host', value: 'shop.example' }]);
});

it('offers the rule after three alike rejections, and one key adds it', async () => {
  for (const id of ['s1', 's2', 's3']) {
    await addComment(ports, {
      id,
      heldAt: 1,
      submittedAt: 1,
      linkHosts: ['shop.example'],
      author: { name: 'S', key: id },
    });
  }
  await page.reload();
  for (const id of ['s1', 's2', 's3']) {
    await page.click(`[data-id=${id}] .row-open`);
    await page.keyboard.press('s');
    await page.waitForSelector(`[data-id=${id}].done`);
  }
  await said('3 rejected alike: links to shop.example.');
  expect(await page.textContent('.offer')).toContain('3 of 3 rejected, 0 of 1 published');
  expect(await faults()).toEqual([]);
  await page.keyboard.press('y');
  await said('Rule added: links to shop.example');
  const [ban] = (await sites().fresh('demo')).bans;
  expect(ban).toMatchObject({ kind: 'host', value: 'shop.example', action: 'reject', by: 'mia' });
  expect((ban?.expiresAt ?? 0) - Date.now()).toBeLessThanOrEqual(30 * 86_400_000);
  await expect.poll(() => page.textContent('.offer')).toBe('');
});

it('asks for the reasons that the site’s policy has', async () => {
  await sites().putPolicy('demo', Policy.parse({ reasons: ['rude', 'advertising'] }), 0, 'ann');
  await page.reload();
  await page.click('[data-id=c0001] .row-open');
  await page.keyboard.press('r');
  await expect.poll(() => page.locator('.reasons button').allTextContents()).toEqual(['1 rude', '2 advertising']);
  await page.keyboard.press('2');
  await expect.poll(async () => (await storeOf(ports.table, ports.clock).mustGet('c0001')).reason).toBe('advertising');
});
