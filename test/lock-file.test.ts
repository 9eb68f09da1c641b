import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

type Locked = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> };

/**
 * `npm ci` refuses a lock file that does not name every optional dependency, those of other systems too. An install from a
 * registry that lacks some of them leaves them out of the lock file in silence.
 */
it('npm ci finds every dependency in the lock file, those of other systems too', () => {
  const { packages } = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const missing = Object.entries(packages).flatMap(([from, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !resolves(packages, from, name))
      .map((name) => `${from} → ${name}`),
  );
  expect(missing).toEqual([]);
});

/** Node's way up through the folders: beside the package, beside the one that holds it, … at the top. */
function resolves(packages: Record<string, Locked>, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    if (`${folder && `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
  }
}
