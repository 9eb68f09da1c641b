import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { monotonicFactory } from 'ulid';
import { SluiceError } from '../../shared/errors.ts';
import { hookedBus } from '../../shared/hooked-bus.ts';
import type { Clock, Ids, Item, Mail, Ports, Queue, QueueMessage, Service } from '../../shared/ports.ts';
import type { Vault } from '../../shared/vault.ts';
import type { Topology } from '../topology.ts';
import type { Json } from './asl/types.ts';
import { ACCOUNT, localBus, REGION } from './bus.ts';
import { checkTopology } from './check-topology.ts';
import type { Database, Writes } from './database.ts';
import { localExecutions } from './executions.ts';
import { forgetTexts } from './forget.ts';
import { functionArn, serviceOf } from './functions.ts';
import { localQueues, type LocalQueue } from './queues.ts';
import { localSearch } from './search.ts';
import { localTable } from './table.ts';
import { localWorkflows, stateMachineArn, type Perform } from './workflows.ts';

/** Express executions under way at once; more would only wait for the one thread. */
const PIPE_CONCURRENCY = 128;
/** A quiet queue is looked at this often, for what no arrival announced. */
const IDLE_POLL_MS = 1000;

export const queueUrl = (name: string): string => `http://127.0.0.1/${ACCOUNT}/${name}`;
export const queueArn = (name: string): string => `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;

type Invoke = (name: string, payload: Json) => Promise<Json>;

export type Runtime = ReturnType<typeof localRuntime>;

/** One process that is all of the topology: the interpreter of `infra/topology.ts`. */
export function localRuntime(
  topology: Topology,
  {
    database,
    clock,
    vault,
    log,
    mail: makeMail,
    publicUrl,
    providers,
    onWrite,
    historyMb = 64,
    workflowFile = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'),
    services = serviceOf,
  }: {
    database: Database;
    clock: Clock;
    vault: Vault;
    log: Logger;
    mail: (table: Ports['table']) => Mail;
    publicUrl: string;
    providers?: Ports['providers'];
    onWrite?: (item: Item) => void;
    /** What the kept histories of Express runs may take. */
    historyMb?: number;
    workflowFile?: (file: string) => string;
    services?: Record<string, Service>;
  },
) {
  checkTopology(topology, Object.keys(services));
  const executions = localExecutions(database, clock, { limitBytes: historyMb * 1_048_576 });
  const tableBy = (writes: Writes) =>
    localTable(writes, clock, (item) => {
      onWrite?.(item);
      if (item.status === 'erased' && typeof item.id === 'string') void executions.forget(item.id);
    });
  const table = tableBy(database);
  const search = localSearch(database);
  const queues = localQueues(topology.queues, database, clock);
  const bus = localBus(topology, queues, database, clock);
  const ids = localIds(clock);
  let stopped = false;

  const queueByUrl = (url: string): LocalQueue => {
    const queue = queues[url.split('/').at(-1) ?? ''];
    if (!queue) throw named('SQS.QueueDoesNotExistException', `no queue ${url}`);
    return queue;
  };

  /** What ASL may call: functions, and the three services of the topology directly. */
  const performBy =
    (invoke: Invoke, queueOf: (url: string) => Pick<Queue, 'send'>): Perform =>
    async (resource, args) => {
      const input = args as { [key: string]: Json };
      switch (resource) {
        case 'arn:aws:states:::sqs:sendMessage': {
          const body = input.MessageBody;
          await queueOf(String(input.QueueUrl)).send(typeof body === 'string' ? body : JSON.stringify(body), {
            delaySeconds: Number(input.DelaySeconds ?? 0),
            ...(typeof input.MessageGroupId === 'string' && { group: input.MessageGroupId }),
          });
          return {};
        }
        case 'arn:aws:states:::states:startExecution': {
          const workflow = String(input.StateMachineArn).split(':').at(-1) ?? '';
          const name = String(input.Name);
          if ((await workflows.start(workflow, { name, input: input.Input })) === 'exists') {
            throw named('StepFunctions.ExecutionAlreadyExistsException', `${name} exists`);
          }
          return { ExecutionArn: `arn:aws:states:${REGION}:${ACCOUNT}:execution:${workflow}:${name}` };
        }
        case 'arn:aws:states:::lambda:invoke':
        case 'arn:aws:states:::lambda:invoke.waitForTaskToken':
          return {
            StatusCode: 200,
            Payload: await invoke(String(input.FunctionName).split(':').at(-1) ?? '', input.Payload ?? null),
          };
        default: {
          if (resource.startsWith('arn:aws:lambda:')) return invoke(resource.split(':').at(-1) ?? '', args);
          throw named('States.Runtime', `the resource ${resource} is not known here`);
        }
      }
    };

  const definitionOf = (name: string): unknown => {
    const spec = topology.workflows[name];
    if (!spec) throw new SluiceError('Workflow.Unknown', `no workflow ${name}`, { hint: 'see infra/topology.ts' });
    const text = workflowFile(spec.file).replaceAll(/\$\{(\w+)\}/g, (_all, word: string) => {
      const target = spec.substitutions[word];
      if (!target)
        throw new SluiceError('Topology.Unsupported', `${spec.file} names \${${word}}`, {
          hint: 'add it to the substitutions',
        });
      if ('function' in target) return functionArn(target.function);
      return 'queue' in target ? queueUrl(target.queue) : stateMachineArn(target.workflow);
    });
    return JSON.parse(text);
  };

  const workflows = localWorkflows(
    topology.workflows,
    definitionOf,
    performBy((name, payload) => invoke(name, payload), queueByUrl),
    {
      database,
      clock,
      log,
      executions,
      performExpress: performBy(
        (name, payload) => invokeInOrder(name, payload),
        (url) => queueByUrl(url).inOrder,
      ),
    },
  );
  const ports: Ports = {
    table,
    search,
    bus: hookedBus(bus, table, clock),
    queues,
    workflows,
    mail: makeMail(table),
    clock,
    ids,
    vault,
    log,
    publicUrl,
    forgetTexts: (ids) => forgetTexts(database, ids),
    ...(providers && { providers }),
  };
  /** As Lambda would: JSON in, JSON out. */
  const invokeBy = (ports: Ports): Invoke => {
    const handlers = new Map<string, ReturnType<Service>>();
    return async (name, payload) => {
      let handler = handlers.get(name);
      if (!handler) {
        if (!topology.functions[name]) throw named('Lambda.ResourceNotFoundException', `no function ${name}`);
        handlers.set(name, (handler = (services[name] as Service)(ports)));
      }
      const result = await handler(payload);
      return result === undefined ? null : (result as Json);
    };
  };
  const invoke = invokeBy(ports);
  // The message of an Express run is its durability, and nothing that its steps do is seen outside: none waits for the
  // disk before the next one begins.
  const inOrder = tableBy(database.inOrder);
  const invokeInOrder = invokeBy({
    ...ports,
    table: inOrder,
    bus: hookedBus(bus.inOrder, inOrder, clock),
    queues: Object.fromEntries(Object.entries(queues).map(([name, queue]) => [name, { ...queue, ...queue.inOrder }])),
  });

  const loops: { wake(): void; settled(): Promise<void> }[] = [];

  /** Takes messages while there is room, and sleeps until something arrives or becomes visible. */
  const consume = (
    queue: LocalQueue,
    room: number,
    batch: number,
    work: (messages: readonly QueueMessage[]) => Promise<void>,
  ): void => {
    let busy = 0;
    let taking = false;
    let again = false;
    let timer: NodeJS.Timeout | undefined;
    const underway = new Set<Promise<void>>();
    const turn = async (): Promise<void> => {
      if (taking) {
        again = true;
        return;
      }
      taking = true;
      clearTimeout(timer);
      try {
        do {
          again = false;
          while (!stopped && busy < room) {
            const wanted = Math.min(batch, room - busy) * (batch === 1 ? Math.min(32, room - busy) : 1);
            const messages = await queue.receive(wanted);
            if (messages.length === 0) break;
            const groups = batch === 1 ? messages.map((message) => [message]) : [messages];
            for (const group of groups) {
              busy += 1;
              const done: Promise<void> = work(group)
                .catch((error: unknown) => log.error({ err: error, queue: queue.name }, 'consumer failed'))
                .finally(() => {
                  busy -= 1;
                  underway.delete(done);
                  void turn();
                });
              underway.add(done);
            }
          }
        } while (again && !stopped);
      } catch (error) {
        if (!stopped) log.error({ err: error, queue: queue.name }, 'queue not read');
      } finally {
        taking = false;
      }
      if (!stopped) {
        const next = busy < room ? queue.nextAt() : undefined;
        const wait = next === undefined ? IDLE_POLL_MS : Math.min(IDLE_POLL_MS, Math.max(1, next - clock.now()));
        timer = setTimeout(() => void turn(), wait);
        timer.unref();
      }
    };
    queue.onArrival(() => void turn());
    loops.push({
      wake: () => void turn(),
      async settled() {
        clearTimeout(timer);
        while (underway.size > 0) await Promise.all(underway);
      },
    });
  };

  const sqsRecord = (queue: LocalQueue, message: QueueMessage): Json => ({
    messageId: message.id,
    receiptHandle: message.receipt,
    body: message.body,
    attributes: {
      ApproximateReceiveCount: String(message.receiveCount),
      SentTimestamp: String(message.sentAt),
      ...(message.group && { MessageGroupId: message.group }),
    },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn(queue.name),
    awsRegion: REGION,
  });

  for (const pipe of Object.values(topology.pipes)) {
    const queue = queues[pipe.queue] as LocalQueue;
    consume({ ...queue, ...queue.inOrder }, PIPE_CONCURRENCY, pipe.batchSize, async (messages) => {
      const lost = database.lost();
      const outcome = await workflows.express(
        pipe.workflow,
        messages.map((message) => sqsRecord(queue, message)),
      );
      // What a lost group held of this run is written when the message comes again.
      if (database.lost() !== lost) log.error({ executionId: outcome.executionId }, 'what a run wrote was lost');
      else if (outcome.status === 'SUCCEEDED')
        await Promise.all(messages.map(({ receipt }) => queue.inOrder.remove(receipt)));
      else
        log.error(
          { workflow: pipe.workflow, executionId: outcome.executionId, error: outcome.error, cause: outcome.cause },
          'execution failed',
        );
    });
  }
  for (const source of Object.values(topology.eventSources)) {
    const queue = queues[source.queue] as LocalQueue;
    consume(queue, source.maxConcurrency * source.batchSize, source.batchSize, async (messages) => {
      const answer = (await invoke(source.function, {
        Records: messages.map((message) => sqsRecord(queue, message)),
      })) as {
        batchItemFailures?: { itemIdentifier: string }[];
      } | null;
      const failed = new Set(
        (source.partialFailures ? (answer?.batchItemFailures ?? []) : []).map(({ itemIdentifier }) => itemIdentifier),
      );
      // As Lambda: an identifier that names no message of the batch fails the whole batch.
      const known = new Set(messages.map(({ id }) => id));
      const all = [...failed].some((id) => !known.has(id));
      await Promise.all(
        messages.filter(({ id }) => !all && !failed.has(id)).map(({ receipt }) => queue.remove(receipt)),
      );
    });
  }

  const countLetters = database.sqlite.prepare(
    `SELECT doc ->> '$.source' AS source, count(*) AS n FROM item WHERE gsi2pk >= 'DL#' AND gsi2pk < 'DL$' GROUP BY 1`,
  );
  const timers: NodeJS.Timeout[] = [];
  const every = (ms: number, work: () => Promise<unknown>): void => {
    let running = false;
    const timer = setInterval(() => {
      if (running) return;
      running = true;
      work()
        .catch((error: unknown) => log.error({ err: error }, 'scheduled work failed'))
        .finally(() => {
          running = false;
        });
    }, ms);
    timer.unref();
    timers.push(timer);
  };

  return {
    ports,
    table,
    search,
    queues,
    workflows,
    executions,
    bus,
    invoke,
    database,
    topology,
    /** Begins to serve: queues are read, executions go on, schedules ring. */
    start() {
      workflows.recover();
      for (const loop of loops) loop.wake();
      for (const [name, schedule] of Object.entries(topology.schedules)) {
        every(schedule.everySeconds * 1000, () => invoke(schedule.function, { schedule: name }));
      }
      every(2000, () => search.index());
      every(30_000, () => table.sweep());
      every(60_000, () => executions.sweep());
    },
    /** Depth and flight of every queue, and what stands in its dead letters. */
    async health() {
      const entries = await Promise.all(
        Object.entries(topology.queues)
          .filter(([, spec]) => spec.deadLetter)
          .map(async ([name, spec]) => {
            const { depth, inFlight, delayed } = await (queues[name] as LocalQueue).attributes();
            const dead = await (queues[spec.deadLetter?.queue ?? ''] as LocalQueue).attributes();
            return [
              name,
              { depth: depth + delayed, inFlight, dead: dead.depth + dead.inFlight + dead.delayed },
            ] as const;
          }),
      );
      return Object.fromEntries(entries);
    },
    /** Stored dead letters that nobody redrove, by the queue to which a redrive would send them. */
    deadLetters(): Record<string, number> {
      const rows = countLetters.all() as { source: string; n: number }[];
      return Object.fromEntries(rows.map(({ source, n }) => [source, n]));
    },
    /** Lets what is under way end, takes nothing new, and closes the database. */
    async stop() {
      stopped = true;
      for (const timer of timers) clearInterval(timer);
      await Promise.all(loops.map((loop) => loop.settled()));
      await workflows.idle();
      workflows.close();
      database.close();
    },
  };
}

function localIds(clock: Clock): Ids {
  // The library asks the system for each of its 16 letters; a page of randomness at a time is 20 times cheaper.
  const page = new Uint8Array(4096);
  let used = page.length;
  const next = monotonicFactory(() => {
    if (used === page.length) {
      randomFillSync(page);
      used = 0;
    }
    return (page[used++] as number) / 256;
  });
  return { next: () => next(clock.now()) };
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}
