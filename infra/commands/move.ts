import { createReadStream, createWriteStream, statSync } from 'node:fs';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Table } from '../../shared/ports.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { exportRows, wxrRows } from '../../services/import/export.ts';
import { forgetComment, forgetEmail, personExport } from '../../services/import/forget.ts';
import { importPlan } from '../../services/import/order.ts';
import { importOwn } from '../../services/import/own.ts';
import { formatOf } from '../../services/import/read.ts';
import { FORMATS, type ImportFormat } from '../../services/import/record.ts';
import { ReportCollector, type Note, type Report } from '../../services/import/report.ts';
import { encode } from '../../services/import/sluice.ts';
import { textOf } from '../../services/import/text.ts';
import { importWriter } from '../../services/import/write.ts';
import { encodeWxr } from '../../services/import/wxr.ts';
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
  await place.stored(dryRun ? 'untouched' : 'made', async ({ table, vault, clock }) => {
    const { site, policy } = await siteOf({ table, clock }, siteId);
    const report = new ReportCollector();
    const writer = importWriter({ table, vault, clock, site, policy: policy.policy, report, dryRun });
    const bar = progressBar(dryRun ? 'dry run' : 'import', statSync(file).size);
    let read = 0;
    const onProgress = (bytes: number) => {
      bar.add(bytes - read, `${report.imported + report.unchanged} comments`);
      read = bytes;
    };
    try {
      if (own) {
        report.format = 'sluice';
        const pieces = textOf(createReadStream(file, { highWaterMark: 256 * 1024 }), onProgress).pieces;
        await importOwn(pieces, { table, vault, clock, site, policy: policy.policy, report, writer, dryRun });
      } else {
        const onFormat = (format: ImportFormat) => (report.format = format);
        for await (const item of importPlan(file, { site: site.id, format: given, onProgress, onFormat })) {
          await writer.take(item);
        }
        await writer.end();
      }
    } finally {
      bar.end();
    }
    const result = report.report();
    if (options.json) say(JSON.stringify(result));
    else say(asTable(result, dryRun));
  });
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

/** Readable by its owner alone: it may hold addresses. */
async function put(file: string | undefined, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  if (file !== undefined) await pipeline(Readable.from(pieces), createWriteStream(file, { mode: 0o600 }));
  else await pipeline(Readable.from(pieces), process.stdout, { end: false });
}

export type ForgetOptions = { email?: string; comment?: string; site?: string; dryRun?: boolean };

export async function forget(place: Place, { email, comment, site, dryRun = false }: ForgetOptions): Promise<void> {
  if ((email === undefined) === (comment === undefined)) {
    throw new SluiceError('Config.Invalid', 'forget takes either an address or a comment', {
      hint: '--email ADDRESS or --comment ID',
    });
  }
  await place.stored(dryRun ? 'needed' : 'erasable', async (stored) => {
    if (site !== undefined) await siteOf(stored, site);
    const options = { site, dryRun, onErased: stored.forgetTexts };
    const { comments, contacts, sites } =
      email === undefined
        ? await forgetComment(stored, comment as string, options)
        : await forgetEmail(stored, email, options);
    const verb = dryRun ? 'Would erase' : 'Erased';
    const kept = site !== undefined && email !== undefined ? ' (kept for the other sites)' : '';
    say(
      `${verb} ${comments.length} comments${sites.length > 0 ? ` of ${sites.join(', ')}` : ''} and ${contacts} contacts${kept}.`,
    );
    for (const id of comments) say(`  ${id}`);
    if (!dryRun) say(`${stored.stillHeld} still hold what they held.`);
  });
}
