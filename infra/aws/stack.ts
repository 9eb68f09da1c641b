import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** `undefined` where none lies beside the bundle. */
let map: SourceMap | undefined | 'unread' = 'unread';

/**
 * A stack with our files and lines for those of the bundle.
 *
 * Node's own `--enable-source-maps` would parse the map at each start; here it is read once something has failed.
 */
function readable(stack: string): string {
  const bundle = fileURLToPath(import.meta.url);
  if (map === 'unread') map = existsSync(`${bundle}.map`) ? mapOf(`${bundle}.map`) : undefined;
  const found = map;
  if (!found) return stack;
  return stack.replaceAll(/([^\s(]+):(\d+):(\d+)/g, (all, file: string, line: string, column: string) => {
    if (file !== bundle) return all;
    const origin = found.findEntry(Number(line) - 1, Number(column) - 1);
    return 'originalSource' in origin
      ? `${origin.originalSource.replace(/^(\.\.\/)+/, '')}:${origin.originalLine + 1}:${origin.originalColumn + 1}`
      : all;
  });
}

const mapOf = (path: string) => new SourceMap(JSON.parse(readFileSync(path, 'utf8')));

/** As many causes as anybody would read. */
const DEEPEST = 5;

/** The same error with such stacks, its causes' too, for logs and for who calls. */
export function withReadableStack(error: unknown): unknown {
  let one = error;
  for (let depth = 0; depth < DEEPEST && one instanceof Error; depth++) {
    if (one.stack) one.stack = readable(one.stack);
    one = one.cause;
  }
  return error;
}
