import { createServer } from 'node:net';
import type { TestInstance } from '../instance.ts';

/** An instance that listens on a free port, and knows it before it starts: links in pages must lead there. */
export async function listenFor(
  make: (env: Record<string, string>) => Promise<TestInstance>,
  env: Record<string, string> = {},
): Promise<{ sluice: TestInstance; url: string }> {
  const port = await freePort();
  const sluice = await make({ ...env, PORT: String(port) });
  await sluice.listen();
  return { sluice, url: `http://127.0.0.1:${port}` };
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (typeof address === 'object' && address ? done(address.port) : fail(new Error('no port'))));
    });
  });
}
