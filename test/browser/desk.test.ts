import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { frontEnds, buildFrontEnd } from '../../services/build.ts';
import { PASSWORD, sampleDesk } from '../../services/desk/testing/sample.ts';
import { serveDesk, type Served } from '../../services/desk/testing/serve.ts';
import { addComment, type Memory } from '../../services/moderation/testing/memory.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { launchBrowser } from './launch.ts';

const require = createRequire(import.meta.url);
let browser: Browser;
let ports: Memory;
let served: Served;
const pages: Page[] = [];

beforeAll(async () => {
  const config = frontEnds().find((file) => file.includes(join('services', 'desk')));
  if (config) await buildFrontEnd(config);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
});

beforeEach(async () => {
  ports = await sampleDesk(12);
  served = await serveDesk(ports);
});
afterEach(async () => {
  await Promise.all(pages.splice(0).map((page) => page.context().close()));
  await served.stop();
});

/** A window of its own, with its own cookies. Whatever fails in the page fails the test. */
async function open(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    throw error;
  });
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) throw new Error(message.text());
  });
  pages.push(page);
  await page.goto(`${served.url}/moderate/`);
  return page;
}

async function signedIn(user = 'mia', options: BrowserContextOptions = {}): Promise<Page> {
  const page = await open(options);
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.row:not(.gap)');
  return page;
}

const statusOf = async (id: string) => (await storeOf(ports.table, ports.clock).mustGet(id)).status;
const activeId = (page: Page) => page.getAttribute('.row.active', 'data-id');
const focusedId = (page: Page) =>
  page.evaluate(() => document.activeElement?.closest<HTMLElement>('.row')?.dataset['id'] ?? null);

async function until(what: () => Promise<boolean>, withinMs = 8000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await what())) {
    if (Date.now() > end) throw new Error('did not come to pass in time');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function axe(page: Page): Promise<string[]> {
  // Not through a script tag: the page's policy would refuse it, as it should.
  await page.evaluate(await readFile(require.resolve('axe-core/axe.min.js'), 'utf8'));
  return await page.evaluate(async () => {
    const found = await (
      globalThis as unknown as {
        axe: { run(options: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      }
    ).axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
  });
}

describe('the desk', () => {
  it('says why a sign-in failed, and opens on what waits', async () => {
    const page = await open();
    await page.fill('input[name=user]', 'mia');
    await page.fill('input[name=password]', 'wrong');
    await page.click('button[type=submit]');
    await until(async () => (await page.textContent('.fault'))?.includes('wrong') ?? false);
    await page.fill('input[name=password]', PASSWORD);
    await page.click('button[type=submit]');
    await page.waitForSelector('.row');
    expect(await page.textContent('.count-line')).toContain('12 comments');
  });

  it('leads to another page for signing in, where that is done by one (AWS)', async () => {
    const page = await open();
    await page.route('**/v1/moderation/sign-in', (route) =>
      route.fulfill({ json: { by: 'page', url: '/v1/moderation/oidc/sign-in' } }),
    );
    await page.reload();
    await page.waitForSelector('input[name=password]', { state: 'detached' });
    expect(await axe(page)).toEqual([]);
    await page.click('.sign-in button');
    await page.waitForURL('**/v1/moderation/oidc/sign-in');
  });

  it('is worked by keyboard alone', async () => {
    const page = await signedIn();
    await page.keyboard.press('j');
    await until(async () => (await focusedId(page)) === 'c0001');
    await page.keyboard.press('k');
    await until(async () => (await focusedId(page)) === 'c0000');

    await page.keyboard.press('p');
    await until(async () => (await statusOf('c0000')) === 'published');
    await until(async () => (await focusedId(page)) === 'c0001');
    await page.keyboard.press('u');
    await until(async () => (await statusOf('c0000')) === 'held');

    await page.keyboard.press('r');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('2');
    await until(async () => (await statusOf('c0001')) === 'rejected');
    expect((await storeOf(ports.table, ports.clock).mustGet('c0001')).reason).toBe('off-topic');
    await until(async () => (await focusedId(page)) === 'c0002');

    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('s');
    await until(async () => (await statusOf('c0002')) === 'spam' && (await statusOf('c0003')) === 'spam');
    await page.keyboard.press('u');
    await until(async () => (await statusOf('c0002')) === 'held' && (await statusOf('c0003')) === 'held');

    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open] .keys');
    await page.keyboard.press('Escape');
    await until(async () => (await page.$('dialog[open]')) === null);
    await page.keyboard.press('/');
    await page.keyboard.type('numbers behind');
    await page.keyboard.press('Enter');
    await until(async () => (await page.$$('.row:not(.gap)')).length === 1);
    expect(await page.textContent('.rows')).toContain('anna');
  });

  it('lets shortcuts be moved and switched off', async () => {
    const page = await signedIn();
    await page.keyboard.press('?');
    await page.click('.keys div:has-text("Publish") .key');
    await page.keyboard.press('a');
    await page.keyboard.press('Escape');
    await page.keyboard.press('p');
    await page.keyboard.press('a');
    await until(async () => (await statusOf('c0000')) === 'published');
    await page.keyboard.press('?');
    await page.click('dialog input[type=checkbox]');
    await page.keyboard.press('Escape');
    await page.keyboard.press('a');
    await page.waitForTimeout(200);
    expect(await statusOf('c0001')).toBe('held');
  });

  it('shows two moderators what the other does, and decides nothing twice', async () => {
    const mia = await signedIn('mia');
    const tom = await signedIn('tom');
    await until(async () => (await tom.textContent('[data-id=c0000]'))?.includes('mia is looking') ?? false);

    await tom.keyboard.press('j');
    await until(async () => (await focusedId(tom)) === 'c0001');
    await mia.keyboard.press('p');
    await until(async () => (await statusOf('c0000')) === 'published');
    await until(async () => (await tom.textContent('[data-id=c0000]'))?.includes('Already published by mia') ?? false);
    expect(await focusedId(tom)).toBe('c0001');

    // Both at once. Whoever hears of the other before the click has nothing left to click on.
    const press = (who: Page, word: string) =>
      who.click(`[data-id=c0004] .actions button:has-text("${word}")`, { timeout: 3000 }).catch(() => undefined);
    await Promise.all([press(mia, 'Spam'), press(tom, 'Publish')]);
    await until(async () => ['spam', 'published'].includes(await statusOf('c0004')));
    const winner = await statusOf('c0004');
    const loser = winner === 'spam' ? tom : mia;
    await until(async () => (await loser.textContent('[data-id=c0004]'))?.includes(`Already ${winner} by`) ?? false);
    const decisions = ports.put.filter(
      ({ type, detail }) => type === 'DecisionMade' && (detail as { id: string }).id === 'c0004',
    );
    expect(decisions).toHaveLength(1);
  });

  it('narrows the list by keyboard, and says by what', async () => {
    const page = await signedIn();
    await page.keyboard.press('f');
    await page.waitForSelector('dialog[open] input[name=author]');
    await page.keyboard.type('anna');
    await page.keyboard.press('Enter');
    await until(async () => (await page.$$('.row:not(.gap)')).length === 1);
    expect(await page.textContent('.chips')).toContain('Writer: anna');
    await page.click('.chip');
    await until(async () => (await page.$$('.row:not(.gap)')).length === 12);
    await page.keyboard.press('f');
    await page.fill('dialog input[name=until]', '2020-01-01');
    await page.keyboard.press('Enter');
    await until(async () => (await page.textContent('.empty'))?.includes('No comment fits') ?? false);
  });

  it('announces what comes meanwhile, and moves nothing under the hand', async () => {
    const page = await signedIn();
    await page.keyboard.press('j');
    await until(async () => (await focusedId(page)) === 'c0001');
    const before = await page.$eval('[data-id=c0001]', (row) => row.getBoundingClientRect().top);
    await page.waitForTimeout(2200);
    await addComment(ports, { id: 'late', body: 'A late one' });
    await until(async () => (await page.textContent('.count-line'))?.includes('1 new') ?? false);
    expect(await focusedId(page)).toBe('c0001');
    expect(await page.$eval('[data-id=c0001]', (row) => row.getBoundingClientRect().top)).toBe(before);
    await page.click('.pill');
    await until(async () => (await page.textContent('.count-line'))?.includes('13 comments') ?? false);
  });

  it('keeps nasty markup inert', async () => {
    const nasty = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>';
    await addComment(ports, {
      id: 'nasty',
      heldAt: 1,
      submittedAt: 1,
      body: nasty,
      excerpt: nasty,
      // What a hole in the sanitizer would let through: the content security policy stands behind it.
      html: `<p>${nasty}<a href="javascript:window.hurt=1">x</a></p>`,
      author: { name: nasty, key: 'nasty' },
      judgement: {
        verdict: 'hold',
        score: 0.6,
        toxicity: 0,
        lang: 'en',
        signals: [{ name: 'x', weight: 1, words: nasty }],
        reason: 'score',
        policyVersion: 0,
        modelVersion: 'none',
        executionId: 'run',
        revision: 1,
        at: 1,
      },
    });
    const context = await browser.newContext();
    const page = await context.newPage();
    pages.push(page);
    await page.goto(`${served.url}/moderate/`);
    await page.fill('input[name=user]', 'mia');
    await page.fill('input[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-id=nasty]');
    await page.waitForSelector('.detail .text a');
    await page.click('.detail .text a').catch(() => undefined);
    await page.goto(`${served.url}/moderate/#/comments/nasty`);
    await page.waitForSelector('.timeline');
    expect(await page.evaluate(() => (globalThis as { hurt?: number }).hurt)).toBeUndefined();
    expect(await page.$$('.rows script, .rows img')).toEqual([]);
  });

  it('goes on after a session ended, with what was being done', async () => {
    const page = await signedIn();
    for (const [key] of ports.items) if (key.startsWith('SESSION#')) ports.items.delete(key);
    await page.keyboard.press('p');
    await page.waitForSelector('dialog input[name=password]');
    await page.fill('dialog input[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    await until(async () => (await statusOf('c0000')) === 'published');
    expect(await page.textContent('.who')).toBe('mia');
  });

  it('sends a decision as soon as the server is back', async () => {
    const page = await signedIn();
    const port = Number(new URL(served.url).port);
    await served.stop();
    await page.keyboard.press('p');
    await page.waitForTimeout(300);
    expect(await statusOf('c0000')).toBe('held');
    served = await serveDesk(ports, port);
    await until(async () => (await statusOf('c0000')) === 'published');
    await until(async () => (await page.textContent('[data-id=c0000]'))?.includes('Published') ?? false);
    const decisions = ports.put.filter(({ type }) => type === 'DecisionMade');
    expect(decisions).toHaveLength(1);
  });

  it('says at the row what the server refused', async () => {
    const page = await signedIn('tom');
    const tom = [...ports.items.values()].find((item) => item.pk === 'U#tom' && item.sk === 'user');
    if (tom) tom['roles'] = [{ site: 'garden.example', role: 'moderator' }];
    await page.keyboard.press('p');
    await until(async () => (await page.textContent('[data-id=c0000]'))?.includes('role does not allow') ?? false);
    expect(await statusOf('c0000')).toBe('held');
  });

  it('sends dead letters again, one and all', async () => {
    const page = await signedIn();
    await page.click('nav a:has-text("Dead letters")');
    await page.waitForSelector('.letter');
    expect(await page.textContent('.cards')).toContain('550 5.1.1 the mailbox does not exist');
    await page.click('.letter:first-child button');
    await until(async () => (await page.$$('.letter')).length === 1);
    await page.click('button:has-text("Send all again")');
    await until(async () => (await page.$$('.letter')).length === 0);
    expect(ports.sent.map(({ queue }) => queue).sort()).toEqual(['intake', 'notify']);
  });

  it('saves a policy that was tried before, and says when somebody was faster', async () => {
    const page = await signedIn();
    await page.click('nav a:has-text("Policy")');
    await page.fill('.policy input[type=number] >> nth=0', '70');
    await page.click('button:has-text("Try")');
    await until(async () => (await page.textContent('.page'))?.includes('would be decided otherwise') ?? false);
    await page.click('button:has-text("Save")');
    await until(async () => (await page.textContent('.page'))?.includes('Saved as version 1') ?? false);
    const other = await signedIn();
    await other.click('nav a:has-text("Policy")');
    await other.fill('.policy input[type=number] >> nth=0', '60');
    await page.fill('.policy input[type=number] >> nth=0', '65');
    await page.click('button:has-text("Save")');
    await until(async () => (await page.textContent('.page'))?.includes('Saved as version 2') ?? false);
    await other.click('button:has-text("Save")');
    await until(async () => (await other.textContent('.page'))?.includes('version 2 by mia is newer') ?? false);
    expect(await other.inputValue('.policy input[type=number] >> nth=0')).toBe('60');
  });

  it('sweeps what is alike, and takes it back', async () => {
    const page = await signedIn();
    await page.waitForSelector('button:has-text("All by this writer")');
    await page.click('button:has-text("All by this writer")');
    await page.click('button:has-text("Decide all 2")');
    await page.click('dialog .reasons button:has-text("Spam")');
    await until(async () => (await statusOf('c0000')) === 'spam' && (await statusOf('c0008')) === 'spam');
    await page.click('dialog button:has-text("Undo")');
    await until(async () => (await statusOf('c0000')) === 'held' && (await statusOf('c0008')) === 'held');
    expect(await statusOf('c0001')).toBe('held');
  });

  it('takes back all that one person decided', async () => {
    const tom = await signedIn('tom');
    await tom.waitForSelector('.row:not(.gap)');
    await tom.keyboard.press('s');
    await until(async () => (await statusOf('c0000')) === 'spam');
    const page = await signedIn();
    await page.click('nav a:has-text("People")');
    const card = page.locator('.card:has(h2:has-text("tom"))');
    await card.locator('summary:has-text("Take back")').click();
    await card.locator('input[name=since]').fill('2020-01-01');
    await card.locator('button:has-text("Take back")').click();
    await until(
      async () => (await page.textContent('.said'))?.includes('1 decision and 0 lessons taken back') ?? false,
    );
    expect(await statusOf('c0000')).toBe('held');
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
  ] as const)('gives axe nothing to find, %s at %i px', async (colorScheme, width) => {
    const page = await open({ colorScheme, viewport: { width, height: 844 } });
    await page.waitForSelector('input[name=user]');
    expect(await axe(page)).toEqual([]);
    await page.fill('input[name=user]', 'mia');
    await page.fill('input[name=password]', PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.row:not(.gap)');
    if (width > 900) {
      await page.waitForSelector('#note');
      await page.keyboard.press('p');
      await page.keyboard.press('x');
      await page.waitForSelector('.row.done');
    }
    expect(await axe(page)).toEqual([]);
    await page.click('button[aria-label="Shortcuts"]');
    expect(await axe(page)).toEqual([]);
    await page.keyboard.press('Escape');
    for (const place of [
      'dead-letters',
      'policy',
      'bans',
      'proof',
      'operations',
      'audit',
      'sites',
      'people',
      'comments/c0002',
    ]) {
      await page.goto(`${served.url}/moderate/#/${place}`);
      await page.waitForSelector('.page');
      await page.waitForTimeout(150);
      expect([place, await axe(page)]).toEqual([place, []]);
    }
  });

  it.each([
    ['de', 'Warteschlange'],
    ['fr', 'File'],
  ])('speaks %s', async (language, word) => {
    const page = await signedIn('mia', { locale: language });
    expect(await page.textContent('header nav')).toContain(word);
    expect(await page.getAttribute('html', 'lang')).toBe(language);
  });
});

describe('the desk at size', () => {
  it('scrolls through 5,000 held comments with a few dozen rows in the page', async () => {
    await served.stop();
    ports = await sampleDesk(5000);
    served = await serveDesk(ports);
    const page = await signedIn();
    await until(async () => (await page.textContent('.count-line'))?.includes('5,000') ?? false);
    expect(await page.getAttribute('.row.active', 'aria-setsize')).toBe('5000');
    for (let round = 0; round < 12; round++) {
      await page.evaluate((share) => {
        const rows = document.querySelector('.rows');
        rows?.scrollTo({ top: rows.scrollHeight * share });
      }, round / 11);
      await page.waitForTimeout(30);
      expect((await page.$$('.row')).length).toBeLessThan(40);
    }
    await until(async () => (await page.$('[data-id=c4999]')) !== null, 30_000);
    expect(await activeId(page)).toBe('c0000');
  }, 90_000);

  it('shows a decision in the next frame whatever the server does, and what it says in the same place', async () => {
    const page = await signedIn();
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/v1/moderation/decisions', async (route) => {
      await answered;
      await route.fallback();
    });
    const frames = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let count = 0;
          const look = () => {
            count++;
            const said = document.querySelector('[data-id=c0000] .outcome')?.textContent ?? '';
            if (said.includes('Published') || count === 100) resolve(count);
            else requestAnimationFrame(look);
          };
          document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'p', bubbles: true }));
          requestAnimationFrame(look);
        }),
    );
    expect(frames).toBe(1);
    expect(await statusOf('c0000')).toBe('held');
    // Nothing to take back yet; what is there moves no more once there is.
    expect(await page.isVisible('[data-id=c0000] .outcome button')).toBe(false);
    const placeOf = () => page.$eval('[data-id=c0000] .outcome', (word) => word.getBoundingClientRect().left);
    const before = await placeOf();
    answer();
    await page.waitForSelector('[data-id=c0000].done .outcome button');
    expect(await statusOf('c0000')).toBe('published');
    expect(Math.abs((await placeOf()) - before)).toBeLessThan(12);
  });
});

describe('the page', () => {
  it.each([1280, 390])(
    'shifts nothing by itself at %i px, whatever comes and goes',
    async (width) => {
      const page = await open({ viewport: { width, height: 800 } });
      await page.addInitScript(() => {
        const shifts: string[] = [];
        Object.assign(globalThis, { shifts });
        type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean; sources: { node: Node | null }[] };
        new PerformanceObserver((list) => {
          for (const { value, hadRecentInput, sources } of list.getEntries() as Shift[]) {
            const nodes = sources.map(({ node }) => (node instanceof Element ? node.outerHTML.slice(0, 80) : ''));
            if (!hadRecentInput) shifts.push(`${location.hash} ${value.toFixed(4)} ${nodes.join(' | ')}`);
          }
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await page.reload();
      await page.fill('input[name=user]', 'mia');
      await page.fill('input[name=password]', PASSWORD);
      await page.keyboard.press('Enter');
      await page.waitForSelector('.row:not(.gap)');
      // Half a second after a key, what shifts counts as wanted.
      const rest = () => page.waitForTimeout(600);
      for (const key of ['j', 'k', 'p', 'u', 's']) {
        await page.keyboard.press(key);
        await rest();
      }
      const tom = await signedIn('tom');
      await tom.click('[data-id=c0005] .actions button:has-text("Publish")');
      await until(async () => (await page.textContent('[data-id=c0005]'))?.includes('by tom') ?? false);
      await addComment(ports, { id: 'late', body: 'A late one' });
      await until(async () => (await page.textContent('.count-line'))?.includes('1 new') ?? false);
      const places = ['dead-letters', 'policy', 'bans', 'proof', 'operations', 'audit', 'sites', 'threads', 'webhooks'];
      for (const place of [...places, 'people', 'start', 'comments/c0005', '']) {
        await page.evaluate((hash) => {
          location.hash = `#/${hash}`;
        }, place);
        await rest();
      }
      const port = Number(new URL(served.url).port);
      await served.stop();
      await page.waitForSelector('.offline:not([hidden])');
      served = await serveDesk(ports, port);
      await page.waitForSelector('.offline', { state: 'hidden' });
      expect(await page.evaluate(() => (globalThis as unknown as { shifts: string[] }).shifts)).toEqual([]);
    },
    90_000,
  );
});
