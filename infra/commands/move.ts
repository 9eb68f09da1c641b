import { once } from 'node:events';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { chmod } from 'node:fs/promises';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Worker } from 'node:worker_threads';
import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Table } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { batcher, type Batch } from '../../services/import/batch.ts';
import { exportRows, wxrRows } from '../../services/import/export.ts';
import { forgetComment, forgetEmail, personExport } from '../../services/import/forget.ts';
import { importPlan } from '../../services/import/order.ts';
import { importOwn } from '../../services/import/own.ts';
import { formatOf, PIECE_BYTES } from '../../services/import/read.ts';
import { FORMATS, type ImportFormat } from '../../services/import/record.ts';
import { ReportCollector, type Note, type Report } from '../../services/import/report.ts';
import { encode } from '../../services/import/sluice.ts';
import { textOf } from '../../services/import/text.ts';
import { aliasesOf } from '../../services/import/thread-keys.ts';
import { importWriter } from '../../services/import/write.ts';
import { encodeWxr } from '../../services/import/wxr.ts';
import type { ReaderData, ReaderMessage } from './import-reader.ts';
import type { Place } from './place.ts';
import { progressBar } from './progress.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const HEAD_CHARACTERS = 65_536;

async function siteOf({ table, clock }: { table: Table; clock: Clock }, id: string) {
  const sites = sitesOf(table, clock);
  const known = (await sites.list()).map((site) => site.id);
  if (known.includes(id)) return sites.fresh(id);
  throw new SluiceError('Site.Unknown', `there is no site "${id}"; there is ${known.join(', ') || 'none'}`, {
    hint: `add it: npm run sluice -- site add ${id} --origin https://your.blog`,
  });
}

export type ImportOptions = { site: string; format: string; dryRun?: boolean; json?: boolean };

export async function importFile(place: Place, file: string, options: ImportOptions): Promise<void> {
  const { site: siteId, dryRun = false } = options;
  if (options.format !== 'auto' && !(FORMATS as readonly string[]).includes(options.format)) {
    throw new SluiceError('Config.Invalid', `"${options.format}" is no format`, {
      hint: `auto, ${FORMATS.join(', ')}`,
    });
  }
  const given = options.format as ImportFormat | 'auto';
  const own = await isOwn(file, given);
  await place.stored(dryRun ? 'untouched' : 'made', async ({ table, vault, clock, bulk }) => {
    const { site, policy: standing } = await siteOf({ table, clock }, siteId);
    const { policy } = standing;
    const aliases = await aliasesOf({ table, clock }, site);
    const report = new ReportCollector();
    const writer = importWriter({ table, vault, clock, site, report, ...(bulk && { load: bulk.load }), dryRun });
    const bar = progressBar(dryRun ? 'dry run' : 'import', statSync(file).size);
    let read = 0;
    const onProgress = (bytes: number) => {
      bar.add(bytes - read, `${report.imported + report.unchanged} comments`);
      read = bytes;
    };
    try {
      if (own) {
        report.format = 'sluice';
        const pieces = textOf(createReadStream(file, { highWaterMark: PIECE_BYTES }), onProgress).pieces;
        await importOwn(pieces, { table, vault, clock, site, policy, aliases, report, writer, dryRun });
      } else if (bulk) {
        const { root, beside } = bulk;
        const waiting = new SharedArrayBuffer(4);
        const data: ReaderData = { file, format: given, site, policy, aliases, root, waiting };
        for await (const { batches, bytes } of readElsewhere(data, report, beside)) {
          await writer.write(batches);
          onProgress(bytes);
          if (beside) await new Promise((done) => setTimeout(done, GAP_MS));
        }
      } else {
        const batches = batcher({ vault, clock, site, policy, aliases, report });
        const onFormat = (format: ImportFormat) => (report.format = format);
        for await (const item of importPlan(file, { site: site.id, format: given, onProgress, onFormat })) {
          if (batches.take(item)) await writer.write([batches.batch()]);
        }
        await writer.write([batches.batch()]);
      }
      await writer.end();
      if (!dryRun) await bulk?.settle();
    } finally {
      bar.end();
    }
    const result = report.report();
    if (options.json) say(JSON.stringify(result));
    else say(asTable(result, dryRun));
  });
}

/** A server that waits for the store asks for it now and then: it needs a gap to find it free. */
const GAP_MS = 20;
/** Batches that are waited for; fewer than the reading thread may have waiting. */
const TOGETHER = 6;
const YOUNG_MB = 32;

/**
 * What another thread reads from the file: all that came since the last time, or beside a server one batch, so that no
 * request waits long. What that thread counted goes into the report; what it throws is thrown.
 */
async function* readElsewhere(data: ReaderData, report: ReportCollector, beside: boolean) {
  const worker = new Worker(new URL('./import-reader.ts', import.meta.url), {
    workerData: data,
    // What it makes goes to the other thread soon: room for more would only be touched once.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const waiting = new Int32Array(data.waiting);
  const messages: ReaderMessage[] = [];
  let failed: Error | undefined;
  let wake = () => {};
  worker.on('message', (message: ReaderMessage) => {
    messages.push(message);
    wake();
  });
  worker.on('error', (error) => {
    failed = error as Error;
    wake();
  });
  try {
    for (;;) {
      // A commit waits for the disk, however much it holds: some batches go together.
      while (!failed && messages.length < (beside ? 1 : TOGETHER) && (messages.at(-1)?.kind ?? 'batch') === 'batch') {
        await new Promise<void>((resolve) => (wake = resolve));
      }
      if (failed) throw failed;
      const some = messages.splice(0, beside ? 1 : messages.length);
      const batches: Batch[] = [];
      let bytes = 0;
      let ended = false;
      for (const message of some) {
        if (message.kind === 'fault') throw new SluiceError(message.code, message.message, { hint: message.hint });
        if (message.kind === 'batch') {
          batches.push(message.batch);
          ({ bytes } = message);
        } else {
          report.absorb(message.report);
          ended = true;
        }
      }
      if (batches.length > 0) yield { batches, bytes };
      // They are written.
      Atomics.sub(waiting, 0, batches.length);
      Atomics.notify(waiting, 0);
      if (ended) return;
    }
  } finally {
    await worker.terminate();
  }
}

async function isOwn(file: string, format: ImportFormat | 'auto'): Promise<boolean> {
  let head = '';
  try {
    if (!statSync(file).isFile()) throw new Error('it is no file');
    for await (const piece of textOf(createReadStream(file, { end: 4 * HEAD_CHARACTERS })).pieces) {
      head += piece;
      if (head.length >= HEAD_CHARACTERS) break;
    }
  } catch (cause) {
    throw new SluiceError('Import.Unreadable', `${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'check the path and who may read it',
      cause,
    });
  }
  return format === 'sluice' || (format === 'auto' && formatOf(head.slice(0, HEAD_CHARACTERS)) === 'sluice');
}

/** Lines of a kind that people are shown; all of them are in the JSON. */
const SHOWN_NOTES = 20;

function asTable(report: Report, dryRun: boolean): string {
  const rows: [string, string | number][] = [
    ['format', report.format ?? 'unknown'],
    ['threads', report.threads],
    ['comments', report.comments],
    ['replies', report.replies],
    ['authors', report.authors],
    [dryRun ? 'to import' : 'imported', report.imported],
    ['unchanged', report.unchanged],
    ['skipped', report.skipped.length + (report.more?.skipped ?? 0)],
    ['warnings', report.warnings.length + (report.more?.warnings ?? 0)],
  ];
  const notes = (title: string, some: readonly Note[], more: number) =>
    some.length === 0
      ? []
      : [
          '',
          title,
          ...some.slice(0, SHOWN_NOTES).map(({ line, reason }) => `  line ${line}: ${reason}`),
          ...(some.length + more > SHOWN_NOTES ? [`  and ${some.length + more - SHOWN_NOTES} more: see --json`] : []),
        ];
  return [
    ...rows.map(([name, value]) => `  ${name.padEnd(10)}  ${String(value).padStart(10)}`),
    ...notes('Skipped', report.skipped, report.more?.skipped ?? 0),
    ...notes('Warnings', report.warnings, report.more?.warnings ?? 0),
    ...(dryRun ? ['', 'A dry run: nothing was written.'] : []),
  ].join('\n');
}

export type ExportOptions = { site: string; format: string; contacts?: boolean; person?: string };

export async function exportFile(place: Place, file: string | undefined, options: ExportOptions): Promise<void> {
  const { format, contacts = false, person } = options;
  if (format !== 'sluice' && format !== 'wordpress') {
    throw new SluiceError('Config.Invalid', `"${format}" is no format to export`, { hint: 'sluice or wordpress' });
  }
  await place.stored('needed', async (stored) => {
    if (person !== undefined) {
      await put(file, [`${JSON.stringify(await personExport(stored, person), null, 2)}\n`]);
      return;
    }
    const { site } = await siteOf(stored, options.site);
    const channel = {
      title: site.name,
      url: site.origins[0] ?? `https://${site.id}.invalid`,
      exportedAt: stored.clock.now(),
    };
    const pieces =
      format === 'sluice'
        ? encode(exportRows(stored, site.id, { contacts }), { contacts })
        : encodeWxr(wxrRows(stored, site.id, { contacts }), channel);
    await put(file, pieces);
  });
}

/** Readable by its owner alone, also where the file was there before: it may hold addresses. */
async function put(file: string | undefined, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  if (file === undefined) return pipeline(Readable.from(pieces), process.stdout, { end: false });
  const out = createWriteStream(file, { mode: 0o600 });
  await once(out, 'open');
  await chmod(file, 0o600);
  await pipeline(Readable.from(pieces), out);
  say(`Wrote ${file} (${Math.ceil(out.bytesWritten / 1000).toLocaleString('en')} kB).`);
}

export type ForgetOptions = { email?: string; comment?: string; site?: string; dryRun?: boolean };

export async function forget(place: Place, { email, comment, site, dryRun = false }: ForgetOptions): Promise<void> {
  if ((email === undefined) === (comment === undefined)) {
    throw new SluiceError('Config.Invalid', 'forget takes either an address or a comment', {
      hint: '--email ADDRESS or --comment ID',
    });
  }
  await place.stored('needed', async (stored) => {
    if (site !== undefined) await siteOf(stored, site);
    const options = { site, dryRun, onErased: stored.forgetTexts };
    const { comments, contacts, sites, addressKept } =
      email === undefined
        ? await forgetComment(stored, comment as string, options)
        : await forgetEmail(stored, email, options);
    const verb = dryRun ? 'Would erase' : 'Erased';
    const kept = addressKept && email !== undefined ? ' (the address stays for other sites)' : '';
    say(
      `${verb} ${comments.length} comments${sites.length > 0 ? ` of ${sites.join(', ')}` : ''} and ${contacts} contacts${kept}.`,
    );
    for (const id of comments) say(`  ${id}`);
    if (!dryRun) say(`${stored.stillHeld} still hold what they held.`);
  });
}
