import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
beforeAll(async () => {
  sluice = await testInstance({}, { demo: false });
});
afterAll(() => sluice.end());

const load = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await sluice.fetch(new Request(`http://127.0.0.1${path}`, { headers }));
  return { headers: answer.headers, bytes: Buffer.from(await answer.arrayBuffer()) };
};

it.each(['/embed.js', '/moderate', '/'])('%s comes zipped for who takes that, and is the same', async (path) => {
  const plain = await load(path);
  const zipped = await load(path, { 'accept-encoding': 'gzip, br' });
  expect(plain.headers.get('content-encoding')).toBeNull();
  expect(zipped.headers.get('content-encoding')).toBe('gzip');
  expect(gunzipSync(zipped.bytes).equals(plain.bytes)).toBe(true);
  expect(zipped.headers.get('vary')).toBe('accept-encoding');
});

it('loads the desk within its budget: 120 KB of scripts and styles, zipped', async () => {
  const { bytes } = await load('/moderate');
  const names = [...bytes.toString('utf8').matchAll(/(?:src|href)="(\/moderate\/[^"]+\.(?:js|css))"/g)].map(
    ([, name]) => name ?? '',
  );
  const sizes = await Promise.all(
    names.map(async (name) => (await load(name, { 'accept-encoding': 'gzip' })).bytes.byteLength),
  );
  expect(names.length).toBeGreaterThanOrEqual(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(120_000);
});
