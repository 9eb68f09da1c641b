import { type Env } from './env.ts';
import { runtimeFailure } from './failure.ts';
import { compileIntrinsic, looksLikeIntrinsic } from './intrinsics.ts';
import { compileExpression, isExpression } from './jsonata.ts';
import { compilePath, PathMissing, readPath, rootOf } from './jsonpath.ts';
import type { Json } from './types.ts';

/** A field with expressions or paths in it, compiled: gives the field with all of them answered. */
export type Template = (env: Env) => Json | Promise<Json>;

/**
 * JSONata: every string that is `{% … %}` is an expression, at any depth.
 *
 * @param field the field's name, to which keys (`/key`) and indexes (`[0]`) are added in causes
 */
export function compileTemplate(value: Json, field: string): Template {
  if (isExpression(value)) return compileExpression(value, field).evaluate;
  if (Array.isArray(value)) {
    const items = value.map((item, index) => compileTemplate(item, `${field}[${index}]`));
    if (!hasExpression(value)) return () => value;
    return (env) => fillArray(items, env, [], 0);
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, compileTemplate(item, `${field}/${key}`)] as const,
    );
    if (!hasExpression(value)) return () => value;
    return (env) => fillObject(entries, env, {}, 0);
  }
  return () => value;
}

function hasExpression(value: Json): boolean {
  if (typeof value === 'object' && value !== null) return Object.values(value).some(hasExpression);
  return isExpression(value);
}

// Synchronous until the first expression that jsonata itself must answer; in order, so that the first to fail speaks.
function fillArray(items: readonly Template[], env: Env, into: Json[], from: number): Json[] | Promise<Json[]> {
  for (let index = from; index < items.length; index += 1) {
    const value = (items[index] as Template)(env);
    if (value instanceof Promise) {
      return value.then((answer) => {
        into.push(answer);
        return fillArray(items, env, into, index + 1);
      });
    }
    into.push(value);
  }
  return into;
}

type Filled = { [key: string]: Json };

function fillObject(
  entries: readonly (readonly [string, Template])[],
  env: Env,
  into: Filled,
  from: number,
): Filled | Promise<Filled> {
  for (let index = from; index < entries.length; index += 1) {
    const [key, template] = entries[index] as readonly [string, Template];
    const value = template(env);
    if (value instanceof Promise) {
      return value.then((answer) => {
        into[key] = answer;
        return fillObject(entries, env, into, index + 1);
      });
    }
    into[key] = value;
  }
  return into;
}

/** JSONPath: keys that end in `.$` hold a path or an intrinsic function. */
export function compilePayload(value: Json): (env: Env) => Json {
  if (Array.isArray(value)) {
    const items = value.map(compilePayload);
    return (env) => items.map((item) => item(env));
  }
  if (typeof value !== 'object' || value === null) return () => value;
  const entries = Object.entries(value).map(([key, item]) =>
    key.endsWith('.$') && typeof item === 'string'
      ? ([key.slice(0, -2), compileMember(item, key)] as const)
      : ([key, compilePayload(item)] as const),
  );
  return (env) => {
    const filled: Filled = {};
    for (const [key, item] of entries) filled[key] = item(env);
    return filled;
  };
}

/** The value of a key that ends in `.$` is neither path nor function; `cause` says why. */
export class PayloadSyntaxError extends Error {}

function compileMember(text: string, key: string): (env: Env) => Json {
  try {
    return compileReference(text, key, { lenientIndex: true });
  } catch (error) {
    const message = `The value for the field '${key}' must be a valid JSONPath or a valid intrinsic function call`;
    throw new PayloadSyntaxError(message, { cause: error });
  }
}

/**
 * A path or an intrinsic function that names one value.
 *
 * @param field the field's name, as causes give it
 * @param lenientIndex an element past the end of an array is null, not an error: so it is in payloads
 */
export function compileReference(
  text: string,
  field: string,
  { lenientIndex = false }: { lenientIndex?: boolean } = {},
): (env: Env) => Json {
  if (looksLikeIntrinsic(text)) return compileIntrinsic(text);
  const path = compilePath(text);
  return (env) => {
    try {
      return readPath(path, env);
    } catch (error) {
      if (!(error instanceof PathMissing)) throw error;
      if (lenientIndex && error.atIndex) return null;
      const searched =
        path.root.of === 'variable' && env.variable(path.root.name) === undefined ? env.input : rootOf(path, env);
      throw runtimeFailure(
        `The JSONPath '${text}' specified for the field '${field}' could not be found in the input '${JSON.stringify(searched)}'`,
      );
    }
  };
}

/** InputPath, OutputPath, TimeoutSecondsPath and their like: a miss is worded by the path library. */
export function compilePathField(text: string): (env: Env) => Json {
  if (looksLikeIntrinsic(text)) return compileIntrinsic(text);
  const path = compilePath(text);
  if (path.root.of === 'input' && path.steps.length === 0) return (env) => env.input;
  return (env) => {
    try {
      return readPath(path, env);
    } catch (error) {
      if (!(error instanceof PathMissing)) throw error;
      throw runtimeFailure(`Invalid path '${text}' : ${error.message}`);
    }
  };
}
