import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Policy } from '../../shared/policy.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { deadLettersOf } from '../../shared/store/dead-letters.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { type Delivery, startAccount } from './account.ts';

const clock = { now: Date.now };
let account: Awaited<ReturnType<typeof startAccount>>;
beforeAll(async () => {
  // Metrics are lines of standard output.
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  account = await startAccount();
});
afterAll(() => account.close());

/** Mulberry32: the same seed, the same order. */
function shuffler(seed: number): Delivery['shuffle'] {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return (records) => {
    const order = [...records];
    for (let index = order.length - 1; index > 0; index--) {
      const other = Math.floor(next() * (index + 1));
      [order[index], order[other]] = [order[other]!, order[index]!];
    }
    return order;
  };
}

const LINKS = ['backoff', 'order', 'delay', 'retry'].map((word) => `https://kim.example/${word}`).join(' ');

/** A conversation of a thread: what is submitted, answered, edited and deleted. */
async function conversation(site: string, delivery: Delivery) {
  const { table, event } = account;
  const sites = sitesOf(table, clock);
  const author = { id: 'mara', name: 'Mara', email: `mara@${site}.example`, notify: 'each' as const };
  await sites.put({ id: site, name: site, origins: [], threadParams: [], authors: [author], moderatorEmails: [] });
  await sites.putPolicy(site, Policy.parse({ undoSeconds: 0, notifyBurstMinutes: 0 }), 0, 'test');
  const id = (name: string) => `${site}-${name}`;
  const submitted = (name: string, body: string, parent?: string) =>
    event('CommentSubmitted', {
      schema: 1,
      id: id(name),
      site,
      thread: '/post',
      author: { name: `Writer ${name}` },
      body,
      ...(parent && { parentId: id(parent) }),
    });
  const before = account.put.length;
  submitted('a', 'The first remark stands alone and asks nothing.');
  submitted('b', 'An answer to the first one, in plain words.', 'a');
  submitted('c', 'An answer to that answer, in other words.', 'b');
  submitted('links', `Four write-ups on queues that I found useful: ${LINKS}`);
  submitted('edited', 'This text is not what it will be in the end.');
  submitted('gone', 'This one is taken back by its writer soon after.');
  event('CommentEdited', {
    schema: 1,
    site,
    id: id('edited'),
    body: 'This is what it is in the end.',
    editId: 'e1',
    submittedAt: new Date().toISOString(),
  });
  event('CommentDeleted', { schema: 1, site, id: id('gone') });
  await account.deliver(delivery);

  const store = storeOf(table, clock);
  const names = ['a', 'b', 'c', 'links', 'edited', 'gone'];
  const comments = await Promise.all(names.map(async (name) => store.get(id(name))));
  const logs = await Promise.all(names.map((name) => store.log(id(name))));
  const edited = comments[names.indexOf('edited')]!;
  const told = (name: string) =>
    account.put.filter(({ type, detail }) => type === 'NotificationSent' && detail.id === id(name)).length;
  const plain = (text: string) => text.replaceAll(`${site}-`, '');
  return {
    statuses: Object.fromEntries(names.map((name, index) => [name, comments[index]?.status])),
    total: await store.threadCount(site, '/post'),
    replies: await store.replyCounts(names.map(id)),
    text: (await store.allRevisions(edited.id)).find(({ revision }) => revision === edited.publishedRevision)?.body,
    /** How often each became public: once, whatever came how often. (What is taken back may have been public before.) */
    publications: logs
      .slice(0, -1)
      .map((log) => log.filter(({ from, to }) => to === 'published' && from !== 'published').length),
    reviews: account
      .reviews()
      .filter(({ name }) => name!.startsWith(site))
      .map(({ name }) => plain(name!)),
    dead: account.put.slice(before).filter(({ type }) => type === 'DeadLettered').length,
    mails: names.filter((name) => name !== 'gone').map((name) => told(name)),
  };
}

describe('the functions as Lambda runs them, over their AWS adapters', () => {
  let once: Awaited<ReturnType<typeof conversation>>;

  it('publish, hold, edit and delete what is delivered once and in order', { timeout: 180_000 }, async () => {
    once = await conversation('once', { times: 1, shuffle: (records) => [...records] });
    expect(once).toMatchObject({
      statuses: { a: 'published', b: 'published', c: 'published', links: 'held', edited: 'published', gone: 'deleted' },
      text: 'This is what it is in the end.',
      publications: [1, 1, 1, 0, 1],
      total: 4,
      // Named by the version that the hold wrote.
      reviews: ['links-2'],
      dead: 0,
      mails: [1, 1, 1, 0, 1],
    });
  });

  it.each([11, 12, 13])(
    'end the same when everything comes twice, and out of order: seed %i',
    { timeout: 180_000 },
    async (seed) => {
      const twice = await conversation(`seed${seed}`, { times: 2, shuffle: shuffler(seed) });
      expect(twice).toEqual(once);
    },
  );

  it('keep the beginning of a dead letter that no item of DynamoDB would hold', { timeout: 180_000 }, async () => {
    const body = 'x'.repeat(700_000);
    await account.send('rule-dead', JSON.stringify({ detail: { site: 'once', id: 'huge', body } }));
    await account.deliver();
    const { letters } = await deadLettersOf(account.table).list('once', { limit: 10 });
    expect(letters).toMatchObject([{ commentId: 'huge' }]);
    expect(letters[0]!.body.length).toBeLessThan(100_000);
  });
});
