import { createReadStream, cpSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { DatabaseSync, backup as backupDatabase } from 'node:sqlite';
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { SluiceError } from '../../../shared/errors.ts';
import { deadLettersOf, NO_SITE } from '../../../shared/store/dead-letters.ts';
import { Site, sitesOf } from '../../../shared/store/sites.ts';
import { usersOf } from '../../../shared/store/users.ts';
import { parse } from '../../../shared/parse.ts';
import { vaultOf } from '../../../shared/vault.ts';
import { renewSiteAuthorKey, siteAuthorKey } from '../../../services/door/authors.ts';
import { addUser, setPassword } from '../../../services/moderation/users.ts';
import { openDatabase } from '../database.ts';
import { openInstance } from '../instance.ts';
import { lockHolder } from '../lock.ts';
import { queueNamesOf } from '../queues.ts';
import { ensureDemo } from '../seed.ts';
import { readSettings, rootKeyOf } from '../settings.ts';
import { localTable } from '../table.ts';
import { topology } from '../../topology.ts';
import { runMailTest } from './mail-test.ts';
import { progressBar } from './progress.ts';
import { runReplay, type ReplayOptions } from './replay.ts';

const clock = { now: Date.now };
const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** The store alone, beside a server that may be running: its queues are not touched. */
async function withStore<T>(work: (table: ReturnType<typeof localTable>) => Promise<T>): Promise<T> {
  const settings = readSettings(process.env);
  const database = openDatabase(resolve(settings.SLUICE_DATA));
  try {
    return await work(localTable(database, clock));
  } finally {
    database.close();
  }
}

/** Submits a file through an instance of its own: the folder's, which nobody else may be running on. */
export async function replay(file: string, options: ReplayOptions & { json?: boolean }): Promise<void> {
  if (!existsSync(file)) {
    throw new SluiceError('Config.Invalid', `there is no file ${file}`, { hint: 'give the path of a JSONL file' });
  }
  const settings = readSettings({
    ...process.env,
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
    SLUICE_RATE_LIMIT: 'off',
  });
  const instance = await openInstance(settings, { log: pino({ level: settings.LOG_LEVEL }, pino.destination(2)) });
  const bar = progressBar('replay', statSync(file).size);
  try {
    const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
    const result = await runReplay(instance, lines, options, bar.add);
    bar.end();
    if (options.json) say(JSON.stringify(result));
    else {
      const rows = Object.entries(result).map(
        ([name, value]) =>
          [name, typeof value === 'number' ? String(Math.round(value * 10) / 10) : String(value)] as const,
      );
      const width = Math.max(...rows.map(([name]) => name.length));
      say(rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value.padStart(8)}`).join('\n'));
    }
    if (result.failed > 0) process.exitCode = 1;
  } finally {
    bar.end();
    await instance.stop();
  }
}

/** From a terminal it is asked for, twice; from a pipe read; with nothing given, made. */
async function askPassword(): Promise<{ password: string; made: boolean }> {
  if (process.env.SLUICE_PASSWORD) return { password: process.env.SLUICE_PASSWORD, made: false };
  return { password: randomBytes(15).toString('base64url'), made: true };
}

export async function userAdd(name: string, { role, site }: { role: string; site: string }): Promise<void> {
  if (role !== 'moderator' && role !== 'admin') {
    throw new SluiceError('Config.Invalid', `"${role}" is no role`, { hint: 'moderator or admin' });
  }
  const { password, made } = await askPassword();
  await withStore((table) => addUser({ table, clock }, { name, password, roles: [{ site, role }] }));
  say(
    `${name} may sign in as ${role} of ${site === '*' ? 'all sites' : site}.${made ? ` Password, shown this once: ${password}` : ''}`,
  );
}

export async function userPasswd(name: string): Promise<void> {
  const { password, made } = await askPassword();
  await withStore((table) => setPassword({ table, clock }, name, password));
  say(`The password of ${name} is new, and all sessions have ended.${made ? ` Shown this once: ${password}` : ''}`);
}

export async function siteAdd(id: string, { name, origin }: { name?: string; origin?: string[] }): Promise<void> {
  const site = parse(
    Site,
    { id, name: name ?? id, origins: (origin ?? []).map(originOf) },
    'Config.Invalid',
    'see sluice site add --help',
  );
  await withStore(async (table) => {
    const sites = sitesOf(table, clock);
    await ensureDemoWith(table);
    if ((await sites.list()).some((known) => known.id === id)) {
      throw new SluiceError('Config.Invalid', `there is a site ${id} already`, { hint: 'change it in the desk' });
    }
    await sites.put(site);
  });
  say(`Site ${id} is there. In its pages: <script src="…/embed.js" data-site="${id}" data-thread="…"></script>`);
}

/** The key with which a blog's back end signs its authors' tokens (docs/authors.md); a new one ends the old. */
export async function siteKey(id: string, { renew }: { renew?: boolean }): Promise<void> {
  const settings = readSettings(process.env);
  const vault = vaultOf(rootKeyOf(resolve(settings.SLUICE_DATA)));
  const key = await withStore(async (table) => {
    await sitesOf(table, clock).fresh(id);
    if (renew) await renewSiteAuthorKey(table, id);
    return siteAuthorKey(table, vault, id);
  });
  say(key);
}

async function ensureDemoWith(table: ReturnType<typeof localTable>): Promise<void> {
  await ensureDemo({ table, clock });
}

function originOf(text: string): string {
  try {
    return new URL(text).origin;
  } catch (cause) {
    throw new SluiceError('Config.Invalid', `"${text}" is no origin`, { hint: 'such as https://blog.example', cause });
  }
}

/** Through the server that runs on the folder, or an instance of its own. */
export async function mailTest(address: string): Promise<void> {
  const settings = readSettings({ ...process.env, LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent' });
  const folder = resolve(settings.SLUICE_DATA);
  const holder = lockHolder(folder);
  say(
    `mail        ${settings.SMTP_URL ? `by ${new URL(settings.SMTP_URL).host}` : 'into the mailbox: no SMTP_URL is set'}`,
  );
  if (!holder) {
    const instance = await openInstance(settings);
    const { ports, database } = instance.runtime;
    const { table, vault, clock, publicUrl } = ports;
    try {
      await runMailTest({ table, vault, clock, database, publicUrl, fetch: instance.fetch }, address, say);
    } finally {
      await instance.stop();
    }
    return;
  }
  const database = openDatabase(folder);
  try {
    const vault = vaultOf(rootKeyOf(folder));
    const table = localTable(database, clock);
    await runMailTest({ table, vault, clock, database, publicUrl: holder.url, fetch }, address, say);
  } finally {
    database.close();
  }
}

/** Sends again through the queue itself, in one write with the letter's mark: also beside a running server. */
export async function redrive(id: string | undefined, { site }: { site?: string }): Promise<void> {
  const settings = readSettings(process.env);
  const database = openDatabase(resolve(settings.SLUICE_DATA));
  try {
    const table = localTable(database, clock);
    const letters = deadLettersOf(table);
    const known = (await sitesOf(table, clock).list()).map((one) => one.id);
    const wanted = id === undefined ? [] : [await letters.get(id)];
    if (id !== undefined && wanted[0] === undefined) {
      throw new SluiceError('Request.NotFound', `there is no dead letter ${id}`, { hint: 'see the desk, or doctor' });
    }
    for (const one of id === undefined ? (site ? [site] : [...known, NO_SITE]) : []) {
      let cursor: string | undefined;
      do {
        const page = await letters.list(one, { limit: 500, ...(cursor && { cursor }) });
        wanted.push(...page.letters);
        cursor = page.cursor;
      } while (cursor);
    }
    const enqueue = queueNamesOf(topology.queues, database, clock);
    let sent = 0;
    for (const letter of wanted) {
      if (!letter || letter.redrivenAt !== undefined) continue;
      await enqueue(letter.source, letter.body, letter.group);
      await letters.markRedriven(letter, clock.now());
      sent += 1;
    }
    say(`${sent} sent again.`);
  } finally {
    database.close();
  }
}

/** SQLite's own online backup, and the key without which sealed addresses stay closed. */
export async function backup(folder: string): Promise<void> {
  const settings = readSettings(process.env);
  if (existsSync(folder))
    throw new SluiceError('Config.Invalid', `${folder} exists`, { hint: 'name a folder that does not exist' });
  const source = new DatabaseSync(join(settings.SLUICE_DATA, 'sluice.db'));
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pages = await backupDatabase(source, join(folder, 'sluice.db'));
  source.close();
  for (const name of ['root.key', 'aws.key']) {
    const file = join(settings.SLUICE_DATA, name);
    if (existsSync(file)) cpSync(file, join(folder, name));
  }
  say(`${pages} pages saved to ${folder}. It holds keys: keep it as safe as the data.`);
}

export async function restore(folder: string): Promise<void> {
  const settings = readSettings(process.env);
  if (!existsSync(join(folder, 'sluice.db')) || !existsSync(join(folder, 'root.key'))) {
    throw new SluiceError('Config.Invalid', `${folder} holds no backup`, { hint: 'it needs sluice.db and root.key' });
  }
  if (existsSync(settings.SLUICE_DATA) && readdirSync(settings.SLUICE_DATA).length > 0) {
    throw new SluiceError('Config.Invalid', `${settings.SLUICE_DATA} is not empty`, { hint: 'move it away first' });
  }
  mkdirSync(settings.SLUICE_DATA, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) cpSync(join(folder, name), join(settings.SLUICE_DATA, name));
  openDatabase(resolve(settings.SLUICE_DATA)).close();
  say(`Restored into ${settings.SLUICE_DATA}.`);
}

export async function doctor(): Promise<void> {
  const settings = readSettings(process.env);
  say(`settings    fine`);
  const holder = lockHolder(resolve(settings.SLUICE_DATA));
  say(`server      ${holder ? `running as process ${holder.pid}, ${holder.url}` : 'not running'}`);
  const database = openDatabase(resolve(settings.SLUICE_DATA));
  try {
    const { integrity_check: integrity } = database.sqlite.prepare('PRAGMA integrity_check').get() as {
      integrity_check: string;
    };
    say(`database    ${integrity}`);
    const table = localTable(database, clock);
    const sites = await sitesOf(table, clock).list();
    say(`sites       ${sites.map(({ id }) => id).join(', ') || 'none'}`);
    say(
      `moderator   ${(await usersOf(table, clock).get('admin')) ? 'admin is there' : 'no admin yet: start the server once'}`,
    );
    const rows = database.sqlite
      .prepare('SELECT queue, count(*) AS n, min(sent_at) AS oldest FROM message GROUP BY queue')
      .all() as { queue: string; n: number; oldest: number }[];
    for (const row of rows)
      say(`queue       ${row.queue}: ${row.n}, the oldest of ${new Date(row.oldest).toISOString()}`);
    const letters = deadLettersOf(table);
    for (const site of [...sites.map(({ id }) => id), NO_SITE]) {
      const page = await letters.list(site, { limit: 100 });
      if (page.letters.length > 0) {
        say(
          `dead        ${page.letters.length}${page.cursor ? '+' : ''} of site ${site}: ${[...new Set(page.letters.map(({ reason }) => reason))].join(', ')}`,
        );
        process.exitCode = 1;
      }
    }
    if (integrity !== 'ok') process.exitCode = 1;
  } finally {
    database.close();
  }
}
