import { describe, expect, it } from 'vitest';
import { notificationsOf } from '../../shared/store/notifications.ts';
import { memoryPorts, type MemoryPorts } from '../../test/fakes.ts';
import { storyOf } from '../../test/stories.ts';
import { authorNotify } from '../author-notify/handler.ts';
import { deliver } from './handler.ts';

const MINUTE = 60_000;
const never = new Promise<never>(() => {});

/**
 * Kills the process at the `at`-th effect (a write, a send to the queue, the bus or the mail server): before it happens, or
 * after it happened and before anybody was told. A dead process does nothing more: its calls never come back.
 */
function killAt(ports: MemoryPorts, at: number, when: 'before' | 'after'): { effects(): number; restart(): void } {
  const real = {
    write: ports.table.write,
    queue: ports.queues.notify.send,
    remove: ports.queues.notify.remove,
    put: ports.bus.put,
    mail: ports.mail.send,
  };
  let effects = 0;
  const through =
    <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      effects++;
      if (effects > at || (effects === at && when === 'before')) return never;
      const answer = await call(...args);
      return effects === at ? never : answer;
    };
  ports.table.write = through(real.write);
  ports.queues.notify.send = through(real.queue.bind(ports.queues.notify));
  ports.queues.notify.remove = through(real.remove.bind(ports.queues.notify));
  ports.bus.put = through(real.put);
  ports.mail.send = through(real.mail);
  return {
    effects: () => effects,
    restart() {
      ports.table.write = real.write;
      ports.queues.notify.send = real.queue;
      ports.queues.notify.remove = real.remove;
      ports.bus.put = real.put;
      ports.mail.send = real.mail;
    },
  };
}

/** Three replies to one comment, from notification to mail; the process dies at one effect and is started again. */
async function run(at: number, when: 'before' | 'after') {
  const ports = memoryPorts();
  const story = storyOf(ports);
  await story.site();
  const ada = await story.person('Ada');
  const parent = await story.comment({
    author: { name: 'Ada', key: ada.key, contact: ada.contact },
    notifyReplies: true,
  });
  const replies: string[] = [];
  for (const name of ['Bob', 'Cy', 'Di']) {
    const { id } = await story.comment(
      { parentId: parent.id, author: { name, key: `w-${name}` } },
      { body: `words of ${name}` },
    );
    replies.push(id);
  }
  const life = async () => {
    const notify = authorNotify(ports);
    const consumer = deliver(ports);
    for (const id of replies) await notify({ id, version: 1 });
    for (let minute = 0; minute < 40; minute++) {
      ports.wind(MINUTE);
      await ports.pump('notify', consumer);
    }
  };
  const kill = killAt(ports, at, when);
  const first = { over: false };
  void life().then(() => (first.over = true));
  // All is in memory: what has not ended after this many turns hangs at the kill.
  for (let turn = 0; turn < 300 && !first.over; turn++) await new Promise((resolve) => setImmediate(resolve));
  const effects = kill.effects();
  kill.restart();
  // The workflow runs `author-notify` again, and the queue shows again what was in flight.
  if (!first.over) await life();
  const told = (name: string) => ports.mails.filter(({ text }) => text.includes(`words of ${name}`));
  const states = await Promise.all(
    replies.map(async (id) => (await notificationsOf(ports.table).of(id)).map(({ state }) => state)),
  );
  return { over: first.over, effects, told: ['Bob', 'Cy', 'Di'].map(told), states: states.flat(), ports };
}

describe('a process that dies at any effect', () => {
  it.each(['before', 'after'] as const)(
    'loses no mail, and repeats one at most with its Message-ID: %s it',
    async (when) => {
      let deaths = 0;
      for (let at = 1; at < 200; at++) {
        const { over, told, states, ports } = await run(at, when);
        if (over) break;
        deaths++;
        for (const mails of told) {
          expect(mails.length, `effect ${at}`).toBeGreaterThanOrEqual(1);
          expect(mails.length, `effect ${at}`).toBeLessThanOrEqual(2);
          expect(new Set(mails.map(({ messageId }) => messageId)).size, `effect ${at}`).toBe(1);
          expect(mails.length === 1 || states.includes('uncertain'), `effect ${at}`).toBe(true);
        }
        expect(
          states.every((state) => state === 'sent' || state === 'uncertain'),
          `effect ${at}: ${states}`,
        ).toBe(true);
        expect(ports.queues.notify.messages, `effect ${at}`).toEqual([]);
        const owed = [...ports.table.items.values()].filter(({ sk }) => sk.startsWith('M#'));
        expect(owed, `effect ${at}`).toEqual([]);
      }
      expect(deaths).toBeGreaterThan(15);
    },
  );
});
