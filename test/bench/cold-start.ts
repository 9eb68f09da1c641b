/**
 * Cold starts, as far as a machine of one's own can tell: from the start of a process until the bundled handler is loaded,
 * beside a handler that does nothing, in the same run. Lambda adds its own start of an environment, which is not ours.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type Bundle, bundleAll } from '../../infra/aws/bundle.ts';

export type ColdStart = {
  name: string;
  ms: number;
  /** To the empty handler. */
  ratio: number;
  /** The same bundle as ESM. */
  esmMs: number;
  kB: number;
  clients: number;
  /** What `ratio` may be. */
  limit: number;
  /** Within `limit`, and under 100 ms. */
  passes: boolean;
};

const LIMIT_MS = 100;
const LIMIT = 1.5;
const LIMIT_WITH_SDK = 3;
const ROUNDS = 9;
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

const EMPTY = 'empty handler';

/** Medians of interleaved rounds, so that a neighbour's load falls on all alike. */
export async function coldStart(): Promise<readonly ColdStart[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-cold-'));
  try {
    const bundles: Record<string, Pick<Bundle, 'folder' | 'bytes' | 'packages'>> = await bundleAll(folder);
    await bundleAll(join(folder, 'esm'), 'esm');
    for (const one of [join(folder, EMPTY), join(folder, 'esm', EMPTY)]) mkdirSync(one);
    writeFileSync(join(folder, EMPTY, 'index.js'), 'exports.handler = async () => {};');
    writeFileSync(join(folder, 'esm', EMPTY, 'index.mjs'), 'export const handler = async () => {};');
    bundles[EMPTY] = { folder: join(folder, EMPTY), bytes: 0, packages: [] };
    const cjs: Record<string, number[]> = {};
    const esm: Record<string, number[]> = {};
    for (let round = 0; round < ROUNDS; round++) {
      for (const name of Object.keys(bundles)) {
        (cjs[name] ??= []).push(await start(`require(${JSON.stringify(join(folder, name, 'index.js'))}); ready();`));
        const module = JSON.stringify(join(folder, 'esm', name, 'index.mjs'));
        (esm[name] ??= []).push(await start(`import(${module}).then(ready);`));
      }
    }
    const emptyMs = median(cjs[EMPTY]!);
    return Object.entries(bundles).map(([name, { bytes, packages }]) => {
      const clients = packages.filter((one) => one.startsWith('@aws-sdk/client-')).length;
      const ms = median(cjs[name]!);
      const ratio = ms / emptyMs;
      const limit = clients > 0 ? LIMIT_WITH_SDK : LIMIT;
      const passes = ratio <= limit && ms < LIMIT_MS;
      return { name, ms, ratio, esmMs: median(esm[name]!), kB: bytes / 1000, clients, limit, passes };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** Milliseconds from the start of a process until `code` calls `ready`. */
async function start(code: string): Promise<number> {
  const whole = `const ready = () => { require('fs').writeSync(1, '.'); process.exit(); }; ${code}`;
  const began = performance.now();
  const child = spawn(process.execPath, ['-e', whole], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  const ms = performance.now() - began;
  await once(child, 'close');
  return ms;
}

if (import.meta.main) {
  const rows = await coldStart();
  for (const { name, ms, ratio, esmMs, kB, clients, limit, passes } of rows) {
    const columns = [
      `${ms.toFixed(0).padStart(3)} ms`,
      `${ratio.toFixed(2)} of ${limit.toFixed(1)}`,
      `ESM ${esmMs.toFixed(0).padStart(3)} ms`,
      `${kB.toFixed(0).padStart(3)} kB`,
      `${clients} clients`,
      passes ? 'passes' : 'FAILS',
    ];
    process.stdout.write(`${name.padEnd(20)} ${columns.join('  ')}\n`);
  }
  process.exitCode = rows.every(({ passes }) => passes) ? 0 : 1;
}
