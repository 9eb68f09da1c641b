import { expect, it } from 'vitest';
import { memoryPorts } from '../../test/fakes.ts';
import { Policy } from '../../shared/policy.ts';
import type { Item } from '../../shared/ports.ts';
import { batcher } from '../../services/import/batch.ts';
import { ReportCollector } from '../../services/import/report.ts';
import { importWriter, tableLoad } from '../../services/import/write.ts';
import { openDatabase } from './database.ts';
import { localLoad } from './load.ts';
import { localTable } from './table.ts';

const STATUSES = ['published', 'held', 'spam', 'deleted', 'rejected'] as const;

/** Three hundred comments over seven threads, half of them answers. */
function batches(ports: ReturnType<typeof memoryPorts>, report: ReportCollector) {
  const site = { id: 'blog', name: 'Blog', origins: [], threadParams: [], authors: [], moderatorEmails: [] };
  // Too small for a batch: it grows.
  const memory = () => new Uint8Array(new SharedArrayBuffer(1000));
  const gathering = batcher({ ...ports, site, policy: Policy.parse({}), aliases: new Map(), report }, memory);
  const batches = Array.from({ length: 3 }, (_, part) => {
    for (let n = part * 100; n < part * 100 + 100; n++) {
      gathering.take({
        kind: 'comment',
        line: n,
        id: `imp_${n}`,
        sourceId: String(n),
        parentId: n % 2 === 1 && n > 7 ? `imp_${n - 7}` : null,
        depth: n % 2,
        thread: { key: `/post-${n % 7}/` },
        author: { name: `Reader ${n % 11}`, ...(n % 3 === 0 && { email: `r${n % 11}@example.org` }) },
        body: `Text *number* ${n}. ${'Größe 😀 '.repeat(n % 5)}`,
        at: 1_500_000_000_000 + n * 1000,
        status: STATUSES[n % STATUSES.length]!,
      });
    }
    return gathering.batch();
  });
  return { site, batches };
}

it('writes thousands at once to the state that single transactions make, also a second time', async () => {
  const ports = memoryPorts();
  const database = openDatabase(':memory:');
  const table = localTable(database, ports.clock);
  const reports = [new ReportCollector(), new ReportCollector()] as const;
  const { site, batches: parts } = batches(ports, new ReportCollector());
  const { load, settle } = localLoad(database);
  const one = importWriter({ ...ports, table, site, report: reports[0], load });
  const other = importWriter({ ...ports, site, report: reports[1], load: tableLoad(ports.table) });
  for (let run = 0; run < 2; run++) {
    await one.write(parts);
    for (const part of parts) await other.write([part]);
  }
  expect(reports[0].report()).toMatchObject({ imported: 300, unchanged: 300 });
  expect(reports[1].report()).toEqual(reports[0].report());
  const rows = database.sqlite.prepare('SELECT doc FROM item').all() as { doc: string }[];
  const state = (items: Iterable<Item>) =>
    [...items]
      // Sealed anew each time.
      .filter(({ pk }) => !pk.startsWith('K#'))
      .toSorted((a, b) => (a.pk + a.sk < b.pk + b.sk ? -1 : 1));
  expect(state(rows.map(({ doc }) => JSON.parse(doc) as Item))).toEqual(state(ports.table.items.values()));
  const waits = () => database.sqlite.prepare('PRAGMA synchronous').get();
  expect(waits()).toEqual({ synchronous: 1 });
  await settle();
  expect(waits()).toEqual({ synchronous: 2 });
  const columns = `SELECT count(*) AS n FROM item WHERE gsi1pk IS doc ->> '$.gsi1pk' AND gsi1sk IS doc ->> '$.gsi1sk'
    AND gsi2pk IS doc ->> '$.gsi2pk' AND gsi2sk IS doc ->> '$.gsi2sk' AND version IS doc ->> '$.version'`;
  expect(database.sqlite.prepare(columns).get()).toEqual({ n: rows.length });
});
