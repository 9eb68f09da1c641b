import { parentPort, workerData } from 'node:worker_threads';
import { SluiceError } from '../../shared/errors.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Site } from '../../shared/store/sites.ts';
import { vaultOf } from '../../shared/vault.ts';
import { batcher, type Batch } from '../../services/import/batch.ts';
import { importPlan } from '../../services/import/order.ts';
import type { ImportFormat } from '../../services/import/record.ts';
import type { Aliases } from '../../services/import/thread-keys.ts';
import { ReportCollector, type Report } from '../../services/import/report.ts';

/**
 * Reads, cleans and renders a file on a thread of its own, so that another writes meanwhile.
 *
 * `waiting` holds the number of batches that are not yet written: at `MOST_WAITING` the reading stops. Their JSON stands in
 * memory that both threads see and that goes round, so that none of it grows with the file.
 */
export type ReaderData = {
  file: string;
  format: ImportFormat | 'auto';
  site: Site;
  policy: Policy;
  aliases: Aliases;
  root: Uint8Array;
  waiting: SharedArrayBuffer;
};

export type ReaderMessage =
  /** `bytes`: how much of the file is read. */
  | { kind: 'batch'; batch: Batch; bytes: number }
  | { kind: 'end'; report: Report }
  | { kind: 'fault'; code: SluiceError['code']; message: string; hint: string };

const MOST_WAITING = 12;
/** Room for a batch of comments of the usual length; a longer one takes memory of its own, which is copied. */
const BATCH_BYTES = 4_000_000;

if (parentPort) {
  const port = parentPort;
  const { file, format, site, policy, aliases, root, waiting: shared } = workerData as ReaderData;
  const waiting = new Int32Array(shared);
  const send = (message: ReaderMessage) => port.postMessage(message);
  const report = new ReportCollector();
  // One more than may wait: the one that is being filled.
  const memories = Array.from({ length: MOST_WAITING + 1 }, () => new Uint8Array(new SharedArrayBuffer(BATCH_BYTES)));
  let filled = 0;
  const memory = () => memories[filled++ % memories.length]!;
  const batches = batcher({ vault: vaultOf(root), clock: { now: Date.now }, site, policy, aliases, report }, memory);
  let bytes = 0;
  const sendBatch = () => {
    let count = Atomics.load(waiting, 0);
    for (; count >= MOST_WAITING; count = Atomics.load(waiting, 0)) Atomics.wait(waiting, 0, count);
    // Written are the oldest: the memory that comes next is free.
    Atomics.add(waiting, 0, 1);
    send({ kind: 'batch', batch: batches.batch(), bytes });
  };
  try {
    const onFormat = (found: ImportFormat) => (report.format = found);
    const onProgress = (read: number) => (bytes = read);
    for await (const item of importPlan(file, { site: site.id, format, onProgress, onFormat })) {
      if (batches.take(item)) sendBatch();
    }
    sendBatch();
    send({ kind: 'end', report: report.report() });
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const { code, message, hint } = error;
    send({ kind: 'fault', code, message, hint });
  }
}
