import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { pino } from 'pino';
import { localBus } from '../../infra/local/bus.ts';
import { smtpMail } from '../../infra/local/mail.ts';
import { localRuntime } from '../../infra/local/runtime.ts';
import { localWorkflows, type LocalWorkflows } from '../../infra/local/workflows.ts';
import { localQueues } from '../../infra/local/queues.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { localTable } from '../../infra/local/table.ts';
import { topology, type QueueSpec } from '../../infra/topology.ts';
import type { Queue } from '../../shared/ports.ts';
import { vaultOf } from '../../shared/vault.ts';
import type { BusRig } from './bus.contract.ts';
import type { ClockIdsRig } from './clock-ids.contract.ts';
import type { MailRig, SentMail } from './mail.contract.ts';
import type { QueueRig } from './queue.contract.ts';
import type { TableRig } from './table.contract.ts';
import { waits, type WorkflowsRig } from './workflows.contract.ts';

const log = pino({ level: 'silent' });

/** A clock that stands until it is wound. */
export function woundClock(nowMs = Date.now()): { now(): number; wind(ms: number): void } {
  let at = nowMs;
  return {
    now: () => at,
    wind(ms) {
      at += ms;
    },
  };
}

export async function tableRig(): Promise<TableRig> {
  const clock = woundClock();
  const database = openDatabase(':memory:');
  return {
    table: localTable(database, clock),
    now: clock.now,
    pass: async (ms) => clock.wind(ms),
    close: async () => database.close(),
  };
}

export async function queueRig(): Promise<QueueRig> {
  const clock = woundClock();
  const database = openDatabase(':memory:');
  let made = 0;
  return {
    async queue({ visibilitySeconds, maxMessageBytes, maxReceives }) {
      const name = `queue-${++made}`;
      const specs: Record<string, QueueSpec> = {
        [name]: {
          visibilitySeconds,
          retentionDays: 14,
          maxMessageBytes,
          deadLetter: { queue: `${name}-dead`, maxReceives },
          fair: true,
        },
        [`${name}-dead`]: { visibilitySeconds: 60, retentionDays: 14, maxMessageBytes: 1_048_576 },
      };
      const queues = localQueues(specs, database, clock);
      return { queue: queues[name] as Queue, dead: queues[`${name}-dead`] as Queue };
    },
    pass: async (ms) => clock.wind(ms),
    close: async () => database.close(),
  };
}

export async function busRig(): Promise<BusRig> {
  const clock = { now: Date.now };
  const database = openDatabase(':memory:');
  const bus = localBus(topology, localQueues(topology.queues, database, clock), database, clock);
  const taken: { source: string; type: string; detail: unknown }[] = [];
  bus.onEvent(({ source, 'detail-type': type, detail }) => taken.push({ source, type, detail }));
  return { bus, taken: async () => taken, close: async () => database.close() };
}

/** SMTP against a server that answers as a test says. */
export async function mailRig(): Promise<MailRig> {
  let next: 'later' | 'never' | 'silence' | undefined;
  const taken: string[] = [];
  const server = createServer((socket) => {
    let message: string | undefined;
    let rest = '';
    const say = (line: string) => socket.write(`${line}\r\n`);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      rest += chunk.toString('utf8');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (message === undefined) {
          if (line === 'DATA') {
            message = '';
            say('354 go on');
          } else if (line.startsWith('RCPT') && (next === 'later' || next === 'never')) {
            say(next === 'later' ? '451 4.3.0 later' : '550 5.7.1 never');
            next = undefined;
          } else say(line === 'QUIT' ? '221 bye' : '250 ok');
        } else if (line !== '.') message += `${line.replace(/^\./, '')}\r\n`;
        else if (next === 'silence') {
          next = undefined;
          socket.destroy();
        } else {
          taken.push(message);
          message = undefined;
          say(`250 2.0.0 taken as ${taken.length}`);
        }
      }
    });
    say('220 test');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const mail = smtpMail({ url: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`, log });
  return {
    mail,
    next: (answer) => {
      next = answer;
    },
    sent: () =>
      Promise.all(
        taken.map(async (text): Promise<SentMail> => {
          const parsed = await simpleParser(text);
          const to = [parsed.to ?? []].flat().flatMap(({ value }) => value.map(({ address = '' }) => address));
          const raw = parsed.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1).trim()]);
          return {
            from: parsed.from?.value[0]?.address ?? '',
            to,
            subject: parsed.subject ?? '',
            text: parsed.text ?? '',
            html: parsed.html || '',
            headers: Object.fromEntries(raw) as Record<string, string>,
          };
        }),
      ),
    async close() {
      mail.close();
      server.close();
    },
  };
}

export async function workflowsRig(): Promise<WorkflowsRig> {
  const clock = woundClock();
  const folder = mkdtempSync(join(tmpdir(), 'sluice-workflows-'));
  const handed = new Map<string, string[]>();
  const definition = waits('arn:aws:states:::lambda:invoke.waitForTaskToken', {
    FunctionName: 'hand-over',
    Payload: { name: '{% $states.input.name %}', token: '{% $states.context.Task.Token %}' },
  });
  const spec = { file: '', type: 'STANDARD', substitutions: {}, timeoutSeconds: 3600 } as const;
  let workflows: LocalWorkflows;
  let database: ReturnType<typeof openDatabase>;
  const start = () => {
    database = openDatabase(folder);
    workflows = localWorkflows(
      { waits: spec },
      () => definition,
      async (_resource, args) => {
        const { name, token } = (args as { Payload: { name: string; token: string } }).Payload;
        handed.set(name, [...(handed.get(name) ?? []), token]);
        return {};
      },
      { database, clock, log },
    );
    workflows.recover();
  };
  const end = async () => {
    await workflows.idle();
    workflows.close();
    database.close();
  };
  start();
  return {
    // The adapter changes with each restart.
    workflows: {
      start: (workflow, execution) => workflows.start(workflow, execution),
      succeed: (token, output) => workflows.succeed(token, output),
      fail: (token, fault) => workflows.fail(token, fault),
    },
    tokens: async (name) => handed.get(name) ?? [],
    async output(name) {
      const row = database.sqlite.prepare('SELECT output FROM execution WHERE name = ?').get(name) as
        | { output: string | null }
        | undefined;
      return row?.output ? JSON.parse(row.output) : undefined;
    },
    async pass(ms) {
      clock.wind(ms);
      // The alarm sleeps by the real clock: whatever is journaled sets it anew.
      await workflows.start('waits', { name: `nudge-${clock.now()}`, input: { name: 'nudge' } });
    },
    async restart() {
      await end();
      start();
    },
    async close() {
      await end();
      rmSync(folder, { recursive: true });
    },
  };
}

export async function clockIdsRig(): Promise<ClockIdsRig> {
  const runtime = localRuntime(topology, {
    database: openDatabase(':memory:'),
    clock: { now: Date.now },
    vault: vaultOf(new Uint8Array(32)),
    log,
    mail: () => ({ send: async () => ({ response: 'taken' }) }),
    publicUrl: 'http://127.0.0.1',
  });
  return { clock: runtime.ports.clock, ids: runtime.ports.ids, close: () => runtime.stop() };
}
