/**
 * Builds every front end: each services/<unit>/vite.config.ts, into dist/.
 *
 * Runs at the end of `npm ci`; an installation without Vite (`--omit=dev`) keeps what it has and says so.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const services = import.meta.dirname;
const root = join(services, '..');

/** What one configuration built: each file and what it weighs on the wire. */
export type Built = { file: string; bytes: number; gzipBytes: number };

/** The configurations of all front ends, in the order of their folders. */
export function frontEnds(folder: string = services): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name, 'vite.config.ts'))
    .filter((file) => existsSync(file))
    .sort();
}

/** Builds one front end; `outDir` is for tests, which must not touch dist/. */
export async function buildFrontEnd(configFile: string, outDir?: string): Promise<Built[]> {
  const { build } = await import('vite');
  const result = await build({
    configFile,
    root: join(configFile, '..'),
    logLevel: 'warn',
    ...(outDir && { build: { outDir } }),
  });
  const outputs = [result].flat().flatMap((part) => ('output' in part ? part.output : []));
  return outputs.map((part) => {
    const content = part.type === 'chunk' ? part.code : part.source;
    return {
      file: part.fileName,
      bytes: Buffer.byteLength(content),
      gzipBytes: gzipSync(content, { level: 9 }).length,
    };
  });
}

async function main() {
  const found = frontEnds();
  if (!found.length) return;
  try {
    import.meta.resolve('vite');
  } catch {
    process.stdout.write('front ends: Vite is not installed, dist/ stays as it is\n');
    return;
  }
  for (const configFile of found) {
    const built = await buildFrontEnd(configFile);
    const scripts = built.filter(({ file }) => /\.(js|css)$/.test(file));
    const others = built.length - scripts.length;
    const sizes = scripts.map(({ file, bytes, gzipBytes }) => `${file} ${kB(bytes)}, gzip ${kB(gzipBytes)}`);
    const unit = relative(root, join(configFile, '..'));
    process.stdout.write(`${unit}: ${[...sizes, ...(others ? [`${others} other files`] : [])].join(' · ')}\n`);
  }
}

function kB(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

if (import.meta.main) await main();
