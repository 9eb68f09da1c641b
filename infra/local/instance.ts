import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import { pino, type Logger } from 'pino';
import { vaultOf } from '../../shared/vault.ts';
import { ensureAdmin } from '../../services/moderation/users.ts';
import { topology } from '../topology.ts';
import { awsEndpoint } from './aws-endpoint/endpoint.ts';
import { openDatabase } from './database.ts';
import { lockFolder } from './lock.ts';
import { localMail } from './mail.ts';
import { pageCache } from './page-cache.ts';
import { localRuntime, type Runtime } from './runtime.ts';
import { ensureDemo, seedDemo } from './seed.ts';
import { localServer, type LocalServer } from './server.ts';
import { localProviders } from './providers.ts';
import { awsKeyOf, rootKeyOf, type Settings } from './settings.ts';

export type Instance = {
  runtime: Runtime;
  fetch: LocalServer['fetch'];
  /** Listens; resolves with the port. */
  listen(): Promise<number>;
  /** The AWS-compatible endpoint, once it listens: none when it is off. */
  aws(): { port: number; keyId: string; keyFile?: string } | undefined;
  /** Made at this start, and shown once. */
  admin: { created: boolean; password?: string };
  publicUrl: string;
  stop(): Promise<void>;
};

/** One JSON line per thing that happened, on standard error: standard output is for what people read. */
export const logOf = (settings: Pick<Settings, 'LOG_LEVEL'>): Logger =>
  pino(
    { level: settings.LOG_LEVEL, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({
      fd: 2,
      sync: settings.LOG_LEVEL === 'fatal' || settings.LOG_LEVEL === 'silent',
      minLength: 4096,
      // A quiet server's warning must not wait for the next 4 KB.
      periodicFlush: 1000,
    }),
  );

/** The whole product on one data folder, not listening yet. A first start makes the site `demo` and its comments. */
export async function openInstance(
  settings: Settings,
  { log = logOf(settings), demo = true }: { log?: Logger; demo?: boolean } = {},
): Promise<Instance> {
  const folder = resolve(settings.SLUICE_DATA);
  const publicUrl = (
    settings.PUBLIC_URL ??
    `http://${settings.HOST.includes(':') ? `[${settings.HOST}]` : settings.HOST}:${settings.PORT}`
  ).replace(/\/$/, '');
  const lock = lockFolder(folder, publicUrl);
  const cache = pageCache();
  let mail: ReturnType<typeof localMail> | undefined;
  const runtime = localRuntime(topology, {
    database: openDatabase(folder),
    clock: { now: Date.now },
    vault: vaultOf(rootKeyOf(folder)),
    log,
    mail: (table) => (mail = localMail(settings, table, log)),
    publicUrl,
    providers: localProviders(settings),
    onWrite: cache.touch,
    historyMb: settings.SLUICE_HISTORY_MB,
  });
  const admin = await ensureAdmin(runtime.ports, settings.SLUICE_ADMIN_PASSWORD);
  const fresh = demo && (await ensureDemo(runtime.ports));
  const { server, fetch, endStreams } = localServer(runtime, {
    log,
    cache,
    rateLimit: settings.SLUICE_RATE_LIMIT === 'on',
    trustProxy: settings.SLUICE_TRUST_PROXY,
  });
  const awsPort = settings.SLUICE_AWS_PORT;
  const awsKey = awsPort === 'off' ? undefined : awsKeyOf(folder, settings.SLUICE_AWS_KEY);
  const aws = awsKey && awsEndpoint(runtime, awsKey);
  runtime.start();
  if (fresh) await seedDemo(runtime.ports);

  return {
    runtime,
    fetch,
    admin,
    publicUrl,
    async listen() {
      // Loopback only, whatever HOST says: its key may start and stop everything.
      if (aws) await listenOn(aws.server, { PORT: Number(awsPort), HOST: '127.0.0.1' });
      return listenOn(server, settings);
    },
    aws() {
      const address = aws?.server.address();
      if (!awsKey || typeof address !== 'object' || address === null) return undefined;
      return {
        port: address.port,
        keyId: awsKey.id,
        ...(settings.SLUICE_AWS_KEY === undefined && { keyFile: join(folder, 'aws.key') }),
      };
    },
    async stop() {
      await aws?.close();
      endStreams();
      server.closeIdleConnections();
      await new Promise<void>((done) => (server.listening ? server.close(() => done()) : done()));
      await runtime.stop();
      mail?.close();
      lock.release();
    },
  };
}

function listenOn(server: Server, { PORT, HOST }: Pick<Settings, 'PORT' | 'HOST'>): Promise<number> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    server.listen(PORT, HOST, () => {
      const address = server.address();
      done(typeof address === 'object' && address !== null ? address.port : PORT);
    });
  });
}
