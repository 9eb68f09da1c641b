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
  // Sooner than the test's own end, so that a failure names its line.
  window.setDefaultTimeout(10_000);
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
  expect(await page.inputValue('dialog select[name=days]')).toBe('7');
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
  await expect.poll(() => page.locator('.offer').count()).toBe(0);
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

it('sets by form what a policy sets: hours, absence, lists with an end, reasons', async () => {
  await page.click('nav a:has-text("Policy")');
  await page.fill('textarea[name=blocklist]', '!casino | 2027-01-31\nraffle');
  await page.fill('textarea[name=reasons]', 'rude\nadvertising');
  await page.fill('input[name=heatPerMinute]', '12');
  await page.fill('input[name=holdUntil]', '2027-01-01T08:00');
  await page.check('input[name="providers.akismet"]');
  await page.click('button:has-text("Add hours")');
  await page.uncheck('.hours label:has-text("Sun") input');
  await page.fill('.hours input[type=time] >> nth=0', '23:00');
  await page.fill('.hours label:has-text("Time zone") input', 'Europe/Paris');
  expect(await faults()).toEqual([]);
  await page.click('button:has-text("Save")');
  await said('Saved as version 1');
  expect((await sites().fresh('demo')).policy.policy).toMatchObject({
    blocklist: [
      { term: 'casino', action: 'reject', expiresAt: Date.UTC(2027, 1, 1) },
      { term: 'raffle', action: 'hold' },
    ],
    reasons: ['rude', 'advertising'],
    heatPerMinute: 12,
    holdUntil: new Date('2027-01-01T08:00').getTime(),
    providers: { akismet: true },
    hours: [{ days: [1, 2, 3, 4, 5, 6], from: '23:00', to: '07:00', timeZone: 'Europe/Paris' }],
  });
  await page.fill('textarea[name=reasons]', 'Not A Code');
  await page.click('button:has-text("Save")');
  await said('reasons/0');
});

it('shows who changed what in the policy, and goes back to an earlier version', async () => {
  await sites().putPolicy('demo', Policy.parse({ blocklist: [{ term: 'casino' }] }), 0, 'ann');
  await sites().putPolicy('demo', Policy.parse({ blocklist: [{ term: 'poker' }] }), 1, 'bo');
  await page.click('nav a:has-text("Policy")');
  await said('Version 2 by bo');
  await expect.poll(() => page.locator('.versions > li').count()).toBe(2);
  const [newest, first] = await page.locator('.versions > li').allTextContents();
  expect(newest).toContain('bo');
  expect(newest).toContain('poker');
  expect(first).toContain('ann');
  await page.click('button:has-text("Go back to this one")');
  expect(await page.inputValue('textarea[name=blocklist]')).toBe('casino');
  await page.click('button:has-text("Save")');
  await said('Saved as version 3');
  expect((await sites().fresh('demo')).policy).toMatchObject({
    by: 'mia',
    policy: { blocklist: [{ term: 'casino' }] },
  });
});

it('tries a draft on the past side by side with what moderators decided', async () => {
  const now = ports.clock.now();
  for (let n = 0; n < 6; n++) {
    const submittedAt = now - n * 86_400_000;
    const { judgement } = await storeOf(ports.table, ports.clock).mustGet('c0001');
    await addComment(ports, {
      id: `p${n}`,
      status: 'published',
      submittedAt,
      decidedBy: 'user:tom',
      judgement: { ...judgement!, verdict: 'publish', score: 0.1, reason: 'clean' },
    });
  }
  await page.click('nav a:has-text("Policy")');
  await page.check('input[name=premoderate]');
  await page.click('button:has-text("Try")');
  await said('would be decided otherwise');
  await said('Published, tom');
  await said('Held on each day');
  expect(await page.locator('.plot rect.draft').count()).toBeGreaterThanOrEqual(6);
  expect(await faults()).toEqual([]);
});

it('lets a draft run in the shadow, reports, and makes it live', async () => {
  await page.click('nav a:has-text("Policy")');
  await page.check('input[name=premoderate]');
  await page.click('button:has-text("Let this draft run beside")');
  await said('0 of 0 comments would have been decided otherwise.');
  const { shadow, policy } = await sites().fresh('demo');
  expect([shadow?.policy.premoderate, policy.version]).toEqual([true, 0]);
  const comment = await addComment(ports, { id: 'new1', status: 'published', author: { name: 'Nora', key: 'n' } });
  const { recordShadow } = await import('../../services/spam-check/shadow.ts');
  await recordShadow(ports.table, shadow?.id ?? '', comment, { was: 'publish', would: 'hold', at: ports.clock.now() });
  await page.click('button:has-text("Refresh")');
  await said('1 of 1 comments would have been decided otherwise.');
  await said('Nora');
  expect(await faults()).toEqual([]);
  await page.click('button:has-text("Make it live")');
  await said('Saved as version 1');
  await page.waitForSelector('button:has-text("Let this draft run beside")');
  const after = await sites().fresh('demo');
  expect([after.shadow, after.policy.policy.premoderate]).toEqual([undefined, true]);
});

it('shows what Sluice would have done with an import, and takes its verdicts as training by one key', async () => {
  const now = ports.clock.now();
  for (let n = 0; n < 40; n++) {
    const refused = n % 2 === 0;
    await addComment(ports, {
      id: `i${n}`,
      imported: true,
      status: refused ? 'spam' : 'published',
      author: { name: `Reader ${n}`, key: `r${n}` },
      submittedAt: now - (40 - n) * 3_600_000,
      body: refused ? `A quiet remark ${n} that the site refused all the same.` : `Thanks, that helped in case ${n}.`,
    });
  }
  await page.click('nav a:has-text("Sites")');
  await page.click('a:has-text("The import as proof")');
  await page.click('button:has-text("Judge them")');
  await said('12 comments since');
  await said('Strongest disagreements');
  expect(await faults()).toEqual([]);
  await page.keyboard.press('y');
  await said('Accepted: 28 comments teach the judge of this site');
  const { lessonsOf } = await import('../../services/spam-check/lessons.ts');
  expect((await lessonsOf(ports.table, ports.clock).of('demo')).lessons).toHaveLength(28);
  await page.click('button:has-text("Take back what imports taught")');
  await said('Taken back');
  expect((await lessonsOf(ports.table, ports.clock).of('demo')).lessons).toHaveLength(0);
});

it('trusts a writer from a comment, which is a version of the policy', async () => {
  await page.click('[data-id=c0002] .row-open');
  await page.click('button:has-text("Trust this writer")');
  await said('Trusted from now on: Björn Åström');
  const { policy } = await sites().fresh('demo');
  expect(policy).toMatchObject({ version: 1, by: 'mia', policy: { trustedWriters: ['key-Björn Åström'] } });
});

it('leaves to admins what is theirs', async () => {
  await page.context().close();
  page = await signedIn('tom');
  await page.click('[data-id=c0001] .row-open');
  await page.click('.detail button:has-text("Ban")');
  await page.waitForSelector('dialog[open]');
  expect(await page.locator('select[name=days] option').allTextContents()).toEqual(['1 day', '7 days', '30 days']);
  await page.keyboard.press('Escape');
  expect(await page.locator('button:has-text("Trust this writer")').count()).toBe(0);
  await page.click('nav a:has-text("Policy")');
  await said('A draft in the shadow');
  expect(await page.locator('button:has-text("Let this draft run beside")').count()).toBe(0);
  expect(await page.isDisabled('input[name=premoderate]')).toBe(true);
});
