/** What is any JSON value. Nothing in a snapshot, effect or event is ever `undefined`, a function or a class. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What the interpreter takes from outside, so that the same run can be had twice. */
export type World = {
  /** The time now, in milliseconds since 1970. */
  nowMs: number;
  /** 0 (inclusive) to 1 (exclusive): jitter, `$random`, `$uuid`. */
  random: () => number;
  /** Asked before each state: true gives the execution up (States.Runtime), for whom a run of hours is no use. */
  spent?: () => boolean;
  /** Makes a task token nobody can guess. Without it the tokens come from `random`. */
  token?: () => string;
  /** False: no history events are made (they are counted all the same, since causes name their numbers). */
  record?: boolean;
  /**
   * Takes each event instead, its details not yet made: for who decides at the end of a run whether to keep its history.
   * They may be made at any later time.
   */
  note?: (
    event: HistoryEvent,
    details: (() => { [details: `${string}EventDetails`]: { [key: string]: unknown } }) | undefined,
  ) => void;
};

/** Who runs: what the context object says under `Execution` and `StateMachine`. */
export type Identity = {
  execution: { id: string; name: string; startTime: string; roleArn?: string };
  stateMachine: { id: string; name: string };
};

/** What a frame waits for; without one it has ended or is about to run. */
export type Waiting =
  | {
      for: 'task';
      taskId: string;
      timeout?: string;
      heartbeat?: string;
      heartbeatMs?: number;
      token?: string;
    }
  | { for: 'timer'; timerId: string }
  | { for: 'retry'; timerId: string }
  | Children;

/** A Parallel or Map in progress. `results` holds null until a child has ended. */
export type Children = {
  for: 'children';
  results: Json[];
  /** Children (frame ids) that run now. */
  running: number[];
  /** Map only: the items, and the next of them to start. */
  items: Json[] | null;
  next: number;
  concurrency: number;
  /** Map only: failed iterations and how many of them are borne. */
  failed: number[];
  toleratedCount: number | null;
  toleratedPercentage: number | null;
  /** The event that the state goes on from once all children have ended. */
  tail: number;
};

/** One thread of the execution: the top level, a branch of a Parallel, or an iteration of a Map. */
export type Frame = {
  id: number;
  parent: number | null;
  /** Which branch or iteration. */
  index: number;
  state: string;
  /** The state's raw input. */
  input: Json;
  vars: Record<string, Json>;
  enteredMs: number;
  enteredEvent: number;
  lastEvent: number;
  retryCount: number;
  /** Attempts used of each retrier: each counts alone. */
  retries: number[];
  token?: string;
  waiting: Waiting | null;
};

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** A whole execution between two steps. Plain JSON: journal it, and after a crash go on from it. */
export type Snapshot = {
  version: 1;
  /** `Machine.hash` of the definition this execution runs. */
  definition: string;
  status: Status;
  identity: Identity;
  input: Json;
  /** Laid over the context object. */
  context?: { [key: string]: Json };
  frames: { [id: string]: Frame };
  timeout?: string;
  nextFrame: number;
  nextId: number;
  nextEvent: number;
  maxEvents: number;
};

/** What the interpreter asks the runtime to do. */
export type Effect =
  | {
      type: 'task';
      taskId: string;
      /** Name of the state, and how often it was tried before. */
      state: string;
      attempt: number;
      resource: string;
      arguments: Json;
      credentials?: Json;
      /** `.waitForTaskToken`: the task ends when this token is answered, not when the call returns. */
      token?: string;
      /** The number of the event that entered the state, for causes. */
      enteredEvent: number;
    }
  | { type: 'timer'; timerId: string; atMs: number }
  | { type: 'cancel'; taskId: string }
  | { type: 'cancel'; timerId: string }
  | { type: 'ended'; status: Status; output?: Json; error?: string | null; cause?: string | null };

/** What the runtime reports. A signal for a task or timer that is no longer awaited changes nothing. */
export type Signal =
  | { type: 'task-succeeded'; taskId: string; output: Json }
  | { type: 'task-failed'; taskId: string; error: string | null; cause: string | null }
  /** `.waitForTaskToken`, `.sync`: the call itself returned; the task goes on waiting. */
  | { type: 'task-submitted'; taskId: string; output: Json }
  | { type: 'task-heartbeat'; taskId: string }
  | { type: 'timer'; timerId: string }
  | { type: 'stop'; error?: string; cause?: string };

/** An event as GetExecutionHistory shows it; `timestamp` is milliseconds since 1970. */
export type HistoryEvent = {
  id: number;
  previousEventId: number;
  timestamp: number;
  type: string;
  [details: `${string}EventDetails`]: { [key: string]: unknown };
};

export type Progress = { snapshot: Snapshot; effects: Effect[]; events: HistoryEvent[] };
