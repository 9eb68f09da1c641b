import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SluiceError } from '../../../shared/errors.ts';
import { sitesOf } from '../../../shared/store/sites.ts';
import { vaultOf } from '../../../shared/vault.ts';
import { exportRows, wxrRows } from '../../../services/import/export.ts';
import { forgetComment, forgetEmail, personExport } from '../../../services/import/forget.ts';
import { importPlan } from '../../../services/import/order.ts';
import { importOwn } from '../../../services/import/own.ts';
import { formatOf } from '../../../services/import/read.ts';
import { FORMATS, type ImportFormat } from '../../../services/import/record.ts';
import { ReportCollector, type Note, type Report } from '../../../services/import/report.ts';
import { encode } from '../../../services/import/sluice.ts';
import { textOf } from '../../../services/import/text.ts';
import { importWriter } from '../../../services/import/write.ts';
import { encodeWxr } from '../../../services/import/wxr.ts';
import { openDatabase, type Database } from '../database.ts';
import { forgetTexts } from '../forget.ts';
import { ensureDemo } from '../seed.ts';
import { readSettings, rootKeyOf } from '../settings.ts';
import { localTable } from '../table.ts';
import { progressBar } from './progress.ts';

const clock = { now: Date.now };
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const HEAD_CHARACTERS = 65_536;

/**
 * The table and vault of the data folder, beside a server that may be running.
 *
 * @param folder `untouched`: nothing is made, and where there is no data one looks into an empty store
 */
async function withStored<T>(
  folder: 'made' | 'untouched' | 'needed',
  work: (stored: {
    there: boolean;
    database: Database;
    table: ReturnType<typeof localTable>;
    vault: ReturnType<typeof vaultOf>;
  }) => Promise<T>,
): Promise<T> {
  const path = resolve(readSettings(process.env).SLUICE_DATA);
  const there = existsSync(join(path, 'sluice.db'));
  if (folder === 'needed' && !there) {
    throw new SluiceError('Config.Invalid', `${path} holds no data`, { hint: 'point SLUICE_DATA at the data folder' });
  }
  const apart = folder === 'untouched' && !there;
  const root = apart && !existsSync(join(path, 'root.key')) ? randomBytes(32) : rootKeyOf(path);
  const database = openDatabase(apart ? ':memory:' : path);
  try {
    return await work({ there, database, table: localTable(database, clock), vault: vaultOf(root) });
  } finally {
    database.close();
  }
}

async function siteOf(table: ReturnType<typeof localTable>, id: string) {
  const sites = sitesOf(table, clock);
  const known = (await sites.list()).map((site) => site.id);
  if (known.includes(id)) return sites.fresh(id);
  throw new SluiceError('Site.Unknown', `there is no site "${id}"; there is ${known.join(', ') || 'none'}`, {
    hint: `add it: npm run sluice -- site add ${id} --origin https://your.blog`,
  });
}

export type ImportOptions = { site: string; format: string; dryRun?: boolean; json?: boolean };

export async function importFile(file: string, options: ImportOptions): Promise<void> {
  const { site: siteId, dryRun = false } = options;
  if (options.format !== 'auto' && !(FORMATS as readonly string[]).includes(options.format)) {
    throw new SluiceError('Config.Invalid', `"${options.format}" is no format`, {
      hint: `auto, ${FORMATS.join(', ')}`,
    });
  }
  const given = options.format as ImportFormat | 'auto';
  const own = await isOwn(file, given);
  await withStored(dryRun ? 'untouched' : 'made', async ({ table, vault, there }) => {
    // A first run makes the site `demo`; for a dry run without a data folder this store is memory.
    if (!dryRun || !there) await ensureDemo({ table, clock });
    const { site, policy } = await siteOf(table, siteId);
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

export async function exportFile(file: string | undefined, options: ExportOptions): Promise<void> {
  const { format, contacts = false, person } = options;
  if (format !== 'sluice' && format !== 'wordpress') {
    throw new SluiceError('Config.Invalid', `"${format}" is no format to export`, { hint: 'sluice or wordpress' });
  }
  await withStored('needed', async (stored) => {
    const at = { ...stored, clock };
    if (person !== undefined) {
      await put(file, [`${JSON.stringify(await personExport(at, person), null, 2)}\n`]);
      return;
    }
    const { site } = await siteOf(stored.table, options.site);
    const channel = {
      title: site.name,
      url: site.origins[0] ?? `https://${site.id}.invalid`,
      exportedAt: clock.now(),
    };
    const pieces =
      format === 'sluice'
        ? encode(exportRows(at, site.id, { contacts }), { contacts })
        : encodeWxr(wxrRows(at, site.id, { contacts }), channel);
    await put(file, pieces);
  });
}

/** Readable by its owner alone: it may hold addresses. */
async function put(file: string | undefined, pieces: AsyncIterable<string> | Iterable<string>): Promise<void> {
  if (file !== undefined) await pipeline(Readable.from(pieces), createWriteStream(file, { mode: 0o600 }));
  else await pipeline(Readable.from(pieces), process.stdout, { end: false });
}

export type ForgetOptions = { email?: string; comment?: string; site?: string; dryRun?: boolean };

export async function forget({ email, comment, site, dryRun = false }: ForgetOptions): Promise<void> {
  if ((email === undefined) === (comment === undefined)) {
    throw new SluiceError('Config.Invalid', 'forget takes either an address or a comment', {
      hint: '--email ADDRESS or --comment ID',
    });
  }
  await withStored('needed', async ({ database, table, vault }) => {
    if (site !== undefined) await siteOf(table, site);
    database.sqlite.exec('PRAGMA secure_delete = ON');
    const onErased = (ids: readonly string[]) => forgetTexts(database, ids);
    const stored = { table, vault, clock };
    const options = { site, dryRun, onErased };
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
    if (!dryRun) say('Backups, and mail that was sent, still hold what they held.');
  });
}
