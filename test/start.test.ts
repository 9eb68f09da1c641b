import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import process from 'node:process';
import { afterAll, describe, expect, it } from 'vitest';
import { lockFolder } from '../infra/local/lock.ts';
import { readSettings } from '../infra/local/settings.ts';

const folders: string[] = [];
const folderOf = () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
  folders.push(folder);
  return folder;
};
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** Runs the server until it ends, or says that it runs. */
function start(env: Record<string, string>): Promise<{ said(): string; stop(): Promise<void> }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('../infra/local/main.ts', import.meta.url))], {
    env: { PATH: process.env.PATH, SLUICE_AWS_PORT: 'off', LOG_LEVEL: 'warn', ...env },
    cwd: folderOf(),
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  return new Promise((done) => {
    let said = '';
    const stop = async () => {
      child.kill('SIGTERM');
      await ended;
    };
    const hear = (text: Buffer) => {
      said += text.toString();
      if (said.includes('Ctrl-C')) done({ said: () => said, stop });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('close', () => done({ said: () => said, stop }));
  });
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return String(port);
}

it('a warning is on standard error within seconds, not once 4 KB are full', async () => {
  const PORT = await freePort();
  const server = await start({ PORT, SLUICE_DATA: folderOf() });
  await fetch(`http://127.0.0.1:${PORT}/v1/comments/x/status?token=x`, { headers: { 'x-forwarded-for': '192.0.2.1' } });
  await expect.poll(server.said, { timeout: 4000 }).toContain('SLUICE_TRUST_PROXY');
  expect(server.said()).not.toContain('192.0.2.1');
  await server.stop();
}, 30_000);

describe('a first start', () => {
  it('whose port is taken shows the password all the same: it is made only once', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => holder.once('listening', done));
    const PORT = String((holder.address() as AddressInfo).port);
    const SLUICE_DATA = folderOf();
    const taken = await start({ PORT, SLUICE_DATA });
    expect(taken.said()).toContain('The port is taken');
    const again = await start({ PORT: '0', SLUICE_DATA });
    await again.stop();
    holder.close();
    expect(`${taken.said()}${again.said()}`).toContain('Sign in as admin with the password');
  }, 30_000);
});

describe('a data folder', () => {
  it('is of one server at a time', async () => {
    const SLUICE_DATA = folderOf();
    const first = await start({ PORT: '0', SLUICE_DATA });
    const second = await start({ PORT: '0', SLUICE_DATA });
    await first.stop();
    expect(second.said()).toMatch(/process \d+ runs on .* already/);
    expect(second.said()).toContain('stop it first');
  }, 30_000);

  it('is free again after a power cut, though its process id is another program now', () => {
    const folder = folderOf();
    writeFileSync(join(folder, 'lock.json'), JSON.stringify({ pid: process.ppid, url: 'http://127.0.0.1:8787' }));
    expect(() => lockFolder(folder, 'http://127.0.0.1:1').release()).not.toThrow();
  });
});

describe('settings', () => {
  it('that are wrong are told all in one message, those of .env too', () => {
    const file = join(folderOf(), '.env');
    writeFileSync(file, 'PORT=many\nPUBLIC_URL="blog.example"\nSLUICE_RATE_LIMIT=maybe\n');
    const read = () => readSettings({ LOG_LEVEL: 'loud', SMTP_URL: 'http://mail' }, file);
    for (const name of ['PORT', 'PUBLIC_URL', 'SLUICE_RATE_LIMIT', 'LOG_LEVEL', 'SMTP_URL']) expect(read).toThrow(name);
  });
});
