import type { Json, World } from './types.ts';

/** What an expression or path of one state can see. */
export type Env = {
  /** JSONata: `$states.input`. JSONPath: what `$` stands for. */
  readonly input: Json;
  /** `$states.result`; undefined where there is none. */
  readonly result?: Json | undefined;
  /** `$states.errorOutput`; undefined where there is none. */
  readonly errorOutput?: Json | undefined;
  /** `$states.context`, `$$`: made when first asked for. */
  readonly context: () => Json;
  /** An assigned variable, of this scope or one around it; undefined when it was never assigned. */
  readonly variable: (name: string) => Json | undefined;
  readonly world: World;
};

/** The same surroundings with another `$`. */
export const withInput = (env: Env, input: Json): Env => ({ ...env, input });

export const isObject = (value: unknown): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
