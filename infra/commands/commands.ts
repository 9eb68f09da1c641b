import { createReadStream, existsSync, statSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { SluiceError } from '../../shared/errors.ts';
import { parse } from '../../shared/parse.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { deadLettersOf, messageOf, NO_SITE } from '../../shared/store/dead-letters.ts';
import { Site, sitesOf } from '../../shared/store/sites.ts';
import { bouncesOf } from '../../services/deliver/bounces.ts';
import { renewSiteAuthorKey, siteAuthorKey } from '../../services/door/authors.ts';
import { runMailTest } from './mail-test.ts';
import type { Place } from './place.ts';
import { progressBar } from './progress.ts';
import { runReplay, type ReplayOptions } from './replay.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

/** Submits a file through the place's door and whole pipeline. */
export async function replay(place: Place, file: string, options: ReplayOptions & { json?: boolean }): Promise<void> {
  if (!existsSync(file)) {
    throw new SluiceError('Config.Invalid', `there is no file ${file}`, { hint: 'give the path of a JSONL file' });
  }
  await place.pipeline(async (pipeline) => {
    const { size } = statSync(file);
    const bar = progressBar('replay', size);
    try {
      const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
      const result = await runReplay(pipeline, lines, options, bar.add);
      // A line may end in two bytes, and is told as one.
      bar.add(size, `${result.submitted} submitted`);
      bar.end();
      if (options.json) say(JSON.stringify(result));
      else {
        const rows = Object.entries(result).map(
          ([name, value]) =>
            [name, typeof value === 'number' ? String(Math.round(value * 10) / 10) : String(value)] as const,
        );
        const width = Math.max(...rows.map(([name]) => name.length));
        say(rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value.padStart(8)}`).join('\n'));
      }
      if (result.failed > 0) process.exitCode = 1;
    } finally {
      bar.end();
    }
  });
}

export type SiteOptions = { name?: string; origin?: string[]; threadParam?: string[] };

export async function siteAdd(
  place: Place,
  id: string,
  { name, origin = [], threadParam = [] }: SiteOptions,
): Promise<void> {
  const site = parse(
    Site,
    { id, name: name ?? id, origins: origin.map(originOf), threadParams: threadParam },
    'Config.Invalid',
    'see sluice site add --help',
  );
  await place.stored('made', async ({ table, clock }) => {
    const sites = sitesOf(table, clock);
    if ((await sites.list()).some((known) => known.id === id)) {
      throw new SluiceError('Config.Invalid', `there is a site ${id} already`, { hint: 'change it in the desk' });
    }
    await sites.put(site);
  });
  say(`Site ${id} is there. In its pages: <script src="…/embed.js" data-site="${id}" data-thread="…"></script>`);
}

function originOf(text: string): string {
  try {
    return new URL(text).origin;
  } catch (cause) {
    throw new SluiceError('Config.Invalid', `"${text}" is no origin`, { hint: 'such as https://blog.example', cause });
  }
}

/** The key with which a blog's back end signs its authors' tokens (docs/authors.md); a new one ends the old. */
export async function siteKey(place: Place, id: string, { renew }: { renew?: boolean }): Promise<void> {
  const key = await place.stored('made', async ({ table, vault, clock }) => {
    await sitesOf(table, clock).fresh(id);
    if (renew) await renewSiteAuthorKey(table, id);
    return siteAuthorKey(table, vault, id);
  });
  say(key);
}

export const mailTest = (place: Place, address: string): Promise<void> =>
  place.trial(async (trial) => {
    say(`mail        ${trial.mailer}`);
    await runMailTest(trial, address, say);
  });

/** A report that a mail server pipes in may hold the whole mail; what is needed of it stands early. */
const MOST_REPORT_BYTES = 10 * 1024 * 1024;

/** What bounces and complaints do on AWS by SES's events, for a mail server of one's own: an alias can pipe them in here. */
export async function suppress(
  place: Place,
  address: string | undefined,
  { complaint, lift }: { complaint?: boolean; lift?: boolean },
): Promise<void> {
  const why = complaint ? 'complained' : 'bounced';
  const named = address === undefined ? bouncesOf(await standardInput()) : [{ email: address, why } as const];
  if (named.some(({ email }) => !/^[^\s@]+@[^\s@]+$/.test(email))) {
    throw new SluiceError('Config.Invalid', `"${address}" is no e-mail address`, { hint: 'one like name@example.org' });
  }
  await place.stored('needed', async ({ table, vault, clock }) => {
    const contacts = contactsOf(table, vault, clock);
    for (const { email, why } of named) {
      if (lift) await contacts.unsuppress(contacts.hashOf(email));
      else await contacts.suppress(contacts.hashOf(email), why);
      say(lift ? `Mail may go to ${email} again.` : `No more mail to ${email}, on any site: ${why}.`);
    }
  });
  if (named.length === 0) say('No bounce or complaint in it; nothing is done.');
}

async function standardInput(): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    bytes += (part as Buffer).byteLength;
    if (bytes <= MOST_REPORT_BYTES) parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Sends again through the queue itself, also beside a running server. */
export async function redrive(place: Place, id: string | undefined, { site }: { site?: string }): Promise<void> {
  await place.stored('needed', async ({ table, vault, clock, send }) => {
    const letters = deadLettersOf(table);
    const known = (await sitesOf(table, clock).list()).map((one) => one.id);
    const wanted = id === undefined ? [] : [await letters.get(id)];
    if (id !== undefined && wanted[0] === undefined) {
      throw new SluiceError('Request.NotFound', `there is no dead letter ${id}`, { hint: 'see the desk, or doctor' });
    }
    for (const one of id === undefined ? (site ? [site] : [...known, NO_SITE]) : []) {
      let cursor: string | undefined;
      do {
        const page = await letters.list(one, { limit: 500, ...(cursor && { cursor }) });
        wanted.push(...page.letters);
        cursor = page.cursor;
      } while (cursor);
    }
    let sent = 0;
    for (const letter of wanted) {
      if (!letter || letter.redrivenAt !== undefined) continue;
      // Sent, then marked: a crash in between sends twice, which every step of the pipeline takes.
      await send(letter.source, messageOf(letter, vault), letter.group);
      await letters.markRedriven(letter, clock.now());
      sent += 1;
    }
    say(`${sent} sent again.`);
  });
}

export async function doctor(place: Place): Promise<void> {
  let well = await place.doctor(say);
  await place.stored('needed', async ({ table, clock }) => {
    const sites = (await sitesOf(table, clock).list()).map(({ id }) => id);
    say(`sites       ${sites.join(', ') || 'none'}`);
    const letters = deadLettersOf(table);
    for (const site of [...sites, NO_SITE]) {
      const { letters: found, cursor } = await letters.list(site, { limit: 100 });
      if (found.length === 0) continue;
      const reasons = new Set(found.map(({ reason }) => reason));
      say(`dead        ${found.length}${cursor ? '+' : ''} of site ${site}: ${[...reasons].join(', ')}`);
      well = false;
    }
  });
  if (!well) process.exitCode = 1;
}
