import { pino, type Logger } from 'pino';
import { SluiceError } from '../../shared/errors.ts';
import { hookedBus } from '../../shared/hooked-bus.ts';
import type { Clock, Ports, Service, Table } from '../../shared/ports.ts';
import { systemClock, ulids } from './adapters/ids.ts';
import { environmentOf, type Environment } from './environment.ts';
import { meter } from './metrics.ts';
import { once } from './once.ts';
import { withReadableStack } from './stack.ts';

/** The adapters that this function's permissions name; the bundle holds no others. */
export type Adapters = {
  table?: (environment: Environment, clock: Clock) => Table;
  search?: (table: Table) => Ports['search'];
  bus?: (environment: Environment) => Ports['bus'];
  queues?: (environment: Environment) => Ports['queues'];
  workflows?: (environment: Environment) => Ports['workflows'];
  mail?: (environment: Environment) => Ports['mail'];
  vault?: (environment: Environment) => Promise<Ports['vault']>;
  providers?: (environment: Environment) => NonNullable<Ports['providers']>;
};

export type LambdaContext = { awsRequestId: string; functionVersion: string };

/** One function as Lambda calls it; ports are made once an environment, and again only if that failed. */
export function entry(name: string, service: Service, adapters: Adapters) {
  const environment = environmentOf(process.env, needsOf(adapters));
  const log = loggerOf(name, environment);
  const run = once(async () => service(await portsOf(name, environment, adapters, log)));
  const measure = meter(name, environment, (line) => write(`${line}\n`));
  // Begun while the environment starts, which Lambda does with a whole processor.
  run().catch(() => {});

  return async (event: unknown, context: LambdaContext): Promise<unknown> => {
    const handle = await run();
    const { records, input } = inputOf(event, environment.stage);
    try {
      const result = await handle(input, { executionId: context.awsRequestId });
      measure(records, result);
      return result;
    } catch (thrown) {
      const error = withReadableStack(thrown);
      const known = error instanceof SluiceError ? error : undefined;
      log.error(
        { code: known?.code ?? 'Internal.Bug', requestId: context.awsRequestId, err: error },
        'function failed',
      );
      measure(records, undefined, known?.code ?? 'Internal.Bug');
      throw error;
    }
  };
}

/** The variables that these adapters cannot do without. */
export const needsOf = ({ table, bus, vault }: Adapters) => [
  ...(table ? (['table'] as const) : []),
  ...(bus ? (['bus'] as const) : []),
  ...(vault ? (['secret'] as const) : []),
];

const write = (line: string) => void process.stdout.write(line);

/** Writes as Lambda reads it: pino's own stream would load worker threads and more for a file that is not there. */
export const loggerOf = (name: string, { stage, logLevel }: Environment): Logger =>
  pino({ level: logLevel, base: { function: name, stage } }, { write });

export async function portsOf(name: string, environment: Environment, adapters: Adapters, log: Logger): Promise<Ports> {
  const clock = systemClock;
  const table = adapters.table?.(environment, clock);
  const bus = adapters.bus?.(environment);
  return {
    table: table ?? forbidden(name, 'table'),
    search: table && adapters.search ? adapters.search(table) : forbidden(name, 'table'),
    bus: bus && table ? hookedBus(bus, table, clock) : (bus ?? forbidden(name, 'putEvents')),
    queues: adapters.queues?.(environment) ?? forbidden(name, 'send'),
    workflows: adapters.workflows?.(environment) ?? forbidden(name, 'start'),
    mail: adapters.mail?.(environment) ?? forbidden(name, 'mail'),
    vault: (await adapters.vault?.(environment)) ?? forbidden(name, 'secret'),
    ...(adapters.providers && { providers: adapters.providers(environment) }),
    clock,
    ids: ulids(clock),
    log,
    publicUrl: environment.publicUrl,
  };
}

/** In place of a port that the topology does not grant: says so at the first use, as IAM would, only clearer. */
function forbidden<T extends object>(name: string, permission: string): T {
  return new Proxy({} as T, {
    get(_, property) {
      // Asked of every value that is awaited or logged.
      if (typeof property === 'symbol' || property === 'then' || property === 'toJSON') return undefined;
      throw new SluiceError('Internal.Bug', `${name} may not use ${property}`, {
        hint: `grant \`${permission}\` under \`may\` in infra/topology.ts`,
      });
    },
  });
}

/** A batch of SQS is handed on as Lambda gives it, but its queues by their names in the topology, without the stage. */
export function inputOf(event: unknown, stage: string): { input: unknown; records: number } {
  const { Records: records } = (event ?? {}) as { Records?: readonly { eventSourceARN?: string }[] };
  if (!Array.isArray(records)) return { input: event, records: 1 };
  const plain = records.map((record: { eventSourceARN?: string }) => ({
    ...record,
    eventSourceARN: record.eventSourceARN?.replace(`:sluice-${stage}-`, ':'),
  }));
  return { input: { ...(event as object), Records: plain }, records: plain.length };
}
