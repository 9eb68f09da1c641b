import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase } from '../../infra/local/database.ts';
import { freePort, startChild } from './child.ts';

/** Why system calls cannot be watched here; undefined when they can. */
function unwatchable(): string | undefined {
  const { error, status } = spawnSync('strace', ['-o', '/dev/null', 'true']);
  if (error) return 'strace is not installed: apt-get install strace';
  return status === 0 ? undefined : 'strace may not watch processes here';
}

// A kill leaves the page cache alone, so it cannot show what a power cut would leave. This can.
it('answers 202 only after an fsync, and what that fsync reached recovers', { timeout: 60_000 }, async ({ skip }) => {
  const why = unwatchable();
  if (why) skip(why);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fsync-'));
  const trace = join(folder, 'trace');
  const data = join(folder, 'data');
  const calls = 'trace=openat,pwrite64,fdatasync,fsync,write,writev,read,recvfrom,sendto';
  const child = startChild(data, await freePort(), { wrap: ['strace', '-f', '-s', '40', '-e', calls, '-o', trace] });
  try {
    await child.ready;
    // The demo's own comments first: then one request has the trace to itself.
    for (let look = 0; look < 200; look++) {
      const { intake } = (await child.call('GET', '/health')).body.queues;
      if (intake.depth + intake.inFlight === 0) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    const { status, body } = await child.call('POST', '/v1/sites/demo/threads/power/comments', {
      author: { name: 'Ada' },
      body: 'Written just before the lights went out.',
    });
    expect(status).toBe(202);
    const cut = join(folder, 'cut');
    mkdirSync(cut);
    for (const file of ['sluice.db', 'sluice.db-wal']) copyFileSync(join(data, file), join(cut, file));

    await expect.poll(() => readFileSync(trace, 'utf8'), { timeout: 5000 }).toContain('"HTTP/1.1 202');
    const lines = readFileSync(trace, 'utf8').split('\n');
    const wal = /openat\([^)]*sluice\.db-wal".*= (\d+)$/.exec(
      lines.find((line) => /sluice\.db-wal".*= \d+$/.test(line)) ?? '',
    )?.[1];
    const asked = lines.findIndex((line) => line.includes('"POST /v1/sites/demo/threads/power'));
    const answered = lines.findIndex((line) => line.includes('"HTTP/1.1 202'));
    const during = lines.slice(asked, answered);
    const written = during.findIndex((line) => line.includes(`pwrite64(${wal},`));
    const synced = during.findLastIndex((line) => new RegExp(`f(data)?sync\\(${wal}\\)\\s+= 0`).test(line));
    expect(asked).toBeGreaterThan(0);
    expect(answered).toBeGreaterThan(asked);
    expect(written).toBeGreaterThan(0);
    expect(synced).toBeGreaterThan(written);

    const reached = lines
      .slice(0, asked + synced)
      .map((line) => new RegExp(`pwrite64\\(${wal},.*, (\\d+), (\\d+)\\)\\s+= `).exec(line))
      .reduce((end, match) => Math.max(end, match ? Number(match[1]) + Number(match[2]) : 0), 0);
    truncateSync(join(cut, 'sluice.db-wal'), reached);
    appendFileSync(join(cut, 'sluice.db-wal'), Buffer.alloc(3000, 0xa5)); // What a torn write may leave.
    await child.stop();

    const { sqlite, close } = openDatabase(cut);
    // Its event still waits, or the same group decided it.
    const found = sqlite
      .prepare(
        `SELECT count(*) AS n FROM message WHERE queue = 'intake' AND body ->> '$.detail.id' = $id UNION ALL
         SELECT count(*) FROM item WHERE pk = 'C#' || $id AND sk = 'head' AND doc ->> '$.status' <> 'received'`,
      )
      .all({ $id: body.id }) as { n: number }[];
    expect(found.map(({ n }) => n)).toContain(1);
    expect(sqlite.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    close();
  } finally {
    await child.kill().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }
});
