import { type Env, isObject, withInput } from './env.ts';
import * as events from './events.ts';
import { Failure, runtimeFailure } from './failure.ts';
import { readCount, readItems, readLimit, readPercentage, readWaitEnd } from './fields.ts';
import { Frames } from './frames.ts';
import { makeUuid, typeFailure } from './jsonata.ts';
import { Outbox } from './outbox.ts';
import { placeResult } from './result-path.ts';
import { matchesError, takeRetry, withinTolerance } from './retry.ts';
import { exceedsDataLimit } from './size.ts';
import type {
  Catcher,
  ChoiceState,
  FailState,
  Machine,
  MapState,
  ParallelState,
  Retrier,
  State,
  TaskState,
  WaitState,
} from './states.ts';
import type { Template } from './template.ts';
import type { Children, Frame, Json, Progress, Signal, Snapshot, Status, World } from './types.ts';

/** The service's bound on iterations of an inline Map at a time. */
const MAX_CONCURRENCY = 40;

/** One call of `begin` or `resume`. */
export class Run {
  private readonly snapshot: Snapshot;
  private readonly world: World;
  private readonly frames: Frames;
  readonly out: Outbox;
  /** Frames that can go on. */
  private readonly ready: Frame[] = [];

  constructor(machine: Machine, snapshot: Snapshot, world: World) {
    this.snapshot = snapshot;
    this.world = world;
    this.frames = new Frames(machine, snapshot, world);
    this.out = new Outbox(snapshot, world);
  }

  /** What has come of the call so far. */
  progress(): Progress {
    return { snapshot: this.snapshot, effects: this.out.effects, events: this.out.events };
  }

  /** Runs every frame that can go on, to where it has to wait. */
  async drain(): Promise<Progress> {
    for (let frame = this.ready.shift(); frame; frame = this.ready.shift()) {
      // A failure next to it may have ended it meanwhile.
      if (this.alive(frame) && frame.waiting?.for === 'children') await this.advance(frame, frame.waiting);
      while (this.alive(frame) && frame.waiting === null) await this.attempt(frame);
    }
    return this.progress();
  }

  private alive(frame: Frame): boolean {
    return this.snapshot.status === 'RUNNING' && this.snapshot.frames[frame.id] === frame;
  }

  // ---- entering

  /** Makes a frame and enters its first state. @param event the one that its chain goes on from */
  spawn(parent: Frame | null, index: number, startAt: string, input: Json, event: number): Frame {
    const frame: Frame = {
      id: this.snapshot.nextFrame,
      parent: parent ? parent.id : null,
      index,
      state: '',
      input: null,
      vars: {},
      enteredMs: 0,
      enteredEvent: 0,
      lastEvent: event,
      retryCount: 0,
      retries: [],
      waiting: null,
    };
    this.snapshot.nextFrame += 1;
    this.snapshot.frames[frame.id] = frame;
    this.enter(frame, startAt, input);
    this.ready.push(frame);
    return frame;
  }

  private enter(frame: Frame, name: string, input: Json): void {
    frame.state = name;
    frame.input = input;
    frame.enteredMs = this.world.nowMs;
    frame.retryCount = 0;
    if (frame.retries.length > 0) frame.retries = [];
    delete frame.token;
    const { type } = this.frames.stateOf(frame);
    this.out.chain(frame, `${type}StateEntered`, () => ({
      stateEnteredEventDetails: { name, ...events.withInput(input) },
    }));
    frame.enteredEvent = frame.lastEvent;
  }

  // ---- running a state

  /** Runs the current state once: to its end, or to where it waits. Only what asks jsonata itself is asynchronous. */
  private async attempt(frame: Frame): Promise<void> {
    const state = this.frames.stateOf(frame);
    if (this.snapshot.nextEvent >= this.snapshot.maxEvents - 1) {
      const cause = `The execution reached the maximum number of history events (${this.snapshot.maxEvents}).`;
      this.failExecution(frame, 'States.Runtime', cause);
      return;
    }
    if (this.world.spent?.()) {
      this.failExecution(frame, 'States.Runtime', 'The execution was given up: it took too much computing.');
      return;
    }
    try {
      await this.perform(frame, state);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await this.handle(frame, state, this.worded(frame, error));
    }
  }

  private async perform(frame: Frame, state: State): Promise<void> {
    switch (state.type) {
      case 'Task':
        return this.schedule(frame, state);
      case 'Choice':
        return this.choose(frame, state);
      case 'Wait':
        return this.wait(frame, state);
      case 'Parallel':
        return this.branch(frame, state);
      case 'Map':
        return this.map(frame, state);
      case 'Fail':
        return this.failState(frame, state);
      case 'Pass': {
        const env = this.stateEnv(frame, state);
        if (state.jsonata) return this.exit(frame, state, env, env.input);
        const given = state.payload ? await state.payload(env) : env.input;
        const result = state.result ? state.result.value : given;
        return this.exit(frame, state, withInput(env, result), placeResult(frame.input, result, state.resultPath));
      }
      case 'Succeed': {
        const env = this.stateEnv(frame, state);
        return this.exit(frame, state, env, env.input);
      }
    }
  }

  /** `$` is the effective input in JSONPath, `$states.input` the raw one in JSONata. */
  private stateEnv(frame: Frame, state: State): Env {
    const env = this.frames.env(frame, frame.input);
    return state.inputPath ? withInput(env, state.inputPath(env)) : env;
  }

  /**
   * Leaves a state for the next: Assign and Output see the variables as they were.
   *
   * @param env what Assign sees
   * @param value JSONPath: the raw output, before OutputPath. JSONata: the output where there is no Output
   */
  private async exit(frame: Frame, state: State, env: Env, value: Json): Promise<void> {
    const assigned = state.assign ? await state.assign(env) : undefined;
    let output = value;
    if (state.output) output = await state.output(env);
    else if (state.outputPath) output = state.outputPath(withInput(env, value));
    this.leave(frame, state, assigned, output, state.next);
  }

  private leave(frame: Frame, state: State, assigned: Json | undefined, output: Json, next: string | null): void {
    if (exceedsDataLimit(output) || (assigned !== undefined && exceedsDataLimit(assigned))) throw dataLimit(state.name);
    if (isObject(assigned)) Object.assign(frame.vars, assigned);
    this.out.chain(frame, `${state.type}StateExited`, () => ({
      stateExitedEventDetails: { name: state.name, ...events.withOutput(output), ...events.withAssigned(assigned) },
    }));
    frame.waiting = null;
    if (next !== null) this.enter(frame, next, output);
    else this.endFrame(frame, output);
  }

  /** Task, Parallel, Map: takes the result in. */
  private async complete(frame: Frame, state: TaskState | ParallelState | MapState, result: Json): Promise<void> {
    if (state.jsonata) return this.exit(frame, state, this.frames.env(frame, frame.input, { result }), result);
    const env = this.frames.env(frame, result);
    const selected = state.resultSelector ? await state.resultSelector(env) : result;
    return this.exit(frame, state, env, placeResult(frame.input, selected, state.resultPath));
  }

  private async choose(frame: Frame, state: ChoiceState): Promise<void> {
    const env = this.stateEnv(frame, state);
    for (const { condition, next, assign, output } of state.rules) {
      if (condition.of === 'path') {
        if (!condition.test(env)) continue;
      } else {
        const given = condition.test.evaluate(env);
        const holds = given instanceof Promise ? await given : given;
        if (typeof holds !== 'boolean') throw typeFailure(condition.test.source, condition.field, 'boolean', holds);
        if (!holds) continue;
      }
      return this.go(frame, state, env, next, assign, output);
    }
    if (state.otherwise === null) {
      throw runtimeFailure('Failed to transition out of the state. The state does not point to a next state.');
    }
    return this.go(frame, state, env, state.otherwise, state.assign, state.output);
  }

  private async go(
    frame: Frame,
    state: ChoiceState,
    env: Env,
    next: string,
    assign: Template | undefined,
    template: Template | undefined,
  ): Promise<void> {
    const assigned = assign ? await assign(env) : undefined;
    const output = template ? await template(env) : state.outputPath ? state.outputPath(env) : env.input;
    this.leave(frame, state, assigned, output, next);
  }

  private async wait(frame: Frame, state: WaitState): Promise<void> {
    const atMs = await readWaitEnd(state, this.stateEnv(frame, state));
    // A delay of nothing is no wait.
    if (atMs <= this.world.nowMs) return this.waited(frame, state);
    frame.waiting = { for: 'timer', timerId: this.out.timerAt(frame.id, atMs, 'w') };
  }

  private async waited(frame: Frame, state: WaitState): Promise<void> {
    const env = this.stateEnv(frame, state);
    return this.exit(frame, state, env, env.input);
  }

  private async failState(frame: Frame, state: FailState): Promise<void> {
    const env = this.stateEnv(frame, state);
    const error = state.error ? asText(await state.error.read(env)) : undefined;
    const cause = state.cause ? asText(await state.cause.read(env)) : undefined;
    await this.failFrame(frame, new Failure(error, cause));
  }

  // ---- Task

  private async schedule(frame: Frame, state: TaskState): Promise<void> {
    const { resource } = state;
    if (resource.pattern !== 'request') {
      frame.token = this.world.token ? this.world.token() : makeUuid(this.world.random);
    }
    const env = this.stateEnv(frame, state);
    const given = state.payload ? await state.payload(env) : state.jsonata ? {} : env.input;
    const timeout = await readLimit(state.timeout, env);
    const heartbeat = await readLimit(state.heartbeat, env);
    const credentials = state.credentials ? await state.credentials(env) : undefined;
    // A Lambda function named by its ARN gets the input where there are no Arguments.
    const payload = state.jsonata && !state.payload && resource.kind !== 'service' ? frame.input : given;
    for (const event of events.taskStarted(resource, payload, { timeout, heartbeat })) this.out.chain(frame, ...event);
    const taskId = this.out.id(frame.id, '');
    this.out.effects.push({
      type: 'task',
      taskId,
      state: state.name,
      attempt: frame.retryCount,
      resource: resource.arn,
      arguments: payload,
      ...(credentials === undefined ? {} : { credentials }),
      ...(frame.token === undefined ? {} : { token: frame.token }),
      enteredEvent: frame.enteredEvent,
    });
    frame.waiting = {
      for: 'task',
      taskId,
      ...(frame.token === undefined ? {} : { token: frame.token }),
      ...(timeout === undefined ? {} : { timeout: this.out.timer(frame.id, timeout * 1000, 't') }),
      ...(heartbeat === undefined
        ? {}
        : { heartbeat: this.out.timer(frame.id, heartbeat * 1000, 'h'), heartbeatMs: heartbeat * 1000 }),
    };
  }

  // ---- Parallel and Map

  private async branch(frame: Frame, state: ParallelState): Promise<void> {
    const env = this.stateEnv(frame, state);
    const input = state.payload ? await state.payload(env) : env.input;
    this.out.chain(frame, 'ParallelStateStarted');
    const children: Children = {
      for: 'children',
      results: state.branches.map(() => null),
      running: [],
      items: null,
      next: state.branches.length,
      concurrency: state.branches.length,
      failed: [],
      toleratedCount: null,
      toleratedPercentage: null,
      tail: frame.lastEvent,
    };
    frame.waiting = children;
    const started = frame.lastEvent;
    for (const [index, branch] of state.branches.entries()) {
      children.running.push(this.spawn(frame, index, branch.startAt, input, started).id);
    }
    if (state.branches.length === 0) await this.joined(frame, children);
  }

  private async map(frame: Frame, state: MapState): Promise<void> {
    const env = this.stateEnv(frame, state);
    const concurrency = await readCount(state.maxConcurrency, env);
    const items = await readItems(state, env);
    this.out.chain(frame, 'MapStateStarted', () => ({ mapStateStartedEventDetails: { length: items.length } }));
    const toleratedCount = await readCount(state.toleratedCount, env);
    const toleratedPercentage = await readPercentage(state.toleratedPercentage, env);
    const children: Children = {
      for: 'children',
      results: items.map(() => null),
      running: [],
      items,
      next: 0,
      concurrency: Math.min(concurrency || MAX_CONCURRENCY, MAX_CONCURRENCY),
      failed: [],
      toleratedCount: toleratedCount ?? null,
      toleratedPercentage: toleratedPercentage ?? null,
      tail: frame.lastEvent,
    };
    frame.waiting = children;
    await (items.length === 0 ? this.joined(frame, children) : this.iterate(frame, state, children));
  }

  /** Starts as many iterations as may run. */
  private async iterate(frame: Frame, state: MapState, children: Children): Promise<void> {
    const items = children.items as Json[];
    const from = frame.lastEvent;
    while (children.next < items.length && children.running.length < children.concurrency) {
      const index = children.next;
      children.next += 1;
      let input = items[index] as Json;
      if (state.itemSelector) {
        const env = this.frames.env(frame, frame.input, { item: { index, value: input } });
        input = await state.itemSelector(state.inputPath ? withInput(env, state.inputPath(env)) : env);
      }
      const event = this.out.emit('MapIterationStarted', from, () => ({
        mapIterationStartedEventDetails: { name: state.name, index },
      }));
      children.running.push(this.spawn(frame, index, state.processor.startAt, input, event).id);
    }
  }

  /** A frame has ended with an output: the execution's, or one of its parent's results. */
  private endFrame(frame: Frame, output: Json): void {
    const parent = this.frames.parentOf(frame);
    if (!parent) {
      this.out.emit('ExecutionSucceeded', frame.lastEvent, () => ({
        executionSucceededEventDetails: events.withOutput(output) as { [key: string]: unknown },
      }));
      this.end('SUCCEEDED', { output });
      return;
    }
    const children = parent.waiting as Children;
    children.results[frame.index] = output;
    this.settled(frame, parent, children, 'MapIterationSucceeded');
  }

  /** One child is over; the parent goes on from there when it is its turn. */
  private settled(
    frame: Frame,
    parent: Frame,
    children: Children,
    type: 'MapIterationSucceeded' | 'MapIterationFailed',
  ): void {
    children.running = children.running.filter((id) => id !== frame.id);
    delete this.snapshot.frames[frame.id];
    parent.lastEvent = frame.lastEvent;
    children.tail = frame.lastEvent;
    if (children.items) children.tail = this.iterationEvent(type, frame, parent);
    this.ready.push(parent);
  }

  /** A Parallel or Map after one of its children: starts the next, or ends after the last. */
  private async advance(frame: Frame, children: Children): Promise<void> {
    const state = this.frames.stateOf(frame) as ParallelState | MapState;
    try {
      if (state.type === 'Map') await this.iterate(frame, state, children);
      if (children.running.length === 0) await this.joined(frame, children);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await this.handle(frame, state, this.worded(frame, error));
    }
  }

  private iterationEvent(type: string, frame: Frame, parent: Frame): number {
    const key = `m${type.slice(1)}EventDetails` as const;
    return this.out.emit(type, frame.lastEvent, () => ({ [key]: { name: parent.state, index: frame.index } }));
  }

  /** All children of a Parallel or Map have ended. */
  private async joined(frame: Frame, children: Children): Promise<void> {
    const state = this.frames.stateOf(frame) as ParallelState | MapState;
    frame.lastEvent = children.tail;
    // Passed by: the exit points at the last child's event too.
    this.out.emit(`${state.type}StateSucceeded`, frame.lastEvent);
    const dropped = new Set(children.failed);
    const results = dropped.size === 0 ? children.results : children.results.filter((_, index) => !dropped.has(index));
    frame.waiting = null;
    await this.complete(frame, state, results);
  }

  // ---- failures

  /** Says in which state an evaluation failed. What a task or Fail state says stays as it is. */
  private worded(frame: Frame, failure: Failure): Failure {
    if (failure.error === 'States.DataLimitExceeded') return failure;
    return new Failure(
      failure.error,
      `An error occurred while executing the state '${frame.state}' (entered at the event id #${frame.enteredEvent}). ${failure.reason}`,
      { location: failure.location },
    );
  }

  /** Retries, catches, or lets the frame fail. */
  private async handle(frame: Frame, state: State, failure: Failure, fromTask = false): Promise<void> {
    if (!this.alive(frame)) return;
    if (frame.waiting?.for === 'children') this.abortChildren(frame, frame.waiting);
    frame.waiting = null;
    this.evaluationFailed(frame, failure);
    // Never retried or caught, not even by name, and no state around it sees it.
    if (failure.error === 'States.Runtime') {
      this.failExecution(frame, failure.error, failure.reason);
      return;
    }
    if (state.type !== 'Task' && state.type !== 'Parallel' && state.type !== 'Map')
      return this.failFrame(frame, failure);
    if (this.retried(frame, state.retry, failure, fromTask)) return;
    const before = frame.lastEvent;
    if (state.type !== 'Task') this.out.chain(frame, `${state.type}StateFailed`);
    const catcher = state.catch.find(({ errors }) => matchesError(errors, failure, fromTask));
    if (!catcher) return this.failFrame(frame, failure);
    try {
      await this.caught(frame, state, catcher, failure);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // The clause's own failure is told from where the state stood, and nothing catches it.
      const again = this.worded(frame, error);
      if (state.type !== 'Task') frame.lastEvent = before;
      this.evaluationFailed(frame, again);
      if (again.error === 'States.Runtime') return this.failExecution(frame, again.error, again.reason);
      if (state.type !== 'Task') this.out.chain(frame, `${state.type}StateFailed`);
      await this.failFrame(frame, again);
    }
  }

  private evaluationFailed(frame: Frame, failure: Failure): void {
    if (failure.error !== 'States.QueryEvaluationError') return;
    // A child's failure was told in the child.
    if (failure.aliases.includes('States.BranchFailed')) return;
    this.out.chain(frame, 'EvaluationFailed', () => ({
      evaluationFailedEventDetails: {
        error: failure.error,
        cause: failure.reason,
        ...(failure.location === undefined ? {} : { location: failure.location }),
        state: frame.state,
      },
    }));
  }

  private retried(frame: Frame, retriers: readonly Retrier[], failure: Failure, fromTask: boolean): boolean {
    const delayMs = takeRetry(frame, retriers, failure, fromTask, this.world.random);
    if (delayMs === undefined) return false;
    if (delayMs > 0) frame.waiting = { for: 'retry', timerId: this.out.timer(frame.id, delayMs, 'r') };
    this.ready.push(frame);
    return true;
  }

  private async caught(
    frame: Frame,
    state: TaskState | ParallelState | MapState,
    catcher: Catcher,
    failure: Failure,
  ): Promise<void> {
    // The service binds an empty text where a Fail state names nothing.
    const errorOutput = {
      Error: failure.error === undefined ? '' : failure.error,
      Cause: failure.reason === undefined ? '' : failure.reason,
    };
    const env = state.jsonata
      ? this.frames.env(frame, frame.input, { errorOutput })
      : this.frames.env(frame, errorOutput, { errorOutput });
    const assigned = catcher.assign ? await catcher.assign(env) : undefined;
    const output = catcher.output
      ? await catcher.output(env)
      : placeResult(frame.input, errorOutput, catcher.resultPath);
    this.leave(frame, state, assigned, output, catcher.next);
    this.ready.push(frame);
  }

  /** Nothing in the frame took the failure: it is the parent's, or the end. */
  private async failFrame(frame: Frame, failure: Failure): Promise<void> {
    const parent = this.frames.parentOf(frame);
    if (!parent) {
      this.failExecution(frame, failure.error ?? null, failure.reason ?? null);
      return;
    }
    const parentState = this.frames.stateOf(parent);
    const children = parent.waiting as Children;
    if (this.frames.stateOf(frame).type === 'Task') this.out.emit('TaskStateAborted', frame.lastEvent);
    if (children.items) {
      const tolerant = children.toleratedCount !== null || children.toleratedPercentage !== null;
      if (tolerant) {
        children.failed.push(frame.index);
        this.settled(frame, parent, children, 'MapIterationFailed');
        if (withinTolerance(children)) return;
        const failed = new Failure(
          'States.ExceedToleratedFailureThreshold',
          'The specified tolerated failure threshold was exceeded',
        );
        return this.handle(parent, parentState, failed);
      }
      this.iterationEvent('MapIterationFailed', frame, parent);
    }
    parent.lastEvent = frame.lastEvent;
    children.running = children.running.filter((id) => id !== frame.id);
    delete this.snapshot.frames[frame.id];
    await this.handle(
      parent,
      parentState,
      new Failure(failure.error, failure.reason, { aliases: ['States.BranchFailed'] }),
    );
  }

  private abortChildren(frame: Frame, children: Children): void {
    for (const id of children.running) {
      const child = this.snapshot.frames[id] as Frame;
      this.abort(child);
      if (children.items) this.iterationEvent('MapIterationAborted', child, frame);
      delete this.snapshot.frames[id];
    }
    children.running = [];
  }

  private abort(frame: Frame): void {
    const { waiting } = frame;
    if (waiting?.for === 'children') this.abortChildren(frame, waiting);
    this.release(frame);
    if (waiting && waiting.for !== 'retry') this.out.chain(frame, `${this.frames.stateOf(frame).type}StateAborted`);
  }

  /** Takes back what a frame waits for. */
  private release({ waiting }: Frame): void {
    if (waiting?.for === 'task') {
      this.out.effects.push({ type: 'cancel', taskId: waiting.taskId });
      this.out.cancelTimer(waiting.timeout);
      this.out.cancelTimer(waiting.heartbeat);
    } else if (waiting?.for === 'timer' || waiting?.for === 'retry') this.out.cancelTimer(waiting.timerId);
  }

  private failExecution(frame: Frame, error: string | null | undefined, cause: string | null | undefined): void {
    this.out.emit('ExecutionFailed', frame.lastEvent, () => ({
      executionFailedEventDetails: events.named(error, cause),
    }));
    this.end('FAILED', { error: error ?? null, cause: cause ?? null });
  }

  /** Ends the execution from outside. */
  stop(error: string | null, cause: string | null): void {
    this.out.emit('ExecutionAborted', this.snapshot.nextEvent - 1, () => ({
      executionAbortedEventDetails: events.named(error, cause),
    }));
    this.end('ABORTED', { error, cause });
  }

  /** The execution's own TimeoutSeconds are over. */
  timeOut(): void {
    delete this.snapshot.timeout;
    this.out.emit('ExecutionTimedOut', this.snapshot.nextEvent - 1, () => ({ executionTimedOutEventDetails: {} }));
    this.end('TIMED_OUT', { error: 'States.Timeout', cause: null });
  }

  private end(status: Status, outcome: { output?: Json; error?: string | null; cause?: string | null }): void {
    this.snapshot.status = status;
    for (const frame of Object.values(this.snapshot.frames)) this.release(frame);
    this.out.cancelTimer(this.snapshot.timeout);
    delete this.snapshot.timeout;
    this.snapshot.frames = {};
    this.out.effects.push({ type: 'ended', status, ...outcome });
  }

  // ---- signals

  /** Tells a frame what it waited for. */
  async deliver(frame: Frame, signal: Exclude<Signal, { type: 'stop' }>): Promise<void> {
    const state = this.frames.stateOf(frame);
    try {
      if (signal.type === 'timer') await this.rang(frame, state, signal.timerId);
      else if (frame.waiting?.for === 'task' && frame.waiting.taskId === signal.taskId) {
        await this.answered(frame, state as TaskState, signal);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      await this.handle(frame, state, this.worded(frame, error));
    }
    if (this.alive(frame) && frame.waiting === null) this.ready.push(frame);
  }

  private async rang(frame: Frame, state: State, timerId: string): Promise<void> {
    const { waiting } = frame;
    if (waiting?.for === 'retry' && waiting.timerId === timerId) frame.waiting = null;
    else if (waiting?.for === 'timer' && waiting.timerId === timerId) {
      frame.waiting = null;
      await this.waited(frame, state as WaitState);
    } else if (waiting?.for === 'task' && (waiting.timeout === timerId || waiting.heartbeat === timerId)) {
      const beat = waiting.heartbeat === timerId;
      this.out.effects.push({ type: 'cancel', taskId: waiting.taskId });
      this.out.cancelTimer(beat ? waiting.timeout : waiting.heartbeat);
      this.out.chain(
        frame,
        ...events.taskEnded((state as TaskState).resource, 'TimedOut', () => ({ error: 'States.Timeout' })),
      );
      // The service reports a missed heartbeat as a timeout, and catches it by either name.
      const aliases = beat ? ['States.HeartbeatTimeout'] : [];
      await this.handle(frame, state, new Failure('States.Timeout', null, { aliases }), true);
    }
  }

  private async answered(
    frame: Frame,
    state: TaskState,
    signal: Exclude<Signal, { type: 'stop' | 'timer' }>,
  ): Promise<void> {
    const waiting = frame.waiting as Extract<Frame['waiting'], { for: 'task' }>;
    const { resource } = state;
    if (signal.type === 'task-heartbeat') {
      if (waiting.heartbeatMs === undefined) return;
      this.out.cancelTimer(waiting.heartbeat);
      waiting.heartbeat = this.out.timer(frame.id, waiting.heartbeatMs, 'h');
      return;
    }
    if (signal.type === 'task-submitted') {
      this.out.chain(frame, ...events.taskSubmitted(resource, signal.output));
      return;
    }
    this.out.cancelTimer(waiting.timeout);
    this.out.cancelTimer(waiting.heartbeat);
    frame.waiting = null;
    if (signal.type === 'task-failed') {
      const { error, cause } = signal;
      if (error !== 'States.Runtime') {
        const how = error === 'States.Timeout' ? 'TimedOut' : 'Failed';
        this.out.chain(frame, ...events.taskEnded(resource, how, () => events.named(error, cause)));
      }
      await this.handle(frame, state, new Failure(error, cause), true);
      return;
    }
    if (exceedsDataLimit(signal.output)) {
      const failure = dataLimit(resource.kind === 'service' ? resource.service : resource.arn);
      this.out.chain(frame, ...events.taskEnded(resource, 'Failed', () => events.named(failure.error, failure.reason)));
      await this.handle(frame, state, failure, true);
      return;
    }
    this.out.chain(frame, ...events.taskEnded(resource, 'Succeeded', () => events.withOutput(signal.output)));
    await this.complete(frame, state, signal.output);
  }
}

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

const dataLimit = (name: string): Failure =>
  new Failure(
    'States.DataLimitExceeded',
    `The state/task '${name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  );
