import { expect, it } from 'vitest';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import type { Comment } from '../../shared/comment.ts';
import { writerKeyOf } from '../../shared/door-note.ts';
import { Policy } from '../../shared/policy.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { headItem } from '../../shared/store/keys.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { vaultOf } from '../../shared/vault.ts';
import { exportRows } from './export.ts';
import { findPerson, forgetEmail } from './forget.ts';
import { importOwn } from './own.ts';
import { ReportCollector } from './report.ts';
import { encode } from './sluice.ts';
import { importWriter } from './write.ts';

const SITE = 'blog';
const EMAIL = 'ann@example.org';
const DAYS = 86_400_000;

/** An instance with keys of its own. */
async function instance(key: number): Promise<MemoryPorts> {
  const ports = { ...memoryPorts(), vault: vaultOf(new Uint8Array(32).fill(key)) };
  await sitesOf(ports.table, ports.clock).put({
    id: SITE,
    name: 'Blog',
    origins: [],
    threadParams: [],
    authors: [],
    moderatorEmails: [],
  });
  return ports;
}

/** A published comment of a writer with an address, and what the person asked for. */
async function withAnn(): Promise<{ ports: MemoryPorts; key: string }> {
  const ports = await instance(1);
  const contacts = contactsOf(ports.table, ports.vault, ports.clock);
  const contact = await contacts.exchange({ email: EMAIL, lang: 'de' });
  const key = writerKeyOf(ports.vault, SITE, { email: EMAIL, name: '' });
  const comment: Comment = {
    id: 'c1',
    site: SITE,
    thread: '/figs',
    parentId: null,
    depth: 0,
    status: 'received',
    version: 1,
    revision: 1,
    publishedRevision: null,
    pendingRevision: null,
    author: { name: 'Ann', contact, key },
    notifyReplies: true,
    lane: '',
    contentHash: 'h',
    excerpt: 'Words',
    fingerprint: '',
    linkHosts: [],
    lang: '',
    submittedAt: 1_700_000_000_000,
    reports: 0,
    appeals: 0,
  };
  const store = storeOf(ports.table, ports.clock);
  const text = { commentId: 'c1', revision: 1, body: 'Words', html: '<p>Words</p>\n', at: comment.submittedAt };
  await store.create(comment, text);
  const set = { status: 'published', publishedRevision: 1, publishedAt: comment.submittedAt } as const;
  await store.change(comment, { set, by: 'policy', action: 'publish' });
  return { ports, key };
}

async function move(from: MemoryPorts, to: MemoryPorts): Promise<void> {
  const pieces = encode(exportRows(from, SITE, { contacts: true }), { contacts: true });
  const report = new ReportCollector();
  const { site } = await sitesOf(to.table, to.clock).fresh(SITE);
  const writer = importWriter({ ...to, site, report });
  const options = { ...to, site, policy: Policy.parse({}), aliases: new Map(), report, writer, dryRun: false };
  await importOwn(pieces, options);
  expect(report.report()).toMatchObject({ imported: 1, skipped: [] });
}

it('knows a writer again after a move, and keeps trusting them', async () => {
  const { ports: from, key } = await withAnn();
  const { policy } = await sitesOf(from.table, from.clock).fresh(SITE);
  const trusting = Policy.parse({ ...policy.policy, trustedWriters: [key, 'somebody'] });
  await sitesOf(from.table, from.clock).putPolicy(SITE, trusting, policy.version, 'user:ada');
  const to = await instance(2);
  await move(from, to);
  const here = writerKeyOf(to.vault, SITE, { email: EMAIL, name: '' });
  expect(here).not.toBe(key);
  const store = storeOf(to.table, to.clock);
  expect(await store.get('c1')).toMatchObject({ author: { name: 'Ann', key: here } });
  expect(await store.writerHistory(SITE, here)).toMatchObject({ published: 1 });
  const moved = (await sitesOf(to.table, to.clock).fresh(SITE)).policy;
  expect(moved).toMatchObject({ by: 'user:ada', policy: { trustedWriters: [here, 'somebody'] } });
});

it('finds a writer by address long after the contact has expired', async () => {
  const { ports: from } = await withAnn();
  const to = await instance(2);
  await move(from, to);
  to.wind(8 * DAYS);
  expect(await forgetEmail(to, EMAIL)).toMatchObject({ comments: ['c1'] });
  expect(JSON.stringify([...to.table.items.values()])).not.toContain('Ann');
});

it('lets others come to their turn while a person is looked for in a big site', async () => {
  const { ports } = await withAnn();
  const first = (await storeOf(ports.table, ports.clock).get('c1'))!;
  for (let n = 2; n <= 1500; n++) await ports.table.write([{ put: headItem({ ...first, id: `c${n}` }) }]);
  let turns = 0;
  let looking = true;
  const other = () => {
    turns += 1;
    if (looking) setImmediate(other);
  };
  setImmediate(other);
  expect((await findPerson(ports, EMAIL)).comments).toHaveLength(1500);
  looking = false;
  expect(turns).toBeGreaterThan(5);
});

it('mails nobody after a move who had opted out before it', async () => {
  const { ports: from } = await withAnn();
  const before = contactsOf(from.table, from.vault, from.clock);
  await before.unsubscribe(before.hashOf(EMAIL), `${SITE}#/figs`);
  await before.unsubscribe(before.hashOf(EMAIL), `other#/plums`);
  const to = await instance(2);
  await move(from, to);
  const after = contactsOf(to.table, to.vault, to.clock);
  const hash = after.hashOf(EMAIL);
  expect(await after.barred(hash, SITE, '/figs')).toBe('unsubscribed');
  expect(await after.barred(hash, SITE, '/plums')).toBeUndefined();
  expect(await after.barred(hash, 'other', '/plums')).toBeUndefined();
  expect(await after.get(String((await storeOf(to.table, to.clock).get('c1'))?.author.contact))).toMatchObject({
    lang: 'de',
  });

  await before.unsubscribe(before.hashOf(EMAIL), 'all');
  const third = await instance(3);
  third.wind(8 * DAYS); // the file is older than the contact may become
  await move(from, third);
  const later = contactsOf(third.table, third.vault, third.clock);
  expect(await later.barred(later.hashOf(EMAIL), SITE, '/plums')).toBe('unsubscribed');
  expect([...third.table.items.keys()].some((name) => name.includes('K#'))).toBe(false);
});
