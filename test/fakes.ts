import { pino } from 'pino';
import { z } from 'zod';
import { SluiceError } from '../shared/errors.ts';
import type { Item, Key, Mail, MailMessage, Ports, PutEntry, Query, Queue, Service, Table } from '../shared/ports.ts';
import { inTurn } from '../shared/store/in-turn.ts';
import { vaultOf } from '../shared/vault.ts';

const name = ({ pk, sk }: Key) => `${pk}\u0000${sk}`;

const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
const byPlace = (a: string[], b: string[]) =>
  a.map((part, i) => bytes(part, b[i] ?? '')).find((step) => step !== 0) ?? 0;

function cursorOf(cursor: string): string[] {
  try {
    return z.tuple([z.string(), z.string(), z.string()]).parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch (cause) {
    throw new SluiceError('Request.Invalid', 'the cursor is none of ours', { hint: 'start without one', cause });
  }
}

/** The table's contract over a Map: conditions, transactions, indexes, expiry. */
export function memoryTable(now: () => number): Table & { items: Map<string, Item> } {
  const items = new Map<string, Item>();
  const read = (key: Key) => {
    const item = items.get(name(key));
    return item && (item.expiresAt === undefined || item.expiresAt * 1000 > now()) ? structuredClone(item) : undefined;
  };
  const holds = (key: Key, condition: 'absent' | { version: number } | undefined) =>
    condition === undefined || (condition === 'absent' ? !read(key) : read(key)?.version === condition.version);
  const add = (key: Key, by: Record<string, number>, expiresAt?: number, first: Record<string, number> = {}) => {
    const item: Item = { ...first, ...(read(key) ?? key) };
    for (const [field, step] of Object.entries(by)) item[field] = Number(item[field] ?? 0) + step;
    if (expiresAt !== undefined) item.expiresAt = expiresAt;
    items.set(name(key), item);
    return item;
  };
  return {
    items,
    async get(key) {
      return read(key);
    },
    async getMany(keys) {
      return keys.map(read);
    },
    async query({ index, pk, from, to, prefix, order, limit = 100, cursor }: Query) {
      const pkName = index ? (`${index}pk` as const) : 'pk';
      const skName = index ? (`${index}sk` as const) : 'sk';
      const after = cursor === undefined ? undefined : cursorOf(cursor);
      const place = (item: Item) => [String(item[skName]), item.pk, item.sk];
      const sorted = [...items.values()]
        .filter((item) => item[pkName] === pk && read(item) !== undefined)
        .map((item) => ({ at: place(item), item }))
        .filter(
          ({ at: [sort = ''] }) =>
            (from === undefined || bytes(sort, from) >= 0) && (to === undefined || bytes(sort, to) <= 0),
        )
        .filter(({ at: [sort = ''] }) => prefix === undefined || sort.startsWith(prefix))
        .sort((a, b) => byPlace(a.at, b.at));
      if (order === 'descending') sorted.reverse();
      const beyond = (at: string[]) =>
        after === undefined || byPlace(at, after) * (order === 'descending' ? -1 : 1) > 0;
      const left = sorted.filter(({ at }) => beyond(at));
      const page = left.slice(0, limit);
      const last = page.at(-1);
      return {
        items: page.map(({ item }) => structuredClone(item)),
        ...(last && left.length > limit && { cursor: Buffer.from(JSON.stringify(last.at)).toString('base64url') }),
      };
    },
    async write(writes) {
      const keys = writes.map((write) =>
        name('put' in write ? write.put : 'delete' in write ? write.delete : 'add' in write ? write.add : write.check),
      );
      if (keys.length > 100 || new Set(keys).size < keys.length)
        throw new SluiceError('Internal.Bug', `${keys.length} writes: over 100, or a key twice`, {
          hint: 'write less at once',
        });
      const failed = writes.findIndex((write) => {
        if ('put' in write) return !holds(write.put, write.if);
        if ('delete' in write) return !holds(write.delete, write.if);
        return 'check' in write && !holds(write.check, write.if);
      });
      if (failed >= 0) return { done: false, failed };
      for (const write of writes) {
        if ('put' in write) items.set(name(write.put), structuredClone(write.put));
        if ('delete' in write) items.delete(name(write.delete));
        if ('add' in write) add(write.add, write.by, write.expiresAt, write.first);
      }
      return { done: true };
    },
    writeInTurn(groups) {
      return inTurn((writes) => this.write(writes))(groups);
    },
    async increment(key, by, options) {
      const item = add(key, by, options?.expiresAt);
      return Object.fromEntries(Object.keys(by).map((field) => [field, Number(item[field])]));
    },
  };
}

const VISIBILITY_MS = 180_000;

type Held = { id: string; body: string; visibleAt: number; sentAt: number; receiveCount: number; receipt: string };

/** The queue's contract in memory; time is the given clock's. */
export function memoryQueue(now: () => number): Queue & { messages: Held[]; sends: number } {
  let serial = 0;
  return {
    messages: [],
    sends: 0,
    async send(body, { delaySeconds = 0 } = {}) {
      if (delaySeconds < 0 || delaySeconds > 900) throw new RangeError(`delaySeconds is ${delaySeconds}`);
      this.sends++;
      const id = `m${++serial}`;
      this.messages.push({
        id,
        body,
        visibleAt: now() + delaySeconds * 1000,
        sentAt: now(),
        receiveCount: 0,
        receipt: '',
      });
    },
    async receive(max) {
      const visible = this.messages.filter(({ visibleAt }) => visibleAt <= now()).slice(0, max);
      for (const message of visible) {
        message.visibleAt = now() + VISIBILITY_MS;
        message.receiveCount++;
        message.receipt = `${message.id}.${message.receiveCount}`;
      }
      return visible.map(({ id, body, sentAt, receiveCount, receipt }) => ({
        id,
        body,
        sentAt,
        receiveCount,
        receipt,
      }));
    },
    async remove(receipt) {
      this.messages = this.messages.filter((message) => message.receipt !== receipt);
    },
    async changeVisibility(receipt, seconds) {
      for (const message of this.messages) if (message.receipt === receipt) message.visibleAt = now() + seconds * 1000;
    },
    async attributes() {
      const depth = this.messages.filter(({ visibleAt }) => visibleAt <= now()).length;
      const inFlight = this.messages.filter(
        ({ visibleAt, receiveCount }) => visibleAt > now() && receiveCount > 0,
      ).length;
      return { depth, inFlight, delayed: this.messages.length - depth - inFlight };
    },
  };
}

export type MemoryPorts = Ports & {
  table: ReturnType<typeof memoryTable>;
  queues: { intake: ReturnType<typeof memoryQueue>; notify: ReturnType<typeof memoryQueue> };
  /** What was put on the bus. */
  events: PutEntry[];
  /** What the mail server took. */
  mails: MailMessage[];
  /** How the mail server answers from now on; throw to fail. */
  mailServer: { answer(message: MailMessage): void };
  /** Lets time pass. */
  wind(ms: number): void;
  /** Hands visible messages to a consumer as an event source does, until none is visible. Answers how many failed. */
  pump(queue: 'intake' | 'notify', consumer: ReturnType<Service>): Promise<number>;
};

const absent = async (): Promise<never> => {
  throw new SluiceError('Internal.Bug', 'this fake has no such port', { hint: 'use the local runtime' });
};

/** All ports in memory, with a clock to wind. */
export function memoryPorts({ nowMs = Date.UTC(2026, 0, 15, 12) }: { nowMs?: number } = {}): MemoryPorts {
  let nowValue = nowMs;
  let serial = 0;
  const now = () => nowValue;
  const events: PutEntry[] = [];
  const mails: MailMessage[] = [];
  const mailServer: MemoryPorts['mailServer'] = { answer: () => {} };
  const queues = { intake: memoryQueue(now), notify: memoryQueue(now) };
  const mail: Mail = {
    async send(message) {
      mailServer.answer(message);
      mails.push(message);
      return { response: '250 2.0.0 taken' };
    },
  };
  return {
    table: memoryTable(now),
    queues,
    events,
    mails,
    mailServer,
    mail,
    search: { comments: absent },
    bus: {
      async put(entries) {
        events.push(...entries);
        return entries.map(() => `e${events.length}`);
      },
    },
    workflows: { start: absent, succeed: absent, fail: absent },
    clock: { now },
    ids: { next: () => `01TEST${String(++serial).padStart(20, '0')}` },
    vault: vaultOf(new Uint8Array(32).fill(7)),
    log: pino({ level: 'silent' }),
    publicUrl: 'https://comments.example',
    wind(ms) {
      nowValue += ms;
    },
    async pump(name, consumer) {
      const queue = queues[name];
      let failed = 0;
      for (let batch = 0; batch < 1000; batch++) {
        const messages = await queue.receive(10);
        if (messages.length === 0) return failed;
        const answer = (await consumer({
          Records: messages.map(({ id, body, receipt, receiveCount }) => ({
            messageId: id,
            body,
            receiptHandle: receipt,
            attributes: { ApproximateReceiveCount: String(receiveCount) },
          })),
        })) as { batchItemFailures: { itemIdentifier: string }[] };
        const failures = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        failed += failures.size;
        for (const message of messages) if (!failures.has(message.id)) await queue.remove(message.receipt);
      }
      throw new Error('the queue never empties');
    },
  };
}
