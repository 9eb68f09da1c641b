import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { SluiceError } from '../../shared/errors.ts';
import { type FunctionSpec, topology } from '../topology.ts';
import { EXTRA, type ExtraSpec } from './extra.ts';

const ROOT = join(import.meta.dirname, '../..');

export type Bundle = {
  /** Holds index.js and index.js.map. */
  folder: string;
  /** Minified, packages in it. */
  bytes: number;
  /** Of them what is ours. */
  ownBytes: number;
  /** Whose code is in it. */
  packages: readonly string[];
};

/** How Lambda calls it: with its own input or a batch of SQS, or with a request of the HTTP API. */
export type EntryKind = 'service' | 'http' | 'feedback' | 'gate';

/**
 * Bundles one function: CommonJS, because a process with the SDK starts in 70 ms instead of 88 as ESM
 * (docs/aws.md has the figures); `module` first, which leaves out 30 % of the SDK.
 *
 * Throws `Config.Invalid` when the service is not there.
 */
export async function bundle(
  name: string,
  spec: FunctionSpec | ExtraSpec,
  kind: EntryKind,
  outdir: string,
): Promise<Bundle> {
  const { folder } = spec;
  const handler = join(ROOT, 'services', folder, 'handler.ts');
  if (kind === 'service' && !existsSync(handler)) {
    throw new SluiceError('Config.Invalid', `the function "${name}" has no services/${folder}/handler.ts`, {
      hint: 'write it, or take the function out of infra/topology.ts',
    });
  }
  const folderOut = join(outdir, name);
  rmSync(folderOut, { recursive: true, force: true });
  mkdirSync(folderOut, { recursive: true });
  const result = await build({
    stdin: { contents: entryOf(name, spec, kind), resolveDir: ROOT, sourcefile: `entry/${name}.ts`, loader: 'ts' },
    absWorkingDir: ROOT,
    outfile: join(folderOut, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // Lambda reads UTF-8: tables of letters need no escapes.
    charset: 'utf8',
    mainFields: ['module', 'main'],
    conditions: ['node', 'module'],
    // What a module reads from beside itself stands beside the bundle.
    define: { 'import.meta.url': 'sluiceBundleUrl' },
    banner: { js: "const sluiceBundleUrl=require('node:url').pathToFileURL(__filename).href;" },
    minify: true,
    // Error names are codes of ours, but class names reach logs.
    keepNames: false,
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    plugins: [lean],
    logLevel: 'silent',
  });
  const [, output] = Object.entries(result.metafile.outputs).find(([path]) => path.endsWith('.js'))!;
  const own = Object.entries(output.inputs).filter(([path]) => !path.includes('node_modules'));
  if (Object.keys(output.inputs).some((path) => path.endsWith('spam-check/model.ts'))) {
    copyFileSync(join(ROOT, 'services/spam-check/model.bin'), join(folderOut, 'model.bin'));
  }
  // CommonJS, whatever package.json above says.
  writeFileSync(join(folderOut, 'package.json'), '{"type":"commonjs"}');
  return {
    folder: folderOut,
    bytes: output.bytes,
    ownBytes: own.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0),
    packages: packagesOf(Object.entries(output.inputs)),
  };
}

/** By their names, of what left code behind. */
function packagesOf(inputs: readonly [string, { bytesInOutput: number }][]): string[] {
  const names = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].toSorted();
}

/** Every function of the topology and of AWS alone, by name. */
export async function bundleAll(outdir: string): Promise<Record<string, Bundle>> {
  const all: [string, FunctionSpec | ExtraSpec][] = Object.entries({ ...topology.functions, ...EXTRA });
  const made: Record<string, Bundle> = {};
  // One after the other: esbuild uses every processor for one.
  for (const [name, spec] of all) made[name] = await bundle(name, spec, 'kind' in spec ? spec.kind : 'service', outdir);
  return made;
}

/**
 * Leaves out what no function runs; together it halves a bundle (docs/aws.md has the figures).
 *
 * - `import { z }` is one object of everything that zod has, forty languages of messages with it; as a namespace esbuild
 *   takes of it what is used.
 * - The SDK's schemas name their fields by constants in brackets, which esbuild must keep; as plain names it drops those of
 *   operations that nobody calls.
 * - On Lambda credentials stand in the environment, and no endpoint of ours is global (SigV4A).
 * - Worker threads for logs, event streams, the cache of discovered endpoints (DynamoDB's is off), JSON Schemas of zod
 *   (the API's description is made at synth), and all of package.json but the version.
 */
export const lean: Plugin = {
  name: 'lean',
  setup(build) {
    build.onLoad(
      { filter: /zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => ({ contents: hollow(await readFile(path, 'utf8')) }),
    );
    build.onLoad({ filter: /@aws-sdk[\\/]endpoint-cache[\\/].*EndpointCache\.js$/ }, () => ({ contents: NO_CACHE }));
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (path.includes('node_modules')) return undefined;
      const source = await readFile(path, 'utf8');
      return { loader: 'ts', contents: source.replace("import { z } from 'zod';", "import * as z from 'zod';") };
    });
    build.onLoad({ filter: /@aws-sdk[\\/].*schemas_0\.js$/ }, async ({ path }) => ({
      contents: withPlainNames(await readFile(path, 'utf8')),
    }));
    build.onLoad({ filter: /@aws-sdk[\\/][^\\/]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { loader: 'json', contents: JSON.stringify({ version }) };
    });
    build.onResolve({ filter: /^@aws-sdk\/credential-provider-node$/ }, () => ({
      path: join(import.meta.dirname, 'lambda-credentials.ts'),
    }));
    build.onResolve({ filter: /^@aws-sdk\/signature-v4-multi-region$/ }, ({ path }) => ({
      path,
      namespace: 'one-region',
    }));
    build.onLoad({ filter: /.*/, namespace: 'one-region' }, () => ({
      contents: "export { SignatureV4 as SignatureV4MultiRegion } from '@smithy/signature-v4';",
      resolveDir: ROOT,
    }));
    build.onResolve({ filter: /^(thread-stream|@smithy\/core\/event-streams)$/ }, ({ path }) => ({
      path,
      namespace: 'left-out',
    }));
    // pino's own doors to worker threads and to several outputs.
    build.onResolve({ filter: /[\\/](transport|multistream)$/ }, ({ path, importer }) =>
      /[\\/]pino[\\/]/.test(importer) ? { path, namespace: 'left-out' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `module.exports = new Proxy({}, { get() { throw new Error(${JSON.stringify(`${path} is not in this bundle`)}); } });`,
    }));
  },
};

/** The same exports, each a maker of what refuses to run: schemas make some of them when they are made themselves. */
const hollow = (source: string): string =>
  [...source.matchAll(/^export (?:async )?(?:const|function|class) (\w+)/gm)]
    .map(
      ([, name]) =>
        `export const ${name} = () => () => { throw new Error('zod makes no JSON Schema in this bundle'); };`,
    )
    .join('\n');

const NO_CACHE =
  'export class EndpointCache { get() {} getEndpoint() {} set() {} delete() {} clear() {} has() { return false; } }';

/** `{ [_h]: …}` → `{ "http": … }`, for each `const _h = "http"` of the same file. */
export function withPlainNames(source: string): string {
  const names = new Map([...source.matchAll(/^const (\w+) = ("[^"]*");$/gm)].map(([, name, text]) => [name!, text!]));
  return source.replaceAll(/([{,]\s*)\[(\w+)\]:/g, (all, before: string, name: string) =>
    names.has(name) ? `${before}${names.get(name)}:` : all,
  );
}

const from = (path: string) => JSON.stringify(`./${relative(ROOT, join(import.meta.dirname, path))}`);

/** The entry of one function, with the adapters that its permissions name and no others. */
export function entryOf(name: string, spec: FunctionSpec | ExtraSpec, kind: EntryKind): string {
  const { folder, may } = spec;
  const looksAtQueues = 'looksAtQueues' in spec;
  if (kind === 'gate') return `export { handler } from ${from('./gate-entry.ts')};`;
  const adapters: [string, string][] = [
    ...(may.table ? [['table', './clients/table.ts'] as [string, string]] : []),
    ...(may.putEvents ? [['bus', './clients/bus.ts'] as [string, string]] : []),
    ...(may.send || looksAtQueues ? [['queues', './clients/queues.ts'] as [string, string]] : []),
    ...(may.start || may.answer ? [['workflows', './clients/workflows.ts'] as [string, string]] : []),
    ...(may.mail ? [['mail', './clients/mail.ts'] as [string, string]] : []),
    ...(may.secret ? [['vault', './clients/vault.ts'] as [string, string]] : []),
  ];
  const service =
    kind === 'feedback'
      ? `import { feedback as service } from ${from('./feedback.ts')};`
      : kind === 'http'
        ? `import { ${camel(name)} as service } from ${from(`./http/${name}.ts`)};`
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
