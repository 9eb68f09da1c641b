import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pino } from 'pino';
import { SluiceError } from '../../../shared/errors.ts';
import { usersOf } from '../../../shared/store/users.ts';
import { vaultOf } from '../../../shared/vault.ts';
import type { Need, Pipeline, Place, Stored, Trial, Verdict } from '../../commands/place.ts';
import { topology } from '../../topology.ts';
import { openDatabase, type Database } from '../database.ts';
import { forgetTexts } from '../forget.ts';
import { localLoad } from '../load.ts';
import { lockHolder } from '../lock.ts';
import { queueNamesOf } from '../queues.ts';
import { ensureDemo } from '../seed.ts';
import { readSettings, rootKeyOf } from '../settings.ts';
import { localTable } from '../table.ts';

const clock = { now: Date.now };

/** The data folder that SLUICE_DATA names. */
export const dataFolder: Place = {
  async stored<T>(need: Need, work: (stored: Stored) => Promise<T>): Promise<T> {
    const path = resolve(readSettings(process.env).SLUICE_DATA);
    const there = existsSync(join(path, 'sluice.db'));
    if (need === 'needed' && !there) {
      throw new SluiceError('Config.Invalid', `${path} holds no data`, {
        hint: 'point SLUICE_DATA at the data folder',
      });
    }
    const apart = need === 'untouched' && !there;
    const root = apart && !existsSync(join(path, 'root.key')) ? randomBytes(32) : rootKeyOf(path);
    const database = openDatabase(apart ? ':memory:' : path);
    try {
      const table = localTable(database, clock);
      // For a dry run without a data folder the site `demo` is in memory.
      if (need === 'made' || apart) await ensureDemo({ table, clock });
      return await work({
        table,
        vault: vaultOf(root),
        clock,
        send: queueNamesOf(topology.queues, database, clock),
        forgetTexts: (ids) => forgetTexts(database, ids),
        bulk: { ...localLoad(database), root, beside: lockHolder(path) !== undefined },
        stillHeld: 'Backups, and mail that was sent,',
      });
    } finally {
      database.close();
    }
  },

  /** An instance of its own on the folder, which nobody else may be running on. */
  async pipeline<T>(work: (pipeline: Pipeline) => Promise<T>): Promise<T> {
    const settings = readSettings({
      ...process.env,
      LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
      SLUICE_RATE_LIMIT: 'off',
    });
    const { openInstance } = await import('../instance.ts');
    const instance = await openInstance(settings, { log: pino({ level: settings.LOG_LEVEL }, pino.destination(2)) });
    try {
      return await work({
        publicUrl: instance.publicUrl,
        fetch: instance.fetch,
        verdicts(tell) {
          instance.runtime.bus.onEvent(({ 'detail-type': type, detail }) => {
            const verdict = VERDICTS[type];
            if (verdict) tell((detail as { id: string }).id, verdict);
          });
          return { watch() {}, stop() {} };
        },
      });
    } finally {
      await instance.stop();
    }
  },

  /** Through the server that runs on the folder, or an instance of its own. */
  async trial<T>(work: (trial: Trial) => Promise<T>): Promise<T> {
    const settings = readSettings({ ...process.env, LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent' });
    const folder = resolve(settings.SLUICE_DATA);
    const mailer = settings.SMTP_URL ? `by ${new URL(settings.SMTP_URL).host}` : 'into the mailbox: no SMTP_URL is set';
    const holder = lockHolder(folder);
    if (!holder) {
      const { openInstance } = await import('../instance.ts');
      const instance = await openInstance(settings);
      try {
        return await work(
          trialOn(instance.runtime.database, { ...instance.runtime.ports, fetch: instance.fetch }, mailer),
        );
      } finally {
        await instance.stop();
      }
    }
    const database = openDatabase(folder);
    try {
      const table = localTable(database, clock);
      const vault = vaultOf(rootKeyOf(folder));
      return await work(
        trialOn(database, { table, vault, clock, publicUrl: holder.url, fetch: (request) => fetch(request) }, mailer),
      );
    } finally {
      database.close();
    }
  },

  async doctor(say) {
    const settings = readSettings(process.env);
    say(`settings    fine`);
    const holder = lockHolder(resolve(settings.SLUICE_DATA));
    say(`server      ${holder ? `running as process ${holder.pid}, ${holder.url}` : 'not running'}`);
    const database = openDatabase(resolve(settings.SLUICE_DATA));
    try {
      const { integrity_check: integrity } = database.sqlite.prepare('PRAGMA integrity_check').get() as {
        integrity_check: string;
      };
      say(`database    ${integrity}`);
      const table = localTable(database, clock);
      say(
        `moderator   ${(await usersOf(table, clock).get('admin')) ? 'admin is there' : 'no admin yet: start the server once'}`,
      );
      const rows = database.sqlite
        .prepare('SELECT queue, count(*) AS n, min(sent_at) AS oldest FROM message GROUP BY queue')
        .all() as { queue: string; n: number; oldest: number }[];
      for (const row of rows)
        say(`queue       ${row.queue}: ${row.n}, the oldest of ${new Date(row.oldest).toISOString()}`);
      return integrity === 'ok';
    } finally {
      database.close();
    }
  },
};

const VERDICTS: Record<string, Verdict | undefined> = {
  CommentPublished: 'published',
  CommentHeld: 'held',
  CommentRejected: 'rejected',
};

/** What a test needs of an instance on this database. */
export const trialOn = (
  database: Database,
  { table, vault, clock, publicUrl, fetch }: Omit<Trial, 'remove' | 'mailer'>,
  mailer: string,
): Trial => ({
  table,
  vault,
  clock,
  publicUrl,
  fetch,
  mailer,
  async remove(site, ids, contact) {
    const { sqlite } = database;
    await database.write(() => {
      const ofComment = sqlite.prepare('DELETE FROM item WHERE pk = ?');
      const text = sqlite.prepare('DELETE FROM comment_text WHERE comment_id = ?');
      for (const id of ids) {
        ofComment.run(`C#${id}`);
        text.run(id);
      }
      const others = sqlite.prepare('DELETE FROM item WHERE pk = $pk OR (pk >= $from AND pk < $to)');
      // "$" comes right after "#". The site's name stands in no other key.
      for (const kind of ['S', 'T', 'W', 'F', 'V', 'B', 'I']) {
        const pk = `${kind}#${site}`;
        others.run({ $pk: pk, $from: `${pk}#`, $to: `${pk}$` });
      }
      if (contact !== undefined) ofComment.run(`K#${contact}`);
      sqlite.prepare(`DELETE FROM item WHERE pk = 'SITES' AND sk = ?`).run(site);
    });
    database.flush();
  },
});
