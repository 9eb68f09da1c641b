import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { SluiceError } from '../../shared/errors.ts';
import type { Clock, Workflows } from '../../shared/ports.ts';
import type { WorkflowSpec } from '../topology.ts';
import { compile } from './asl/compile.ts';
import { begin, resume } from './asl/machine.ts';
import type { Machine } from './asl/states.ts';
import type { Effect, HistoryEvent, Json, Progress, Signal, Snapshot, Status, World } from './asl/types.ts';
import { ACCOUNT, REGION } from './bus.ts';
import type { Database } from './database.ts';
import type { Executions } from './executions.ts';

/** Performs a task; what it throws is an error with a name, as Lambda and the SDK integrations give it. */
export type Perform = (resource: string, args: Json) => Promise<Json>;

export type ExecutionRow = {
  id: number;
  workflow: string;
  name: string;
  definition: string;
  status: Status;
  snapshot: string | null;
  pending: string;
  input: string;
  output: string | null;
  error: string | null;
  cause: string | null;
  started_at: number;
  ended_at: number | null;
};

export type Outcome = { status: Status; output?: Json; error?: string | null; cause?: string | null };

export type LocalWorkflows = Workflows & {
  /** Runs an Express execution to its end, in memory. */
  express(workflow: string, input: unknown, options?: { name?: string }): Promise<Outcome & { executionId: string }>;
  /** Goes on with the executions that a dead process left, and with their timers. */
  recover(): void;
  heartbeat(token: string): Promise<'woken' | 'stale'>;
  /** Aborts a running Standard execution; false when it has ended or never was. */
  stop(workflow: string, name: string, fault: { error?: string; cause?: string }): Promise<boolean>;
  /** Since when a workflow is as it is now, in ms since the epoch. */
  createdAt(workflow: string): number;
  /** Of the definition that new executions get. */
  hashOf(workflow: string): string | undefined;
  idle(): Promise<void>;
  close(): void;
};

export const executionArn = (workflow: string, name: string): string =>
  `arn:aws:states:${REGION}:${ACCOUNT}:execution:${workflow}:${name}`;
export const stateMachineArn = (workflow: string): string =>
  `arn:aws:states:${REGION}:${ACCOUNT}:stateMachine:${workflow}`;

/** Timers due at once are taken in batches of this. */
const TIMER_BATCH = 200;
/** A timer whose step failed rings again after this. */
const RING_AGAIN_MS = 5000;
/** setTimeout's own limit is 2^31 ms: longer sleeps are taken in turns. */
const LONGEST_SLEEP_MS = 2 ** 30;

type Note = [event: HistoryEvent, details: Parameters<NonNullable<World['note']>>[1]];
/** Events that tell of a failed step. */
const TROUBLE = new Set([
  'TaskFailed',
  'TaskTimedOut',
  'TaskSubmitFailed',
  'LambdaFunctionFailed',
  'LambdaFunctionTimedOut',
  'EvaluationFailed',
]);

type Pending = Extract<Effect, { type: 'task' }> & { submitted?: boolean };

/**
 * Runs the ASL files.
 *
 * Express executions live in memory: the message that started them is their durability. Standard executions are journaled
 * after every step, in one group with their timers, tokens and history; a restart performs again what was under way, so
 * tasks are at-least-once, as with a Retry on AWS. An execution keeps the definition it was started with.
 */
export function localWorkflows(
  specs: Record<string, WorkflowSpec>,
  definitionOf: (workflow: string) => unknown,
  perform: Perform,
  {
    database,
    clock,
    log,
    executions,
    performExpress = perform,
  }: {
    database: Pick<Database, 'sqlite' | 'write'>;
    clock: Clock;
    log: Logger;
    executions?: Pick<Executions, 'offer'>;
    /** For Express runs, whose steps need not wait for the disk. */
    performExpress?: Perform;
  },
): LocalWorkflows {
  const { sqlite } = database;
  const machines = new Map<string, Machine>();
  const current = new Map<string, Machine>();
  for (const workflow of Object.keys(specs)) {
    const definition = definitionOf(workflow);
    const machine = compile(definition);
    current.set(workflow, machine);
    machines.set(machine.hash, machine);
    sqlite
      .prepare('INSERT OR IGNORE INTO definition (hash, workflow, body, at) VALUES (?, ?, ?, ?)')
      .run(machine.hash, workflow, JSON.stringify(definition), clock.now());
  }

  const insertExecution = sqlite.prepare(
    `INSERT INTO execution (workflow, name, definition, status, snapshot, pending, input, started_at)
     VALUES ($workflow, $name, $definition, 'RUNNING', NULL, '[]', $input, $now) ON CONFLICT DO NOTHING RETURNING id`,
  );
  const save = sqlite.prepare('UPDATE execution SET snapshot = $snapshot, pending = $pending WHERE id = $id');
  const end = sqlite.prepare(
    `UPDATE execution SET status = $status, snapshot = NULL, pending = '[]', output = $output, error = $error, cause = $cause,
       ended_at = $now WHERE id = $id`,
  );
  const definedAt = sqlite.prepare('SELECT at FROM definition WHERE hash = ?');
  const find = sqlite.prepare('SELECT * FROM execution WHERE id = ?');
  const findByName = sqlite.prepare('SELECT * FROM execution WHERE workflow = ? AND name = ?');
  const addEvent = sqlite.prepare('INSERT OR REPLACE INTO history (execution, id, event) VALUES (?, ?, ?)');
  const addTimer = sqlite.prepare('INSERT OR REPLACE INTO timer (execution, timer, at) VALUES (?, ?, ?)');
  const dropTimer = sqlite.prepare('DELETE FROM timer WHERE execution = ? AND timer = ?');
  const dropTimers = sqlite.prepare('DELETE FROM timer WHERE execution = ?');
  const due = sqlite.prepare('SELECT execution, timer, at FROM timer WHERE at <= ? ORDER BY at LIMIT ?');
  const nextTimer = sqlite.prepare('SELECT min(at) AS at FROM timer');
  const findTimer = sqlite.prepare('SELECT 1 FROM timer WHERE execution = ? AND timer = ? AND at <= ?');
  const postpone = sqlite.prepare('UPDATE timer SET at = ? WHERE execution = ? AND timer = ?');
  const addToken = sqlite.prepare('INSERT OR REPLACE INTO token (token, execution, task) VALUES (?, ?, ?)');
  const findToken = sqlite.prepare('SELECT execution, task FROM token WHERE token = ?');
  const dropTokens = sqlite.prepare('DELETE FROM token WHERE execution = ?');
  const dropTaskToken = sqlite.prepare('DELETE FROM token WHERE execution = ? AND task = ?');

  /** One execution takes one signal at a time. */
  const lines = new Map<number, Promise<void>>();
  let alarm: NodeJS.Timeout | undefined;
  let closed = false;
  let ringing = false;

  const world = (record: boolean): World => ({
    nowMs: clock.now(),
    random: Math.random,
    token: () => randomUUID(),
    record,
  });

  const machineOf = (hash: string): Machine => {
    let machine = machines.get(hash);
    if (!machine) {
      const row = sqlite.prepare('SELECT body FROM definition WHERE hash = ?').get(hash) as { body: string };
      machine = compile(JSON.parse(row.body));
      machines.set(hash, machine);
    }
    return machine;
  };

  const inLine = (id: number, work: () => Promise<void>): Promise<void> => {
    const turn = (lines.get(id) ?? Promise.resolve()).then(work).catch((error: unknown) => {
      if (!closed) log.error({ err: error, execution: id }, 'execution step failed');
    });
    lines.set(id, turn);
    void turn.finally(() => {
      if (lines.get(id) === turn) lines.delete(id);
    });
    return turn;
  };

  /** Writes a step and what follows from it in one group, then does what it asks for. */
  const journal = async (
    id: number,
    { snapshot, effects, events }: Progress,
    pending: Pending[],
    done?: string,
    rung?: string,
  ): Promise<void> => {
    const tasks = effects.filter((effect) => effect.type === 'task') as Pending[];
    const cancelled = new Set(
      effects.flatMap((effect) => (effect.type === 'cancel' && 'taskId' in effect ? [effect.taskId] : [])),
    );
    const open = [...pending.filter(({ taskId }) => taskId !== done && !cancelled.has(taskId)), ...tasks];
    const ended = effects.find((effect) => effect.type === 'ended');
    const now = clock.now();
    await database.write(() => {
      for (const event of events) addEvent.run(id, event.id, JSON.stringify(event));
      if (ended) {
        end.run({
          $id: id,
          $status: ended.status,
          $output: ended.output === undefined ? null : JSON.stringify(ended.output),
          $error: ended.error ?? null,
          $cause: ended.cause ?? null,
          $now: now,
        });
        dropTimers.run(id);
        dropTokens.run(id);
        return;
      }
      save.run({ $id: id, $snapshot: JSON.stringify(snapshot), $pending: JSON.stringify(open) });
      if (done) dropTaskToken.run(id, done);
      if (rung) dropTimer.run(id, rung);
      for (const effect of effects) {
        if (effect.type === 'timer') addTimer.run(id, effect.timerId, effect.atMs);
        else if (effect.type === 'cancel' && 'timerId' in effect) dropTimer.run(id, effect.timerId);
        else if (effect.type === 'cancel') dropTaskToken.run(id, effect.taskId);
        else if (effect.type === 'task' && effect.token) addToken.run(effect.token, id, effect.taskId);
      }
    });
    if (ended) return;
    for (const task of tasks) run(id, task);
    wind();
  };

  const run = (id: number, task: Pending): void => {
    void perform(task.resource, task.arguments).then(
      (output) => signal(id, { type: task.token ? 'task-submitted' : 'task-succeeded', taskId: task.taskId, output }),
      (error: unknown) => signal(id, { type: 'task-failed', taskId: task.taskId, ...faultOf(error) }),
    );
  };

  const step = async (id: number, what: Signal): Promise<void> => {
    if (closed) return;
    const row = find.get(id) as ExecutionRow | undefined;
    if (!row || row.status !== 'RUNNING' || row.snapshot === null) return;
    const pending = JSON.parse(row.pending) as Pending[];
    const progress = await resume(machineOf(row.definition), JSON.parse(row.snapshot) as Snapshot, what, world(true));
    if (what.type === 'task-submitted') {
      await journal(
        id,
        progress,
        pending.map((task) => (task.taskId === what.taskId ? { ...task, submitted: true } : task)),
      );
    } else {
      await journal(
        id,
        progress,
        pending,
        'taskId' in what && what.type !== 'task-heartbeat' ? what.taskId : undefined,
        what.type === 'timer' ? what.timerId : undefined,
      );
    }
  };
  const signal = (id: number, what: Signal): Promise<void> => inLine(id, () => step(id, what));

  const wind = (): void => {
    if (closed || ringing) return;
    clearTimeout(alarm);
    const { at } = nextTimer.get() as { at: number | null };
    if (at === null) return;
    alarm = setTimeout(ring, Math.min(Math.max(0, at - clock.now()), LONGEST_SLEEP_MS));
    alarm.unref();
  };

  const ring = (): void => {
    if (closed || ringing) return;
    const now = clock.now();
    const rows = due.all(now, TIMER_BATCH) as { execution: number; timer: string }[];
    if (rows.length === 0) return wind();
    ringing = true;
    void Promise.all(rows.map(({ execution, timer }) => signal(execution, { type: 'timer', timerId: timer })))
      .then(async () => {
        // The step that hears a timer drops it, both in one group. One that could not be taken rings again later.
        if (closed) return;
        const left = rows.filter(({ execution, timer }) => findTimer.get(execution, timer, now));
        if (left.length === 0) return;
        await database.write(() =>
          left.forEach(({ execution, timer }) => postpone.run(now + RING_AGAIN_MS, execution, timer)),
        );
      })
      .catch((error: unknown) => log.error({ err: error }, 'timers failed'))
      .finally(() => {
        ringing = false;
        wind();
      });
  };

  const answer = async (token: string, toSignal: (taskId: string) => Signal): Promise<'woken' | 'stale'> => {
    const row = findToken.get(token) as { execution: number; task: string } | undefined;
    if (!row) return 'stale';
    const what = toSignal(row.task);
    let heard = false;
    await inLine(row.execution, async () => {
      // Of two answers that come at once the first drops the token.
      if (!findToken.get(token)) return;
      await step(row.execution, what);
      heard = true;
    });
    // The step that takes an answer drops its token, both in one group: a crash between them would lose the wake.
    if (what.type !== 'task-heartbeat' && findToken.get(token)) {
      throw new SluiceError('Store.Busy', 'the execution could not take the answer', { hint: 'send it again' });
    }
    return heard ? 'woken' : 'stale';
  };

  const identity = (workflow: string, name: string) => ({
    execution: { id: executionArn(workflow, name), name, startTime: new Date(clock.now()).toISOString() },
    stateMachine: { id: stateMachineArn(workflow), name: workflow },
  });

  const launch = async (id: number, workflow: string, name: string, hash: string, input: Json): Promise<void> =>
    inLine(id, async () => {
      await journal(id, await begin(machineOf(hash), { ...identity(workflow, name), input }, world(true)), []);
    });

  return {
    async start(workflow, { name, input }) {
      const machine = current.get(workflow);
      if (!machine)
        throw new SluiceError('Workflow.Unknown', `no workflow ${workflow}`, { hint: 'see infra/topology.ts' });
      if (specs[workflow]?.type === 'EXPRESS') {
        void this.express(workflow, input, { name }).catch((error: unknown) =>
          log.error({ err: error, workflow }, 'execution failed'),
        );
        return 'started';
      }
      const row = (await database.write(() =>
        insertExecution.get({
          $workflow: workflow,
          $name: name,
          $definition: machine.hash,
          $input: JSON.stringify(input),
          $now: clock.now(),
        }),
      )) as { id: number } | undefined;
      if (!row) return 'exists';
      void launch(row.id, workflow, name, machine.hash, input as Json);
      return 'started';
    },
    succeed: (token, output) => answer(token, (taskId) => ({ type: 'task-succeeded', taskId, output: output as Json })),
    fail: (token, { error, cause }) => answer(token, (taskId) => ({ type: 'task-failed', taskId, error, cause })),
    heartbeat: (token) => answer(token, (taskId) => ({ type: 'task-heartbeat', taskId })),

    async stop(workflow, name, fault) {
      const row = findByName.get(workflow, name) as ExecutionRow | undefined;
      if (!row || row.status !== 'RUNNING') return false;
      await signal(row.id, { type: 'stop', ...fault });
      return true;
    },

    async express(workflow, input, { name = randomUUID() } = {}) {
      const machine = current.get(workflow);
      if (!machine)
        throw new SluiceError('Workflow.Unknown', `no workflow ${workflow}`, { hint: 'see infra/topology.ts' });
      const who = identity(workflow, name);
      const startedAt = clock.now();
      // Details are made only for the runs that are kept: making them costs more than the run.
      const notes: Note[] = [];
      let troubled = false;
      const note: World['note'] = (event, details) => {
        notes.push([event, details]);
        troubled ||= TROUBLE.has(event.type);
      };
      const outcome = await inMemory(machine, { ...who, input: input as Json }, performExpress, () => ({
        ...world(false),
        ...(executions && { note }),
      }));
      executions?.offer({
        workflow,
        name,
        definition: machine.hash,
        input: input as Json,
        ...outcome,
        startedAt,
        endedAt: clock.now(),
        troubled,
        events: () => notes.map(([event, details]) => ({ ...event, ...details?.() })),
      });
      return { ...outcome, executionId: who.execution.id };
    },

    recover() {
      const rows = sqlite.prepare(`SELECT * FROM execution WHERE status = 'RUNNING'`).all() as ExecutionRow[];
      for (const row of rows) {
        if (row.snapshot === null) {
          void launch(row.id, row.workflow, row.name, row.definition, JSON.parse(row.input) as Json);
          continue;
        }
        // What was under way may have happened or not: it is done again, as after any Lambda that did not answer.
        for (const task of JSON.parse(row.pending) as Pending[]) if (!task.submitted) run(row.id, task);
      }
      if (rows.length > 0) log.info({ executions: rows.length }, 'executions go on');
      wind();
    },

    hashOf: (workflow) => current.get(workflow)?.hash,
    createdAt(workflow) {
      const row = definedAt.get(current.get(workflow)?.hash ?? '') as { at: number } | undefined;
      return row?.at ?? 0;
    },

    async idle() {
      while (lines.size > 0) await Promise.all(lines.values());
    },
    close() {
      closed = true;
      clearTimeout(alarm);
    },
  };
}

/** Express: the same machine, its snapshot never written. */
async function inMemory(
  machine: Machine,
  start: Parameters<typeof begin>[1],
  perform: Perform,
  world: () => World,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const timers = new Map<string, NodeJS.Timeout>();
    let snapshot: Snapshot;
    let line: Promise<void> = Promise.resolve();
    const send = (what: Signal): void => {
      line = line.then(async () => take(await resume(machine, snapshot, what, world()))).catch(reject);
    };
    const take = (progress: Progress): void => {
      snapshot = progress.snapshot;
      for (const effect of progress.effects) {
        if (effect.type === 'task') {
          const { taskId } = effect;
          perform(effect.resource, effect.arguments).then(
            (output) => send({ type: 'task-succeeded', taskId, output }),
            (error: unknown) => send({ type: 'task-failed', taskId, ...faultOf(error) }),
          );
        } else if (effect.type === 'timer') {
          const { timerId } = effect;
          const ms = Math.min(Math.max(0, effect.atMs - world().nowMs), LONGEST_SLEEP_MS);
          timers.set(
            timerId,
            setTimeout(() => send({ type: 'timer', timerId }), ms),
          );
        } else if (effect.type === 'cancel') {
          if ('timerId' in effect) {
            clearTimeout(timers.get(effect.timerId));
            timers.delete(effect.timerId);
          }
        } else {
          for (const timer of timers.values()) clearTimeout(timer);
          const { type: _type, ...outcome } = effect;
          resolve(outcome);
        }
      }
    };
    begin(machine, start, world()).then(take, reject);
  });
}

/** Lambda's way: the error's name, and a cause that is JSON. https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
function faultOf(error: unknown): { error: string; cause: string } {
  if (!(error instanceof Error))
    return { error: 'Error', cause: JSON.stringify({ errorType: 'Error', errorMessage: String(error) }) };
  return {
    error: error.name,
    cause: JSON.stringify({
      errorType: error.name,
      errorMessage: error.message,
      trace: (error.stack ?? '').split('\n').slice(0, 4),
    }),
  };
}
