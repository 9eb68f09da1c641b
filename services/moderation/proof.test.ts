import { setTimeout as pass } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { lessonsOf } from '../spam-check/lessons.ts';
import type { Proof } from './proof.ts';
import { appOf, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';

const PATH = '/v1/moderation/sites/demo/proof';
const HOUR_MS = 3_600_000;
let ports: Memory;
let mia: Caller;
let admin: Caller;

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
  const { call } = appOf(ports);
  mia = await signIn(ports, call, 'mia', [{ site: 'demo', role: 'moderator' }]);
  admin = await signIn(ports, call, 'ann', [{ site: '*', role: 'admin' }]);
});

const PLANTS = ['maples', 'ferns', 'roses', 'peonies', 'birches', 'lilies', 'tulips'];
const ROOMS = ['cellar', 'balcony', 'garden', 'window', 'terrace'];
/** The judge publishes it; the file refused it. */
const unwanted = (n: number) =>
  `Our dairy cooperative offers wonderful cheese wheels, order them for the ${ROOMS[n % 5]} at our dairy, number ${n}.`;
const wanted = (n: number) =>
  `My ${PLANTS[n % 7]} on the ${ROOMS[n % 5]} did the same in year ${n}; less water helped them through the winter.`;

/** A year of an import: every third comment was refused. */
async function imported(count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const refused = n % 3 === 0;
    await addComment(ports, {
      id: `i${String(n).padStart(4, '0')}`,
      body: refused ? unwanted(n) : wanted(n),
      status: refused ? 'spam' : 'published',
      author: { name: `Reader ${n}`, key: `k${n}` },
      submittedAt: ports.clock.now() - (count - n) * HOUR_MS,
      imported: true,
    });
  }
}

async function proof(last = 1000): Promise<Proof> {
  let answer = await mia('POST', PATH, { last });
  while (answer.status === 202) {
    await pass(20);
    answer = await mia('GET', (answer.body as { progress: string }).progress);
  }
  expect(answer.status).toBe(200);
  return answer.body;
}

describe('an import as proof', () => {
  it('reports on the later part, judged as now and as taught by the earlier one', async () => {
    // Where the judge is unsure, what it is taught turns the scale.
    await admin('PUT', '/v1/moderation/sites/demo/policy', { policy: { holdAt: 0.8 } }, { 'if-match': '"0"' });
    await imported(150);
    // Refused for what no text shows: nothing that was taught before finds it.
    await addComment(ports, { id: 'i9999', body: wanted(150), status: 'spam', imported: true });
    await addComment(ports, { id: 'own', status: 'published' });
    const { before, after, disagreements, ...rest } = await proof();
    expect(rest).toMatchObject({ comments: 151, trainedOn: 105, reportedOn: 46 });
    for (const figures of [before, after]) {
      expect(figures.agreed + figures.asked + figures.missed + figures.wronglyRejected).toBe(46);
    }
    expect(before.missed).toBeGreaterThan(5);
    expect(after.missed).toBeLessThan(before.missed);
    expect(after.wronglyRejected).toBe(0);
    expect(disagreements.length).toBeLessThanOrEqual(20);
    expect(disagreements[0]).toMatchObject({ status: 'spam', would: 'publish' });
    const scores = disagreements.map(({ score }) => Math.abs(score - 0.5));
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
  });

  it('teaches the earlier part when an admin accepts it, and forgets it again', async () => {
    await imported(60);
    expect((await mia('POST', `${PATH}/lessons`, {})).status).toBe(403);
    const first = await proof();
    expect((await admin('POST', `${PATH}/lessons`, { last: 1000 })).body).toEqual({ trainedOn: 42 });
    const kept = async () => (await lessonsOf(ports.table, ports.clock).of('demo')).lessons;
    expect(await kept()).toHaveLength(42);
    ports.clock.wind(11_000);
    expect(await proof()).toEqual(first);
    await admin('POST', `${PATH}/lessons`, { last: 1000 });
    expect(await kept()).toHaveLength(42);
    expect((await admin('DELETE', `${PATH}/lessons`)).status).toBe(204);
    expect(await kept()).toHaveLength(0);
  });

  it('leaves what moderators taught, and makes room for it', async () => {
    const lessons = lessonsOf(ports.table, ports.clock);
    const { learn } = await import('../spam-check/learn.ts');
    await lessons.change('demo', (weights) =>
      learn(weights, {
        decisionId: ports.ids.next(),
        commentId: 'own',
        by: 'user:mia',
        text: 'By hand',
        axis: 'spam',
        label: 1,
      }),
    );
    const [own] = (await lessons.of('demo')).lessons;
    await imported(60);
    await admin('POST', `${PATH}/lessons`, {});
    const { lessons: all } = await lessonsOf(ports.table, ports.clock).of('demo');
    expect(all.at(-1)).toEqual(own);
    await admin('DELETE', `${PATH}/lessons`);
    expect((await lessonsOf(ports.table, ports.clock).of('demo')).lessons).toEqual([own]);
  });

  it('says so where nothing was imported', async () => {
    await addComment(ports, { id: 'own', status: 'published' });
    expect((await mia('POST', PATH, {})).status).toBe(422);
  });
});
