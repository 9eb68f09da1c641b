import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SluiceError } from '../../shared/errors.ts';

/** Who runs on a data folder: one process, since messages in flight belong to the one that took them. */
export type Lock = { pid: number; url: string };

/** What this process holds, by folder. */
const held = new Map<string, DatabaseSync>();

/**
 * Takes the folder, or throws `Config.Invalid` naming the process that has it.
 *
 * The lock is the system's own, on a file: it ends with its process, however that ends, and a process id that another
 * program has by now (after a power cut, in a container) means nothing.
 */
export function lockFolder(folder: string, url: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  held.get(folder)?.close();
  held.delete(folder);
  const handle = take(folder);
  if (!handle) {
    const holder = told(folder);
    throw new SluiceError('Config.Invalid', `process ${holder.pid} runs on ${folder} already (${holder.url})`, {
      hint: 'stop it first, or point SLUICE_DATA at another folder',
    });
  }
  held.set(folder, handle);
  const file = join(folder, 'lock.json');
  writeFileSync(file, JSON.stringify({ pid: process.pid, url }), { mode: 0o600 });
  return {
    release() {
      if (held.get(folder) !== handle) return;
      rmSync(file, { force: true });
      held.delete(folder);
      handle.close();
    },
  };
}

/** The process that has the folder, if another one has. */
export function lockHolder(folder: string): Lock | undefined {
  if (held.has(folder) || !existsSync(join(folder, 'lock.db'))) return undefined;
  const handle = take(folder);
  handle?.close();
  return handle ? undefined : told(folder);
}

/** Undefined when another process has it. https://sqlite.org/lang_transaction.html */
function take(folder: string): DatabaseSync | undefined {
  const handle = new DatabaseSync(join(folder, 'lock.db'), { timeout: 0 });
  try {
    handle.exec('BEGIN EXCLUSIVE');
    return handle;
  } catch (error) {
    handle.close();
    // https://sqlite.org/rescode.html#busy
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return undefined;
    throw error;
  }
}

function told(folder: string): Lock {
  try {
    return JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8')) as Lock;
  } catch {
    return { pid: 0, url: 'just starting' };
  }
}
