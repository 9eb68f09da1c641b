import type { MapState, NumberField, WaitState } from './compile.ts';
import type { Env } from './env.ts';
import { Failure, queryFailure, runtimeFailure } from './failure.ts';
import { typeFailure } from './jsonata.ts';
import { PathMissing, readPath } from './jsonpath.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Json } from './types.ts';

// Numbers, times and lists that a state computes or points at, checked in the service's words.

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
  if (field.of === 'path') {
    const shown = `${field.source} == ${show(value)}`;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw runtimeFailure(`The SecondsPath parameter cannot be parsed as a long value: ${shown}`);
    }
    if (value < 0) throw runtimeFailure(`The SecondsPath parameter references a negative value: ${shown}`);
    return value;
  }
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw typeFailure(field.source, field.field, 'integer', value);
  if (value < 0) throw queryFailure(`The Seconds field must be a non-negative integer but was: ${value}`, field.field);
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
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  if (field.of === 'expression') throw typeFailure(field.source, field.field, 'positive integer', value);
  throw runtimeFailure(
    `The ${field.field} parameter must reference a positive integer: ${field.source} == ${show(value)}`,
  );
}

/** MaxConcurrency, ToleratedFailure…: a non-negative integer (a percentage may be broken), or none. */
export async function readCount(field: NumberField | undefined, env: Env): Promise<number | undefined> {
  if (!field) return undefined;
  const value = await field.read(env);
  const whole = typeof value === 'number' && (Number.isInteger(value) || field.field.includes('Percentage'));
  if (whole && value >= 0) return value;
  if (field.of === 'expression') throw typeFailure(field.source, field.field, 'non-negative integer', value);
  const fault = whole ? 'must be non-negative' : 'is not a valid integer';
  throw runtimeFailure(`The ${field.field} field refers to value "${show(value)}" which ${fault}: ${field.source}`);
}

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
    throw typeFailure(source.source, 'Items', 'array', value);
  }
  if (Array.isArray(env.input)) return env.input;
  if (!state.jsonata) throw runtimeFailure('Reference path "$" must point to array.');
  throw queryFailure(`Map state input must be an array but was: ${JSON.stringify(env.input)}`);
}
