import { beforeEach, describe, expect, it } from 'vitest';
import { SluiceError, type ErrorCode } from '../../shared/errors.ts';
import { notificationsOf } from '../../shared/store/notifications.ts';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import { storyOf } from '../../test/stories.ts';
import { authorNotify } from '../author-notify/handler.ts';
import { deliver, retrySeconds } from './handler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

let ports: MemoryPorts;
let story: ReturnType<typeof storyOf>;
let notify: (input: unknown) => Promise<unknown>;
let pump: () => Promise<number>;

beforeEach(() => {
  ports = memoryPorts();
  story = storyOf(ports);
  notify = authorNotify(ports);
  const consumer = deliver(ports);
  pump = () => ports.pump('notify', consumer);
});

const records = (id: string) => notificationsOf(ports.table).of(id);
const states = async (id: string) =>
  Object.fromEntries(
    (await records(id)).map(({ recipient, state, why }) => [recipient.split(':')[0], why ? [state, why] : [state]]),
  );
const fault = (code: ErrorCode) => new SluiceError(code, code, { hint: '' });

/** A parent that asked for replies, and a reply to it. */
async function replyTo(set: { confirmed?: boolean } = {}) {
  await story.site();
  const ada = await story.person('Ada', set);
  const parent = await story.comment({
    author: { name: 'Ada', key: ada.key, contact: ada.contact },
    notifyReplies: true,
  });
  const reply = await story.comment(
    { parentId: parent.id, depth: 1, author: { name: 'Bob', key: 'w-Bob' } },
    { body: 'I **agree**.', html: '<p>I <strong>agree</strong>.</p>' },
  );
  return { ada, parent, reply };
}

/** Lets time pass in steps, and delivers what becomes visible. */
async function pass(ms: number, step = MINUTE) {
  for (let passed = 0; passed < ms; passed += step) {
    ports.wind(step);
    await pump();
  }
}

describe('reply mail', () => {
  it('goes to the writer of the comment replied to, after the seconds in which a decision may be undone', async () => {
    const { ada, reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    await pump();
    expect(ports.mails).toEqual([]);
    ports.wind(10_000);
    await pump();
    expect(ports.mails).toHaveLength(1);
    const [mail] = ports.mails;
    expect(mail).toMatchObject({
      to: ada.email,
      subject: 'Bob replied to your comment on “A Post”',
      from: { name: 'A Blog', address: 'comments@comments.example' },
    });
    expect(mail!.text).toContain('I **agree**.');
    expect(mail!.text).toContain('You wrote: Some *words*.');
    expect(mail!.html).toContain('<p>I <strong>agree</strong>.</p>');
    expect(mail!.text).toContain(`https://blog.example/post#sluice-${reply.id}`);
    expect(mail!.unsubscribeUrl).toMatch(/^https:\/\/comments\.example\/v1\/mail\/unsubscribe\/[\w.-]+$/);
    expect(await states(reply.id)).toEqual({ contact: ['sent'] });
    expect(ports.events).toMatchObject([
      { type: 'NotificationSent', detail: { id: reply.id, kind: 'reply', recipient: `contact:${ada.contact}` } },
    ]);
  });

  it('stands in the mail program with the others of its thread', async () => {
    const { ada, reply } = await replyTo();
    const parent = await story.comment({
      thread: '/other',
      author: { name: 'Ada', key: ada.key, contact: ada.contact },
      notifyReplies: true,
    });
    const elsewhere = await story.comment({
      thread: '/other',
      parentId: parent.id,
      author: { name: 'Cy', key: 'w-Cy' },
    });
    const later = await story.comment({ parentId: reply.parentId, author: { name: 'Dot', key: 'w-Dot' } });
    for (const { id } of [reply, elsewhere, later]) {
      await notify({ id, version: 1 });
      await pass(11 * MINUTE);
    }
    const [first, other, second] = ports.mails.map(({ headers }) => headers!);
    expect(first!['References']).toMatch(/^<[0-9a-f]{40}@comments\.example>$/);
    expect(first!['In-Reply-To']).toBe(first!['References']);
    expect(second!['References']).toBe(first!['References']);
    expect(other!['References']).not.toBe(first!['References']);
    expect(first).toMatchObject({ Precedence: 'list', 'Auto-Submitted': 'auto-generated' });
  });

  it('is written in the language that the writer’s browser asked for, the way out too', async () => {
    const { parent, reply } = await replyTo();
    await story.contacts.exchange({ email: 'ada@people.example', client: '192.0.2.1', lang: 'ar' });
    await notify({ id: reply.id, version: 1 });
    await pass(MINUTE);
    const [mail] = ports.mails;
    expect(parent.author.contact).toBeDefined();
    expect(mail!.subject).toBe('ردّ Bob على تعليقك في «A Post»');
    expect(mail!.html).toContain('<html lang="ar" dir="rtl">');
    expect(mail!.html).toContain('border-right:3px');
    expect(mail!.text).toContain('كتبتَ: Some *words*.');
    expect(mail!.unsubscribeUrl).toMatch(/\?lang=ar$/);
  });

  it('carries no address and no words through the queue', async () => {
    const { ada, reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    const [message] = ports.queues.notify.messages;
    expect(JSON.parse(message!.body)).toEqual({
      schema: 1,
      kind: 'reply',
      commentId: reply.id,
      recipient: `contact:${ada.contact}`,
      site: 'blog',
    });
  });

  it('is not sent for one’s own reply', async () => {
    const { ada, parent } = await replyTo();
    const own = await story.comment({
      parentId: parent.id,
      author: {
        name: 'Ada again',
        key: 'w-other',
        contact: await story.contacts.exchange({ email: ada.email, client: '198.51.100.7' }),
      },
    });
    await notify({ id: own.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toEqual([]);
    expect(await states(own.id)).toEqual({ contact: ['skipped', 'own reply'] });
  });

  it('is not sent where the parent has no address, and the desk learns why', async () => {
    await story.site();
    const parent = await story.comment({ notifyReplies: true });
    const reply = await story.comment({ parentId: parent.id, author: { name: 'Bob', key: 'w-Bob' } });
    await notify({ id: reply.id, version: 1 });
    expect(await states(reply.id)).toEqual({ contact: ['skipped', 'no address'] });
  });

  it('is not sent to who did not ask', async () => {
    const { ada } = await replyTo();
    const parent = await story.comment({ author: { name: 'Ada', key: ada.key, contact: ada.contact } });
    const reply = await story.comment({ parentId: parent.id, author: { name: 'Bob', key: 'w-Bob' } });
    await notify({ id: reply.id, version: 1 });
    expect(await records(reply.id)).toEqual([]);
  });

  it('is not sent after unsubscribing, also when that came after it was queued', async () => {
    const { ada, parent, reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    await story.contacts.unsubscribe(ada.emailHash, 'blog#/post');
    const later = await story.comment({ parentId: parent.id, author: { name: 'Cy', key: 'w-Cy' } });
    await notify({ id: later.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toEqual([]);
    expect(await states(reply.id)).toEqual({ contact: ['skipped', 'unsubscribed'] });
    expect(await states(later.id)).toEqual({ contact: ['skipped', 'unsubscribed'] });
  });

  it('is not sent to a suppressed address', async () => {
    const { ada, reply } = await replyTo();
    await story.contacts.suppress(ada.emailHash, 'bounced');
    await notify({ id: reply.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toEqual([]);
    expect(await states(reply.id)).toEqual({ contact: ['skipped', 'suppressed: bounced'] });
  });

  it('is not sent when the reply is removed within the seconds of undo, and is when it is published again', async () => {
    const { reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    const removed = await story.store.change(reply, { set: { status: 'removed' }, by: 'user:m', action: 'remove' });
    ports.wind(10_000);
    await pump();
    expect(ports.mails).toEqual([]);
    expect(await states(reply.id)).toEqual({ contact: ['skipped', 'no longer published'] });

    await story.store.change(removed.comment, { set: { status: 'published' }, by: 'user:m', action: 'restore' });
    await notify({ id: reply.id, version: 3 });
    await pass(MINUTE);
    expect(ports.mails).toHaveLength(1);
  });

  it('is sent once, however often the run and the message are repeated', async () => {
    const { reply } = await replyTo();
    for (let i = 0; i < 3; i++) await notify({ id: reply.id, version: 1 });
    const twice = ports.queues.notify.messages.map((message) => ({ ...message, id: `${message.id}-again` }));
    ports.queues.notify.messages.push(...twice);
    await pass(30 * MINUTE);
    await notify({ id: reply.id, version: 1 });
    await pass(30 * MINUTE);
    expect(ports.mails).toHaveLength(1);
    expect(ports.queues.notify.messages).toEqual([]);
  });

  it('survives a crash between the record and its message', async () => {
    const { reply } = await replyTo();
    const send = ports.queues.notify.send;
    ports.queues.notify.send = async () => {
      throw new Error('killed');
    };
    await expect(notify({ id: reply.id, version: 1 })).rejects.toThrow('killed');
    ports.queues.notify.send = send;
    await notify({ id: reply.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toHaveLength(1);
  });

  it('is not sent for what was imported', async () => {
    const { parent } = await replyTo();
    const old = await story.comment({ parentId: parent.id, author: { name: 'Bob', key: 'w-Bob' }, imported: true });
    expect(await notify({ id: old.id, version: 1 })).toEqual({ queued: 0, skipped: 0 });
    expect(await records(old.id)).toEqual([]);
  });
});

describe('a burst', () => {
  it('becomes one mail at once and one at the end of the window', async () => {
    const { parent, reply } = await replyTo();
    const replies = [reply];
    for (let i = 0; i < 6; i++) {
      replies.push(
        await story.comment(
          { parentId: parent.id, author: { name: `R${i}`, key: `w-R${i}` } },
          { body: `reply number ${i}` },
        ),
      );
    }
    for (const { id } of replies) await notify({ id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toHaveLength(1);
    await pass(30 * MINUTE);
    expect(ports.mails).toHaveLength(2);
    expect(ports.mails[1]!.subject).toBe('6 replies to your comment on “A Post”');
    for (let i = 0; i < 6; i++) expect(ports.mails[1]!.text).toContain(`reply number ${i}`);
    for (const { id } of replies) expect(await states(id)).toEqual({ contact: ['sent'] });
    expect(ports.events).toHaveLength(7);
    expect(ports.queues.notify.messages).toEqual([]);
  });

  it('leaves out what was removed while it was collected', async () => {
    const { parent, reply } = await replyTo();
    const second = await story.comment({ parentId: parent.id, author: { name: 'B', key: 'w-B' } }, { body: 'stays' });
    const third = await story.comment({ parentId: parent.id, author: { name: 'C', key: 'w-C' } }, { body: 'goes' });
    for (const { id } of [reply, second, third]) await notify({ id, version: 1 });
    await pass(5 * MINUTE);
    await story.store.change(third, { set: { status: 'removed' }, by: 'user:m', action: 'remove' });
    await pass(30 * MINUTE);
    expect(ports.mails).toHaveLength(2);
    expect(ports.mails[1]!.text).toContain('stays');
    expect(ports.mails[1]!.text).not.toContain('goes');
    expect(await states(third.id)).toEqual({ contact: ['skipped', 'no longer published'] });
  });

  it('is one a thread: another thread does not wait', async () => {
    const { ada, reply } = await replyTo();
    const parent = await story.comment({
      thread: '/other',
      author: { name: 'Ada', key: ada.key, contact: ada.contact },
      notifyReplies: true,
    });
    const other = await story.comment({ thread: '/other', parentId: parent.id, author: { name: 'B', key: 'w-B' } });
    await notify({ id: reply.id, version: 1 });
    await notify({ id: other.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toHaveLength(2);
  });
});

describe('a mail server in trouble', () => {
  it('loses nothing by being away for 40 hours, and gets one mail afterwards', async () => {
    const { reply } = await replyTo();
    let asked = 0;
    ports.mailServer.answer = () => {
      asked++;
      throw fault('Mail.Transient');
    };
    await notify({ id: reply.id, version: 1 });
    await pass(40 * HOUR, 5 * MINUTE);
    expect(await states(reply.id)).toEqual({ contact: ['queued', 'put off: Mail.Transient'] });
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThan(180);
    const [message] = ports.queues.notify.messages;
    expect(message!.receiveCount).toBeLessThan(2);
    ports.mailServer.answer = () => {};
    await pass(HOUR);
    expect(ports.mails).toHaveLength(1);
    expect(await states(reply.id)).toEqual({ contact: ['sent'] });
  });

  it('leaves the message to the dead letters after three days', async () => {
    const { reply } = await replyTo();
    ports.mailServer.answer = () => {
      throw fault('Mail.Transient');
    };
    await notify({ id: reply.id, version: 1 });
    await pass(73 * HOUR, 10 * MINUTE);
    expect(ports.queues.notify.messages).toHaveLength(1);
    expect(ports.queues.notify.messages[0]!.receiveCount).toBeGreaterThan(2);
  });

  it('is not asked again when it refuses, and the record says so', async () => {
    const { ada, reply } = await replyTo();
    ports.mailServer.answer = () => {
      throw new SluiceError('Mail.Refused', '550 5.1.1 no such user', { hint: '' });
    };
    await notify({ id: reply.id, version: 1 });
    await pass(HOUR);
    expect(await states(reply.id)).toEqual({ contact: ['refused', '550 5.1.1 no such user'] });
    expect((await story.contacts.address(ada.emailHash))?.suppressed).toBeDefined();
    expect(ports.events).toEqual([]);
  });

  it('gets the same Message-ID once more when nobody knows what came of the first', async () => {
    const { reply } = await replyTo();
    const ids: string[] = [];
    ports.mailServer.answer = ({ messageId }) => {
      ids.push(messageId);
      if (ids.length === 1) throw fault('Mail.Uncertain');
    };
    await notify({ id: reply.id, version: 1 });
    await pass(HOUR);
    expect(ids).toHaveLength(2);
    expect(new Set(ids).size).toBe(1);
    expect((await states(reply.id)).contact?.[0]).toBe('uncertain');
  });

  it('is not asked a third time', async () => {
    const { reply } = await replyTo();
    let asked = 0;
    ports.mailServer.answer = () => {
      asked++;
      throw fault('Mail.Uncertain');
    };
    await notify({ id: reply.id, version: 1 });
    await pass(5 * HOUR);
    expect(asked).toBe(2);
    expect((await states(reply.id)).contact?.[0]).toBe('uncertain');
    expect(ports.queues.notify.messages).toEqual([]);
  });

  it.each(['sending', 'writing down'])('sends at most twice when the process dies while %s', async (when) => {
    const { reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    ports.wind(10_000);
    const asked: string[] = [];
    const write = ports.table.write;
    ports.mailServer.answer = ({ messageId }) => {
      asked.push(messageId);
      ports.table.write = () => new Promise(() => {});
      if (when === 'sending') throw new Error('unreachable');
    };
    // The consumer hangs as a killed process does; its message becomes visible again.
    void ports.pump('notify', deliver(ports));
    await new Promise((resolve) => setTimeout(resolve, 20));
    ports.table.write = write;
    ports.mailServer.answer = ({ messageId }) => void asked.push(messageId);
    await pass(HOUR);
    expect(asked).toHaveLength(2);
    expect(new Set(asked).size).toBe(1);
    expect((await states(reply.id)).contact?.[0]).toBe('uncertain');
    expect(ports.queues.notify.messages).toEqual([]);
  });

  it('is asked once while the same message is with a second consumer', async () => {
    const { reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    await notify({ id: reply.id, version: 1 });
    ports.wind(10_000);
    const answer = Promise.withResolvers<void>();
    const taken = ports.mail.send;
    ports.mail.send = async (message) => {
      await answer.promise;
      return await taken(message);
    };
    const [first, second] = (await ports.queues.notify.receive(10)).map(({ id, body }) => ({ messageId: id, body }));
    const sending = deliver(ports)({ Records: [first] });
    await new Promise((resolve) => setTimeout(resolve, 10));
    await deliver(ports)({ Records: [second] });
    answer.resolve();
    await sending;
    expect(ports.mails).toHaveLength(1);
    expect(await states(reply.id)).toEqual({ contact: ['sent'] });
  });

  it('is asked no third time when two processes died while asking', async () => {
    const { reply } = await replyTo();
    await notify({ id: reply.id, version: 1 });
    let asked = 0;
    const { send } = ports.mail;
    ports.mail.send = async () => {
      asked++;
      return await new Promise(() => {});
    };
    for (let minute = 0; minute < 30; minute++) {
      ports.wind(MINUTE);
      void pump();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    ports.mail.send = send;
    await pass(HOUR);
    expect(asked).toBe(2);
    expect(ports.mails).toEqual([]);
    expect((await states(reply.id)).contact?.[0]).toBe('uncertain');
    expect(ports.queues.notify.messages).toEqual([]);
  });

  it('waits between attempts: 15 s at first, 15 minutes at most', () => {
    expect([1, 2, 3, 8, 200].map(retrySeconds)).toEqual([15, 30, 60, 900, 900]);
  });
});

describe('confirmation', () => {
  it('asks once in 30 days over all sites, and holds nothing that a reader typed', async () => {
    const ada = await story.person('Ada', { confirmed: false });
    for (const id of ['blog', 'other']) await story.site({ id, name: `Site ${id}` });
    const typed = { author: { name: 'BUY-NOW', key: ada.key, contact: ada.contact }, notifyReplies: true };
    for (const site of ['blog', 'other', 'blog']) {
      const comment = await story.comment(
        { ...typed, site, page: { url: 'https://blog.example/TITLE-TYPED', title: 'TITLE-TYPED' } },
        { body: 'BODY-TYPED' },
      );
      await notify({ id: comment.id, version: 1 });
      await pass(MINUTE);
    }
    expect(ports.mails).toHaveLength(1);
    const [mail] = ports.mails;
    expect(mail!.to).toBe(ada.email);
    expect(JSON.stringify(mail)).not.toMatch(/BUY-NOW|TYPED/);
    expect(mail!.text).toContain('https://comments.example/v1/mail/confirm/');
    expect(mail!.text).toContain(mail!.unsubscribeUrl);
    ports.wind(31 * 24 * HOUR);
    const again = await story.person('Ada', { confirmed: false });
    const late = await story.comment({ ...typed, author: { ...typed.author, contact: again.contact } });
    await notify({ id: late.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toHaveLength(2);
  });

  it('goes only for a comment that is published, and not when it is removed at once', async () => {
    await story.site();
    const ada = await story.person('Ada', { confirmed: false });
    const comment = await story.comment({
      author: { name: 'Ada', key: ada.key, contact: ada.contact },
      notifyReplies: true,
    });
    await notify({ id: comment.id, version: 1 });
    await story.store.change(comment, { set: { status: 'removed' }, by: 'user:m', action: 'remove' });
    await pass(MINUTE);
    expect(ports.mails).toEqual([]);
  });

  it('is asked at the first reply too, instead of the reply’s mail', async () => {
    const { reply } = await replyTo({ confirmed: false });
    await notify({ id: reply.id, version: 1 });
    await notify({ id: reply.id, version: 1 });
    await pass(HOUR);
    expect(ports.mails).toHaveLength(1);
    expect(ports.mails[0]!.subject).toBe('Confirm your address for replies on A Blog');
    expect(await states(reply.id)).toEqual({
      contact: ['skipped', 'address not confirmed yet'],
      confirmation: ['sent'],
    });
  });

  it('leaves no address after 7 days without it', async () => {
    const { ada, parent } = await replyTo({ confirmed: false });
    ports.wind(7 * 24 * HOUR - 1000);
    expect((await story.contacts.email(ada.contact))?.email).toBe(ada.email);
    ports.wind(1000);
    expect(await story.contacts.email(ada.contact)).toBeUndefined();
    const late = await story.comment({ parentId: parent.id, author: { name: 'Cy', key: 'w-Cy' } });
    await notify({ id: late.id, version: 1 });
    await pass(HOUR);
    expect(ports.mails).toEqual([]);
    expect(await states(late.id)).toEqual({ contact: ['skipped', 'no address'] });
  });

  it('is capped for a site and day', async () => {
    await story.site();
    for (let i = 0; i < 203; i++) {
      const person = await story.person(`P${i}`, { confirmed: false });
      const { id } = await story.comment({
        author: { name: 'P', key: person.key, contact: person.contact },
        notifyReplies: true,
      });
      await notify({ id, version: 1 });
    }
    await pass(MINUTE);
    expect(ports.mails).toHaveLength(200);
  });
});

describe('mail to the post’s author', () => {
  const author = { id: 'eve', name: 'Eve', email: 'eve@blog.example', notify: 'each' as const };

  it('has an excerpt and a link', async () => {
    await story.site({ authors: [author] });
    const comment = await story.comment({}, { body: 'First!' });
    await notify({ id: comment.id, version: 1 });
    await pass(MINUTE);
    expect(ports.mails).toMatchObject([{ to: author.email, subject: 'Ada commented on “A Post”' }]);
    expect(ports.mails[0]!.text).toContain('First!');
    expect(ports.mails[0]!.text).toContain('https://blog.example/post#sluice-');
  });

  it('is not sent for the author’s own comment, nor beside the mail for a reply', async () => {
    await story.site({ authors: [author] });
    const contact = await story.contacts.exchange({ email: author.email, client: '192.0.2.9' });
    await story.contacts.confirm(story.contacts.hashOf(author.email), contact);
    const own = await story.comment({
      author: { name: 'Eve', key: 'w-Eve', role: 'author', authorId: 'eve', contact },
      notifyReplies: true,
    });
    const reply = await story.comment({ parentId: own.id, author: { name: 'Bob', key: 'w-Bob' } });
    await notify({ id: own.id, version: 1 });
    await notify({ id: reply.id, version: 1 });
    await pass(HOUR);
    expect(ports.mails).toHaveLength(1);
    expect(await states(own.id)).toEqual({ author: ['skipped', 'own comment'] });
    expect(await states(reply.id)).toEqual({
      contact: ['sent'],
      author: ['skipped', 'told already, as the writer of the comment replied to'],
    });
  });

  it('is one a day for who asked for a digest', async () => {
    await story.site({ authors: [{ ...author, notify: 'digest' }] });
    for (let i = 0; i < 4; i++) {
      const { id } = await story.comment({ thread: `/post-${i}` }, { body: `comment ${i}` });
      await notify({ id, version: 1 });
      await pass(HOUR, 10 * MINUTE);
    }
    expect(ports.mails).toEqual([]);
    await pass(22 * HOUR, 10 * MINUTE);
    expect(ports.mails).toHaveLength(1);
    expect(ports.mails[0]!.text).toContain('comment 3');
  });

  it('tells of held comments who asked for them', async () => {
    await story.site({ authors: [{ ...author, notify: 'held' }] });
    const comment = await story.comment({ status: 'held', publishedRevision: null });
    await notify({ id: comment.id, version: 1 });
    await notify({ id: comment.id, version: 1, kind: 'held' });
    await pass(MINUTE);
    expect(ports.mails).toMatchObject([{ to: author.email, subject: 'A comment waits for you on “A Post”' }]);
    expect(ports.mails[0]!.text).toContain('https://comments.example/moderate');
  });
});
