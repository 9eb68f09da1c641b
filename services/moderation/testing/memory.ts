import pino from 'pino';
import type { Comment, JudgedComment, Judgement } from '../../../shared/comment.ts';
import type {
  DeskQuery,
  Item,
  Key,
  MailMessage,
  Ports,
  PutEntry,
  QueueMessage,
  Table,
  Write,
} from '../../../shared/ports.ts';
import { storeOf } from '../../../shared/store/comments.ts';
import { inTurn } from '../../../shared/store/in-turn.ts';
import { commentOf } from '../../../shared/store/keys.ts';
import { sitesOf, Site } from '../../../shared/store/sites.ts';
import { vaultOf } from '../../../shared/vault.ts';

/** Ports that keep their contracts in memory, with a clock to wind and a record of what went out. */
export type Memory = Ports & {
  clock: { now(): number; wind(ms: number): void };
  put: PutEntry[];
  started: { workflow: string; name: string; input: unknown }[];
  /** Tokens that somebody waits by. */
  waiting: Set<string>;
  woken: string[];
  sent: { queue: string; body: string; group?: string }[];
  /** The next so many calls of the bus fail. */
  breakBus(times: number): void;
  items: Map<string, Item>;
};

export function memoryPorts({ now = Date.UTC(2026, 10, 23, 12), ids = 0 } = {}): Memory {
  let at = now;
  let next = ids;
  let broken = 0;
  const clock = {
    now: () => at,
    wind: (ms: number) => {
      at += ms;
    },
  };
  const items = new Map<string, Item>();
  const table = memoryTable(items, clock.now);
  const put: PutEntry[] = [];
  const started: Memory['started'] = [];
  const waiting = new Set<string>();
  const woken: string[] = [];
  const sent: Memory['sent'] = [];
  const queue = (name: string) => ({
    async send(body: string, { group }: { delaySeconds?: number; group?: string } = {}) {
      sent.push({ queue: name, body, ...(group !== undefined && { group }) });
    },
    receive: async (): Promise<readonly QueueMessage[]> => [],
    remove: async () => undefined,
    changeVisibility: async () => undefined,
    attributes: async () => ({
      depth: sent.filter((message) => message.queue === name).length,
      inFlight: 0,
      delayed: 0,
    }),
  });
  const wake = async (token: string): Promise<'woken' | 'stale'> => {
    if (!waiting.delete(token)) return 'stale';
    woken.push(token);
    return 'woken';
  };
  return {
    table,
    search: { comments: async (query) => searchMemory(items, query) },
    bus: {
      async put(entries) {
        if (broken > 0) {
          broken--;
          throw new Error('the bus is down');
        }
        put.push(...entries);
        return entries.map((entry, index) => entry.id ?? `event-${put.length}-${index}`);
      },
    },
    queues: Object.fromEntries(['intake', 'notify', 'learn'].map((name) => [name, queue(name)])),
    workflows: {
      async start(workflow, { name, input }) {
        if (started.some((run) => run.workflow === workflow && run.name === name)) return 'exists';
        started.push({ workflow, name, input });
        return 'started';
      },
      succeed: wake,
      fail: wake,
    },
    mail: { send: async (message: MailMessage) => ({ response: `250 ${message.messageId}` }) },
    clock,
    ids: { next: () => `01TEST${String(++next).padStart(20, '0')}` },
    vault: vaultOf(new Uint8Array(32).fill(7)),
    log: pino({ level: 'silent' }),
    publicUrl: 'http://127.0.0.1:8787',
    put,
    started,
    waiting,
    woken,
    sent,
    breakBus: (times) => {
      broken = times;
    },
    items,
  };
}

const keyOf = ({ pk, sk }: Key) => `${pk}\u0000${sk}`;

function memoryTable(items: Map<string, Item>, now: () => number): Table {
  const alive = (item: Item | undefined) =>
    item && (item.expiresAt === undefined || item.expiresAt * 1000 > now()) ? item : undefined;
  const get = (key: Key) => {
    const found = alive(items.get(keyOf(key)));
    return found && structuredClone(found);
  };
  const holds = (key: Key, condition: 'absent' | { version: number } | undefined) => {
    if (condition === undefined) return true;
    const found = get(key);
    return condition === 'absent' ? found === undefined : found?.version === condition.version;
  };
  const add = (key: Key, by: Record<string, number>, expiresAt?: number, first: Record<string, number> = {}) => {
    const item: Item = { ...first, ...(get(key) ?? key) };
    for (const [name, step] of Object.entries(by)) item[name] = Number(item[name] ?? 0) + step;
    if (expiresAt !== undefined) item.expiresAt = expiresAt;
    items.set(keyOf(key), item);
    return item;
  };
  return {
    get: async (key) => get(key),
    getMany: async (keys) => {
      if (keys.length > 100) throw new Error('at most 100 keys');
      return keys.map(get);
    },
    async query({ index, pk, from, to, prefix, order = 'ascending', limit = 100, cursor }) {
      const pkName = index ? `${index}pk` : 'pk';
      const skName = index ? `${index}sk` : 'sk';
      const place = (item: Item) => `${String(item[skName])}\u0000${keyOf(item)}`;
      const found = [...items.values()]
        .filter((item) => alive(item) && item[pkName] === pk)
        .filter((item) => {
          const sk = String(item[skName]);
          return (from === undefined || sk >= from) && (to === undefined || sk <= to) && sk.startsWith(prefix ?? '');
        })
        .sort((a, b) => (place(a) < place(b) ? -1 : 1) * (order === 'ascending' ? 1 : -1))
        .filter((item) => !cursor || (order === 'ascending' ? place(item) > cursor : place(item) < cursor));
      const page = found.slice(0, limit).map((item) => structuredClone(item));
      const last = page.at(-1);
      return { items: page, ...(found.length > limit && last && { cursor: place(last) }) };
    },
    async write(writes: readonly Write[]) {
      if (writes.length > 100) throw new Error('at most 100 writes');
      for (const [index, write] of writes.entries()) {
        const key =
          'put' in write ? write.put : 'delete' in write ? write.delete : 'check' in write ? write.check : undefined;
        if (key && !holds(key, 'if' in write ? write.if : undefined)) return { done: false, failed: index };
      }
      for (const write of writes) {
        if ('put' in write) items.set(keyOf(write.put), JSON.parse(JSON.stringify(write.put)));
        else if ('delete' in write) items.delete(keyOf(write.delete));
        else if ('add' in write) add(write.add, write.by, write.expiresAt, write.first);
      }
      return { done: true };
    },
    writeInTurn(groups) {
      return inTurn((writes) => this.write(writes))(groups);
    },
    async increment(key, by, options) {
      const item = add(key, by, options?.expiresAt);
      return Object.fromEntries(Object.keys(by).map((name) => [name, Number(item[name])]));
    },
  };
}

function searchMemory(items: Map<string, Item>, query: DeskQuery) {
  const failed = new Set([...items.values()].filter(({ sk }) => sk === 'dead').map(({ pk }) => pk));
  const body = (comment: Comment) =>
    String(
      items.get(keyOf({ pk: `C#${comment.id}`, sk: `R#${String(comment.revision).padStart(12, '0')}` }))?.body ?? '',
    );
  const heads = [...items.values()].filter(({ sk }) => sk === 'head').map(commentOf);
  const found = heads.filter(
    (comment) =>
      comment.site === query.site &&
      (query.status === undefined ||
        (query.status === 'failed'
          ? failed.has(`C#${comment.id}`)
          : query.status === 'held'
            ? waits(comment)
            : comment.status === query.status)) &&
      (query.author === undefined || comment.author.key === query.author || comment.author.name === query.author) &&
      (query.thread === undefined || comment.thread === query.thread) &&
      (query.signal === undefined || comment.judgement?.signals?.some(({ name }) => name === query.signal)) &&
      (query.lang === undefined || comment.lang === query.lang) &&
      (query.since === undefined || comment.submittedAt >= query.since) &&
      (query.until === undefined || comment.submittedAt <= query.until) &&
      (query.decidedBy === undefined || comment.decidedBy === query.decidedBy) &&
      (query.network === undefined || comment.author.network === query.network) &&
      (query.linkHost === undefined || comment.linkHosts.includes(query.linkHost)) &&
      (query.fingerprint === undefined || comment.fingerprint === query.fingerprint) &&
      (query.q === undefined ||
        `${body(comment)} ${comment.author.name} ${comment.id}`.toLowerCase().includes(query.q.toLowerCase())),
  );
  const sort = query.sort ?? 'oldest';
  found.sort((a, b) => {
    if (sort === 'risk') return (b.judgement?.score ?? 0) - (a.judgement?.score ?? 0);
    if (sort === 'reports') return b.reports - a.reports;
    return (at(a) - at(b) || (a.id < b.id ? -1 : 1)) * (sort === 'newest' ? -1 : 1);
  });
  const start = Number(query.cursor ?? 0);
  const ids = found.slice(start, start + query.limit).map(({ id }) => id);
  const more = start + query.limit < found.length;
  return { ids, total: found.length, ...(more && { nextCursor: String(start + query.limit) }) };
}

const waits = ({ status, pendingRevision, reports }: Comment) =>
  status === 'held' || (status === 'published' && (pendingRevision !== null || reports > 0));

const at = (comment: Comment) =>
  comment.status === 'held' ? (comment.heldAt ?? comment.submittedAt) : comment.submittedAt;

/** A site to work at. */
export async function addSite(ports: Pick<Ports, 'table' | 'clock'>, id = 'demo'): Promise<void> {
  await sitesOf(ports.table, ports.clock).put(
    Site.parse({ id, name: id === 'demo' ? 'The Sluice blog' : id, origins: [] }),
  );
}

/** A comment as the pipeline would have stored it; held unless said otherwise. */
export async function addComment(
  ports: Pick<Ports, 'table' | 'clock'>,
  some: Partial<Comment> & { id: string; body?: string; html?: string },
): Promise<JudgedComment> {
  const { body = `Text of ${some.id}`, html, ...fields } = some;
  const now = ports.clock.now();
  const status = fields.status ?? 'held';
  const judgement: Judgement = {
    verdict: status === 'published' ? 'publish' : 'hold',
    score: 0.62,
    toxicity: 0.03,
    lang: 'en',
    signals: [
      { name: 'links', weight: 1.4, words: 'Two links from a writer nobody knows' },
      { name: 'new-writer', weight: 0.6, words: 'First comment of this writer here' },
      { name: 'length', weight: -0.5, words: 'Longer than most spam' },
    ],
    reason: 'score',
    policyVersion: 0,
    modelVersion: 'none',
    executionId: `run-${some.id}`,
    revision: 1,
    at: now,
  };
  const comment = {
    site: 'demo',
    thread: '/posts/hello',
    parentId: null,
    depth: 0,
    status,
    version: 2,
    revision: 1,
    publishedRevision: status === 'published' ? 1 : null,
    pendingRevision: null,
    author: { name: 'Ada', key: `writer-${some.id}` },
    notifyReplies: false,
    lane: 'lane-00',
    contentHash: `hash-${some.id}`,
    excerpt: body.slice(0, 120),
    fingerprint: `print-${some.id}`,
    linkHosts: [],
    lang: 'en',
    submittedAt: now,
    ...(status === 'held' && { heldAt: now, heldVersion: 2, holdReason: 'score' }),
    ...(status === 'published' && { publishedAt: now }),
    judgement,
    reports: 0,
    appeals: 0,
    ...fields,
  } as JudgedComment;
  const text = { commentId: comment.id, revision: 1, body, html: html ?? `<p>${escape(body)}</p>`, at: now };
  await storeOf(ports.table, ports.clock).create(comment, text);
  await ports.table.increment({ pk: `F#${comment.site}#${comment.fingerprint}`, sk: 'seen' }, { n: 1 });
  await storeOf(ports.table, ports.clock).note(
    {
      commentId: comment.id,
      version: comment.version,
      at: now,
      by: 'policy',
      action: judgement.verdict,
      from: 'received',
      to: status,
      judgement,
      trace: {
        executionId: judgement.executionId,
        workflow: 'moderation',
        attempt: 0,
        startedAt: now - 40,
        states: [
          { name: 'Validate', ms: 4, retries: 0 },
          { name: 'Judge', ms: 9, retries: 0 },
          { name: 'Hold', ms: 3, retries: 1, code: 'Store.Busy' },
        ],
      },
    },
    'change',
  );
  return comment;
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
