/**
 * Cold starts, as far as a machine of one's own can tell: from the start of a process until the bundled handler is loaded,
 * beside a handler that does nothing, in the same run. Lambda adds its own start of an environment, which is not ours.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Bundle, bundleAll } from '../../infra/aws/bundle.ts';

export type ColdStart = {
  name: string;
  ms: number;
  /** To the empty handler, by time. */
  ratio: number;
  /** Of the processor: what a busy neighbour does not stretch. */
  cpuMs: number;
  cpuRatio: number;
  kB: number;
  clients: number;
};

const ROUNDS = 15;
const ENVIRONMENT = {
  PATH: process.env.PATH,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  // Nobody listens: what reads the root key when it starts is told so at once.
  AWS_ENDPOINT_URL_SECRETS_MANAGER: 'http://127.0.0.1:9',
  SLUICE_TABLE: 'sluice',
  SLUICE_BUS: 'sluice',
  SLUICE_SECRET: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s',
  SLUICE_USER_POOL: 'us-east-1_abcdefghi',
  SLUICE_USER_CLIENT: 'client',
  SLUICE_USER_DOMAIN: 'https://login.example',
  PUBLIC_URL: 'https://comments.example',
};

/** Medians of interleaved rounds, so that a neighbour's load falls on all alike. */
export async function coldStart(): Promise<readonly ColdStart[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cold-'));
  try {
    const bundles: Record<string, Pick<Bundle, 'folder' | 'bytes' | 'packages'>> = await bundleAll(folder);
    writeFileSync(join(folder, 'index.js'), 'exports.handler = async () => {};');
    bundles['empty handler'] = { folder, bytes: 0, packages: [] };
    const times: Record<string, { ms: number; cpuMs: number }[]> = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, one] of Object.entries(bundles)) (times[name] ??= []).push(await start(one.folder));
    }
    const of = (name: string, field: 'ms' | 'cpuMs') => median(times[name]!.map((one) => one[field]));
    return Object.entries(bundles).map(([name, { bytes, packages }]) => ({
      name,
      ms: Math.round(of(name, 'ms')),
      ratio: Math.round((of(name, 'ms') / of('empty handler', 'ms')) * 100) / 100,
      cpuMs: Math.round(of(name, 'cpuMs')),
      cpuRatio: Math.round((of(name, 'cpuMs') / of('empty handler', 'cpuMs')) * 100) / 100,
      kB: Math.round(bytes / 1000),
      clients: packages.filter((one) => one.startsWith('@aws-sdk/client-')).length,
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

async function start(folder: string): Promise<{ ms: number; cpuMs: number }> {
  const code = `require(${JSON.stringify(join(folder, 'index.js'))});
    const { user, system } = process.cpuUsage();
    require('fs').writeSync(1, String((user + system) / 1000)); process.exit()`;
  const began = performance.now();
  const child = spawn(process.execPath, ['-e', code], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const ms = performance.now() - began;
  await once(child, 'close');
  return { ms, cpuMs: Number(said.toString()) };
}

if (import.meta.main) {
  for (const { name, ms, ratio, cpuMs, cpuRatio, kB, clients } of await coldStart()) {
    const columns = [`${ms} ms (${ratio})`, `processor ${cpuMs} ms (${cpuRatio})`, `${kB} kB`, `${clients} clients`];
    process.stdout.write(`${name.padEnd(20)} ${columns.join('  ')}\n`);
  }
}
