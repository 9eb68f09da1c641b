import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Topology } from '../topology.ts';

/**
 * All that this runtime knows of a topology, field by field: what is not here is refused at start, by name.
 *
 * `archiveDays`, `memoryMb`, `may` and `reservedConcurrency` are known and without effect in one process; docs/parity says so.
 */
const Known = z.strictObject({
  bus: z.strictObject({ name: z.string(), archiveDays: z.number() }),
  rules: z.record(
    z.string(),
    z.strictObject({
      pattern: z.record(z.string(), z.unknown()),
      target: z.strictObject({ queue: z.string(), messageGroup: z.string().optional() }),
      retryHours: z.number(),
      deadLetter: z.string(),
    }),
  ),
  queues: z.record(
    z.string(),
    z.strictObject({
      visibilitySeconds: z.number(),
      retentionDays: z.number(),
      maxMessageBytes: z.number(),
      deadLetter: z.strictObject({ queue: z.string(), maxReceives: z.number() }).optional(),
      fair: z.boolean().optional(),
    }),
  ),
  functions: z.record(
    z.string(),
    z.strictObject({
      folder: z.string(),
      memoryMb: z.number(),
      timeoutSeconds: z.number(),
      may: z.strictObject({
        table: z.enum(['read', 'write']).optional(),
        putEvents: z.literal(true).optional(),
        send: z.array(z.string()).optional(),
        start: z.array(z.string()).optional(),
        answer: z.array(z.string()).optional(),
        mail: z.literal(true).optional(),
        secret: z.literal(true).optional(),
        askOutside: z.literal(true).optional(),
      }),
      reservedConcurrency: z.number().optional(),
    }),
  ),
  workflows: z.record(
    z.string(),
    z.strictObject({
      file: z.string(),
      type: z.enum(['EXPRESS', 'STANDARD']),
      substitutions: z.record(
        z.string(),
        z.union([
          z.strictObject({ function: z.string() }),
          z.strictObject({ queue: z.string() }),
          z.strictObject({ workflow: z.string() }),
        ]),
      ),
      timeoutSeconds: z.number(),
    }),
  ),
  pipes: z.record(
    z.string(),
    z.strictObject({
      queue: z.string(),
      workflow: z.string(),
      batchSize: z.literal(1),
      invocation: z.literal('REQUEST_RESPONSE'),
    }),
  ),
  eventSources: z.record(
    z.string(),
    z.strictObject({
      queue: z.string(),
      function: z.string(),
      batchSize: z.number().max(10),
      partialFailures: z.boolean(),
      maxConcurrency: z.number(),
    }),
  ),
  schedules: z.record(z.string(), z.strictObject({ everySeconds: z.number(), function: z.string() })),
});

/** Throws `Topology.Unsupported`, naming each field that this runtime lacks and each name that leads nowhere. */
export function checkTopology(topology: Topology, functions: readonly string[]): void {
  const read = Known.safeParse(topology);
  const faults = read.success
    ? []
    : read.error.issues.map(
        (issue) => `${[...issue.path, ...('keys' in issue ? issue.keys : [])].map(String).join('.')}: ${issue.message}`,
      );
  const need = (where: string, kind: 'queues' | 'functions' | 'workflows', name: string) => {
    if (!(name in topology[kind])) faults.push(`${where}: there is no ${name} among the ${kind}`);
  };
  if (read.success) {
    for (const [name, rule] of Object.entries(topology.rules)) {
      need(`rules.${name}.target`, 'queues', rule.target.queue);
      need(`rules.${name}.deadLetter`, 'queues', rule.deadLetter);
    }
    for (const [name, queue] of Object.entries(topology.queues)) {
      if (queue.deadLetter) need(`queues.${name}.deadLetter`, 'queues', queue.deadLetter.queue);
    }
    for (const name of Object.keys(topology.functions)) {
      if (!functions.includes(name))
        faults.push(`functions.${name}: its folder exports no handler that this runtime found`);
    }
    for (const [name, workflow] of Object.entries(topology.workflows)) {
      for (const [word, target] of Object.entries(workflow.substitutions)) {
        const where = `workflows.${name}.substitutions.${word}`;
        if ('function' in target) need(where, 'functions', target.function);
        else if ('queue' in target) need(where, 'queues', target.queue);
        else need(where, 'workflows', target.workflow);
      }
    }
    for (const [name, pipe] of Object.entries(topology.pipes)) {
      need(`pipes.${name}`, 'queues', pipe.queue);
      need(`pipes.${name}`, 'workflows', pipe.workflow);
    }
    for (const [name, source] of Object.entries(topology.eventSources)) {
      need(`eventSources.${name}`, 'queues', source.queue);
      need(`eventSources.${name}`, 'functions', source.function);
    }
    for (const [name, schedule] of Object.entries(topology.schedules))
      need(`schedules.${name}`, 'functions', schedule.function);
  }
  if (faults.length > 0) {
    throw new SluiceError('Topology.Unsupported', faults.join('\n'), {
      hint: 'mend infra/topology.ts, or teach infra/local what it says',
    });
  }
}
