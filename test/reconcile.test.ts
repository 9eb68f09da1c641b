import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Comment } from '../shared/comment.ts';
import { storeOf } from '../shared/store/comments.ts';
import { headItem, timeKey } from '../shared/store/keys.ts';
import { sitesOf } from '../shared/store/sites.ts';
import type { Mended } from '../services/reconcile/handler.ts';
import { testInstance, type TestInstance } from './instance.ts';

const LONG_AGO_MS = 60_000;

let sluice: TestInstance;
let store: ReturnType<typeof storeOf>;
const reconcile = async () => (await sluice.runtime.invoke('reconcile', {})) as Mended;
const submit = async (thread: string, body: string) => {
  const answer = await sluice.call('POST', `/v1/sites/demo/threads/${thread}/comments`, {
    author: { name: 'Kim' },
    body,
  });
  await sluice.quiet();
  return answer.body.id as string;
};
/** As a crash would leave it: the head as it is told here, whatever the pipeline did. */
const leave = async (comment: Comment) => {
  await sluice.runtime.table.write([{ put: headItem(comment) }]);
};
const LINKS =
  'Four write-ups on queues that I found useful: https://kim.example/backoff https://kim.example/order https://kim.example/delay https://kim.example/retry';

beforeAll(async () => {
  sluice = await testInstance({}, { demo: false });
  store = storeOf(sluice.runtime.table, { now: Date.now });
  await sitesOf(sluice.runtime.table, { now: Date.now }).put({
    id: 'demo',
    name: 'Demo',
    origins: [],
    threadParams: [],
    authors: [{ id: 'mara', name: 'Mara Lindqvist', email: 'mara@blog.example', notify: 'each' }],
    moderatorEmails: [],
  });
});
afterAll(() => sluice.end());

it('starts a review for a held comment that nobody waits for', async () => {
  const id = await submit('unwatched', LINKS);
  await expect.poll(async () => (await store.mustGet(id)).token).toBeTypeOf('string');
  await sluice.runtime.workflows.idle();
  const held = await store.mustGet(id);
  sluice.runtime.database.sqlite.prepare('DELETE FROM execution WHERE name = ?').run(`${id}-${held.heldVersion}`);
  const { token: _token, ...rest } = held;
  await leave({ ...rest, heldAt: Date.now() - LONG_AGO_MS });
  expect(await reconcile()).toMatchObject({ unwatched: 1 });
  await expect.poll(async () => (await store.mustGet(id)).token).toBeTypeOf('string');
  expect(await reconcile()).toMatchObject({ unwatched: 0 });
});

it('wakes a review that waits for what is decided', async () => {
  const id = await submit('decided', LINKS);
  await expect.poll(async () => (await store.mustGet(id)).token).toBeTypeOf('string');
  const held = await store.mustGet(id);
  await leave({ ...held, status: 'rejected', version: held.version + 1, heldAt: Date.now() - LONG_AGO_MS });
  expect(await reconcile()).toMatchObject({ woken: 1 });
  const row = () =>
    sluice.runtime.database.sqlite
      .prepare('SELECT status FROM execution WHERE name = ?')
      .get(`${id}-${held.heldVersion}`);
  await expect.poll(row).toMatchObject({ status: 'SUCCEEDED' });
  expect(await reconcile()).toMatchObject({ woken: 0 });
});

it('tells the author of a comment whose notification records are missing', async () => {
  const id = await submit('untold', 'A remark that the author wants to hear of.');
  const published = await store.mustGet(id);
  await expect
    .poll(async () => (await sluice.runtime.table.query({ pk: `C#${id}`, prefix: 'N#' })).items.length)
    .toBeGreaterThan(0);
  const { items } = await sluice.runtime.table.query({ pk: `C#${id}`, prefix: 'N#' });
  await sluice.runtime.table.write(items.map(({ pk, sk }) => ({ delete: { pk, sk } })));
  await leave({ ...published, publishedAt: Date.now() - LONG_AGO_MS });
  expect((await reconcile()).untold).toBeGreaterThanOrEqual(1);
  expect((await sluice.runtime.table.query({ pk: `C#${id}`, prefix: 'N#' })).items.length).toBeGreaterThan(0);
});

it('goes on with a sweep that a restart cut, and with its undo, though nobody looks', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cut-'));
  const open = () => testInstance({ SLUICE_DATA: folder }, { demo: false });
  const keyOf = (id: string) => ({ pk: `SWEEP#${id}`, sk: 'sweep' });
  /** The process dies at its so many-th write from now. */
  const dieAt = ({ runtime: { table } }: TestInstance, write: number) => {
    const alive = table.write;
    let left = write;
    Object.assign(table, {
      write: (...all: Parameters<typeof alive>) =>
        --left > 0 ? alive(...all) : Promise.reject(new Error('the process is gone')),
    });
  };
  /** Another process on the same folder, when the lease of the one before is over. */
  const restart = async (dead: TestInstance, id: string) => {
    await dead.end();
    const next = await open();
    const { table } = next.runtime;
    const item = await table.get(keyOf(id));
    await table.write([{ put: { ...item!, ...keyOf(id), workedUntil: 1, gsi3sk: timeKey(1, id) } }]);
    return next;
  };

  let now = await open();
  try {
    const site = { id: 'demo', name: 'Demo', origins: [], threadParams: [], authors: [], moderatorEmails: [] };
    await sitesOf(now.runtime.table, { now: Date.now }).put(site);
    for (let n = 0; n < 110; n++) {
      await now.call('POST', `/v1/sites/demo/threads/cut-${n}/comments`, { author: { name: 'Kim' }, body: LINKS });
    }
    await now.quiet();
    await now.runtime.workflows.idle();
    const sweep = {
      query: { site: 'demo', status: 'held', linkHost: 'kim.example' },
      action: 'spam',
      expectTotal: 110,
    };
    dieAt(now, 60);
    const { body, status } = await now.call('POST', '/v1/moderation/sweeps', sweep, await now.asAdmin());
    expect(status).toBe(202);
    const { id } = body as { id: string };
    const stateOf = async () => await now.runtime.table.get(keyOf(id));
    const spam = async () => {
      const path = '/v1/moderation/comments?site=demo&status=spam&limit=1';
      return ((await now.call('GET', path, undefined, await now.asAdmin())).body as { total: number }).total;
    };
    now = await restart(now, id);
    expect(await stateOf()).toMatchObject({ state: 'running', through: 0 });
    expect(await now.runtime.invoke('reconcile', {})).toMatchObject({ swept: 1 });
    expect(await stateOf()).toMatchObject({ state: 'done', done: 110 });
    expect(await spam()).toBe(110);

    const by = await now.asAdmin();
    dieAt(now, 60);
    await now.call('POST', `/v1/moderation/sweeps/${id}/undo`, undefined, by);
    now = await restart(now, id);
    expect(await stateOf()).toMatchObject({ state: 'undoing' });
    expect(await now.runtime.invoke('reconcile', {})).toMatchObject({ swept: 1 });
    expect(await stateOf()).toMatchObject({ state: 'undone', conflicts: 0 });
    expect(await spam()).toBe(0);
    expect(await now.runtime.invoke('reconcile', {})).toMatchObject({ swept: 0 });
  } finally {
    await now.end();
    rmSync(folder, { recursive: true, force: true });
  }
});
