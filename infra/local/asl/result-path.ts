import type { ResultPath } from './states.ts';
import { isObject } from './env.ts';
import { Failure } from './failure.ts';
import type { Step } from './jsonpath.ts';
import type { Json } from './types.ts';

/** Puts a result into the raw input, which stays as it was. Throws `Failure` (States.ResultPathMatchFailure). */
export function placeResult(input: Json, result: Json, at: ResultPath): Json {
  if (at === 'replace') return result;
  if (at === 'discard') return input;
  const put = (value: Json | undefined, [step, ...rest]: readonly Step[]): Json => {
    if (!step) return result;
    if (step.kind === 'names' && (value === undefined || isObject(value))) {
      const name = step.names[0] as string;
      const inner = value && Object.hasOwn(value, name) ? value[name] : undefined;
      return { ...value, [name]: put(inner, rest) };
    }
    if (step.kind === 'indexes' && Array.isArray(value)) {
      const index = step.indexes[0] as number;
      if (index >= 0 && index < value.length) return value.with(index, put(value[index], rest));
    }
    throw new Failure(
      'States.ResultPathMatchFailure',
      `Unable to apply ReferencePath ${at.text} to input ${JSON.stringify(input)}`,
    );
  };
  return put(input, at.steps);
}
