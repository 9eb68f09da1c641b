import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from './launch.ts';
import { ADMIN_PASSWORD, testInstance } from '../instance.ts';
import { listenFor } from './listen.ts';

/** `npm run screenshots`: the pictures of the README, from a fresh instance. */
const OUT = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
mkdirSync(OUT, { recursive: true });

const { sluice, url } = await listenFor(testInstance);
const browser = await launchBrowser();
try {
  await sluice.quiet();
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  await page.goto(`${url}/`);
  await page.locator('sluice-comments').scrollIntoViewIfNeeded();
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `${OUT}thread.png` });
  await page.goto(`${url}/moderate`);
  await page.locator('input[type=password]').fill(ADMIN_PASSWORD);
  await page.locator('input:not([type=password])').first().fill('admin');
  await page.keyboard.press('Enter');
  await page.waitForTimeout(1500);
  await page.screenshot({ path: `${OUT}desk.png` });
} finally {
  await browser.close();
  await sluice.end();
}
