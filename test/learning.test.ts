import { afterAll, beforeAll, expect, it } from 'vitest';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
let admin: Record<string, string>;
let since: string;
beforeAll(async () => {
  sluice = await testInstance();
  admin = await sluice.asAdmin();
  since = new Date().toISOString();
});
afterAll(() => sluice.end());

const LINKS = ['wiki/Kiln', 'wiki/Glaze', 'wiki/Clay', 'wiki/Ash']
  .map((at) => `https://en.wikipedia.org/${at}`)
  .join(' ');

/** Submits a comment that waits for a person, whatever the model. */
async function held(body: string): Promise<{ id: string; version: number }> {
  const { body: accepted } = await sluice.call('POST', '/v1/sites/demo/threads/t/comments', {
    author: { name: 'Kim' },
    body: `${body} ${LINKS}`,
  });
  await sluice.quiet();
  const { body: shown } = await sluice.call('GET', `/v1/moderation/comments/${accepted.id}`, undefined, admin);
  expect(shown.status).toBe('held');
  return { id: accepted.id, version: shown.version };
}

const decide = async (id: string, version: number, action: string) => {
  const answer = await sluice.call('POST', '/v1/moderation/decisions', { decisions: [{ id, version, action }] }, admin);
  expect(answer.body.results[0].result).toBe('done');
};

const takeBack = async (lessonsOnly: boolean) =>
  (await sluice.call('POST', '/v1/moderation/users/admin/undo', { site: 'demo', since, lessonsOnly }, admin)).body;

/** Waits until the site has so many lessons: decisions reach it through the bus and a queue. */
async function lessonsAre(count: number): Promise<void> {
  await expect
    .poll(async () => (await sluice.runtime.table.get({ pk: 'S#demo', sk: 'lessons' }))?.weights, { timeout: 10_000 })
    .toMatchObject({ lessons: { length: count } });
}

it('learns what a moderator decides, and forgets all of it when an admin takes it back', async () => {
  for (const n of [1, 2, 3]) {
    const { id, version } = await held(
      `I compared the kilns that you named; number ${n} cracked my glaze. My notes are here:`,
    );
    await decide(id, version, 'spam');
  }
  await lessonsAre(3);

  expect(await takeBack(true)).toMatchObject({ undone: 0, lessons: 3 });
  await lessonsAre(0);
  const { id, version } = await held('Thank you, that answered what the encyclopedia did not:');
  await decide(id, version, 'spam');
  await lessonsAre(1);

  // Three decisions and one: all are taken back, and the lesson of the last goes with it.
  expect(await takeBack(false)).toMatchObject({ undone: 4, conflicts: 0, lessons: 1 });
  await lessonsAre(0);
});
