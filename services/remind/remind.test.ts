import { beforeEach, describe, expect, it } from 'vitest';
import { notificationsOf } from '../../shared/store/notifications.ts';
import { usersOf } from '../../shared/store/users.ts';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import { storyOf } from '../../test/stories.ts';
import { deliver } from '../deliver/handler.ts';
import { remind } from './handler.ts';

const HOUR = 3_600_000;

let ports: MemoryPorts;
let story: ReturnType<typeof storyOf>;
let call: (input: unknown) => Promise<unknown>;
let pump: () => Promise<number>;

beforeEach(() => {
  ports = memoryPorts();
  story = storyOf(ports);
  call = remind(ports);
  const consumer = deliver(ports);
  pump = () => ports.pump('notify', consumer);
});

const held = (body = 'Buy this', set = {}) =>
  story.comment(
    {
      status: 'held',
      publishedRevision: null,
      heldAt: ports.clock.now(),
      heldVersion: 1,
      holdReason: 'links',
      version: 1,
      ...set,
    },
    { body },
  );
const moderatorEmails = ['mo@blog.example', 'mia@blog.example'];

describe('a reminder', () => {
  it('is one message a moderator and window, however many wait', async () => {
    await story.site({ moderatorEmails });
    const comments = [];
    for (let i = 0; i < 30; i++) comments.push(await held(`waiting ${i}`));
    ports.wind(24 * HOUR);
    for (const { id } of comments) expect(await call({ id, version: 1 })).toEqual({ decided: false });
    await pump();
    expect(ports.mails.map(({ to }) => to).sort()).toEqual(moderatorEmails.toSorted());
    const [mail] = ports.mails;
    expect(mail!.subject).toBe('30 comments wait for review on A Blog');
    expect(mail!.text).toContain('the oldest for 24 hours');
    expect(mail!.text).toContain('waiting 9');
    expect(mail!.text).not.toContain('waiting 10');
    expect(mail!.text).toContain('And 20 more.');
    expect(mail!.text).toContain('- links');
    expect(mail!.text).toContain('https://comments.example/moderate');
    expect(mail!.unsubscribeUrl).toBeDefined();

    ports.wind(12 * HOUR);
    await call({ id: comments[0]!.id, version: 1 });
    await pump();
    expect(ports.mails).toHaveLength(2);
    ports.wind(12 * HOUR);
    for (const { id } of comments) await call({ id, version: 1 });
    await pump();
    expect(ports.mails).toHaveLength(4);
  });

  it('survives a crash between claim and message', async () => {
    await story.site({ moderatorEmails: ['mo@blog.example'] });
    const { id } = await held();
    const send = ports.queues.notify.send;
    ports.queues.notify.send = async () => {
      throw new Error('killed');
    };
    await expect(call({ id, version: 1 })).rejects.toThrow('killed');
    ports.queues.notify.send = send;
    await call({ id, version: 1 });
    await call({ id, version: 1 });
    await pump();
    expect(ports.mails).toHaveLength(1);
  });

  it('is not sent when all is decided before it goes out', async () => {
    await story.site({ moderatorEmails: ['mo@blog.example'] });
    const comment = await held();
    await call({ id: comment.id, version: 1 });
    await story.store.change(comment, { set: { status: 'rejected' }, by: 'user:mo', action: 'reject' });
    await pump();
    expect(ports.mails).toEqual([]);
    const [message] = [...ports.table.items.values()].filter(({ kind }) => kind === 'digest');
    const record = await notificationsOf(ports.table).get(String(message!.commentId), String(message!.recipient));
    expect(record).toMatchObject({ state: 'skipped', why: 'nothing waits any more' });
  });

  it('escalates after 72 hours, to admins too, as one message instead of two', async () => {
    await story.site({ moderatorEmails: ['mo@blog.example'] });
    await usersOf(ports.table, ports.clock).add({
      name: 'ann@blog.example',
      password: '',
      roles: [{ site: '*', role: 'admin' }],
      createdAt: 0,
      sessionsFrom: 0,
    });
    const { id } = await held();
    ports.wind(73 * HOUR);
    await call({ id, version: 1 });
    await pump();
    expect(ports.mails.map(({ to, subject }) => [to, subject]).toSorted()).toEqual([
      ['ann@blog.example', 'Over 72 hours: 1 comment waits on A Blog'],
      ['mo@blog.example', 'Over 72 hours: 1 comment waits on A Blog'],
    ]);
  });

  it('is not sent for what was imported', async () => {
    await story.site({ moderatorEmails });
    const { id } = await held('old', { imported: true });
    expect(await call({ id, version: 1 })).toEqual({ decided: false });
    await pump();
    expect(ports.mails).toEqual([]);
  });
});

describe('the end of waiting', () => {
  it('is never by itself, unless the policy says so', async () => {
    await story.site();
    const { id } = await held();
    ports.wind(10_000 * HOUR);
    expect(await call({ id, version: 1 })).toEqual({ decided: false });
  });

  it.each([
    ['publish', 'published'],
    ['reject', 'rejected'],
  ] as const)('is the policy’s default: %s', async (defaultAction, status) => {
    await story.site({}, { defaultAfterHours: 48, defaultAction });
    const { id } = await held();
    ports.wind(47 * HOUR);
    expect(await call({ id, version: 1 })).toEqual({ decided: false });
    ports.wind(HOUR);
    expect(await call({ id, version: 1 })).toEqual({ decided: true });
    expect(await story.store.get(id)).toMatchObject({ status, decidedBy: 'policy', version: 2 });
    expect(await story.store.log(id)).toMatchObject([{ by: 'policy', action: 'default', from: 'held', to: status }]);
    expect(await call({ id, version: 1 })).toEqual({ decided: true });
  });

  it('is known for what was decided, or held again, meanwhile', async () => {
    await story.site({ moderatorEmails });
    const { id } = await held('again', { heldVersion: 5, version: 5 });
    expect(await call({ id, version: 1 })).toEqual({ decided: true });
    expect(ports.queues.notify.messages).toEqual([]);
  });
});
