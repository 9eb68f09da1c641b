import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMENTS_SOURCE } from '../shared/events.ts';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
const THREAD = '/v1/sites/demo/threads/late/comments';

beforeAll(async () => {
  sluice = await testInstance();
});
afterAll(() => sluice.end());

const put = async (type: string, detail: object) => {
  await sluice.runtime.bus.put([{ source: COMMENTS_SOURCE, type, detail }]);
  await sluice.quiet();
};

async function say(body: string): Promise<string> {
  const answer = await sluice.call('POST', THREAD, { author: { name: 'Ada' }, body });
  await sluice.quiet();
  return answer.body.id;
}

describe('an edit', () => {
  it('that comes again after a newer one does not bring its text back', async () => {
    const id = await say('The first text of it.');
    const edit = (editId: string, body: string, submittedAt: string) => ({
      schema: 1,
      site: 'demo',
      id,
      editId,
      body,
      submittedAt,
    });
    const soon = (ms: number) => new Date(Date.now() - 1000 + ms).toISOString();
    const older = edit('older', 'The second text of it.', soon(0));
    const newer = edit('newer', 'The third text of it.', soon(100));
    await put('CommentEdited', older);
    await put('CommentEdited', newer);
    await put('CommentEdited', older);
    const { body } = await sluice.call('GET', THREAD);
    expect(body.comments.at(-1).html).toBe('<p>The third text of it.</p>\n');
  });

  it('by the door says when it was made', async () => {
    const accepted = await sluice.call('POST', THREAD, { author: { name: 'Ada' }, body: 'To be edited twice.' });
    await sluice.quiet();
    const events: any[] = [];
    sluice.runtime.bus.onEvent((event) => events.push(event));
    await sluice.call(
      'PATCH',
      `/v1/comments/${accepted.body.id}`,
      { body: 'Edited.' },
      { authorization: `Bearer ${accepted.body.capability}` },
    );
    const edited = events.find((event) => event['detail-type'] === 'CommentEdited');
    expect(edited.detail).toMatchObject({ submittedAt: expect.any(String) });
  });
});

describe('an event', () => {
  it('with a key that no thread can have is a dead letter at once, not retried for a day', async () => {
    await put('CommentSubmitted', {
      schema: 1,
      id: 'no-such-key',
      site: 'demo',
      thread: 'a\u0007b',
      author: { name: 'Ada' },
      body: 'Under a bell.',
    });
    const admin = await sluice.asAdmin();
    await expect
      .poll(
        async () =>
          (await sluice.call('GET', '/v1/moderation/dead-letters?site=demo', undefined, admin)).body.deadLetters,
      )
      .toMatchObject([{ reason: 'Comment.Malformed', attempts: 1 }]);
  });
});

describe('reports', () => {
  it('that a moderator dismissed leave the queue, and one more is not enough to come back', async () => {
    const id = await say('A remark that three readers dislike.');
    const report = (n: number) =>
      put('CommentReported', { schema: 1, site: 'demo', id, reporter: `reader-${n}`, reason: 'abuse' });
    for (let n = 1; n <= 3; n++) await report(n);
    const admin = await sluice.asAdmin();
    const listed = async () =>
      (
        await sluice.call('GET', '/v1/moderation/comments?site=demo&status=held', undefined, admin)
      ).body.comments.filter((row: { id: string }) => row.id === id);
    const [row] = await listed();
    expect(row).toMatchObject({ reports: 3 });
    const { body } = await sluice.call(
      'POST',
      '/v1/moderation/decisions',
      { decisions: [{ id, version: row.version, action: 'keep' }] },
      admin,
    );
    expect(body.results[0].result).toBe('done');
    expect(await listed()).toEqual([]);
    await report(4);
    expect(await listed()).toEqual([]);
    await report(5);
    await report(6);
    expect(await listed()).toMatchObject([{ reports: 3 }]);
  });
});

describe('edits', () => {
  it('are limited as submissions are', async () => {
    const limited = await testInstance({ SLUICE_RATE_LIMIT: 'on' });
    try {
      const { body } = await limited.call('POST', THREAD, { author: { name: 'Ada' }, body: 'Edited often.' });
      await limited.quiet();
      const answers: number[] = [];
      for (let n = 0; n < 7; n++) {
        const answer = await limited.call(
          'PATCH',
          `/v1/comments/${body.id}`,
          { body: `Edit ${n}.` },
          { authorization: `Bearer ${body.capability}` },
        );
        answers.push(answer.status);
      }
      expect(answers).toEqual([202, 202, 202, 202, 202, 429, 429]);
    } finally {
      await limited.end();
    }
  });
});

describe('a lane', () => {
  it('into which another process wrote is served without a restart', async () => {
    const { sqlite } = sluice.runtime.database;
    const body = JSON.stringify({
      id: 'from-outside',
      'detail-type': 'CommentSubmitted',
      source: COMMENTS_SOURCE,
      detail: {
        schema: 1,
        id: 'from-outside',
        site: 'demo',
        thread: 'late',
        author: { name: 'Ada' },
        body: 'Sent by the command line.',
        lane: 'lane-never-used',
      },
    });
    sqlite
      .prepare('INSERT INTO message (uuid, queue, lane, body, visible_at, sent_at) VALUES (?, ?, ?, ?, ?, ?)')
      .run('from-outside', 'intake', 'lane-never-used', body, Date.now(), Date.now());
    await expect
      .poll(async () => (await sluice.call('GET', '/health')).body.queues.intake.depth, { timeout: 4000 })
      .toBe(0);
  });
});
