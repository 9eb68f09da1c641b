import * as events from './events.ts';
import { Run } from './run.ts';
import type { Machine } from './states.ts';
import type { Identity, Json, Progress, Signal, Snapshot, World } from './types.ts';

/** The service's bound on a history. */
const MAX_EVENTS = 25_000;

/**
 * Starts an execution and runs it to where it has to wait.
 *
 * Pure: time and dice come from `world`, and what is to happen outside is in `effects`, in order. The last effect
 * of an execution is `ended`.
 *
 * @param start `input` is any JSON; `context` is laid over the context object; `maxEvents` (finite) bounds the history
 *   (25,000, as on the service; an endless loop ends there)
 */
export async function begin(
  machine: Machine,
  start: Identity & { input: Json; context?: { [key: string]: Json }; maxEvents?: number },
  world: World,
): Promise<Progress> {
  const { execution, stateMachine, input, context, maxEvents = MAX_EVENTS } = start;
  const snapshot: Snapshot = {
    version: 1,
    definition: machine.hash,
    status: 'RUNNING',
    identity: { execution, stateMachine },
    input,
    ...(context ? { context } : {}),
    frames: {},
    nextFrame: 0,
    nextId: 1,
    nextEvent: 1,
    maxEvents,
  };
  const run = new Run(machine, snapshot, world);
  run.out.emit('ExecutionStarted', 0, () => ({
    executionStartedEventDetails: {
      ...events.withInput(input),
      roleArn: execution.roleArn ?? '',
    },
  }));
  if (machine.timeoutSeconds !== undefined) snapshot.timeout = run.out.timer('x', machine.timeoutSeconds * 1000);
  run.spawn(null, 0, machine.scope.startAt, input, 0);
  return run.drain();
}

/**
 * Tells a waiting execution what happened, and runs it to where it has to wait again.
 *
 * One call at a time for an execution: the next takes the snapshot that the last one returned.
 *
 * @param snapshot as `begin` or `resume` gave it, or read back from JSON. It is consumed: the returned one takes its place
 * @throws SluiceError `Definition.Invalid` when the machine lacks a state that the snapshot is in: resume with the
 *   definition whose hash is `snapshot.definition`, or one that keeps the names of waiting states
 */
export async function resume(machine: Machine, snapshot: Snapshot, signal: Signal, world: World): Promise<Progress> {
  const run = new Run(machine, snapshot, world);
  if (snapshot.status !== 'RUNNING') return run.progress();
  if (signal.type === 'stop') {
    run.stop(signal.error ?? null, signal.cause ?? null);
    return run.progress();
  }
  if (signal.type === 'timer' && signal.timerId === snapshot.timeout) {
    run.timeOut();
    return run.progress();
  }
  const [id] = (signal.type === 'timer' ? signal.timerId : signal.taskId).split(':');
  const frame = snapshot.frames[id as string];
  if (frame) await run.deliver(frame, signal);
  return run.drain();
}
