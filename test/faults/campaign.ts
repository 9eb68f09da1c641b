import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { SMTPServer } from 'smtp-server';
import type { Comment } from '../../shared/comment.ts';
import { Policy } from '../../shared/policy.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { deadLettersOf, NO_SITE } from '../../shared/store/dead-letters.ts';
import { commentOf } from '../../shared/store/keys.ts';
import { notificationsOf } from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { vaultOf } from '../../shared/vault.ts';
import { progressBar } from '../../infra/commands/progress.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { rootKeyOf } from '../../infra/local/settings.ts';
import { localTable } from '../../infra/local/table.ts';
import { topology } from '../../infra/topology.ts';
import { addressOf, chanceOf, nameOf, remark, type Chance } from './chance.ts';
import { freePort, PASSWORD, startChild, type Child } from './child.ts';

const SITE = 'faults';
const THREADS = 12;
const WRITERS = 20;
const DOUBTFUL = 0.9;
const READERS = 40;
/** One in so many kills falls into the start that follows the kill before. */
const KILLS_IN_START = 5;

export type Report = {
  seed: number;
  kills: number;
  /** Answered with 202, each once. */
  accepted: number;
  /** Sent again under their key because a kill took the answer. */
  unanswered: number;
  decisions: number;
  statuses: Record<string, number>;
  notifications: Record<string, number>;
  mails: number;
  /** What must not be: empty after a good campaign. */
  faults: string[];
  seconds: number;
};

type Submission = {
  key: string;
  path: string;
  thread: string;
  body: Record<string, unknown>;
  client: string;
  doubtful: boolean;
};
type Accepted = { id: string; thread: string; kill: number };

/**
 * Kills the server again and again under load, and then holds what is stored against what was answered.
 *
 * @param patience `intake` waits for verdicts, `all` for mail and woken reviews too (a send that a kill cut is tried again
 *   after a minute)
 */
export async function campaign({
  runs,
  seed,
  patience = 'all',
  onKill = () => {},
}: {
  runs: number;
  seed: number;
  patience?: 'intake' | 'all';
  onKill?: (note: string) => void;
}): Promise<Report> {
  const began = performance.now();
  const chance = chanceOf(seed);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-faults-'));
  const mails = await mailSink();
  const faults: string[] = [];
  const accepted = new Map<string, Accepted>();
  const open: Submission[] = [];
  const told: string[] = [];
  const doubtful: string[] = [];
  let serial = 0;
  let unanswered = 0;
  let decisions = 0;
  let kill = 0;
  try {
    await furnish(folder);
    const port = await freePort();
    const start = () => startChild(folder, port, { env: { SMTP_URL: `smtp://127.0.0.1:${mails.port}` } });

    const submit = async (child: Child, submission: Submission): Promise<void> => {
      const { status, body } = await child.call('POST', submission.path, submission.body, {
        'idempotency-key': submission.key,
        'x-forwarded-for': submission.client,
      });
      if (status === 202) {
        if (accepted.has(body.id)) faults.push(`${body.id} was answered to two submissions`);
        accepted.set(body.id, { id: body.id, thread: submission.thread, kill });
        if (submission.doubtful) doubtful.push(body.id);
        if (submission.body.notifyReplies) told.push(`${submission.thread} ${body.id}`);
      } else if (status !== 422 || !submission.body.parentId) {
        faults.push(`submission ${submission.key} got ${status}: ${JSON.stringify(body).slice(0, 200)}`);
      }
    };

    const decide = async (child: Child, token: string): Promise<void> => {
      const headers = { authorization: `Bearer ${token}` };
      const id = doubtful.shift();
      if (id === undefined) return;
      doubtful.push(id); // A decision that a kill cut is made again; one that stands is in conflict or unchanged.
      const { body: row } = await child.call('GET', `/v1/moderation/comments/${id}`, undefined, headers);
      if (row.status !== 'held') return;
      const action = chance.one(['publish', 'reject', 'spam', 'publish']);
      const answer = await child.call(
        'POST',
        '/v1/moderation/decisions',
        { decisions: [{ id: row.id, version: row.version, action }] },
        headers,
      );
      if (answer.status !== 200)
        faults.push(`a decision got ${answer.status}: ${JSON.stringify(answer.body).slice(0, 200)}`);
      else decisions += 1;
    };

    /** One writer's day: sends until the server is gone. What got no answer is sent again by whoever comes next. */
    const write = async (child: Child, alive: () => boolean, token: string): Promise<void> => {
      while (alive()) {
        const again = open.shift();
        const submission = again ?? compose(chance, (serial += 1), told);
        try {
          if (!again && chance.next() < 0.1) await decide(child, token);
          await submit(child, submission);
        } catch {
          open.push(submission);
          unanswered += 1;
          return;
        }
      }
    };

    let token = '';
    const signIn = async (child: Child) => {
      const { body } = await child.call('POST', '/v1/moderation/sessions', { user: 'admin', password: PASSWORD });
      token = body.token;
    };

    while (kill < runs) {
      const child = start();
      if (kill > 0 && chance.between(1, KILLS_IN_START) === 1) {
        await new Promise((done) => setTimeout(done, chance.between(20, 900)));
      } else {
        await child.ready;
        if (!token) await signIn(child);
        let alive = true;
        const writers = Array.from({ length: WRITERS }, () => write(child, () => alive, token));
        await new Promise((done) => setTimeout(done, chance.between(50, 1200)));
        await child.kill();
        alive = false;
        await Promise.all(writers);
      }
      await child.kill();
      kill += 1;
      onKill(`${accepted.size} accepted, ${faults.length} faults`);
    }

    const child = start();
    await child.ready;
    if (!token) await signIn(child);
    for (const submission of open.splice(0)) await submit(child, submission);
    await quiet(child, folder, patience);
    const totals = new Map<string, number>();
    for (const thread of new Set([...accepted.values()].map((one) => one.thread))) {
      const { body } = await child.call('GET', `/v1/sites/${SITE}/threads/${encodeURIComponent(thread)}/comments`);
      totals.set(thread, body.total);
    }
    await child.stop();
    const found = await inspect(folder, { accepted, totals, kills: kill, mails: mails.counts, patience });
    return {
      seed,
      kills: kill,
      accepted: accepted.size,
      unanswered,
      decisions,
      ...found,
      mails: [...mails.counts.values()].reduce((sum, n) => sum + n, 0),
      faults: [...faults, ...found.faults],
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await mails.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Mostly plain remarks; some that the policy holds, some whose writer wants to hear of replies, and replies to those. */
function compose(chance: Chance, number: number, told: readonly string[]): Submission {
  const kind = chance.next();
  const wish = told.length > 0 && kind < 0.15 ? chance.one(told.slice(-20)).split(' ') : undefined;
  const thread = wish?.[0] ?? `/post-${kind < 0.3 ? `asked-${number}` : chance.between(1, THREADS)}`;
  const links = [1, 2, 3, 4].map((n) => `https://site${number}-${n}.example/`).join(' ');
  const author: Record<string, string> = { name: nameOf(number) };
  if (!wish && kind < 0.3) author.email = readerOf(chance.between(1, READERS));
  return {
    key: `key-${number}`,
    path: `/v1/sites/${SITE}/threads/${encodeURIComponent(thread)}/comments`,
    thread,
    client: addressOf(number),
    doubtful: kind > DOUBTFUL,
    body: {
      author,
      body: kind > DOUBTFUL ? `${remark(chance)} ${links}` : remark(chance),
      ...(wish && { parentId: wish[1] }),
      ...(author.email && { notifyReplies: true }),
    },
  };
}

const readerOf = (number: number) => `reader-${number}@people.example`;

/** A site whose mail goes out at once, and readers who confirmed their addresses. */
async function furnish(folder: string): Promise<void> {
  const clock = { now: Date.now };
  const database = openDatabase(folder);
  const table = localTable(database, clock);
  const sites = sitesOf(table, clock);
  await sites.put({ id: SITE, name: 'Faults', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
  await sites.putPolicy(SITE, Policy.parse({ undoSeconds: 1, notifyBurstMinutes: 0 }), 0, 'test');
  const contacts = contactsOf(table, vaultOf(rootKeyOf(folder)), clock);
  for (let number = 1; number <= READERS; number++) {
    const email = readerOf(number);
    await contacts.confirm(contacts.hashOf(email), await contacts.exchange({ email }));
  }
  database.close();
}

/** An SMTP server that takes everything and counts by Message-ID. */
async function mailSink(): Promise<{ port: number; counts: Map<string, number>; close(): Promise<void> }> {
  const counts = new Map<string, number>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    logger: false,
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      stream.on('end', () => {
        const id = /^message-id:\s*(<[^>]+>)/im.exec(text)?.[1] ?? 'none';
        counts.set(id, (counts.get(id) ?? 0) + 1);
        done();
      });
    },
  });
  // A client that was killed leaves its connection broken: that is what this is for.
  server.on('error', () => {});
  const port = await freePort();
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return { port, counts, close: () => new Promise((done) => server.close(() => done())) };
}

/** Until every comment has its verdict; with `all`, until mail is out and nobody waits in vain. */
async function quiet(child: Child, folder: string, patience: 'intake' | 'all'): Promise<void> {
  const until = Date.now() + (patience === 'all' ? 240_000 : 60_000);
  const names = patience === 'all' ? ['intake', 'notify'] : ['intake'];
  let still = 0;
  while (Date.now() < until && still < 3) {
    const { body } = await child.call('GET', '/health');
    const busy = names.some((name) => body.queues[name].depth + body.queues[name].inFlight > 0);
    still = busy || (patience === 'all' && idlers(folder) > 0) ? 0 : still + 1;
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Executions of `review` whose comment waits no more, and decisions whose consequences are owed. */
function idlers(folder: string): number {
  const { sqlite, close } = openDatabase(folder);
  const row = sqlite
    .prepare(
      `SELECT count(*) AS n FROM execution JOIN item ON pk = 'C#' || (input ->> '$.id') AND sk = 'head'
        WHERE execution.status = 'RUNNING' AND doc ->> '$.status' <> 'held'`,
    )
    .get() as { n: number };
  const owed = sqlite.prepare(`SELECT count(*) AS n FROM item WHERE gsi3pk >= 'OWED' AND gsi3pk < 'OWEE'`).get() as {
    n: number;
  };
  close();
  return row.n + owed.n;
}

const FINAL = new Set(['published', 'held', 'rejected', 'spam']);

/** Holds the store against what was answered. */
async function inspect(
  folder: string,
  {
    accepted,
    totals,
    kills,
    mails,
    patience,
  }: {
    accepted: Map<string, Accepted>;
    totals: Map<string, number>;
    kills: number;
    mails: Map<string, number>;
    patience: 'intake' | 'all';
  },
): Promise<Pick<Report, 'statuses' | 'notifications' | 'faults'>> {
  const clock = { now: Date.now };
  const database = openDatabase(folder);
  const table = localTable(database, clock);
  const store = storeOf(table, clock);
  const records = notificationsOf(table);
  const faults: string[] = [];
  const statuses: Record<string, number> = {};
  const notifications: Record<string, number> = {};
  const published = new Map<string, number>();
  const heads = (
    database.sqlite.prepare(`SELECT doc FROM item WHERE sk = 'head' AND doc ->> '$.site' = ?`).all(SITE) as {
      doc: string;
    }[]
  ).map(({ doc }) => commentOf(JSON.parse(doc)));
  const byId = new Map(heads.map((head) => [head.id, head]));

  for (const { id, kill } of accepted.values()) {
    const head = byId.get(id);
    if (!head) {
      faults.push(`${id}, accepted before kill ${kill + 1}, is lost`);
      continue;
    }
    statuses[head.status] = (statuses[head.status] ?? 0) + 1;
    const parent = head.parentId === null ? undefined : byId.get(head.parentId);
    const parked = head.status === 'received' && (parent?.status === 'held' || parent?.status === 'received');
    if (!FINAL.has(head.status) && !parked) faults.push(`${id} is still ${head.status}`);
  }
  for (const head of heads) {
    if (!accepted.has(head.id)) faults.push(`${head.id} is stored and was never answered`);
    const log = await store.log(head.id);
    const publications = log.filter((row) => row.to === 'published' && row.from !== 'published');
    if (publications.length > 1) faults.push(`${head.id} was published ${publications.length} times`);
    if (log.some(({ version }) => version > head.version)) faults.push(`${head.id} has a log ahead of it`);
    if (head.status !== 'published') continue;
    published.set(head.thread, (published.get(head.thread) ?? 0) + 1);
    const parent = head.parentId === null ? undefined : byId.get(head.parentId);
    const found = await records.of(head.id);
    if (parent?.notifyReplies && found.length === 0) faults.push(`nobody was told of ${head.id}`);
    for (const record of found) {
      notifications[record.state] = (notifications[record.state] ?? 0) + 1;
      const sent = mails.get(record.messageId) ?? 0;
      const most = record.state === 'uncertain' || (patience === 'intake' && record.state === 'sending') ? 2 : 1;
      if (sent > most) faults.push(`the mail of ${head.id} went out ${sent} times, and is marked ${record.state}`);
      if (record.state === 'sent' && sent === 0) faults.push(`the mail of ${head.id} is marked sent, and never was`);
      if (patience === 'all' && (record.state === 'queued' || record.state === 'sending')) {
        faults.push(`the mail of ${head.id} is still ${record.state}`);
      }
    }
  }
  for (const [thread, total] of totals) {
    if (total !== (published.get(thread) ?? 0)) {
      faults.push(`${thread} says ${total} comments and has ${published.get(thread) ?? 0}`);
    }
  }

  const maxReceives = topology.queues.intake?.deadLetter?.maxReceives ?? 0;
  for (const site of [SITE, NO_SITE]) {
    const { letters } = await deadLettersOf(table).list(site, { limit: 1000 });
    for (const letter of letters) {
      const since = kills - (accepted.get(letter.commentId ?? '')?.kill ?? 0);
      const earned = letter.reason === 'Queue.MaxReceives' && since >= maxReceives;
      if (!earned) faults.push(`dead letter of ${letter.commentId}: ${letter.reason}, ${letter.detail}`);
    }
  }
  const waiting = new Set(
    (
      database.sqlite.prepare(`SELECT name FROM execution WHERE workflow = 'review' AND status = 'RUNNING'`).all() as {
        name: string;
      }[]
    ).map(({ name }) => name),
  );
  for (const head of heads) {
    if (head.status === 'held' && !waiting.has(`${head.id}-${head.heldVersion}`)) {
      faults.push(`${head.id} is held, and no review waits for it`);
    }
  }
  if (patience === 'all' && idlersOf(database, byId) > 0)
    faults.push(`${idlersOf(database, byId)} reviews wait in vain`);
  database.close();
  return { statuses, notifications, faults };
}

function idlersOf(database: ReturnType<typeof openDatabase>, byId: Map<string, Comment>): number {
  const rows = database.sqlite
    .prepare(`SELECT input FROM execution WHERE workflow = 'review' AND status = 'RUNNING'`)
    .all() as { input: string }[];
  return rows.filter(({ input }) => byId.get((JSON.parse(input) as { id: string }).id)?.status !== 'held').length;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { runs: { type: 'string', default: '20' }, seed: { type: 'string', default: String(Date.now() % 1e6) } },
  });
  const runs = Number(values.runs);
  const bar = progressBar(`kill -9, seed ${values.seed}`, runs);
  const report = await campaign({ runs, seed: Number(values.seed), onKill: (note) => bar.add(1, note) });
  bar.end();
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  process.exit(report.faults.length > 0 ? 1 : 0);
}
