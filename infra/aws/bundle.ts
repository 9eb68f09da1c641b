import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { build, transform, type Plugin, type StdinOptions } from 'esbuild';
import { SluiceError } from '../../shared/errors.ts';
import { type FunctionSpec, topology } from '../topology.ts';
import { EXTRA, type ExtraSpec } from './extra.ts';

const ROOT = join(import.meta.dirname, '../..');

export type Bundle = {
  /** Holds index.js, its map, and below apart/ and its folders of words what it reads when first needed. */
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

/** `esm` for the measurement alone: test/bench/cold-start.ts starts both. */
export type Format = 'cjs' | 'esm';

const BANNERS: Record<Format, string> = {
  cjs: "const sluiceBundleUrl=require('node:url').pathToFileURL(__filename).href;",
  esm: "import{createRequire}from'node:module';const require=createRequire(import.meta.url),sluiceBundleUrl=import.meta.url;",
};

/**
 * Bundles one function: CommonJS, which starts faster than ESM (docs/aws.md has the figures); `module` first, which leaves
 * out 30 % of the SDK.
 *
 * Throws `Config.Invalid` when the service is not there.
 */
export async function bundle(
  name: string,
  spec: FunctionSpec | ExtraSpec,
  kind: EntryKind,
  outdir: string,
  format: Format = 'cjs',
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
  const entry = { contents: entryOf(name, spec, kind), sourcefile: `entry/${name}.ts`, loader: 'ts' } as const;
  const index = join(folderOut, format === 'esm' ? 'index.mjs' : 'index.js');
  const inputs = await built(entry, index, format, [apart, lean]);
  for (const [one, exported] of Object.entries(APART)) {
    if (!inputs.some(([path]) => path === `apart:${one}`)) continue;
    const whole = { contents: `export { ${exported} } from '${one}';` };
    inputs.push(...(await built(whole, join(folderOut, 'apart', `${one}.js`), 'cjs', [lean])));
  }
  if (inputs.some(([path]) => path.endsWith('spam-check/model.ts'))) {
    copyFileSync(join(ROOT, 'services/spam-check/model.bin'), join(folderOut, 'model.bin'));
  }
  for (const [path] of inputs.filter(([path]) => TABLE.test(path))) {
    writeFileSync(join(folderOut, tableFile(path)), JSON.stringify((await tableOf(join(ROOT, path))).table));
  }
  for (const [reader, folder] of WORDS) {
    if (!inputs.some(([path]) => path.endsWith(reader))) continue;
    cpSync(join(ROOT, folder), join(folderOut, basename(folder)), { recursive: true });
  }
  // CommonJS, whatever package.json above says.
  writeFileSync(join(folderOut, 'package.json'), '{"type":"commonjs"}');
  const bytesOf = (some: typeof inputs) => some.reduce((sum, [, { bytesInOutput }]) => sum + bytesInOutput, 0);
  return {
    folder: folderOut,
    bytes: bytesOf(inputs),
    ownBytes: bytesOf(inputs.filter(([path]) => !path.includes('node_modules'))),
    packages: packagesOf(inputs),
  };
}

type Inputs = [path: string, { bytesInOutput: number }][];

/** Writes one file and tells what is in it. */
async function built(stdin: StdinOptions, outfile: string, format: Format, plugins: Plugin[]): Promise<Inputs> {
  const { metafile } = await build({
    stdin: { resolveDir: ROOT, ...stdin },
    absWorkingDir: ROOT,
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format,
    // One letter beyond Latin-1 makes V8 keep all of it at two bytes a character, and reading it takes twice as long.
    charset: 'ascii',
    mainFields: ['module', 'main'],
    conditions: ['node', 'module'],
    // What a module reads from beside itself stands beside the bundle.
    define: { 'import.meta.url': 'sluiceBundleUrl' },
    banner: { js: BANNERS[format] },
    minify: true,
    // Error names are codes of ours, but class names reach logs.
    keepNames: false,
    // Not linked: Node would parse it at each start, half as long again. stack.ts reads it when something fails.
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    plugins,
    logLevel: 'silent',
  });
  return Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
}

/** By their names, of what left code behind. */
function packagesOf(inputs: Inputs): string[] {
  const names = inputs
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].toSorted();
}

/** Every function of the topology and of AWS alone, by name. */
export async function bundleAll(outdir: string, format: Format = 'cjs'): Promise<Record<string, Bundle>> {
  const all: [string, FunctionSpec | ExtraSpec][] = Object.entries({ ...topology.functions, ...EXTRA });
  const made: Record<string, Bundle> = {};
  // One after the other: esbuild uses every processor for one.
  for (const [name, spec] of all) {
    made[name] = await bundle(name, spec, 'kind' in spec ? spec.kind : 'service', outdir, format);
  }
  return made;
}

/** Tables lie beside the bundle, which stays small and ASCII: files of one export that is data. */
const TABLE = /services[\\/][a-z-]+[\\/](confusables|word-lists)\.ts$/;
const tableFile = (path: string) => `${TABLE.exec(path)![1]}.json`;
async function tableOf(path: string) {
  const [[name, table]] = Object.entries((await import(path)) as Record<string, unknown>) as [[string, unknown]];
  return { name, table };
}

/** Languages but English lie beside the bundle, under their folder's own name. */
const WORDS: readonly [reader: string, folder: string][] = [
  ['deliver/words.ts', 'services/deliver/locales'],
  ['door/privacy-words.ts', 'services/door/privacy'],
  ['widget/page-words.ts', 'services/widget/words'],
];

/** What a plain comment without links does not need, and what is imported of it. */
const APART: Readonly<Record<string, string>> = {
  'markdown-it': 'default',
  'sanitize-html': 'default',
  tldts: 'parse',
};

/**
 * Puts these packages into files of their own, read when a function of theirs is first called: together they are half of a
 * bundle and of its start (docs/aws.md has the figures).
 */
const apart: Plugin = {
  name: 'apart',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^(${Object.keys(APART).join('|')})$`) }, ({ path, importer }) =>
      importer.includes('node_modules') ? undefined : { path, namespace: 'apart' },
    );
    build.onResolve({ filter: /^\.\/apart\// }, ({ path }) => ({ path, external: true }));
    build.onLoad({ filter: /.*/, namespace: 'apart' }, ({ path }) => ({
      contents: `let whole;
        const call = (...given) => (whole ??= require('./apart/${path}.js')).${APART[path]}(...given);
        export { call as ${APART[path]} };`,
    }));
  },
};

/**
 * Leaves out what no function runs; together it halves a bundle (docs/aws.md has the figures).
 *
 * - `import { z }` is one object of everything that zod has, forty languages of messages with it; as a namespace esbuild
 *   takes of it what is used.
 * - The SDK's schemas name their fields by constants in brackets, which esbuild must keep; as plain names it drops those of
 *   operations that nobody calls.
 * - The SDK's error classes say twice what their base class sets; SHA-256 is Node's.
 * - On Lambda credentials stand in the environment, profiles in no file, and no endpoint of ours is global (SigV4A).
 * - What schemas and routes say for the API's description alone; routers other than Hono's smallest.
 * - Formats of strings in zod (ours are patterns), the global `crypto` for what `node:crypto` does, pino's own JSON.
 * - Worker threads, files and redaction for logs, event streams, the cache of discovered endpoints (DynamoDB's is off), JSON
 *   Schemas of zod (the API's description is made at synth), styles in comments (none is allowed), and all of package.json
 *   but the version.
 */
export const lean: Plugin = {
  name: 'lean',
  setup(build) {
    build.onLoad(
      { filter: /zod[\\/]v4[\\/]core[\\/](to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => ({ contents: hollow(await readFile(path, 'utf8')) }),
    );
    build.onLoad({ filter: /zod[\\/]v4[\\/]classic[\\/]schemas\.js$/ }, async ({ path }) => ({
      contents: withoutFormats(await readFile(path, 'utf8')),
    }));
    build.onLoad({ filter: /smithy[\\/]core[\\/].*uuid[\\/]v4\.js$/ }, () => ({
      contents: "import { randomUUID } from 'node:crypto'; export const bindV4 = () => () => randomUUID();",
    }));
    build.onLoad({ filter: /safe-stable-stringify[\\/]/ }, () => ({
      contents: 'exports.configure = () => JSON.stringify;',
    }));
    build.onLoad({ filter: /@aws-sdk[\\/]endpoint-cache[\\/].*EndpointCache\.js$/ }, () => ({ contents: NO_CACHE }));
    build.onLoad({ filter: TABLE }, async ({ path }) => ({
      contents: `import { readFileSync } from 'node:fs';
        const file = new URL('./${tableFile(path)}', import.meta.url);
        export const ${(await tableOf(path)).name} = /* @__PURE__ */ JSON.parse(/* @__PURE__ */ readFileSync(file, 'utf8'));`,
    }));
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (path.includes('node_modules')) return undefined;
      const source = await readFile(path, 'utf8');
      return { loader: 'ts', contents: escaped(withPureSchemas(withoutDescriptions(source))) };
    });
    build.onLoad({ filter: /@aws-sdk[\\/].*schemas_0\.js$/ }, async ({ path }) => ({
      contents: withPlainNames(await readFile(path, 'utf8')),
    }));
    build.onLoad({ filter: /checksum[\\/]sha256[\\/]Sha256Js\.js$/ }, () => ({ contents: 'export class Sha256Js {}' }));
    build.onLoad({ filter: /@aws-sdk[\\/].*models[\\/]errors\.js$/ }, async ({ path }) => ({
      contents: withShortErrors(await readFile(path, 'utf8')),
    }));
    build.onLoad({ filter: /@aws-sdk[\\/][^\\/]+[\\/]package\.json$/ }, async ({ path }) => {
      const { version } = JSON.parse(await readFile(path, 'utf8')) as { version: string };
      return { loader: 'json', contents: JSON.stringify({ version }) };
    });
    build.onLoad({ filter: /shared-ini-file-loader[\\/]readFile\.js$/ }, () => ({
      contents: "export const readFile = async () => ''; export const filePromises = {}, fileIntercept = {};",
    }));
    build.onResolve({ filter: /^hono$/ }, ({ importer }) =>
      build.resolve('hono/tiny', { kind: 'import-statement', importer, resolveDir: ROOT }),
    );
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
    build.onResolve(
      { filter: /^(postcss|sonic-boom|on-exit-leak-free|@smithy\/core\/event-streams)$/ },
      ({ path }) => ({
        path,
        namespace: 'left-out',
      }),
    );
    // pino's own doors to worker threads, to files and to several outputs: it is given its output.
    build.onResolve(
      { filter: /([\\/](transport|multistream)|^worker_threads|^@pinojs[\\/]redact)$/ },
      ({ path, importer }) => (/[\\/]pino[\\/]/.test(importer) ? { path, namespace: 'left-out' } : undefined),
    );
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `module.exports = function () { throw new Error(${JSON.stringify(`${path} is not in this bundle`)}); };`,
    }));
    // The last, so that it takes what the others left as it is.
    build.onLoad({ filter: /node_modules.*\.m?js$/ }, async ({ path }) => ({ contents: await lazyToParse(path) }));
  },
};

const parsed = new Map<string, Promise<string>>();

/**
 * A package's file with functions for arrows: V8 reads an arrow in full where it stands, but of a function only its end,
 * until it is called; 5 ms of a start. Not where classes are, in whose fields esbuild loses what `this` is.
 */
function lazyToParse(path: string): Promise<string> {
  const made = parsed.get(path) ?? readFile(path, 'utf8').then(lowered);
  parsed.set(path, made);
  return made;
}
const lowered = async (source: string): Promise<string> =>
  /\bclass\b/.test(source)
    ? source
    : (await transform(source, { supported: { arrow: false }, sourcemap: 'inline', sourcesContent: false })).code;

/** Zod by its parts, and schemas that nobody reads left out: making them is most of what a small function does at its start. */
export const withPureSchemas = (source: string): string =>
  source
    .replace("import { z } from 'zod';", "import * as z from 'zod';")
    .replaceAll(
      /(?<![\w.'"/])(?:z(?:\.\w+)+|[A-Z]\w+\.(?:optional|nullable|default|extend|pick|omit|partial))\(/g,
      '/* @__PURE__ */ $&',
    );

/** In strings as in patterns, which esbuild leaves as they are. */
const escaped = (source: string): string =>
  source.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Without what stands in the OpenAPI page alone: words about a field, and the schemas of answers. */
export function withoutDescriptions(source: string): string {
  const plain = source.replaceAll(/\.describe\('[^']*'\)/g, '');
  const answers = plain.split(/(?<=\{\s*description: '[^']*'),\s*schema: /);
  return answers[0] + answers.slice(1).map(afterExpression).join('');
}

/** What follows the expression that a text begins with, from the bracket or comma that ends it. */
function afterExpression(source: string): string {
  let depth = 0;
  for (let at = 0; at < source.length; at++) {
    const letter = source[at]!;
    if (depth === 0 && /[,}]/.test(letter)) return source.slice(at);
    depth += /[({[]/.test(letter) ? 1 : /[)}\]]/.test(letter) ? -1 : 0;
  }
  return '';
}

/** `z.string().email()` and its like, twenty classes that we never ask for: formats of ours are patterns. */
const withoutFormats = (source: string): string =>
  source.replace(/(export const ZodString = [\s\S]*?\n\}, )\{[\s\S]*?\n\}\);/, '$1{});');

/** Without the fields and the prototype that the constructor of `ServiceException` sets from the same values. */
export const withShortErrors = (source: string): string =>
  source.replaceAll(
    /^ {4}name = "\w+";\n|^ {4}\$fault = "\w+";\n|^ +Object\.setPrototypeOf\(this, \w+\.prototype\);\n/gm,
    '',
  );

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
    // The desk alone lists by more than a key.
    ...(may.table && folder === 'moderation' ? [['search', './clients/search.ts'] as [string, string]] : []),
    ...(may.putEvents ? [['bus', './clients/bus.ts'] as [string, string]] : []),
    ...(may.send || looksAtQueues ? [['queues', './clients/queues.ts'] as [string, string]] : []),
    ...(may.start || may.answer ? [['workflows', './clients/workflows.ts'] as [string, string]] : []),
    ...(may.mail ? [['mail', './clients/mail.ts'] as [string, string]] : []),
    ...(may.secret ? [['vault', './clients/vault.ts'] as [string, string]] : []),
    ...(may.askOutside ? [['providers', './clients/providers.ts'] as [string, string]] : []),
  ];
  const service =
    kind === 'feedback'
      ? `import { feedback as service } from ${from('./feedback.ts')};`
      : kind === 'http'
        ? `import { ${camel(name)} as service } from ${from(`./http/${name}.ts`)};`
        : `import { ${camel(name)} as service } from './services/${folder}/handler.ts';`;
  return [
    `import ${from('./jitless.ts')};`,
    `import { entry } from ${from(kind === 'http' ? './http-entry.ts' : './entry.ts')};`,
    service,
    ...adapters.map(([port, path]) => `import { ${port} } from ${from(path)};`),
    `export const handler = entry(${JSON.stringify(name)}, service, { ${adapters.map(([port]) => port).join(', ')} });`,
  ].join('\n');
}

/** `spam-check` → `spamCheck`. */
export const camel = (name: string): string => name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
