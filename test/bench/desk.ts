import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { launchBrowser } from '../browser/launch.ts';
import { chanceOf, nameOf, remark } from '../faults/chance.ts';
import { freePort, PASSWORD, startChild } from '../faults/child.ts';

const HELD = 120;
const DECISIONS = 60;

/**
 * The desk as a moderator meets it: the server in a process of its own, a browser with a cold cache, comments that wait.
 *
 * @param folder of an instance with a site that holds comments with many links
 */
export async function deskFigures(
  folder: string,
  site: string,
  say: (name: string, value: number) => void,
): Promise<void> {
  const child = startChild(folder, await freePort());
  await child.ready;
  const url = `http://127.0.0.1:${child.port}/moderate/`;
  for (let n = 0; n < HELD; n++) {
    const links = [1, 2, 3, 4].map((link) => `https://d${n}-${link}.example/`).join(' ');
    await child.call(
      'POST',
      `/v1/sites/${site}/threads/desk-${n % 5}/comments`,
      { author: { name: nameOf(n) }, body: `${remark(chanceOf(n))} ${links}` },
      { 'x-forwarded-for': `198.18.3.${n}` },
    );
  }
  const browser = await launchBrowser();
  try {
    // Once, so that what is measured is the page and not the browser's own start.
    await (await browser.newPage()).goto(url);

    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const loaded: Promise<number>[] = [];
    page.on('response', (answer) => {
      if (/\.(js|css)$/.test(answer.url())) loaded.push(answer.body().then((body) => gzipSync(body).byteLength));
    });
    await page.goto(url);
    const interactive = await page.evaluate(async () => {
      while (!document.querySelector('input[name=user]')) await new Promise(requestAnimationFrame);
      return performance.now();
    });
    say('the desk: scripts and styles of the first load, gzip KB', (await total(loaded)) / 1000);
    say('  interactive on a cold cache, ms', interactive);

    await page.fill('input[name=user]', 'admin');
    await page.fill('input[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.row.active');
    const times: Times[] = [];
    for (let n = 0; n < DECISIONS; n++) times.push(await decide(page, n % 2 === 0 ? 'p' : 's'));
    const share = (of: keyof Times, part: number) =>
      times.map((one) => one[of]).toSorted((a, b) => a - b)[Math.floor(times.length * part)] ?? 0;
    say('  key to the frame that shows the decision, p50 ms', share('shown', 0.5));
    say('    p95 ms', share('shown', 0.95));
    say("  key to the frame that shows the server's answer, p50 ms", share('confirmed', 0.5));
    say('    p95 ms', share('confirmed', 0.95));
  } finally {
    await browser.close();
    await child.stop();
  }
}

const total = async (sizes: readonly Promise<number>[]) =>
  (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);

type Times = { shown: number; confirmed: number };

/** From the key to the end of the frames that show the decision, and that the server has it. */
async function decide(page: Page, key: string): Promise<Times> {
  await page.waitForFunction(() => document.querySelector('.row.active.open'));
  // As a hand would: one after the other, once the page has come to rest.
  await page.waitForTimeout(120);
  return page.evaluate(
    (pressed) =>
      new Promise<Times>((resolve) => {
        const id = document.querySelector<HTMLElement>('.row.active')?.dataset['id'];
        const began = performance.now();
        const times: Partial<Times> = {};
        const look = () => {
          const row = document.querySelector(`.row[data-id="${id}"]`);
          // Timers run once what this frame draws is drawn.
          if (row && !row.classList.contains('open')) {
            setTimeout(() => (times.shown ??= performance.now() - began));
          }
          if (row?.classList.contains('done')) {
            setTimeout(() => resolve({ shown: 0, ...times, confirmed: performance.now() - began }));
          } else requestAnimationFrame(look);
        };
        document.body.dispatchEvent(new KeyboardEvent('keydown', { key: pressed, bubbles: true }));
        requestAnimationFrame(look);
      }),
    key,
  );
}
