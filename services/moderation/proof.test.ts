import { setTimeout as pass } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { lessonsOf } from '../spam-check/lessons.ts';
import { Policy } from '../../shared/policy.ts';
import { erase } from '../import/erase.ts';
import { exhibitsOf, named, prove, type NamedProof } from './proof.ts';
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

async function proof(last = 1000): Promise<NamedProof> {
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
    const strengths = disagreements.map(({ score, status }) => (status === 'spam' ? 1 - score : score));
    expect(strengths).toEqual(strengths.toSorted((a, b) => b - a));
  });

  it('teaches the earlier part when an admin accepts it, and forgets it again', async () => {
    await imported(60);
    expect((await mia('POST', `${PATH}/lessons`, {})).status).toBe(403);
    const first = await proof();
    expect(first).toMatchObject({ trainedOn: 42, lessons: 42 });
    expect((await admin('POST', `${PATH}/lessons`, { last: 1000 })).body).toEqual({ trainedOn: 42, lessons: 42 });
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

  it('shows each refused comment that it would have published, however near the threshold', async () => {
    // So that nothing is held: each comment is on the file's side or on the other.
    await admin(
      'PUT',
      '/v1/moderation/sites/demo/policy',
      { policy: { holdAt: 1, rejectAt: 1 } },
      { 'if-match': '"0"' },
    );
    for (let n = 0; n < 20; n++) {
      const body = `Buy cheap watches at http://watches-${n}.example and win a casino bonus now, number ${n}`;
      await addComment(ports, { id: `s${n}`, body, status: 'spam', imported: true });
    }
    const { before, disagreements } = await proof();
    expect(before.missed).toBe(6);
    expect(disagreements).toHaveLength(6);
    expect(disagreements.some(({ score }) => score > 0.5)).toBe(true);
  });

  it('goes back as far as the import, past what the site took since', async () => {
    await imported(60);
    for (let n = 0; n < 120; n++) await addComment(ports, { id: `own${n}`, status: n % 2 ? 'published' : 'spam' });
    expect(await proof(20)).toMatchObject({ comments: 20, trainedOn: 14, reportedOn: 6 });
  });

  it('keeps no name and no word of a writer, and names nobody who was erased', async () => {
    await imported(60);
    const exhibits = await exhibitsOf(ports, 'demo', 1000);
    expect(exhibits.map(({ comment }) => comment.submittedAt)).toEqual(
      exhibits.map(({ comment }) => comment.submittedAt).toSorted((a, b) => a - b),
    );
    const weights = await lessonsOf(ports.table, ports.clock).of('demo');
    const kept = await prove(exhibits, Policy.parse({}), weights, () => {});
    expect(JSON.stringify(kept)).not.toMatch(/Reader|cheese|dairy/);
    const [first] = (await named(ports, kept)).disagreements;
    expect(first).toMatchObject({
      author: expect.stringMatching(/^Reader/),
      excerpt: expect.stringContaining('dairy'),
    });
    await erase(ports, first!.id);
    expect((await named(ports, kept)).disagreements.map(({ id }) => id)).not.toContain(first!.id);
  });

  it('says how many of many verdicts teach', async () => {
    await imported(600);
    const { lessons } = await proof();
    expect(lessons).toBe(240);
    const { body } = await admin('POST', `${PATH}/lessons`, { last: 1000 });
    expect(body).toEqual({ trainedOn: 420, lessons });
    expect((await lessonsOf(ports.table, ports.clock).of('demo')).lessons).toHaveLength(240);
  });

  it('says so where nothing was imported', async () => {
    await addComment(ports, { id: 'own', status: 'published' });
    expect((await mia('POST', PATH, {})).status).toBe(422);
  });
});
