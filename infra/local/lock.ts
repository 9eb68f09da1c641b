import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SluiceError } from '../../shared/errors.ts';

/** Who runs on a data folder: one process, since messages in flight belong to the one that took them. */
export type Lock = { pid: number; url: string };

/** Takes the folder, or throws `Config.Invalid` naming the process that has it. A lock of a dead process is no lock. */
export function lockFolder(folder: string, url: string): { release(): void } {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const holder = lockHolder(folder);
  if (holder) {
    throw new SluiceError('Config.Invalid', `process ${holder.pid} runs on ${folder} already (${holder.url})`, {
      hint: 'stop it first, or point SLUICE_DATA at another folder',
    });
  }
  const file = join(folder, 'lock.json');
  writeFileSync(file, JSON.stringify({ pid: process.pid, url }), { mode: 0o600 });
  return { release: () => rmSync(file, { force: true }) };
}

export function lockHolder(folder: string): Lock | undefined {
  try {
    const lock = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8')) as Lock;
    if (lock.pid === process.pid) return undefined;
    process.kill(lock.pid, 0);
    return lock;
  } catch {
    return undefined;
  }
}
