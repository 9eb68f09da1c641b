/** What a state fails with: an error name that Retry and Catch match, and its cause. Not a fault of ours. */
export class Failure extends Error {
  /** Null when a task failed without naming an error; undefined when a Fail state names none. */
  readonly error: string | null | undefined;
  readonly reason: string | null | undefined;
  /** Other names by which ErrorEquals knows it. */
  readonly aliases: readonly string[];
  /** JSONata: the field whose expression failed. */
  readonly location: string | undefined;

  constructor(
    error: string | null | undefined,
    reason: string | null | undefined,
    { aliases = [], location }: { aliases?: readonly string[]; location?: string | undefined } = {},
  ) {
    super(reason ?? error ?? 'failed');
    this.error = error;
    this.reason = reason;
    this.aliases = aliases;
    this.location = location;
  }
}

export const runtimeFailure = (reason: string): Failure => new Failure('States.Runtime', reason);

export const queryFailure = (reason: string, location?: string): Failure =>
  new Failure('States.QueryEvaluationError', reason, { location });
