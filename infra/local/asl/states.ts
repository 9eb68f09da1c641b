import type { Condition } from './choice.ts';
import type { Env } from './env.ts';
import type { Expression } from './jsonata.ts';
import type { Path } from './jsonpath.ts';
import type { Resource } from './resource.ts';
import type { Template } from './template.ts';
import type { Json } from './types.ts';

// What a definition becomes: states whose expressions and paths are compiled.

/** A definition that was checked and whose every expression and path is compiled. */
export type Machine = {
  /** SHA-256 of the definition: a snapshot names the definition it runs by it. */
  readonly hash: string;
  readonly definition: Json;
  readonly timeoutSeconds: number | undefined;
  readonly scope: Scope;
};

/** A set of states that refer to each other: the machine, a branch, an item processor. */
export type Scope = { readonly startAt: string; readonly states: ReadonlyMap<string, State> };

export type StateType = 'Task' | 'Pass' | 'Choice' | 'Wait' | 'Parallel' | 'Map' | 'Succeed' | 'Fail';

export type Common = {
  readonly name: string;
  readonly jsonata: boolean;
  /** Null: the state ends its scope. */
  readonly next: string | null;
  /** JSONPath: InputPath and OutputPath. */
  readonly inputPath: ((env: Env) => Json) | undefined;
  readonly outputPath: ((env: Env) => Json) | undefined;
  readonly assign: Template | undefined;
  /** JSONata: Output. */
  readonly output: Template | undefined;
};

/** Task, Parallel and Map: what may be retried, caught, and has a result. */
export type Running = {
  /** JSONata: Arguments. JSONPath: Parameters. */
  readonly payload: Template | undefined;
  readonly resultSelector: Template | undefined;
  readonly resultPath: ResultPath;
  readonly retry: readonly Retrier[];
  readonly catch: readonly Catcher[];
};

/** Where a result goes in the raw input: in its place, nowhere, or at a path. */
export type ResultPath = 'replace' | 'discard' | Path;

export type Retrier = {
  readonly errors: readonly string[];
  readonly intervalSeconds: number;
  readonly maxAttempts: number;
  readonly backoffRate: number;
  readonly maxDelaySeconds: number;
  readonly fullJitter: boolean;
};

export type Catcher = {
  readonly errors: readonly string[];
  readonly next: string;
  readonly resultPath: ResultPath;
  readonly assign: Template | undefined;
  readonly output: Template | undefined;
};

export type Rule = {
  readonly condition:
    | { readonly of: 'path'; readonly test: Condition }
    | { readonly of: 'expression'; readonly test: Expression; readonly field: string };
  readonly next: string;
  readonly assign: Template | undefined;
  readonly output: Template | undefined;
};

/** A number that is written down, computed, or pointed at. */
export type NumberField = {
  readonly field: string;
  /** What causes quote: the expression or path. */
  readonly source: string;
  readonly of: 'literal' | 'expression' | 'path';
  readonly read: Template;
};

/** A text that may be computed or pointed at. */
export type TextField = { readonly field: string; readonly source: string; readonly read: Template };

export type TaskState = Common &
  Running & {
    readonly type: 'Task';
    readonly resource: Resource;
    readonly credentials: Template | undefined;
    readonly timeout: NumberField | undefined;
    readonly heartbeat: NumberField | undefined;
  };
export type PassState = Common & {
  readonly type: 'Pass';
  readonly payload: Template | undefined;
  readonly result: { readonly value: Json } | undefined;
  readonly resultPath: ResultPath;
};
export type ChoiceState = Common & {
  readonly type: 'Choice';
  readonly rules: readonly Rule[];
  readonly otherwise: string | null;
};
export type WaitState = Common & {
  readonly type: 'Wait';
  readonly seconds: NumberField | undefined;
  readonly timestamp: (TextField & { readonly of: 'literal' | 'expression' | 'path' }) | undefined;
};
export type ParallelState = Common & Running & { readonly type: 'Parallel'; readonly branches: readonly Scope[] };
export type MapState = Common &
  Running & {
    readonly type: 'Map';
    readonly processor: Scope;
    readonly items:
      | { readonly of: 'path'; readonly path: Path }
      | { readonly of: 'template'; readonly read: Template; readonly source: string }
      | undefined;
    readonly itemSelector: Template | undefined;
    readonly maxConcurrency: NumberField | undefined;
    readonly toleratedCount: NumberField | undefined;
    readonly toleratedPercentage: NumberField | undefined;
  };
export type SucceedState = Common & { readonly type: 'Succeed' };
export type FailState = Common & {
  readonly type: 'Fail';
  readonly error: TextField | undefined;
  readonly cause: TextField | undefined;
};
export type State =
  | TaskState
  | PassState
  | ChoiceState
  | WaitState
  | ParallelState
  | MapState
  | SucceedState
  | FailState;
