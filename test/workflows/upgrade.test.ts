import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../infra/local/database.ts';
import { localRuntime } from '../../infra/local/runtime.ts';
import { topology } from '../../infra/topology.ts';
import { decide } from '../../services/moderation/decide.ts';
import { Policy } from '../../shared/policy.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { vaultOf } from '../../shared/vault.ts';
import { LINKS } from './pipeline.ts';

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** What tomorrow's review may look like: another first state, another last one, and the one that waits renamed. */
function tomorrow(file: string): string {
  if (!file.includes('review')) return read(file);
  const definition = JSON.parse(read(file).replaceAll('"Await"', '"AwaitAPerson"'));
  definition.States.Greet = { Type: 'Pass', Next: definition.StartAt };
  definition.StartAt = 'Greet';
  delete definition.States.AuthorNotify.End;
  definition.States.AuthorNotify.Next = 'Farewell';
  definition.States.Farewell = { Type: 'Pass', End: true };
  return JSON.stringify(definition);
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-upgrade-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (workflowFile: (file: string) => string) => {
  const clock = { now: Date.now };
  const runtime = localRuntime(topology, {
    database: openDatabase(folder),
    clock,
    vault: vaultOf(new Uint8Array(32).fill(3)),
    log: pino({ level: 'silent' }),
    mail: () => ({ send: async () => ({ response: '250 taken' }) }),
    publicUrl: 'https://comments.example',
    workflowFile,
  });
  const store = storeOf(runtime.table, clock);
  return {
    ...runtime,
    store,
    sites: sitesOf(runtime.table, clock),
    async hold(id: string) {
      await runtime.bus.put([
        {
          source: 'sluice.comments',
          type: 'CommentSubmitted',
          detail: { schema: 1, id, site: 'blog', thread: '/post', author: { name: 'Ada' }, body: `${LINKS} (${id})` },
        },
      ]);
      await expect.poll(async () => (await store.get(id))?.token, { timeout: 10_000 }).toBeDefined();
    },
    review: (id: string) => runtime.executions.list({ workflow: 'review', comment: id, limit: 10 }).executions[0],
    async publish(id: string) {
      const { version } = await store.mustGet(id);
      expect(await decide(runtime.ports, 'ada', { id, version, action: 'publish' })).toMatchObject({ result: 'done' });
      await expect.poll(() => this.review(id)?.status, { timeout: 10_000 }).toBe('SUCCEEDED');
    },
    /** The states that a comment's review went through. */
    states(id: string) {
      const events = runtime.executions.history('review', this.review(id)?.name ?? '');
      return events.flatMap(({ stateEnteredEventDetails: details }) => (details ? [details.name] : []));
    },
  };
};

it('a review that waits goes on under the definition that it began with, and new ones get the new one', async () => {
  const before = open(read);
  await before.sites.put({ id: 'blog', name: 'Blog', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
  await before.sites.putPolicy('blog', Policy.parse({}), 0, 'test');
  before.start();
  await before.hold('waited');
  const old = before.review('waited');
  expect(old?.status).toBe('RUNNING');
  await before.stop();

  const after = open(tomorrow);
  after.start();
  expect(after.review('waited')).toMatchObject({ status: 'RUNNING', definition: old?.definition });
  expect(after.workflows.hashOf('review')).not.toBe(old?.definition);
  await after.publish('waited');
  expect(after.states('waited')).toEqual(['Await', 'Follow', 'AuthorNotify']);
  expect((await after.store.get('waited'))?.status).toBe('published');

  await after.hold('came-later');
  await after.publish('came-later');
  expect(after.states('came-later')).toEqual(['Greet', 'AwaitAPerson', 'Follow', 'AuthorNotify', 'Farewell']);
  await after.stop();
});
