import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { addressOf, chanceOf, nameOf, remark } from '../faults/chance.ts';

/**
 * The load generator, a process of its own: distinct honest comments over 200 threads, at most one in thirty with links
 * enough to be held. Speaks just as much HTTP as it needs, so that it costs the machine little.
 */
export type Load = {
  port: number;
  site: string;
  /** Submissions sent a second, evenly; without it as fast as answers come. */
  rate?: number;
  seconds: number;
  connections: number;
  seed: number;
  /** Where each id and when it was sent are written, for whoever looks up the decisions. */
  file: string;
};

export type Loaded = { sent: number; accepted: number; refused: number; seconds: number; p50: number; p99: number };

const THREADS = 200;
const HELD_ONE_IN = 30;

export function submission(
  load: Pick<Load, 'site' | 'seed'>,
  number: number,
): { path: string; body: string; client: string } {
  const chance = chanceOf(load.seed * 1_000_003 + number);
  const links =
    number % HELD_ONE_IN === 0 ? ` ${[1, 2, 3, 4].map((n) => `https://s${number}-${n}.example/`).join(' ')}` : '';
  return {
    path: `/v1/sites/${load.site}/threads/bench-${chance.between(1, THREADS)}/comments`,
    body: JSON.stringify({
      author: { name: nameOf(number) },
      body: remark(chance) + links,
    }),
    client: addressOf(number + load.seed * 7919),
  };
}

async function run(load: Load): Promise<Loaded> {
  const sent: { id: string; at: number }[] = [];
  const times: number[] = [];
  let number = 0;
  let refused = 0;
  const began = performance.now();
  const over = () => performance.now() - began > load.seconds * 1000;

  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(load.port, '127.0.0.1');
      socket.setNoDelay(true);
      let at = 0;
      let clock = 0;
      let answer = '';
      const next = (): void => {
        if (over()) {
          socket.end();
          return resolve();
        }
        if (load.rate) {
          const due = (number / load.rate) * 1000 - (performance.now() - began);
          if (due > 0.5) return void setTimeout(next, due);
        }
        const { path, body, client } = submission(load, (number += 1));
        at = Date.now();
        clock = performance.now();
        socket.write(
          `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-Forwarded-For: ${client}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      };
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString('latin1');
        const head = answer.indexOf('\r\n\r\n');
        if (head < 0) return;
        const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? 0);
        if (answer.length < head + 4 + length) return;
        if (answer.startsWith('HTTP/1.1 202')) {
          sent.push({ id: /"id":"([^"]+)"/.exec(answer)?.[1] ?? '', at });
          times.push(performance.now() - clock);
        } else refused += 1;
        answer = '';
        next();
      });
      socket.on('error', reject);
      socket.on('connect', next);
    });

  await Promise.all(Array.from({ length: load.connections }, worker));
  const seconds = (performance.now() - began) / 1000;
  writeFileSync(load.file, JSON.stringify(sent));
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { sent: number, accepted: sent.length, refused, seconds, p50: at(0.5), p99: at(0.99) };
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '{}') as Load)));
}
