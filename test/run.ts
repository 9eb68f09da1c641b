import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

/** All that CI runs, in the order in which a fault is cheapest to hear of. The first failure ends it. */
const STEPS: readonly [what: string, command: string, ...args: string[]][] = [
  ['types', 'tsc', '--noEmit'],
  ['lint', 'oxlint', '--deny-warnings'],
  ['format', 'oxfmt', '--check'],
  ['front ends', 'node', 'services/build.ts'],
  ['tests', 'vitest', 'run'],
];

if (!process.env.SLUICE_TEST_DATA) {
  process.stdout.write('SLUICE_TEST_DATA is unset: tests on real data are skipped, and say so.\n');
}
for (const [what, command, ...args] of STEPS) {
  const began = performance.now();
  process.stdout.write(`\n== ${what}: ${command} ${args.join(' ')}\n`);
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    shell: process.platform === 'win32',
  });
  if (error || status !== 0) {
    process.stderr.write(`\n${what} failed${error ? `: ${error.message}` : ''}\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`== ${what}: ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
}
