import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { ADMIN_PASSWORD, testInstance } from '../instance.ts';
import { launchBrowser } from './launch.ts';
import { listenFor } from './listen.ts';

/** `npm run screenshots`: a picture of every page, from a fresh instance with a little work on it. */
const OUT = fileURLToPath(new URL('../../docs/pictures/', import.meta.url));
mkdirSync(OUT, { recursive: true });

const FOUR_LINKS = 'https://a.example https://b.example https://c.example https://d.example';

const { sluice, url } = await listenFor(testInstance);
const browser = await launchBrowser();
try {
  await sluice.quiet();
  const admin = await sluice.asAdmin();
  const post = (path: string, body: object) => sluice.call('POST', path, body, admin);
  const { body: listed } = await sluice.call('GET', '/v1/moderation/comments?site=demo&status=held', undefined, admin);
  const [held] = listed.comments as { id: string; version: number }[];
  for (let n = 0; n < 3; n++) {
    await sluice.call('POST', '/v1/sites/demo/threads/how-a-comment-travels/comments', {
      author: { name: `Link friend ${n + 1}` },
      body: `More on this at ${FOUR_LINKS}, part ${n + 1}.`,
    });
  }
  const thread = '/v1/sites/demo/threads/how-a-comment-travels/comments';
  const asking = {
    author: { name: 'Noor', email: 'noor@people.example' },
    body: 'Will I hear of answers?',
    notifyReplies: true,
  };
  const { body: question } = await sluice.call('POST', thread, asking);
  await sluice.quiet();
  await sluice.call('POST', thread, { author: { name: 'Ravi' }, body: 'You will, by mail.', parentId: question.id });
  await post('/v1/moderation/users', {
    name: 'mia',
    password: 'long enough for mia',
    roles: [{ site: 'demo', role: 'moderator' }],
  });
  await post('/v1/moderation/sites/demo/webhooks', { url: 'https://hooks.example/sluice' });
  await post('/v1/moderation/threads/aliases', { site: 'demo', key: 'how-a-comment-travels', alias: '/old-address' });
  await sluice.runtime.ports.bus.put([
    { source: 'sluice.comments', type: 'CommentSubmitted', detail: { schema: 1, site: 'demo', thread: '/a', body: 7 } },
  ]);
  await sluice.quiet();
  const { body: now } = await sluice.call('GET', '/v1/moderation/comments?site=demo&status=held', undefined, admin);
  const [, second] = now.comments as { id: string; version: number }[];
  if (second) {
    await post('/v1/moderation/decisions', {
      decisions: [{ id: second.id, version: second.version, action: 'publish' }],
    });
  }

  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  const picture = async (name: string, on: Page = page) => {
    await on.waitForTimeout(700);
    await on.screenshot({ path: `${OUT}${name}.png` });
  };
  const signIn = async (on: Page) => {
    await on.goto(`${url}/moderate`);
    await on.fill('input[name=user]', 'admin');
    await on.fill('input[name=password]', ADMIN_PASSWORD);
    await on.keyboard.press('Enter');
    await on.waitForSelector('.row:not(.gap)');
  };

  await page.goto(`${url}/`);
  await page.waitForTimeout(1000);
  await page.locator('sluice-comments').evaluate((widget) => widget.scrollIntoView({ block: 'start' }));
  await picture('thread');
  await page.goto(`${url}/t/demo/how-a-comment-travels`);
  await picture('thread-page');
  await page.goto(`${url}/privacy`);
  await picture('privacy');
  await page.goto(`${url}/author`);
  await picture('author');
  await page.goto(`${url}/moderate`);
  await picture('sign-in');
  await signIn(page);
  await picture('desk');
  await page.keyboard.press('f');
  await picture('desk-filters');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await picture('desk-shortcuts');
  await page.keyboard.press('Escape');
  const places = [
    'dead-letters',
    'policy',
    'bans',
    'proof',
    'operations',
    'audit',
    'sites',
    'threads',
    'webhooks',
    'people',
  ];
  for (const place of places) {
    await page.goto(`${url}/moderate/#/${place}`);
    await picture(`desk-${place}`);
  }
  await page.goto(`${url}/moderate/#/comments/${second?.id ?? held?.id}`);
  await page.waitForSelector('.timeline');
  await page.click('summary:has-text("Drawn over")');
  await page.waitForSelector('svg.drawing');
  await page.locator('.timeline').scrollIntoViewIfNeeded();
  await picture('desk-story');
  await page.goto(`${url}/moderate/#/start`);
  await page.waitForSelector('.steps');
  await page.selectOption('.steps select', 'demo');
  await page.click('button:has-text("Send a test comment")');
  await page.waitForSelector('.follow .status');
  await page.locator('.follow').scrollIntoViewIfNeeded();
  await picture('desk-start');
  // Mail waits until a decision could have been undone.
  for (let look = 0; look < 20; look++) {
    await page.goto(`${url}/mailbox`);
    if ((await page.locator('ol.mails li').count()) > 0) break;
    await page.waitForTimeout(1000);
  }
  await picture('mailbox');
  await page.goto(`${url}/executions`);
  await picture('executions');
  await page.click('td a[href^="/executions/"]');
  await page.waitForSelector('svg.drawing');
  await picture('execution');

  const night = await browser.newPage({ viewport: { width: 1200, height: 800 }, colorScheme: 'dark' });
  await signIn(night);
  await picture('desk-dark', night);
  const phone = await browser.newPage({ viewport: { width: 390, height: 844 } });
  await signIn(phone);
  await picture('desk-phone', phone);
} finally {
  await browser.close();
  await sluice.end();
}
