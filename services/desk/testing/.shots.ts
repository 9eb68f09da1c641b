import { launchBrowser } from '/work/wt/desk/test/browser/launch.ts';
import { serveDesk } from '/work/wt/desk/services/desk/testing/serve.ts';
import { sampleDesk } from '/work/wt/desk/services/desk/testing/sample.ts';
const ports = await sampleDesk();
const { url, stop } = await serveDesk(ports);
const browser = await launchBrowser();
for (const [name, viewport, scheme] of [
  ['light', { width: 1280, height: 800 }, 'light'],
  ['dark', { width: 1280, height: 800 }, 'dark'],
  ['phone', { width: 390, height: 844 }, 'light'],
] as const) {
  const context = await browser.newContext({ viewport, colorScheme: scheme });
  const page = await context.newPage();
  page.on('console', (m) => {
    if (m.type() === 'error') console.log(name, m.text());
  });
  page.on('pageerror', (e) => console.log(name, String(e)));
  await page.goto(url + '/moderate/');
  await page.waitForSelector('input[name=user]');
  await page.screenshot({ path: `/tmp/shot-${name}-signin.png` });
  await page.fill('input[name=user]', 'mia');
  await page.fill('input[name=password]', 'correct horse battery');
  await page.click('button[type=submit]');
  await page.waitForSelector('.row');
  await page.waitForTimeout(600);
  await page.screenshot({ path: `/tmp/shot-${name}-queue.png` });
  if (name === 'phone') {
    await page.click('.row-open');
    await page.waitForTimeout(500);
    await page.screenshot({ path: `/tmp/shot-${name}-detail.png` });
    await page.click('.back');
  }
  if (name !== 'phone') {
    await page.keyboard.press('j');
    await page.keyboard.press('p');
    await page.waitForTimeout(300);
    await page.keyboard.press('x');
    await page.keyboard.press('r');
    await page.waitForTimeout(300);
    await page.screenshot({ path: `/tmp/shot-${name}-reject.png` });
    await page.keyboard.press('1');
    await page.waitForTimeout(500);
    await page.screenshot({ path: `/tmp/shot-${name}-after.png` });
  }
  for (const p of (process.argv[2] ?? 'dead-letters,comments/c0002').split(',')) {
    await page.goto(url + '/moderate/#/' + p);
    await page.waitForTimeout(500);
    await page.screenshot({ path: `/tmp/shot-${name}-${p.replace('/', '-')}.png` });
  }
  await context.close();
}
await browser.close();
await stop();
process.exit(0);
