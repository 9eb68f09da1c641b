import { begin, resume } from './machine.ts';
import type { Machine } from './states.ts';
import type { Effect, HistoryEvent, Json, Signal, Snapshot, Status, World } from './types.ts';

/** What a state's tasks answer, by the order of their calls: `{"0": {"Return": …}, "1-2": {"Throw": …}}`. */
export type Mocks = { [state: string]: { [calls: string]: Answer } };

export type Answer = { Return: Json } | { Throw: { Error?: string | null; Cause?: string | null } };

export type Outcome = {
  status: Status;
  output?: Json;
  error?: string | null;
  cause?: string | null;
  events: HistoryEvent[];
  /** The history grew past what is kept: its end is missing. */
  eventsTruncated?: boolean;
};

/** A loop over large states writes gigabytes of history; what is kept of it is bounded. */
const MOST_EVENT_BYTES = 16 * 1024 * 1024;

/** Real time for one execution. Its expressions are bounded one by one, and a loop may have thousands of them. */
const MOST_COMPUTING_MS = 20_000;

/** Between any two steps: gives the snapshot to go on with. Tests write it to JSON and back here. */
export type Between = (snapshot: Snapshot) => { machine: Machine; snapshot: Snapshot };

/**
 * Runs an execution to its end on a clock that jumps from timer to timer, so that a wait of a year takes no time.
 *
 * Tasks are answered from `mocks` at once; a task with no answer left fails with States.Runtime. So does an execution
 * that computes for more than 20 s.
 */
export async function runVirtually(
  machine: Machine,
  {
    input,
    mocks = {},
    context,
    random = Math.random,
    startMs = Date.now(),
    between,
  }: {
    input: Json;
    mocks?: Mocks;
    context?: { [key: string]: Json };
    random?: () => number;
    startMs?: number;
    between?: Between;
  },
): Promise<Outcome> {
  const until = performance.now() + MOST_COMPUTING_MS;
  const world: World = { nowMs: startMs, random, spent: () => performance.now() > until };
  const timers = new Map<string, number>();
  const tasks = new Map<string, Extract<Effect, { type: 'task' }>>();
  const calls = new Map<string, number>();
  const events: HistoryEvent[] = [];
  let bytes = 0;
  const account = 'us-east-1:000000000000';
  let progress = await begin(
    machine,
    {
      execution: {
        id: `arn:aws:states:${account}:execution:machine:execution`,
        name: 'execution',
        startTime: new Date(startMs).toISOString(),
        roleArn: 'arn:aws:iam::000000000000:role/asl',
      },
      stateMachine: { id: `arn:aws:states:${account}:stateMachine:machine`, name: 'machine' },
      input,
      ...(context ? { context } : {}),
    },
    world,
  );
  let current = machine;
  for (;;) {
    for (const event of progress.events) {
      events.push(event);
      bytes += JSON.stringify(event).length;
    }
    if (bytes > MOST_EVENT_BYTES) world.record = false;
    for (const effect of progress.effects) {
      if (effect.type === 'ended') {
        const { type: _, ...outcome } = effect;
        return { ...outcome, events, ...(world.record === false ? { eventsTruncated: true } : {}) };
      }
      if (effect.type === 'timer') timers.set(effect.timerId, effect.atMs);
      else if (effect.type === 'task') tasks.set(effect.taskId, effect);
      else if ('timerId' in effect) timers.delete(effect.timerId);
      else tasks.delete(effect.taskId);
    }
    const signal = nextSignal(tasks, timers, calls, mocks, world);
    let { snapshot } = progress;
    if (between) ({ machine: current, snapshot } = between(snapshot));
    progress = await resume(current, snapshot, signal, world);
  }
}

/** Tasks answer before the clock moves on. */
function nextSignal(
  tasks: Map<string, Extract<Effect, { type: 'task' }>>,
  timers: Map<string, number>,
  calls: Map<string, number>,
  mocks: Mocks,
  world: World,
): Signal {
  for (const [taskId, task] of tasks) {
    tasks.delete(taskId);
    const call = calls.get(task.state) ?? 0;
    calls.set(task.state, call + 1);
    return answer(task, call, mocks);
  }
  let first: [timerId: string, atMs: number] | undefined;
  for (const timer of timers) if (!first || timer[1] < first[1]) first = timer;
  // An execution that waits for nothing would be a fault of the interpreter.
  if (!first) return { type: 'stop', error: 'States.Runtime', cause: 'The execution waits for nothing.' };
  timers.delete(first[0]);
  world.nowMs = Math.max(world.nowMs, first[1]);
  return { type: 'timer', timerId: first[0] };
}

function answer(
  { taskId, state, enteredEvent }: Extract<Effect, { type: 'task' }>,
  call: number,
  mocks: Mocks,
): Signal {
  const answers = Object.hasOwn(mocks, state) ? (mocks[state] as Mocks[string]) : {};
  for (const [range, given] of Object.entries(answers)) {
    const [first = NaN, last = first] = range.split('-').map(Number);
    if (call < first || call > last) continue;
    if ('Return' in given) return { type: 'task-succeeded', taskId, output: given.Return };
    const { Error: error = null, Cause: cause = null } = given.Throw;
    return { type: 'task-failed', taskId, error, cause };
  }
  return {
    type: 'task-failed',
    taskId,
    error: 'States.Runtime',
    cause:
      `An error occurred while executing the state '${state}' (entered at the event id #${enteredEvent}). ` +
      `No mocked answer is left for call ${call} of the state.`,
  };
}
