import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { forgetTexts } from '../infra/local/forget.ts';
import { forgetEmail } from '../services/import/forget.ts';
import { Policy } from '../shared/policy.ts';
import { sitesOf } from '../shared/store/sites.ts';
import { testInstance, type TestInstance } from './instance.ts';

const PHRASE = 'quinces ripen behind the glasshouse';
const NAME = 'Wilhelmina Harker';
const EMAIL = 'mina@people.example';

let sluice: TestInstance;
afterEach(() => sluice.end());

async function say(body: string, links = ''): Promise<string> {
  const answer = await sluice.call('POST', '/v1/sites/demo/threads/t/comments', {
    author: { name: NAME, email: EMAIL },
    body: `${body} ${links}`.trim(),
    notifyReplies: true,
  });
  await sluice.quiet();
  return (answer.body as { id: string }).id;
}

/** Every value of every table, as text. */
function everything(): string {
  const { sqlite } = sluice.runtime.database;
  const tables = sqlite.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all() as { name: string }[];
  return tables
    .filter(({ name }) => !name.startsWith('comment_text_'))
    .map(({ name }) => JSON.stringify(sqlite.prepare(`SELECT * FROM "${name}"`).all()))
    .join('\n');
}

const findIds = async (q: string) => (await sluice.runtime.ports.search.comments({ site: 'demo', q, limit: 10 })).ids;

it('forgets a person everywhere: store, index, histories, queues, and the pages of the file', async () => {
  sluice = await testInstance();
  const { database, ports, queues } = sluice.runtime;
  const published = await say(`The ${PHRASE}.`);
  const held = await say(`More ${PHRASE}:`, 'https://a.example https://b.example https://c.example https://d.example');
  expect(await findIds('quinces')).toHaveLength(2);
  for (const queue of ['notify', 'notify-dead']) {
    await queues[queue]?.send(JSON.stringify({ comment: published, words: PHRASE }), { delaySeconds: 900 });
  }
  await queues.notify!.send(JSON.stringify({ comment: `${published}x` }), { delaySeconds: 900 });
  expect(everything()).toContain(PHRASE);
  const { comments } = await forgetEmail(ports, EMAIL, { onErased: (ids) => forgetTexts(database, ids) });
  expect(comments.toSorted()).toEqual([published, held].toSorted());
  const left = everything();
  for (const gone of [PHRASE, NAME, EMAIL]) expect(left).not.toContain(gone);
  expect(left).toContain(`${published}x`);
  expect(await findIds('quinces')).toEqual([]);
  database.sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  expect(readFileSync(join(sluice.folder, 'sluice.db'), 'latin1')).not.toContain(PHRASE);
});

it('erases what is older than the policy keeps, and no more', async () => {
  sluice = await testInstance();
  const { ports, database } = sluice.runtime;
  const sites = sitesOf(ports.table, ports.clock);
  const old = await say(`The ${PHRASE}.`);
  const { site, policy } = await sites.fresh('demo');
  await sites.putPolicy(site.id, Policy.parse({ ...policy.policy, eraseAfterDays: 30 }), policy.version, 'ada');
  expect((await sluice.call('GET', '/privacy?site=demo')).body).toContain('Kept:</strong> 30 days');
  const row = database.sqlite.prepare(`SELECT doc FROM item WHERE pk = ? AND sk = 'head'`).get(`C#${old}`) as {
    doc: string;
  };
  const head = JSON.parse(row.doc) as { submittedAt: number; gsi2sk: string };
  const past = head.submittedAt - 31 * 86_400_000;
  const gsi2sk = head.gsi2sk.replace(String(head.submittedAt), String(past));
  await ports.table.write([{ put: { ...(head as never as { pk: string; sk: string }), submittedAt: past, gsi2sk } }]);
  const young = await say('A remark of today.');
  await new Promise((done) => setTimeout(done, 5100)); // rules are remembered for 5 s
  expect(await sluice.runtime.invoke('reconcile', {})).toMatchObject({ erased: 1 });
  expect(await findIds('quinces')).toEqual([]);
  expect(everything()).not.toContain(PHRASE);
  const statuses = await ports.table.getMany([old, young].map((id) => ({ pk: `C#${id}`, sk: 'head' })));
  expect(statuses.map((item) => item?.status)).toEqual(['erased', 'published']);
  expect(await sluice.runtime.invoke('reconcile', {})).toMatchObject({ erased: 0 });
  database.sqlite.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  expect(readFileSync(join(sluice.folder, 'sluice.db'), 'latin1')).not.toContain(PHRASE);
});
