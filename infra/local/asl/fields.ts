import type { MapState, NumberField, WaitState } from './states.ts';
import type { Env } from './env.ts';
import { Failure, queryFailure, runtimeFailure } from './failure.ts';
import { typeFailure } from './jsonata.ts';
import { PathMissing, readPath } from './jsonpath.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Json } from './types.ts';

// Numbers, times and lists that a state computes or points at, checked in the service's words.

/** The service's bound on a number of seconds; no sum of such waits leaves the calendar. */
export const LONGEST_SECONDS = 99_999_999;

const show = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** The value of a Wait's field; a path that meets nothing is worded by the field. */
async function readWaitField(
  field: { of: string; field: string; source: string; read: NumberField['read'] },
  env: Env,
): Promise<Json> {
  try {
    return await field.read(env);
  } catch (error) {
    if (field.of !== 'path' || !(error instanceof Failure)) throw error;
    throw runtimeFailure(`The ${field.field} parameter does not reference an input value: ${field.source}`);
  }
}

/** When a Wait ends, in milliseconds since 1970. */
export async function readWaitEnd(state: WaitState, env: Env): Promise<number> {
  if (state.seconds) return env.world.nowMs + (await readSeconds(state.seconds, env)) * 1000;
  return readTimestamp(state.timestamp as NonNullable<WaitState['timestamp']>, env);
}

async function readSeconds(field: NumberField, env: Env): Promise<number> {
  const value = await readWaitField(field, env);
  const whole = typeof value === 'number' && Number.isInteger(value);
  if (field.of === 'path') {
    const shown = `${field.source} == ${show(value)}`;
    if (!whole) throw runtimeFailure(`The SecondsPath parameter cannot be parsed as a long value: ${shown}`);
    if (value < 0) throw runtimeFailure(`The SecondsPath parameter references a negative value: ${shown}`);
    if (value > LONGEST_SECONDS)
      throw runtimeFailure(`The SecondsPath parameter references a value over ${LONGEST_SECONDS}: ${shown}`);
    return value;
  }
  if (!whole) throw typeFailure(field.source, field.field, 'integer', value);
  if (value < 0) throw queryFailure(`The Seconds field must be a non-negative integer but was: ${value}`, field.field);
  if (value > LONGEST_SECONDS)
    throw queryFailure(`The Seconds field must be at most ${LONGEST_SECONDS} but was: ${value}`, field.field);
  return value;
}

async function readTimestamp(field: NonNullable<WaitState['timestamp']>, env: Env): Promise<number> {
  const value = await readWaitField(field, env);
  const ms = typeof value === 'string' ? parseTimestamp(value) : undefined;
  if (ms !== undefined) return ms;
  const format = 'ISO-8601 extended offset date-time format string';
  if (field.of === 'path') {
    throw runtimeFailure(
      `The ${field.field} parameter does not reference a valid ${format}: ${field.source} == ${show(value)}`,
    );
  }
  throw queryFailure(`The Timestamp field cannot be parsed as an ${format}: ${show(value)}`, field.field);
}

/** TimeoutSeconds, HeartbeatSeconds: a positive integer, or none. */
export async function readLimit(field: NumberField | undefined, env: Env): Promise<number | undefined> {
  if (!field) return undefined;
  const value = await field.read(env);
  if (typeof value === 'number' && Number.isInteger(value) && value > 0 && value <= LONGEST_SECONDS) return value;
  if (field.of === 'expression') throw typeFailure(field.source, field.field, 'positive integer', value);
  throw runtimeFailure(
    `The ${field.field} parameter must reference a positive integer: ${field.source} == ${show(value)}`,
  );
}

/** MaxConcurrency, ToleratedFailureCount: a non-negative integer, or none. */
export async function readCount(field: NumberField | undefined, env: Env): Promise<number | undefined> {
  if (!field) return undefined;
  const value = await field.read(env);
  const whole = typeof value === 'number' && Number.isInteger(value);
  if (whole && value >= 0) return value;
  if (field.of === 'expression') throw typeFailure(field.source, field.field, 'non-negative integer', value);
  if (!whole) throw notA('integer', field, value);
  const name = field.field.replace(/Path$/, '');
  throw runtimeFailure(
    name === 'MaxConcurrency'
      ? `Expected non-negative integer for ${name}, got '${value}' instead.`
      : `${name} cannot be negative.`,
  );
}

/** ToleratedFailurePercentage: 0 to 100, or none. */
export async function readPercentage(field: NumberField | undefined, env: Env): Promise<number | undefined> {
  if (!field) return undefined;
  const value = await field.read(env);
  if (typeof value !== 'number') {
    throw field.of === 'expression'
      ? typeFailure(field.source, field.field, 'number', value)
      : notA('float', field, value);
  }
  if (value >= 0 && value <= 100) return value;
  const reason = 'ToleratedFailurePercentage must be between 0 and 100.';
  throw field.of === 'expression' ? queryFailure(reason, field.field) : runtimeFailure(reason);
}

const notA = (kind: string, { field, source }: NumberField, value: Json): Failure =>
  runtimeFailure(`The ${field} field refers to value "${show(value)}" which is not a valid ${kind}: ${source}`);

/** What a Map iterates over. */
export async function readItems(state: MapState, env: Env): Promise<Json[]> {
  const source = state.items;
  if (source?.of === 'path') {
    let value: Json;
    try {
      value = readPath(source.path, env);
    } catch (error) {
      if (!(error instanceof PathMissing)) throw error;
      const reason = `Unable to apply step "${error.step}" to input ${JSON.stringify(env.input)}`;
      throw new Failure('States.ReferencePathConflict', reason);
    }
    if (Array.isArray(value)) return value;
    throw runtimeFailure(`Reference path "${source.path.text}" must point to array.`);
  }
  if (source) {
    const value = await source.read(env);
    if (Array.isArray(value)) return value;
    if (source.source !== '') throw typeFailure(source.source, 'Items', 'array', value);
    throw queryFailure(`The Items field must be an array but was: ${JSON.stringify(value)}`, 'Items');
  }
  if (Array.isArray(env.input)) return env.input;
  if (!state.jsonata) throw runtimeFailure('Reference path "$" must point to array.');
  throw queryFailure(`Map state input must be an array but was: ${JSON.stringify(env.input)}`);
}
