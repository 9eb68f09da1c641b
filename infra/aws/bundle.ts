import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { buildSync } from 'esbuild';
import { SluiceError } from '../../shared/errors.ts';
import type { FunctionSpec } from '../topology.ts';

const ROOT = join(import.meta.dirname, '../..');

export type Bundle = {
  /** Holds index.js and index.js.map. */
  folder: string;
  /** Minified, packages in it. */
  bytes: number;
  /** Of them what is ours. */
  ownBytes: number;
};

/** How Lambda calls it: with its own input or a batch of SQS, or with a request of the HTTP API. */
export type EntryKind = 'service' | 'http' | 'feedback' | 'gate';

/**
 * Bundles one function: CommonJS, because a process with the SDK starts in 70 ms instead of 88 as ESM
 * (docs/aws.md has the figures); `module` first, which leaves out 30 % of the SDK.
 *
 * Throws `Config.Invalid` when the service is not there.
 */
export function bundle(name: string, { folder, may }: FunctionSpec, kind: EntryKind, outdir: string): Bundle {
  const handler = join(ROOT, 'services', folder, 'handler.ts');
  if ((kind === 'service' || kind === 'http') && !existsSync(handler)) {
    throw new SluiceError('Config.Invalid', `the function "${name}" has no services/${folder}/handler.ts`, {
      hint: 'write it, or take the function out of infra/topology.ts',
    });
  }
  const folderOut = join(outdir, name);
  rmSync(folderOut, { recursive: true, force: true });
  mkdirSync(folderOut, { recursive: true });
  const result = buildSync({
    stdin: { contents: entryOf(name, { folder, may }, kind), resolveDir: ROOT, sourcefile: `entry/${name}.ts`, loader: 'ts' },
    absWorkingDir: ROOT,
    outfile: join(folderOut, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    mainFields: ['module', 'main'],
    conditions: ['node', 'module'],
    minify: true,
    // Error names are codes of ours, but class names reach logs.
    keepNames: false,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
  });
  const [, output] = Object.entries(result.metafile.outputs).find(([path]) => path.endsWith('.js'))!;
  const own = Object.entries(output.inputs).filter(([path]) => !path.includes('node_modules'));
  // CommonJS, whatever package.json above says.
  writeFileSync(join(folderOut, 'package.json'), '{"type":"commonjs"}');
  return {
    folder: folderOut,
    bytes: output.bytes,
    ownBytes: own.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0),
  };
}

/** The entry of one function, with the adapters that its permissions name and no others. */
export function entryOf(name: string, { folder, may }: Pick<FunctionSpec, 'folder' | 'may'>, kind: EntryKind): string {
  const from = (path: string) => JSON.stringify(`./${relative(ROOT, join(import.meta.dirname, path))}`);
  if (kind === 'gate') return `export { handler } from ${from('./gate-entry.ts')};`;
  const adapters: [string, string][] = [
    ...(may.table ? [['table', './clients/table.ts'] as [string, string]] : []),
    ...(may.putEvents ? [['bus', './clients/bus.ts'] as [string, string]] : []),
    ...(may.send ? [['queues', './clients/queues.ts'] as [string, string]] : []),
    ...(may.start || may.answer ? [['workflows', './clients/workflows.ts'] as [string, string]] : []),
    ...(may.mail ? [['mail', './clients/mail.ts'] as [string, string]] : []),
    ...(may.secret ? [['vault', './clients/vault.ts'] as [string, string]] : []),
  ];
  const service =
    kind === 'feedback'
      ? `import { feedback as service } from ${from('./feedback.ts')};`
      : `import { ${camel(name)} as service } from './services/${folder}/handler.ts';`;
  return [
    `import { entry } from ${from(kind === 'http' ? './http-entry.ts' : './entry.ts')};`,
    service,
    ...adapters.map(([port, path]) => `import { ${port} } from ${from(path)};`),
    `export const handler = entry(${JSON.stringify(name)}, service, { ${adapters.map(([port]) => port).join(', ')} });`,
  ].join('\n');
}

/** `spam-check` → `spamCheck`. */
export const camel = (name: string): string => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
