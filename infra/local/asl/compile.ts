import { createHash } from 'node:crypto';
import { type FieldFault, SluiceError } from '../../../shared/errors.ts';
import { compileRule, type Condition, RuleError } from './choice.ts';
import { type Env, isObject } from './env.ts';
import { LONGEST_SECONDS } from './fields.ts';
import { compileIntrinsic, IntrinsicSyntaxError, looksLikeIntrinsic } from './intrinsics.ts';
import { compileExpression, type Expression, isExpression } from './jsonata.ts';
import { compilePath, type Path, PathSyntaxError } from './jsonpath.ts';
import { parseResource, type Resource } from './resource.ts';
import {
  compilePathField,
  compilePayload,
  compileReference,
  compileTemplate,
  PayloadSyntaxError,
  type Template,
} from './template.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Json } from './types.ts';

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

type Common = {
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
type Running = {
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

type Fields = { [key: string]: Json };

/**
 * Checks a definition and compiles every expression and path in it, once.
 *
 * @param definition the Amazon States Language document, as an object or as its text
 * @param type EXPRESS refuses what Express workflows cannot do: waiting for a task token, `.sync`, activities
 * @throws SluiceError `Definition.Invalid` in the service's words, every fault with its place; `fields` lists them
 */
export function compile(definition: unknown, { type = 'STANDARD' }: { type?: 'STANDARD' | 'EXPRESS' } = {}): Machine {
  const faults: Fault[] = [];
  let document = definition;
  if (typeof definition === 'string') {
    try {
      document = JSON.parse(definition);
    } catch (error) {
      throw invalid([{ code: 'INVALID_JSON_DESCRIPTION', message: (error as Error).message, pointer: '' }], error);
    }
  }
  if (!isObject(document)) {
    throw invalid([
      { code: 'SCHEMA_VALIDATION_FAILED', message: 'Definition must be a valid JSON object', pointer: '' },
    ]);
  }
  const compiler = new Compiler(faults, type === 'EXPRESS');
  const scope = compiler.scope(document, '', document['QueryLanguage'] === 'JSONata', MACHINE_FIELDS);
  const timeout = document['TimeoutSeconds'];
  const inTime = typeof timeout === 'number' && Number.isInteger(timeout) && timeout > 0 && timeout <= LONGEST_SECONDS;
  if (timeout !== undefined && !inTime) {
    compiler.fault(
      `'TimeoutSeconds' must be an integer of at least 1 and at most ${LONGEST_SECONDS}`,
      '/TimeoutSeconds',
    );
  }
  if (faults.length > 0) throw invalid(faults);
  return {
    hash: createHash('sha256').update(JSON.stringify(document)).digest('hex'),
    definition: document,
    timeoutSeconds: timeout as number | undefined,
    scope,
  };
}

/** A variable's name, in JSONPath with the `.$` that makes its value a path. */
const VARIABLE = /^[\p{ID_Start}_][\p{ID_Continue}]{0,79}(?:\.\$)?$/u;

type Fault = { code: string; message: string; pointer: string };

function invalid(faults: readonly Fault[], cause?: unknown): SluiceError {
  const text = faults
    .map(({ code, message, pointer }) => `${code}: ${message}${pointer === '' ? '' : ` at ${pointer}`}`)
    .join(', ');
  return new SluiceError('Definition.Invalid', `Invalid State Machine Definition: '${text}'`, {
    hint: 'correct the definition at the places named',
    fields: faults.map(({ message, pointer }): FieldFault => ({
      pointer: pointer === '/' ? '' : pointer,
      detail: message,
    })),
    ...(cause === undefined ? {} : { cause }),
  });
}

const MACHINE_FIELDS = ['Comment', 'QueryLanguage', 'StartAt', 'States', 'TimeoutSeconds', 'Version'];
const PROCESSOR_FIELDS = ['Comment', 'ProcessorConfig', 'QueryLanguage', 'StartAt', 'States'];
const BRANCH_FIELDS = ['Comment', 'QueryLanguage', 'StartAt', 'States'];

const RUNNING = ['Catch', 'Retry'];
const FLOW = ['End', 'Next'];
const PATHS = ['InputPath', 'OutputPath'];
const RESULTS = ['ResultPath', 'ResultSelector'];

/** What only a distributed Map has. */
const DISTRIBUTED = ['ItemReader', 'ItemBatcher', 'ResultWriter'];

/** Fields of each type: in both languages, in JSONPath only, in JSONata only. */
const FIELDS: Record<StateType, [both: string[], path: string[], jsonata: string[]]> = {
  Task: [
    ['Resource', 'TimeoutSeconds', 'HeartbeatSeconds', 'Credentials', 'Assign', ...RUNNING, ...FLOW],
    ['Parameters', 'TimeoutSecondsPath', 'HeartbeatSecondsPath', ...PATHS, ...RESULTS],
    ['Arguments', 'Output'],
  ],
  Pass: [['Assign', ...FLOW], ['Parameters', 'Result', 'ResultPath', ...PATHS], ['Output']],
  Choice: [['Choices', 'Default', 'Assign'], PATHS, ['Output']],
  Wait: [['Seconds', 'Timestamp', 'Assign', ...FLOW], ['SecondsPath', 'TimestampPath', ...PATHS], ['Output']],
  Parallel: [
    ['Branches', 'Assign', ...RUNNING, ...FLOW],
    ['Parameters', ...PATHS, ...RESULTS],
    ['Arguments', 'Output'],
  ],
  Map: [
    [
      'ItemProcessor',
      'Iterator',
      'ItemSelector',
      'MaxConcurrency',
      'ToleratedFailureCount',
      'ToleratedFailurePercentage',
      'Label',
      'Assign',
      ...RUNNING,
      ...FLOW,
      ...DISTRIBUTED,
    ],
    [
      'ItemsPath',
      'Parameters',
      'MaxConcurrencyPath',
      'ToleratedFailureCountPath',
      'ToleratedFailurePercentagePath',
      ...PATHS,
      ...RESULTS,
    ],
    ['Items', 'Output'],
  ],
  Succeed: [[], PATHS, ['Output']],
  Fail: [['Error', 'Cause'], ['ErrorPath', 'CausePath'], []],
};

class Compiler {
  private readonly faults: Fault[];
  private readonly express: boolean;
  /** Names of states, which are unique across branches and item processors too. */
  private readonly names = new Set<string>();

  constructor(faults: Fault[], express: boolean) {
    this.faults = faults;
    this.express = express;
  }

  fault(message: string, pointer: string, code = 'SCHEMA_VALIDATION_FAILED'): void {
    this.faults.push({ code, message, pointer: pointer === '' ? '/' : pointer });
  }

  scope(value: Json | undefined, pointer: string, jsonata: boolean, known: readonly string[]): Scope {
    const states = new Map<string, State>();
    if (!isObject(value)) {
      this.fault('Expected value of type Object', pointer);
      return { startAt: '', states };
    }
    const missing = ['States', 'StartAt'].filter((field) => value[field] === undefined);
    if (missing.length > 0) {
      this.fault(`These fields are required: [${missing.join(', ')}]`, pointer);
      return { startAt: '', states };
    }
    this.unknown(value, known, pointer);
    const { StartAt: startAt, States: listed } = value;
    if (typeof startAt !== 'string') this.fault('Expected value of type String', `${pointer}/StartAt`);
    if (!isObject(listed) || Object.keys(listed).length === 0) {
      this.fault('States must be a non-empty object', `${pointer}/States`);
      return { startAt: '', states };
    }
    for (const [name, fields] of Object.entries(listed)) {
      const state = this.state(name, fields, `${pointer}/States/${escapePointer(name)}`, jsonata);
      if (state) states.set(name, state);
    }
    this.targets(listed, String(startAt), pointer);
    return { startAt: String(startAt), states };
  }

  /** Every name that is pointed at exists, and every state is pointed at. */
  private targets(listed: Fields, startAt: string, pointer: string): void {
    const reached = new Set<string>();
    const visit = (name: Json | undefined, field: string, at: string): void => {
      if (typeof name !== 'string') return;
      if (!Object.hasOwn(listed, name))
        this.fault(`Missing '${field}' target: ${name}`, at, 'MISSING_TRANSITION_TARGET');
      else if (!reached.has(name)) {
        reached.add(name);
        const state = listed[name] as Json;
        const place = `${pointer}/States/${escapePointer(name)}`;
        if (!isObject(state)) return;
        visit(state['Next'], 'Next', `${place}/Next`);
        visit(state['Default'], 'Default', `${place}/Default`);
        for (const field2 of ['Choices', 'Catch']) {
          const rules = state[field2];
          if (!Array.isArray(rules)) continue;
          for (const [index, rule] of rules.entries()) {
            if (isObject(rule)) visit(rule['Next'], 'Next', `${place}/${field2}[${index}]/Next`);
          }
        }
      }
    };
    visit(startAt, 'StartAt', `${pointer}/StartAt`);
    for (const name of Object.keys(listed)) {
      if (reached.has(name)) continue;
      this.fault(
        `State "${name}" is not reachable.`,
        `${pointer}/States/${escapePointer(name)}`,
        'MISSING_TRANSITION_TARGET',
      );
    }
  }

  private unknown(fields: Fields, known: readonly string[], pointer: string): void {
    for (const field of Object.keys(fields)) {
      if (!known.includes(field)) this.fault(`Field '${field}' is not supported`, pointer);
    }
  }

  private state(name: string, fields: Json, pointer: string, machineJsonata: boolean): State | undefined {
    if (!isObject(fields)) {
      this.fault('Expected value of type Object', pointer);
      return undefined;
    }
    if (this.names.has(name)) this.fault(`Duplicate State name: ${name}`, pointer, 'DUPLICATE_STATE_NAME');
    this.names.add(name);
    if (name.length > 80) this.fault('State name length must be less than or equal to 80', pointer);
    const language = fields['QueryLanguage'];
    if (language !== undefined && language !== 'JSONata' && language !== 'JSONPath') {
      this.fault("Value is not one of: ['JSONPath', 'JSONata']", `${pointer}/QueryLanguage`);
    }
    if (machineJsonata && language === 'JSONPath') {
      this.fault("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", pointer);
    }
    const jsonata = machineJsonata || language === 'JSONata';
    const type = fields['Type'];
    if (typeof type !== 'string' || !Object.hasOwn(FIELDS, type)) {
      if (type === undefined) this.fault('These fields are required: [Type]', pointer);
      else this.fault(`Value is not one of: [${Object.keys(FIELDS).join(', ')}]`, `${pointer}/Type`);
      return undefined;
    }
    const [both, path, onlyJsonata] = FIELDS[type as StateType];
    const wrong = jsonata ? path : onlyJsonata;
    for (const field of wrong) {
      if (fields[field] !== undefined) {
        this.fault(
          `Field '${field}' is not supported when 'QueryLanguage' is '${jsonata ? 'JSONata' : 'JSONPath'}'`,
          pointer,
        );
      }
    }
    this.unknown(fields, ['Type', 'Comment', 'QueryLanguage', ...both, ...path, ...onlyJsonata], pointer);
    return this.typed(type as StateType, name, fields, pointer, jsonata);
  }

  private typed(type: StateType, name: string, fields: Fields, pointer: string, jsonata: boolean): State {
    const at = new Site(this, fields, pointer, jsonata);
    const common: Common = {
      name,
      jsonata,
      next: this.flow(type, fields, pointer),
      inputPath: at.pathOrNull('InputPath'),
      outputPath: at.pathOrNull('OutputPath'),
      assign: at.template('Assign', 'Assign'),
      output: jsonata ? at.template('Output', 'Output') : undefined,
    };
    const assign = fields['Assign'];
    for (const variable of Object.keys(isObject(assign) ? assign : {})) {
      if (!VARIABLE.test(variable) || variable === 'states')
        this.fault(`Invalid variable name: ${variable}`, `${pointer}/Assign`);
    }
    if (assign !== undefined && !isObject(assign)) this.fault('Expected value of type Object', `${pointer}/Assign`);
    switch (type) {
      case 'Task':
        at.require('Resource');
        at.text('Resource');
        this.checkResource(String(fields['Resource']), pointer);
        return {
          ...common,
          ...this.running(at),
          type,
          resource: parseResource(String(fields['Resource'])),
          credentials: at.template('Credentials', 'Credentials'),
          timeout: at.number('TimeoutSeconds', { least: 1, most: LONGEST_SECONDS }),
          heartbeat: at.number('HeartbeatSeconds', { least: 1, most: LONGEST_SECONDS }),
        };
      case 'Pass':
        return {
          ...common,
          type,
          payload: at.payload('Parameters'),
          result: fields['Result'] === undefined ? undefined : { value: fields['Result'] },
          resultPath: at.resultPath(),
        };
      case 'Choice':
        return { ...common, type, rules: this.rules(at), otherwise: (fields['Default'] as string | undefined) ?? null };
      case 'Wait':
        return { ...common, type, ...this.wait(at) };
      case 'Parallel': {
        at.require('Branches');
        const branches = fields['Branches'];
        if (branches !== undefined && !Array.isArray(branches))
          this.fault('Expected value of type Array', `${pointer}/Branches`);
        return {
          ...common,
          ...this.running(at),
          type,
          branches: (Array.isArray(branches) ? branches : []).map((branch, index) =>
            this.scope(branch, `${pointer}/Branches[${index}]`, jsonata || languageOf(branch), BRANCH_FIELDS),
          ),
        };
      }
      case 'Map':
        return this.map(at, common);
      case 'Succeed':
        return { ...common, type };
      case 'Fail':
        return { ...common, type, error: at.textOrPath('Error'), cause: at.textOrPath('Cause') };
    }
  }

  private checkResource(arn: string, pointer: string): void {
    const { pattern, kind } = parseResource(arn);
    if (!this.express || pattern === 'request') return;
    const what =
      kind === 'activity'
        ? 'activities'
        : `'${pattern === 'token' ? '.waitForTaskToken' : '.sync'}' service integration`;
    this.fault(`Express state machine does not support ${what}`, `${pointer}/Resource`);
  }

  private flow(type: StateType, fields: Fields, pointer: string): string | null {
    if (type === 'Choice' || type === 'Succeed' || type === 'Fail') return null;
    const { Next: next, End: end } = fields;
    if ((next === undefined) === (end !== true)) {
      this.fault("A state must have exactly one of 'Next' and 'End'", pointer);
    }
    if (next !== undefined && typeof next !== 'string') this.fault('Expected value of type String', `${pointer}/Next`);
    return typeof next === 'string' ? next : null;
  }

  private running(at: Site): Running {
    return {
      payload: at.jsonata ? at.template('Arguments', 'Arguments') : at.payload('Parameters'),
      resultSelector: at.payload('ResultSelector'),
      resultPath: at.resultPath(),
      retry: at.list('Retry').map((retrier, index) => this.retrier(retrier, `${at.pointer}/Retry[${index}]`)),
      catch: at.list('Catch').map((catcher, index) => this.catcher(catcher, at, index)),
    };
  }

  private errors(fields: Fields, pointer: string, last: boolean): string[] {
    const names = fields['ErrorEquals'];
    if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== 'string')) {
      this.fault("'ErrorEquals' must be a non-empty array of strings", pointer);
      return [];
    }
    if (names.includes('States.ALL') && (names.length > 1 || !last)) {
      this.fault("'States.ALL' must appear alone, and in the last entry", `${pointer}/ErrorEquals`);
    }
    return names as string[];
  }

  private retrier(value: Json, pointer: string): Retrier {
    const fields = isObject(value) ? value : {};
    this.unknown(
      fields,
      ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment'],
      pointer,
    );
    const number = (field: string, fallback: number, least: number): number => {
      const given = fields[field] ?? fallback;
      if (typeof given !== 'number' || given < least)
        this.fault(`'${field}' must be a number of at least ${least}`, `${pointer}/${field}`);
      return Number(given);
    };
    const jitter = fields['JitterStrategy'] ?? 'NONE';
    if (jitter !== 'NONE' && jitter !== 'FULL')
      this.fault("Value is not one of: ['FULL', 'NONE']", `${pointer}/JitterStrategy`);
    return {
      errors: this.errors(fields, pointer, true),
      intervalSeconds: number('IntervalSeconds', 1, 0),
      maxAttempts: number('MaxAttempts', 3, 0),
      backoffRate: number('BackoffRate', 2, 1),
      maxDelaySeconds: fields['MaxDelaySeconds'] === undefined ? Infinity : number('MaxDelaySeconds', 1, 1),
      fullJitter: jitter === 'FULL',
    };
  }

  private catcher(value: Json, state: Site, index: number): Catcher {
    const pointer = `${state.pointer}/Catch[${index}]`;
    const fields = isObject(value) ? value : {};
    this.unknown(
      fields,
      ['ErrorEquals', 'Next', 'Assign', 'Comment', ...(state.jsonata ? ['Output'] : ['ResultPath'])],
      pointer,
    );
    if (typeof fields['Next'] !== 'string') this.fault('These fields are required: [Next]', pointer);
    const at = new Site(this, fields, pointer, state.jsonata);
    return {
      errors: this.errors(fields, pointer, index === state.list('Catch').length - 1),
      next: String(fields['Next']),
      resultPath: at.resultPath(),
      assign: at.template('Assign', `Catch[${index}]/Assign`),
      output: state.jsonata ? at.template('Output', `Catch[${index}]/Output`) : undefined,
    };
  }

  private rules(at: Site): Rule[] {
    at.require('Choices');
    const rules = at.list('Choices');
    if (at.fields['Choices'] !== undefined && rules.length === 0)
      this.fault("'Choices' must be a non-empty array", at.pointer);
    return rules.flatMap((rule, index) => this.rule(rule, at, index) ?? []);
  }

  private rule(value: Json, state: Site, index: number): Rule | undefined {
    const pointer = `${state.pointer}/Choices[${index}]`;
    const fields = isObject(value) ? value : {};
    if (typeof fields['Next'] !== 'string') this.fault('These fields are required: [Next]', pointer);
    const at = new Site(this, fields, pointer, state.jsonata);
    const shared = {
      next: String(fields['Next']),
      assign: at.template('Assign', `Choices[${index}]/Assign`),
      output: state.jsonata ? at.template('Output', `Choices[${index}]/Output`) : undefined,
    };
    if (state.jsonata) {
      this.unknown(fields, ['Condition', 'Next', 'Assign', 'Output', 'Comment'], pointer);
      const field = `Choices[${index}]/Condition`;
      const condition = fields['Condition'];
      if (typeof condition === 'boolean') {
        return {
          ...shared,
          condition: { of: 'expression', field, test: { source: String(condition), evaluate: () => condition } },
        };
      }
      if (!isExpression(condition)) {
        this.fault("'Condition' must be a JSONata expression: '{% … %}'", `${pointer}/Condition`);
        return undefined;
      }
      const test = this.attempt(`${pointer}/Condition`, () => compileExpression(condition, field));
      return test && { ...shared, condition: { of: 'expression', field, test } };
    }
    const test = this.attempt(pointer, () => compileRule(fields));
    return test && { ...shared, condition: { of: 'path', test } };
  }

  private wait(at: Site): Pick<WaitState, 'seconds' | 'timestamp'> {
    const given = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'].filter(
      (field) => at.fields[field] !== undefined,
    );
    if (given.length !== 1) this.fault('A Wait state must have exactly one of its time fields', at.pointer);
    const timestamp = at.fields['Timestamp'];
    const computed = at.jsonata && isExpression(timestamp);
    if (
      timestamp !== undefined &&
      !computed &&
      (typeof timestamp !== 'string' || parseTimestamp(timestamp) === undefined)
    ) {
      this.fault('String does not match RFC3339 timestamp', `${at.pointer}/Timestamp`);
    }
    const text = at.textOrPath('Timestamp');
    const of = computed ? 'expression' : timestamp === undefined ? 'path' : 'literal';
    return { seconds: at.number('Seconds', { least: 0, most: LONGEST_SECONDS }), timestamp: text && { ...text, of } };
  }

  private map(at: Site, common: Common): MapState {
    const { fields, pointer, jsonata } = at;
    const field = fields['ItemProcessor'] === undefined ? 'Iterator' : 'ItemProcessor';
    const processor = fields[field];
    if (processor === undefined) this.fault('These fields are required: [ItemProcessor]', pointer);
    for (const distributed of DISTRIBUTED) {
      if (fields[distributed] === undefined) continue;
      this.fault(`Field '${distributed}' is not supported: a Map runs its iterations inline here`, pointer);
    }
    const items = fields['Items'];
    if (items !== undefined && !Array.isArray(items) && !isExpression(items) && !isObject(items)) {
      this.fault("'Items' must be an array, an object or a JSONata expression", `${pointer}/Items`);
    }
    const itemsPath = fields['ItemsPath'];
    const path =
      typeof itemsPath === 'string' ? this.attempt(`${pointer}/ItemsPath`, () => compilePath(itemsPath)) : undefined;
    const read = items === undefined ? undefined : at.template('Items', 'Items');
    return {
      ...common,
      ...this.running(at),
      type: 'Map',
      processor:
        processor === undefined
          ? { startAt: '', states: new Map() }
          : this.scope(processor, `${pointer}/${field}`, jsonata || languageOf(processor), PROCESSOR_FIELDS),
      items: path
        ? { of: 'path', path }
        : read && { of: 'template', read, source: isExpression(items) ? items.slice(2, -2).trim() : '' },
      // Before ItemSelector there was Parameters, with the same meaning.
      itemSelector: jsonata
        ? at.template('ItemSelector', 'ItemSelector')
        : at.payload(fields['ItemSelector'] === undefined ? 'Parameters' : 'ItemSelector'),
      maxConcurrency: at.number('MaxConcurrency', { least: 0 }),
      toleratedCount: at.number('ToleratedFailureCount', { least: 0 }),
      toleratedPercentage: at.number('ToleratedFailurePercentage', { least: 0, most: 100, broken: true }),
    };
  }

  /** Runs a compilation that may find bad syntax, which becomes a fault at that place. */
  attempt<T>(pointer: string, run: () => T): T | undefined {
    try {
      return run();
    } catch (error) {
      if (error instanceof PayloadSyntaxError) this.fault(error.message, pointer);
      else if (error instanceof RuleError) this.fault(error.message, `${pointer}${error.pointer}`);
      else if (error instanceof PathSyntaxError || error instanceof IntrinsicSyntaxError)
        this.fault(error.message, pointer);
      else if (typeof (error as { code?: unknown }).code === 'string') {
        const { code, message } = error as { code: string; message: string };
        this.fault(`The JSONata expression is not valid: ${code}: ${message}`, pointer);
      } else throw error;
      return undefined;
    }
  }
}

const languageOf = (scope: Json | undefined): boolean => isObject(scope) && scope['QueryLanguage'] === 'JSONata';

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** One object of the definition while its fields are compiled. */
class Site {
  private readonly compiler: Compiler;
  readonly fields: Fields;
  readonly pointer: string;
  readonly jsonata: boolean;

  constructor(compiler: Compiler, fields: Fields, pointer: string, jsonata: boolean) {
    this.compiler = compiler;
    this.fields = fields;
    this.pointer = pointer;
    this.jsonata = jsonata;
  }

  require(field: string): void {
    if (this.fields[field] === undefined) this.compiler.fault(`These fields are required: [${field}]`, this.pointer);
  }

  text(field: string): void {
    const value = this.fields[field];
    if (value !== undefined && typeof value !== 'string')
      this.compiler.fault('Expected value of type String', `${this.pointer}/${field}`);
  }

  list(field: string): Json[] {
    const value = this.fields[field];
    if (value !== undefined && !Array.isArray(value))
      this.compiler.fault('Expected value of type Array', `${this.pointer}/${field}`);
    return Array.isArray(value) ? value : [];
  }

  /** In JSONata an expression anywhere; in JSONPath keys that end in `.$`. */
  template(field: string, named: string): Template | undefined {
    const value = this.fields[field];
    if (value === undefined) return undefined;
    if (!this.jsonata) return this.payload(field);
    return this.compiler.attempt(`${this.pointer}/${field}`, () => compileTemplate(value, named));
  }

  payload(field: string): Template | undefined {
    const value = this.fields[field];
    if (value === undefined || this.jsonata) return undefined;
    return this.compiler.attempt(`${this.pointer}/${field}`, () => compilePayload(value));
  }

  /** InputPath, OutputPath: null stands for an empty object. */
  pathOrNull(field: string): ((env: Env) => Json) | undefined {
    const value = this.fields[field];
    if (value === undefined || value === '$' || this.jsonata) return undefined;
    if (value === null) return () => ({});
    return this.compiler.attempt(`${this.pointer}/${field}`, () => compilePathField(this.string(field)));
  }

  resultPath(): ResultPath {
    const value = this.fields['ResultPath'];
    if (value === undefined || value === '$' || this.jsonata) return 'replace';
    if (value === null) return 'discard';
    const pointer = `${this.pointer}/ResultPath`;
    const path = this.compiler.attempt(pointer, () => compilePath(this.string('ResultPath')));
    if (path && (path.root.of !== 'input' || !path.definite)) {
      this.compiler.fault('Value is not a Reference Path', pointer);
    }
    return path ?? 'replace';
  }

  /** `Field` or, in JSONPath, `FieldPath`. */
  number(
    field: string,
    { least, most = Infinity, broken = false }: { least: number; most?: number; broken?: boolean },
  ): NumberField | undefined {
    const pathField = `${field}Path`;
    const value = this.fields[field];
    const path = this.jsonata ? undefined : this.fields[pathField];
    if (value !== undefined && path !== undefined) {
      this.compiler.fault(`Only one of '${field}' and '${pathField}' is allowed`, this.pointer);
    }
    if (path !== undefined) {
      const source = this.string(pathField);
      const read = this.compiler.attempt(`${this.pointer}/${pathField}`, () => compilePathField(source));
      return read && { field: pathField, source, of: 'path', read };
    }
    if (value === undefined) return undefined;
    if (this.jsonata && isExpression(value)) {
      const expression = this.compiler.attempt(`${this.pointer}/${field}`, () => compileExpression(value, field));
      return expression && { field, source: expression.source, of: 'expression', read: expression.evaluate };
    }
    if (typeof value !== 'number' || !(broken || Number.isInteger(value)) || value < least || value > most) {
      const kind = broken ? 'a number' : 'an integer';
      this.compiler.fault(
        `'${field}' must be ${kind} of at least ${least}${most === Infinity ? '' : ` and at most ${most}`}`,
        `${this.pointer}/${field}`,
      );
    }
    return { field, source: String(value), of: 'literal', read: () => value };
  }

  /** `Field` or, in JSONPath, `FieldPath`, which may be an intrinsic function. */
  textOrPath(field: string): TextField | undefined {
    const pathField = `${field}Path`;
    const value = this.fields[field];
    const path = this.jsonata ? undefined : this.fields[pathField];
    if (path !== undefined) {
      const source = this.string(pathField);
      const read = this.compiler.attempt(`${this.pointer}/${pathField}`, () =>
        looksLikeIntrinsic(source) ? compileIntrinsic(source) : compileReference(source, pathField),
      );
      return read && { field: pathField, source, read };
    }
    if (value === undefined) return undefined;
    const source = this.string(field);
    const read = this.jsonata ? this.template(field, field) : (): Json => source;
    return read && { field, source: isExpression(source) ? source.slice(2, -2).trim() : source, read };
  }

  private string(field: string): string {
    this.text(field);
    return String(this.fields[field]);
  }
}
