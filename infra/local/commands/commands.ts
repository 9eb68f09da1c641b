import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { DatabaseSync, backup as backupDatabase } from 'node:sqlite';
import { randomBytes } from 'node:crypto';
import { SluiceError } from '../../../shared/errors.ts';
import { addUser, setPassword } from '../../../services/moderation/users.ts';
import { openDatabase } from '../database.ts';
import { readSettings } from '../settings.ts';
import { localTable } from '../table.ts';

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

/** What SLUICE_PASSWORD says; without it, made. */
function newPassword(): { password: string; made: boolean } {
  if (process.env.SLUICE_PASSWORD) return { password: process.env.SLUICE_PASSWORD, made: false };
  return { password: randomBytes(15).toString('base64url'), made: true };
}

export async function userAdd(name: string, { role, site }: { role: string; site: string }): Promise<void> {
  if (role !== 'moderator' && role !== 'admin') {
    throw new SluiceError('Config.Invalid', `"${role}" is no role`, { hint: 'moderator or admin' });
  }
  const { password, made } = newPassword();
  await withStore((table) => addUser({ table, clock }, { name, password, roles: [{ site, role }] }));
  say(
    `${name} may sign in as ${role} of ${site === '*' ? 'all sites' : site}.${made ? ` Password, shown this once: ${password}` : ''}`,
  );
}

export async function userPasswd(name: string): Promise<void> {
  const { password, made } = newPassword();
  await withStore((table) => setPassword({ table, clock }, name, password));
  say(`The password of ${name} is new, and all sessions have ended.${made ? ` Shown this once: ${password}` : ''}`);
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
