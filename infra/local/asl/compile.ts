import { createHash } from 'node:crypto';
import { compileRule } from './choice.ts';
import { isObject } from './env.ts';
import { Faults, invalid } from './faults.ts';
import { LONGEST_SECONDS } from './fields.ts';
import { compileExpression, isExpression } from './jsonata.ts';
import { compilePath } from './jsonpath.ts';
import { parseResource } from './resource.ts';
import { Site } from './site.ts';
import type {
  Catcher,
  Common,
  Machine,
  MapState,
  Retrier,
  Rule,
  Running,
  Scope,
  State,
  StateType,
  WaitState,
} from './states.ts';
import { parseTimestamp } from './timestamp.ts';
import type { Json } from './types.ts';

type Fields = { [key: string]: Json };

/**
 * Checks a definition and compiles every expression and path in it, once.
 *
 * @param definition the Amazon States Language document, as an object or as its text
 * @param type EXPRESS refuses what Express workflows cannot do: waiting for a task token, `.sync`, activities
 * @throws SluiceError `Definition.Invalid` in the service's words, every fault with its place; `fields` lists them
 */
export function compile(definition: unknown, { type = 'STANDARD' }: { type?: 'STANDARD' | 'EXPRESS' } = {}): Machine {
  const faults = new Faults();
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
    faults.add(`'TimeoutSeconds' must be an integer of at least 1 and at most ${LONGEST_SECONDS}`, '/TimeoutSeconds');
  }
  faults.check();
  return {
    hash: createHash('sha256').update(JSON.stringify(document)).digest('hex'),
    definition: document,
    timeoutSeconds: timeout as number | undefined,
    scope,
  };
}

/** A variable's name, in JSONPath with the `.$` that makes its value a path. */
const VARIABLE = /^[\p{ID_Start}_][\p{ID_Continue}]{0,79}(?:\.\$)?$/u;

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
  private readonly faults: Faults;
  private readonly express: boolean;
  /** Names of states, which are unique across branches and item processors too. */
  private readonly names = new Set<string>();

  constructor(faults: Faults, express: boolean) {
    this.faults = faults;
    this.express = express;
  }

  scope(value: Json | undefined, pointer: string, jsonata: boolean, known: readonly string[]): Scope {
    const states = new Map<string, State>();
    if (!isObject(value)) {
      this.faults.add('Expected value of type Object', pointer);
      return { startAt: '', states };
    }
    const missing = ['States', 'StartAt'].filter((field) => value[field] === undefined);
    if (missing.length > 0) {
      this.faults.add(`These fields are required: [${missing.join(', ')}]`, pointer);
      return { startAt: '', states };
    }
    this.faults.unknown(value, known, pointer);
    const { StartAt: startAt, States: listed } = value;
    if (typeof startAt !== 'string') this.faults.add('Expected value of type String', `${pointer}/StartAt`);
    if (!isObject(listed) || Object.keys(listed).length === 0) {
      this.faults.add('States must be a non-empty object', `${pointer}/States`);
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
        this.faults.add(`Missing '${field}' target: ${name}`, at, 'MISSING_TRANSITION_TARGET');
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
      this.faults.add(
        `State "${name}" is not reachable.`,
        `${pointer}/States/${escapePointer(name)}`,
        'MISSING_TRANSITION_TARGET',
      );
    }
  }

  private state(name: string, fields: Json, pointer: string, machineJsonata: boolean): State | undefined {
    if (!isObject(fields)) {
      this.faults.add('Expected value of type Object', pointer);
      return undefined;
    }
    if (this.names.has(name)) this.faults.add(`Duplicate State name: ${name}`, pointer, 'DUPLICATE_STATE_NAME');
    this.names.add(name);
    if (name.length > 80) this.faults.add('State name length must be less than or equal to 80', pointer);
    const language = fields['QueryLanguage'];
    if (language !== undefined && language !== 'JSONata' && language !== 'JSONPath') {
      this.faults.add("Value is not one of: ['JSONPath', 'JSONata']", `${pointer}/QueryLanguage`);
    }
    if (machineJsonata && language === 'JSONPath') {
      this.faults.add("'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine", pointer);
    }
    const jsonata = machineJsonata || language === 'JSONata';
    const type = fields['Type'];
    if (typeof type !== 'string' || !Object.hasOwn(FIELDS, type)) {
      if (type === undefined) this.faults.add('These fields are required: [Type]', pointer);
      else this.faults.add(`Value is not one of: [${Object.keys(FIELDS).join(', ')}]`, `${pointer}/Type`);
      return undefined;
    }
    const [both, path, onlyJsonata] = FIELDS[type as StateType];
    const wrong = jsonata ? path : onlyJsonata;
    for (const field of wrong) {
      if (fields[field] !== undefined) {
        this.faults.add(
          `Field '${field}' is not supported when 'QueryLanguage' is '${jsonata ? 'JSONata' : 'JSONPath'}'`,
          pointer,
        );
      }
    }
    this.faults.unknown(fields, ['Type', 'Comment', 'QueryLanguage', ...both, ...path, ...onlyJsonata], pointer);
    return this.typed(type as StateType, name, fields, pointer, jsonata);
  }

  private typed(type: StateType, name: string, fields: Fields, pointer: string, jsonata: boolean): State {
    const at = new Site(this.faults, fields, pointer, jsonata);
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
        this.faults.add(`Invalid variable name: ${variable}`, `${pointer}/Assign`);
    }
    if (assign !== undefined && !isObject(assign))
      this.faults.add('Expected value of type Object', `${pointer}/Assign`);
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
          this.faults.add('Expected value of type Array', `${pointer}/Branches`);
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
    this.faults.add(`Express state machine does not support ${what}`, `${pointer}/Resource`);
  }

  private flow(type: StateType, fields: Fields, pointer: string): string | null {
    if (type === 'Choice' || type === 'Succeed' || type === 'Fail') return null;
    const { Next: next, End: end } = fields;
    if ((next === undefined) === (end !== true)) {
      this.faults.add("A state must have exactly one of 'Next' and 'End'", pointer);
    }
    if (next !== undefined && typeof next !== 'string')
      this.faults.add('Expected value of type String', `${pointer}/Next`);
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
      this.faults.add("'ErrorEquals' must be a non-empty array of strings", pointer);
      return [];
    }
    if (names.includes('States.ALL') && (names.length > 1 || !last)) {
      this.faults.add("'States.ALL' must appear alone, and in the last entry", `${pointer}/ErrorEquals`);
    }
    return names as string[];
  }

  private retrier(value: Json, pointer: string): Retrier {
    const fields = isObject(value) ? value : {};
    this.faults.unknown(
      fields,
      ['ErrorEquals', 'IntervalSeconds', 'MaxAttempts', 'BackoffRate', 'MaxDelaySeconds', 'JitterStrategy', 'Comment'],
      pointer,
    );
    const number = (field: string, fallback: number, least: number): number => {
      const given = fields[field] ?? fallback;
      if (typeof given !== 'number' || given < least)
        this.faults.add(`'${field}' must be a number of at least ${least}`, `${pointer}/${field}`);
      return Number(given);
    };
    const jitter = fields['JitterStrategy'] ?? 'NONE';
    if (jitter !== 'NONE' && jitter !== 'FULL')
      this.faults.add("Value is not one of: ['FULL', 'NONE']", `${pointer}/JitterStrategy`);
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
    this.faults.unknown(
      fields,
      ['ErrorEquals', 'Next', 'Assign', 'Comment', ...(state.jsonata ? ['Output'] : ['ResultPath'])],
      pointer,
    );
    if (typeof fields['Next'] !== 'string') this.faults.add('These fields are required: [Next]', pointer);
    const at = new Site(this.faults, fields, pointer, state.jsonata);
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
      this.faults.add("'Choices' must be a non-empty array", at.pointer);
    return rules.flatMap((rule, index) => this.rule(rule, at, index) ?? []);
  }

  private rule(value: Json, state: Site, index: number): Rule | undefined {
    const pointer = `${state.pointer}/Choices[${index}]`;
    const fields = isObject(value) ? value : {};
    if (typeof fields['Next'] !== 'string') this.faults.add('These fields are required: [Next]', pointer);
    const at = new Site(this.faults, fields, pointer, state.jsonata);
    const shared = {
      next: String(fields['Next']),
      assign: at.template('Assign', `Choices[${index}]/Assign`),
      output: state.jsonata ? at.template('Output', `Choices[${index}]/Output`) : undefined,
    };
    if (state.jsonata) {
      this.faults.unknown(fields, ['Condition', 'Next', 'Assign', 'Output', 'Comment'], pointer);
      const field = `Choices[${index}]/Condition`;
      const condition = fields['Condition'];
      if (typeof condition === 'boolean') {
        return {
          ...shared,
          condition: { of: 'expression', field, test: { source: String(condition), evaluate: () => condition } },
        };
      }
      if (!isExpression(condition)) {
        this.faults.add("'Condition' must be a JSONata expression: '{% … %}'", `${pointer}/Condition`);
        return undefined;
      }
      const test = this.faults.attempt(`${pointer}/Condition`, () => compileExpression(condition, field));
      return test && { ...shared, condition: { of: 'expression', field, test } };
    }
    const test = this.faults.attempt(pointer, () => compileRule(fields));
    return test && { ...shared, condition: { of: 'path', test } };
  }

  private wait(at: Site): Pick<WaitState, 'seconds' | 'timestamp'> {
    const given = ['Seconds', 'SecondsPath', 'Timestamp', 'TimestampPath'].filter(
      (field) => at.fields[field] !== undefined,
    );
    if (given.length !== 1) this.faults.add('A Wait state must have exactly one of its time fields', at.pointer);
    const timestamp = at.fields['Timestamp'];
    const computed = at.jsonata && isExpression(timestamp);
    if (
      timestamp !== undefined &&
      !computed &&
      (typeof timestamp !== 'string' || parseTimestamp(timestamp) === undefined)
    ) {
      this.faults.add('String does not match RFC3339 timestamp', `${at.pointer}/Timestamp`);
    }
    const text = at.textOrPath('Timestamp');
    const of = computed ? 'expression' : timestamp === undefined ? 'path' : 'literal';
    return { seconds: at.number('Seconds', { least: 0, most: LONGEST_SECONDS }), timestamp: text && { ...text, of } };
  }

  private map(at: Site, common: Common): MapState {
    const { fields, pointer, jsonata } = at;
    const field = fields['ItemProcessor'] === undefined ? 'Iterator' : 'ItemProcessor';
    const processor = fields[field];
    if (processor === undefined) this.faults.add('These fields are required: [ItemProcessor]', pointer);
    for (const distributed of DISTRIBUTED) {
      if (fields[distributed] === undefined) continue;
      this.faults.add(`Field '${distributed}' is not supported: a Map runs its iterations inline here`, pointer);
    }
    const items = fields['Items'];
    if (items !== undefined && !Array.isArray(items) && !isExpression(items) && !isObject(items)) {
      this.faults.add("'Items' must be an array, an object or a JSONata expression", `${pointer}/Items`);
    }
    const itemsPath = fields['ItemsPath'];
    const path =
      typeof itemsPath === 'string'
        ? this.faults.attempt(`${pointer}/ItemsPath`, () => compilePath(itemsPath))
        : undefined;
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
}

const languageOf = (scope: Json | undefined): boolean => isObject(scope) && scope['QueryLanguage'] === 'JSONata';

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');
