import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../infra/local/main.ts', import.meta.url));
export const PASSWORD = 'a-password-for-tests';
/** A start that takes longer has failed. */
const START_MS = 30_000;

export type Answer = { status: number; body: any };

export type Child = {
  pid: number;
  port: number;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** SIGKILL: nothing is flushed, nothing is said. */
  kill(): Promise<void>;
  /** SIGINT, and waits until it is gone. */
  stop(): Promise<void>;
  /** Resolves when it listens; rejects with its last words when it ended before. */
  ready: Promise<void>;
};

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** The real server in a process of its own. */
export function startChild(
  folder: string,
  port: number,
  {
    env = {},
    nodeOptions = [],
    wrap = [],
  }: { env?: Record<string, string>; nodeOptions?: string[]; wrap?: string[] } = {},
): Child {
  const command = [...wrap, process.execPath, ...nodeOptions, MAIN];
  const child: ChildProcess = spawn(command[0] as string, command.slice(1), {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      SLUICE_DATA: folder,
      PORT: String(port),
      SLUICE_AWS_PORT: 'off',
      SLUICE_RATE_LIMIT: 'off',
      SLUICE_TRUST_PROXY: '127.0.0.1',
      SLUICE_ADMIN_PASSWORD: PASSWORD,
      LOG_LEVEL: 'silent',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** Behind a wrapper the server is not our child; its lock says who it is, and the wrapper ends with it. */
  const signal = (name: 'SIGKILL' | 'SIGINT') => {
    if (wrap.length === 0) child.kill(name);
    else if (child.exitCode === null) {
      const { pid } = JSON.parse(readFileSync(join(folder, 'lock.json'), 'utf8')) as { pid: number };
      process.kill(pid, name);
    }
  };
  let words = '';
  child.stdout?.resume();
  child.stderr?.on('data', (chunk: Buffer) => {
    words = (words + chunk.toString()).slice(-4000);
  });
  const ended = once(child, 'exit');
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });

  const call: Child['call'] = (method, path, body, headers = {}) =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body);
      const sent = request(
        {
          host: '127.0.0.1',
          port,
          method,
          path,
          agent,
          timeout: 20_000,
          headers: {
            ...headers,
            ...(payload !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(payload),
            }),
          },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => {
            const json = (response.headers['content-type'] ?? '').includes('json');
            if (!response.complete) return reject(new Error('the answer broke off'));
            resolve({ status: response.statusCode ?? 0, body: json ? JSON.parse(text) : text });
          });
          response.on('error', reject);
        },
      );
      sent.on('timeout', () => sent.destroy(new Error('no answer within 20 s')));
      sent.on('error', (cause) => {
        const gone = child.exitCode ?? child.signalCode;
        reject(gone === null ? cause : new Error(`the server ended (${gone}): ${words}`, { cause }));
      });
      sent.end(payload);
    });

  const ready = (async () => {
    const began = Date.now();
    for (;;) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended: ${words}`);
      try {
        if ((await call('GET', '/health')).status === 200) return;
      } catch {
        // Not yet.
      }
      if (Date.now() - began > START_MS) throw new Error(`the server did not start: ${words}`);
      await new Promise((done) => setTimeout(done, 10));
    }
  })();
  ready.catch(() => {});

  return {
    pid: child.pid ?? 0,
    port,
    call,
    ready,
    async kill() {
      signal('SIGKILL');
      await ended;
      agent.destroy();
    },
    async stop() {
      agent.destroy();
      signal('SIGINT');
      await ended;
    },
  };
}
