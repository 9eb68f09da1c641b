import { describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import { begin, resume } from './machine.ts';
import type { Effect, Json, Progress, Snapshot } from './types.ts';
import { type Between, type Mocks, type Outcome, runVirtually } from './virtual.ts';

const JSONATA = 'JSONata';
const task = (fields: object = {}): object => ({ Type: 'Task', Resource: 'arn:aws:states:::lambda:invoke', ...fields });
const one = (state: object, machine: object = {}): Json => ({ StartAt: 'S', States: { S: state }, ...machine }) as Json;
const jsonata = (state: object, machine: object = {}): Json => one(state, { QueryLanguage: JSONATA, ...machine });
const throws = (name: string, state = 'S'): Mocks => ({ [state]: { 0: { Throw: { Error: name, Cause: 'why' } } } });
const prefix = (state: string, event = 2): string =>
  `An error occurred while executing the state '${state}' (entered at the event id #${event}). `;

type Row = [sentence: string, definition: Json, input: Json, wanted: Partial<Outcome>, mocks?: Mocks];

const done = (output: Json): Partial<Outcome> => ({ status: 'SUCCEEDED', output });
const failed = (error: string | null, cause: string | null): Partial<Outcome> => ({ status: 'FAILED', error, cause });

// Names are unique across a machine: branches are B0, B1, …, iterations I.
const inner = (name: string, state: object): Json => ({ StartAt: name, States: { [name]: state } }) as Json;
const branches = (...states: object[]): Json[] => states.map((state, index) => inner(`B${index}`, state));
const each = (state: object): object => ({ ItemProcessor: inner('I', state) });
const end = { End: true };

const JSONPATH_ROWS: Row[] = [
  [
    'does not wait for longer than the service does',
    one({ Type: 'Wait', SecondsPath: '$.s', ...end }),
    { s: 1e300 },
    failed('States.Runtime', `${prefix('S')}The SecondsPath parameter references a value over 99999999: $.s == 1e+300`),
  ],
  [
    'stops a pattern that backtracks without end',
    one({ Type: 'Pass', InputPath: '$[?(@.a =~ /(a+)+/)]', ...end }),
    [{ a: `${'a'.repeat(40)}b` }],
    failed(
      'States.Runtime',
      `${prefix('S')}Invalid path '$[?(@.a =~ /(a+)+/)]' : the pattern /^(?:(a+)+)$/ was stopped: a search took over 1000 ms`,
    ),
  ],
  ['hands the input on', one({ Type: 'Pass', ...end }), { a: 1 }, done({ a: 1 })],
  ['narrows the input', one({ Type: 'Pass', InputPath: '$.a', ...end }), { a: [1] }, done([1])],
  ['takes null for an empty object', one({ Type: 'Pass', OutputPath: null, ...end }), { a: 1 }, done({})],
  [
    'places a result deep in the raw input',
    one({ Type: 'Pass', InputPath: '$.a', Result: 2, ResultPath: '$.b.c', ...end }),
    { a: 1 },
    done({ a: 1, b: { c: 2 } }),
  ],
  [
    'fails where a result cannot be placed',
    one({ Type: 'Pass', Result: 2, ResultPath: '$.a.b', ...end }),
    { a: 1 },
    failed('States.ResultPathMatchFailure', `${prefix('S')}Unable to apply ReferencePath $.a.b to input {"a":1}`),
  ],
  [
    'fills payloads from input, context and variables',
    {
      StartAt: 'A',
      States: {
        A: { Type: 'Pass', Assign: { v: { w: [5, 6] } }, Next: 'S' },
        S: {
          Type: 'Pass',
          Parameters: {
            'a.$': '$.x',
            'b.$': '$$.State.Name',
            'c.$': '$v.w[1]',
            'd.$': "States.Format('{}-{}', $.x, $v.w)",
            e: '$.x',
          },
          End: true,
        },
      },
    },
    { x: 1 },
    done({ a: 1, b: 'S', c: 6, d: '1-[5, 6]', e: '$.x' }),
  ],
  [
    'names the path and the input where a path meets nothing',
    one({ Type: 'Pass', Parameters: { 'a.$': '$.x' }, ...end }),
    { y: 1 },
    failed(
      'States.Runtime',
      `${prefix('S')}The JSONPath '$.x' specified for the field 'a.$' could not be found in the input '{"y":1}'`,
    ),
  ],
  [
    'takes an element past the end for null in a payload',
    one({ Type: 'Pass', Parameters: { 'a.$': '$.x[7]' }, ...end }),
    { x: [1] },
    done({ a: null }),
  ],
  [
    'names the step that is missing on the way',
    one({ Type: 'Pass', InputPath: '$.x.y', ...end }),
    {},
    failed('States.Runtime', `${prefix('S')}Invalid path '$.x.y' : Missing property in path $['x']`),
  ],
  [
    'assigns and outputs with the variables as they were',
    {
      StartAt: 'A',
      States: {
        A: { Type: 'Pass', Assign: { x: 1, y: 2 }, Next: 'B' },
        B: { Type: 'Pass', Assign: { 'x.$': '$y', 'y.$': '$x' }, Next: 'C' },
        C: { Type: 'Pass', Parameters: { 'x.$': '$x', 'y.$': '$y' }, End: true },
      },
    },
    {},
    done({ x: 2, y: 1 }),
  ],
  [
    'selects from a result',
    one(task({ ResultSelector: { 'p.$': '$.Payload' }, ResultPath: '$.r', ...end })),
    { a: 1 },
    done({ a: 1, r: { p: 3 } }),
    { S: { 0: { Return: { Payload: 3, StatusCode: 200 } } } },
  ],
  [
    'maps with an item selector',
    one({
      Type: 'Map',
      ItemsPath: '$.l',
      ItemSelector: { 'i.$': '$$.Map.Item.Index', 'v.$': '$$.Map.Item.Value', 'k.$': '$.k' },
      ...each({ Type: 'Pass', End: true }),
      ...end,
    }),
    { l: ['a', 'b'], k: 9 },
    done([
      { i: 0, v: 'a', k: 9 },
      { i: 1, v: 'b', k: 9 },
    ]),
  ],
  ['maps nothing to nothing', one({ Type: 'Map', ...each({ Type: 'Fail' }), ...end }), [], done([])],
  [
    'refuses to map what is no array',
    one({ Type: 'Map', ItemsPath: '$.l', ...each({ Type: 'Pass', End: true }), ...end }),
    { l: 1 },
    failed('States.Runtime', `${prefix('S')}Reference path "$.l" must point to array.`),
  ],
  [
    'joins branches in their order',
    one({
      Type: 'Parallel',
      Branches: branches({ Type: 'Wait', Seconds: 9, End: true }, { Type: 'Pass', Result: 2, End: true }),
      ...end,
    }),
    1,
    done([1, 2]),
  ],
  [
    'fails with the first branch that fails',
    one({
      Type: 'Parallel',
      Branches: branches({ Type: 'Wait', Seconds: 9, End: true }, { Type: 'Fail', Error: 'E', Cause: 'C' }),
      ...end,
    }),
    1,
    failed('E', 'C'),
  ],
  [
    'catches by name, into the raw input',
    {
      StartAt: 'S',
      States: {
        S: task({ Catch: [{ ErrorEquals: ['E'], ResultPath: '$.e', Next: 'D' }], End: true }) as Json,
        D: { Type: 'Succeed' },
      },
    },
    { a: 1 },
    done({ a: 1, e: { Error: 'E', Cause: 'why' } }),
    throws('E'),
  ],
  [
    'never catches a runtime error',
    {
      StartAt: 'S',
      States: {
        S: task({
          Parameters: { 'a.$': '$.x' },
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'D' }],
          End: true,
        }) as Json,
        D: { Type: 'Succeed' },
      },
    },
    {},
    failed(
      'States.Runtime',
      `${prefix('S')}The JSONPath '$.x' specified for the field 'a.$' could not be found in the input '{}'`,
    ),
  ],
  [
    'fails without a rule that holds',
    {
      StartAt: 'S',
      States: {
        S: { Type: 'Choice', Choices: [{ Variable: '$.a', NumericEquals: 2, Next: 'D' }] },
        D: { Type: 'Succeed' },
      },
    },
    { a: 1 },
    failed(
      'States.Runtime',
      `${prefix('S')}Failed to transition out of the state. The state does not point to a next state.`,
    ),
  ],
  ['fails as it is told', one({ Type: 'Fail', ErrorPath: '$.e', Cause: 'c' }), { e: 'E' }, failed('E', 'c')],
  ['fails without a word', one({ Type: 'Fail' }), {}, failed(null, null)],
  [
    'waits for a time in a year at once',
    one({ Type: 'Wait', TimestampPath: '$.t', ...end }),
    { t: '2999-01-01T00:00:00.123456789+01:00' },
    done({ t: '2999-01-01T00:00:00.123456789+01:00' }),
  ],
  ['fails a task without an answer', one(task(end)), {}, { status: 'FAILED', error: 'States.Runtime' }],
  [
    'ends an endless loop at the bound of the history',
    { StartAt: 'A', States: { A: { Type: 'Pass', Next: 'B' }, B: { Type: 'Pass', Next: 'A' } } },
    {},
    failed('States.Runtime', 'The execution reached the maximum number of history events (25000).'),
  ],
];

const undefinedField = (expression: string, field: string, event = 2): string =>
  `${prefix('S', event)}The JSONata expression '${expression}' specified for the field '${field}' returned nothing (undefined).`;

const JSONATA_ROWS: Row[] = [
  ['computes an output', jsonata({ Type: 'Pass', Output: '{% $states.input.a + 1 %}', ...end }), { a: 1 }, done(2)],
  ['leaves half expressions alone', jsonata({ Type: 'Pass', Output: 'x {% 1 %}', ...end }), {}, done('x {% 1 %}')],
  [
    'fills a template in depth',
    jsonata({ Type: 'Pass', Output: { a: ['{% $states.input.x %}', { b: '{% $sum([1,2]) %}' }] }, ...end }),
    { x: 1 },
    done({ a: [1, { b: 3 }] }),
  ],
  [
    'names the field of an expression that returns nothing',
    jsonata({ Type: 'Pass', Output: { a: [1, '{% $states.input.x %}'] }, ...end }),
    {},
    failed('States.QueryEvaluationError', undefinedField('$states.input.x', 'Output/a[1]')),
  ],
  [
    'words an error by its code',
    jsonata({ Type: 'Pass', Output: "{% 1 < 'a' %}", ...end }),
    {},
    failed(
      'States.QueryEvaluationError',
      `${prefix('S')}The JSONata expression '1 < 'a'' specified for the field 'Output' threw an error during evaluation. ` +
        'T2009: The values 1 and "a" either side of operator "<" must be of the same data type',
    ),
  ],
  [
    'bars $eval',
    jsonata({ Type: 'Pass', Output: "{% $eval('1') %}", ...end }),
    {},
    failed(
      'States.QueryEvaluationError',
      `${prefix('S')}The JSONata expression '$eval('1')' specified for the field 'Output' threw an error during evaluation. T1006: Attempted to invoke a non-function`,
    ),
  ],
  [
    'refuses a condition that is no boolean',
    jsonata({ Type: 'Choice', Choices: [{ Condition: '{% $states.input.a %}', Next: 'S' }] }),
    { a: 1 },
    failed(
      'States.QueryEvaluationError',
      `${prefix('S')}The JSONata expression '$states.input.a' specified for the field 'Choices[0]/Condition' returned an unexpected result type. Expected 'boolean', but was 'number' for value: 1`,
    ),
  ],
  [
    'takes the assignments of the rule that holds, or of the default',
    {
      QueryLanguage: JSONATA,
      StartAt: 'S',
      States: {
        S: {
          Type: 'Choice',
          Choices: [{ Condition: '{% $states.input = 1 %}', Assign: { v: 'rule' }, Next: 'D' }],
          Default: 'D',
          Assign: { v: 'default' },
        },
        D: { Type: 'Pass', Output: '{% $v %}', End: true },
      },
    },
    2,
    done('default'),
  ],
  [
    'reads outer variables within, and keeps inner ones there',
    {
      QueryLanguage: JSONATA,
      StartAt: 'A',
      States: {
        A: { Type: 'Pass', Assign: { k: 10 }, Next: 'M' },
        M: {
          Type: 'Map',
          Items: [1, 2],
          ItemProcessor: inner('I', {
            Type: 'Pass',
            Assign: { inner: 1 },
            Output: '{% $states.input * $k %}',
            End: true,
          }),
          Next: 'Z',
        },
        Z: { Type: 'Pass', Output: "{% {'r': $states.input, 'seen': $exists($inner)} %}", End: true },
      },
    },
    {},
    done({ r: [10, 20], seen: false }),
  ],
  [
    'gives a catcher the error output and the input',
    {
      QueryLanguage: JSONATA,
      StartAt: 'S',
      States: {
        S: task({
          Catch: [
            {
              ErrorEquals: ['States.TaskFailed'],
              Assign: { e: '{% $states.errorOutput.Error %}' },
              Output: '{% $states.input %}',
              Next: 'Z',
            },
          ],
          End: true,
        }) as Json,
        Z: { Type: 'Pass', Output: ['{% $e %}', '{% $states.input %}'], End: true },
      },
    },
    7,
    done(['E', 7]),
    throws('E'),
  ],
  [
    'catches what an expression does',
    {
      QueryLanguage: JSONATA,
      StartAt: 'S',
      States: {
        S: task({
          Arguments: '{% $x %}',
          Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'Z' }],
          End: true,
        }) as Json,
        Z: { Type: 'Succeed', Output: '{% $states.input.Error %}' },
      },
    },
    {},
    done('States.QueryEvaluationError'),
  ],
  [
    'fails on a catcher that fails itself',
    {
      QueryLanguage: JSONATA,
      StartAt: 'S',
      States: {
        S: task({ Catch: [{ ErrorEquals: ['States.ALL'], Output: '{% $x %}', Next: 'Z' }], End: true }) as Json,
        Z: { Type: 'Succeed' },
      },
    },
    {},
    failed('States.QueryEvaluationError', undefinedField('$x', 'Catch[0]/Output')),
    throws('E'),
  ],
  [
    'refuses to map what is no array',
    jsonata({ Type: 'Map', Items: '{% $states.input.l %}', ...each({ Type: 'Pass', End: true }), ...end }),
    { l: 'x' },
    failed(
      'States.QueryEvaluationError',
      `${prefix('S')}The JSONata expression '$states.input.l' specified for the field 'Items' returned an unexpected result type. Expected 'array', but was 'string' for value: "x"`,
    ),
  ],
  [
    'takes back the iterations that run when an item cannot be selected',
    {
      QueryLanguage: JSONATA,
      StartAt: 'S',
      States: {
        S: {
          Type: 'Map',
          ItemSelector: '{% $states.context.Map.Item.Value.a %}',
          ...each({ Type: 'Wait', Seconds: 5, End: true }),
          Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Output: 'caught', Next: 'Z' }],
          End: true,
        },
        Z: { Type: 'Wait', Seconds: 9, End: true },
      },
    } as Json,
    [{ a: 1 }, { b: 2 }],
    done('caught'),
  ],
  [
    'bears the failures it is told to bear',
    jsonata({
      Type: 'Map',
      ToleratedFailureCount: 1,
      ItemProcessor: {
        StartAt: 'C',
        States: {
          C: { Type: 'Choice', Choices: [{ Condition: '{% $states.input = 2 %}', Next: 'F' }], Default: 'P' },
          F: { Type: 'Fail', Error: 'E' },
          P: { Type: 'Succeed' },
        },
      },
      ...end,
    }),
    [1, 2, 3],
    done([1, 3]),
  ],
  [
    'fails when more fail than it bears',
    jsonata({ Type: 'Map', ToleratedFailureCount: 1, ...each({ Type: 'Fail', Error: 'E' }), ...end }),
    [1, 2, 3],
    failed('States.ExceedToleratedFailureThreshold', 'The specified tolerated failure threshold was exceeded'),
  ],
  [
    'mixes languages',
    one({ Type: 'Pass', QueryLanguage: JSONATA, Output: '{% $states.input.a %}', ...end }),
    { a: 1 },
    done(1),
  ],
  [
    'waits as long as computed',
    jsonata({ Type: 'Wait', Seconds: '{% $states.input.n * 86400 %}', ...end }),
    { n: 365 },
    done({ n: 365 }),
  ],
  [
    'times out as a whole',
    jsonata({ Type: 'Wait', Seconds: 100, ...end }, { TimeoutSeconds: 10 }),
    {},
    { status: 'TIMED_OUT' },
  ],
];

const random = (): number => 0.5;

/** After every step the execution goes through JSON, and the definition is read again: a crash and a restart. */
const crash =
  (definition: Json): Between =>
  (snapshot) => ({
    machine: compile(JSON.stringify(definition)),
    snapshot: JSON.parse(JSON.stringify(snapshot)) as Snapshot,
  });

describe.each([
  ['JSONPath', JSONPATH_ROWS],
  ['JSONata', JSONATA_ROWS],
])('a %s machine', (_language, rows) => {
  it.each(rows)('%s', async (_sentence, definition, input, wanted, mocks = {}) => {
    const straight = await runVirtually(compile(definition), { input, mocks, random, startMs: 0 });
    expect(straight).toMatchObject(wanted);
    const interrupted = await runVirtually(compile(definition), {
      input,
      mocks,
      random,
      startMs: 0,
      between: crash(definition),
    });
    expect(interrupted).toEqual(straight);
  });
});

const START = {
  execution: { id: 'e', name: 'e', startTime: '2026-01-01T00:00:00.000Z' },
  stateMachine: { id: 'm', name: 'm' },
};
const world = (nowMs: number, more: object = {}): { nowMs: number; random: () => number } => ({
  nowMs,
  random: () => 0.5,
  ...more,
});
const of = <T extends Effect['type']>(progress: Progress, type: T): Extract<Effect, { type: T }>[] =>
  progress.effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type);
const types = (progress: Progress): string[] => progress.events.map(({ type }) => type);

const delays = async (retrier: object, calls: number): Promise<number[]> => {
  const machine = compile(one(task({ Retry: [{ ErrorEquals: ['States.ALL'], ...retrier }], ...end })));
  let progress = await begin(machine, { ...START, input: {} }, world(0));
  const waits: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const { taskId } = of(progress, 'task')[0] as { taskId: string };
    progress = await resume(
      machine,
      progress.snapshot,
      { type: 'task-failed', taskId, error: 'E', cause: null },
      world(0),
    );
    const timer = of(progress, 'timer')[0];
    if (!timer) break;
    waits.push(timer.atMs);
    progress = await resume(machine, progress.snapshot, { type: 'timer', timerId: timer.timerId }, world(0));
  }
  return waits;
};

describe('retries', () => {
  it('back off by the rate, up to the cap', async () => {
    expect(await delays({ IntervalSeconds: 2, MaxAttempts: 4, BackoffRate: 3, MaxDelaySeconds: 20 }, 9)).toEqual([
      2000, 6000, 18_000, 20_000,
    ]);
  });

  it('default to three, doubling from one second', async () => {
    expect(await delays({}, 9)).toEqual([1000, 2000, 4000]);
  });

  it('are spread over the whole delay by full jitter', async () => {
    expect(await delays({ JitterStrategy: 'FULL' }, 1)).toEqual([500]);
  });

  it('are none when there may be none', async () => {
    expect(await delays({ MaxAttempts: 0 }, 1)).toEqual([]);
  });

  it('count for each retrier alone', async () => {
    const definition = one(
      task({
        Retry: [
          { ErrorEquals: ['A'], MaxAttempts: 1 },
          { ErrorEquals: ['B'], MaxAttempts: 1 },
        ],
        ...end,
      }),
    );
    const mocks = { S: { 0: { Throw: { Error: 'A' } }, 1: { Throw: { Error: 'B' } }, 2: { Return: 1 } } };
    expect(await runVirtually(compile(definition), { input: {}, mocks })).toMatchObject(done(1));
  });
});

describe('a waiting task', () => {
  const definition = jsonata({
    ...task(),
    Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
    Arguments: { token: '{% $states.context.Task.Token %}' },
    TimeoutSeconds: 100,
    HeartbeatSeconds: 10,
    End: true,
  });
  const machine = compile(definition);
  const start = (): Promise<Progress> => begin(machine, { ...START, input: {} }, world(0, { token: () => 'secret' }));

  it('is given its token, and timers for its limits', async () => {
    const progress = await start();
    expect(of(progress, 'task')).toMatchObject([{ token: 'secret', arguments: { token: 'secret' } }]);
    expect(of(progress, 'timer').map(({ atMs }) => atMs)).toEqual([100_000, 10_000]);
    expect(types(progress)).toEqual(['ExecutionStarted', 'TaskStateEntered', 'TaskScheduled', 'TaskStarted']);
  });

  it('goes on after a heartbeat, and fails without one', async () => {
    const first = await start();
    const { taskId } = of(first, 'task')[0] as { taskId: string };
    const beaten = await resume(machine, first.snapshot, { type: 'task-heartbeat', taskId }, world(5000));
    expect(of(beaten, 'timer').map(({ atMs }) => atMs)).toEqual([15_000]);
    const stale = await resume(
      machine,
      beaten.snapshot,
      { type: 'timer', timerId: of(first, 'timer')[1]?.timerId ?? '' },
      world(10_000),
    );
    expect(stale.effects).toEqual([]);
    const missed = await resume(
      machine,
      stale.snapshot,
      { type: 'timer', timerId: of(beaten, 'timer')[0]?.timerId ?? '' },
      world(15_000),
    );
    expect(of(missed, 'ended')).toMatchObject([{ status: 'FAILED', error: 'States.Timeout' }]);
    expect(of(missed, 'cancel')).toHaveLength(2);
  });

  it('ends by its answer, once', async () => {
    const first = await start();
    const { taskId } = of(first, 'task')[0] as { taskId: string };
    const submitted = await resume(
      machine,
      first.snapshot,
      { type: 'task-submitted', taskId, output: { MessageId: 1 } },
      world(1),
    );
    expect(types(submitted)).toEqual(['TaskSubmitted']);
    const answered = await resume(
      machine,
      submitted.snapshot,
      { type: 'task-succeeded', taskId, output: 'yes' },
      world(2),
    );
    expect(of(answered, 'ended')).toMatchObject([{ status: 'SUCCEEDED', output: 'yes' }]);
    const again = await resume(machine, answered.snapshot, { type: 'task-succeeded', taskId, output: 'no' }, world(3));
    expect(again.effects).toEqual([]);
  });

  it('is taken back when the execution is stopped', async () => {
    const first = await start();
    const stopped = await resume(machine, first.snapshot, { type: 'stop', error: 'Op', cause: 'enough' }, world(1));
    expect(of(stopped, 'cancel')).toHaveLength(3);
    expect(of(stopped, 'ended')).toMatchObject([{ status: 'ABORTED', error: 'Op', cause: 'enough' }]);
  });

  it('survives another definition that keeps its state', async () => {
    const first = await start();
    const upgraded = compile({
      QueryLanguage: JSONATA,
      StartAt: 'New',
      States: {
        New: { Type: 'Pass', Next: 'S' },
        S: { ...(definition as { States: { S: object } }).States.S, End: undefined, Next: 'Also' } as never,
        Also: { Type: 'Pass', Output: 'upgraded', End: true },
      },
    });
    const { taskId } = of(first, 'task')[0] as { taskId: string };
    const answered = await resume(upgraded, first.snapshot, { type: 'task-succeeded', taskId, output: 1 }, world(2));
    expect(of(answered, 'ended')).toMatchObject([{ output: 'upgraded' }]);
    const other = compile(one({ Type: 'Pass', End: true }));
    expect(first.snapshot.definition).not.toBe(other.hash);
  });

  it('is not lost in a definition without its state: that is refused', async () => {
    const first = await start();
    const { taskId } = of(first, 'task')[0] as { taskId: string };
    const other = compile({ StartAt: 'T', States: { T: { Type: 'Succeed' } } });
    await expect(
      resume(other, first.snapshot, { type: 'task-succeeded', taskId, output: 1 }, world(2)),
    ).rejects.toMatchObject({ code: 'Definition.Invalid' });
  });
});

const history = async (definition: Json, input: Json, mocks: Mocks = {}): Promise<[string[], number[]]> => {
  const { events } = await runVirtually(compile(definition), { input, mocks });
  expect(events.map(({ id }) => id)).toEqual(events.map((_, index) => index + 1));
  return [events.map(({ type }) => type), events.map(({ previousEventId }) => previousEventId)];
};

describe('histories', () => {
  it('chain the events of a Parallel through its last child', async () => {
    const definition = one({ Type: 'Parallel', Branches: branches({ Type: 'Pass', End: true }), ...end });
    expect(await history(definition, 1)).toEqual([
      [
        'ExecutionStarted',
        'ParallelStateEntered',
        'ParallelStateStarted',
        'PassStateEntered',
        'PassStateExited',
        'ParallelStateSucceeded',
        'ParallelStateExited',
        'ExecutionSucceeded',
      ],
      [0, 0, 2, 3, 4, 5, 5, 7],
    ]);
  });

  it('tell of a task that fails in a branch', async () => {
    const definition = one({ Type: 'Parallel', Branches: branches(task(end)), ...end });
    expect(await history(definition, 1, throws('E', 'B0'))).toEqual([
      [
        'ExecutionStarted',
        'ParallelStateEntered',
        'ParallelStateStarted',
        'TaskStateEntered',
        'TaskScheduled',
        'TaskStarted',
        'TaskFailed',
        'TaskStateAborted',
        'ParallelStateFailed',
        'ExecutionFailed',
      ],
      [0, 0, 2, 3, 4, 5, 6, 7, 7, 9],
    ]);
  });

  it('tell of an expression that fails in an iteration', async () => {
    const definition = jsonata({
      Type: 'Map',
      MaxConcurrency: 1,
      ...each({ Type: 'Pass', Output: '{% $x %}', End: true }),
      ...end,
    });
    expect(await history(definition, [1, 2])).toEqual([
      [
        'ExecutionStarted',
        'MapStateEntered',
        'MapStateStarted',
        'MapIterationStarted',
        'PassStateEntered',
        'EvaluationFailed',
        'MapIterationFailed',
        'MapStateFailed',
        'ExecutionFailed',
      ],
      [0, 0, 2, 3, 4, 5, 6, 6, 8],
    ]);
  });

  it('start one iteration after the other from where the last one left', async () => {
    const definition = jsonata({ Type: 'Map', MaxConcurrency: 1, ...each({ Type: 'Pass', End: true }), ...end });
    expect(await history(definition, [1, 2])).toEqual([
      [
        'ExecutionStarted',
        'MapStateEntered',
        'MapStateStarted',
        'MapIterationStarted',
        'PassStateEntered',
        'PassStateExited',
        'MapIterationSucceeded',
        'MapIterationStarted',
        'PassStateEntered',
        'PassStateExited',
        'MapIterationSucceeded',
        'MapStateSucceeded',
        'MapStateExited',
        'ExecutionSucceeded',
      ],
      [0, 0, 2, 3, 4, 5, 6, 6, 8, 9, 10, 11, 11, 13],
    ]);
  });

  it('name Lambda functions by their own events', async () => {
    const definition = one({ ...task(end), Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f' });
    const [names] = await history(definition, 1, { S: { 0: { Return: 1 } } });
    expect(names).toEqual([
      'ExecutionStarted',
      'TaskStateEntered',
      'LambdaFunctionScheduled',
      'LambdaFunctionStarted',
      'LambdaFunctionSucceeded',
      'TaskStateExited',
      'ExecutionSucceeded',
    ]);
  });

  it('are left out when not wanted, and counted all the same', async () => {
    const machine = compile(one({ Type: 'Fail', ErrorPath: '$.x' }));
    const { events, effects } = await begin(machine, { ...START, input: {} }, world(0, { record: false }));
    expect(events).toEqual([]);
    expect(effects).toMatchObject([{ cause: expect.stringContaining('(entered at the event id #2)') }]);
  });
});

describe('limits', () => {
  it('refuse a result that is too large, counting bytes', async () => {
    const definition = one(task({ Catch: [{ ErrorEquals: ['States.DataLimitExceeded'], Next: 'D' }], Next: 'D' }), {});
    (definition as { States: Record<string, object> }).States['D'] = { Type: 'Succeed' };
    const run = (length: number): Promise<Outcome> =>
      runVirtually(compile(definition), { input: {}, mocks: { S: { 0: { Return: 'é'.repeat(length) } } } });
    expect(await run(131_071)).toMatchObject({ status: 'SUCCEEDED', output: 'é'.repeat(131_071) });
    expect(await run(131_072)).toMatchObject({
      output: {
        Error: 'States.DataLimitExceeded',
        Cause:
          "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
      },
    });
  });

  it('refuse an output that nests deeper with every state', async () => {
    const loop = compile(one({ Type: 'Pass', Parameters: { 'x.$': '$' }, Next: 'S' }));
    expect(await runVirtually(loop, { input: {} })).toMatchObject(
      failed(
        'States.DataLimitExceeded',
        "The state/task 'S' returned a result with a size exceeding the maximum number of bytes service limit.",
      ),
    );
  });

  it('keep the clock within the calendar, whatever a wait or a rate of retries asks for', async () => {
    const retry = [{ ErrorEquals: ['E'], MaxAttempts: 20, BackoffRate: 1e9 }];
    const mocks: Mocks = { S: { '0-19': { Throw: { Error: 'E' } }, 20: { Return: 1 } } };
    const { output, events } = await runVirtually(compile(one(task({ Retry: retry, ...end }))), { input: {}, mocks });
    expect(output).toBe(1);
    for (const { timestamp } of events) expect(new Date(timestamp).getTime()).not.toBeNaN();
  });

  it('give up a run that computes without end, where its owner says so', async () => {
    const machine = compile(one({ Type: 'Pass', Next: 'S' }));
    let asked = 0;
    const spent = (): boolean => (asked += 1) > 3;
    const { effects } = await begin(machine, { ...START, input: {} }, { ...world(0), spent });
    expect(effects).toEqual([
      {
        type: 'ended',
        status: 'FAILED',
        error: 'States.Runtime',
        cause: 'The execution was given up: it took too much computing.',
      },
    ]);
  });

  it.each<[field: object, input: Json, cause: string]>([
    [{ ToleratedFailureCountPath: '$.n' }, -1, 'ToleratedFailureCount cannot be negative.'],
    [
      { ToleratedFailureCountPath: '$.n' },
      {},
      'The ToleratedFailureCountPath field refers to value "{}" which is not a valid integer: $.n',
    ],
    [{ ToleratedFailurePercentagePath: '$.n' }, 100.5, 'ToleratedFailurePercentage must be between 0 and 100.'],
    [
      { ToleratedFailurePercentagePath: '$.n' },
      'few',
      'The ToleratedFailurePercentagePath field refers to value "few" which is not a valid float: $.n',
    ],
    [{ MaxConcurrencyPath: '$.n' }, -2, "Expected non-negative integer for MaxConcurrency, got '-2' instead."],
  ])('of a Map by %j are refused as %j', async (field, n, cause) => {
    const machine = compile(
      one({ Type: 'Map', ItemsPath: '$.all', ...field, ...each({ Type: 'Pass', ...end }), ...end }),
    );
    expect(await runVirtually(machine, { input: { all: [1], n } })).toMatchObject(
      failed('States.Runtime', prefix('S') + cause),
    );
  });

  it('of a Map may be a broken percentage', async () => {
    const machine = compile(
      one({ Type: 'Map', ToleratedFailurePercentage: 33.4, ...each({ Type: 'Fail', Error: 'E' }), ...end }),
    );
    expect(await runVirtually(machine, { input: [1, 2] })).toMatchObject({
      error: 'States.ExceedToleratedFailureThreshold',
    });
  });

  it('run at most so many iterations at a time', async () => {
    const machine = compile(jsonata({ Type: 'Map', MaxConcurrency: 2, ...each(task(end)), ...end }));
    let progress = await begin(machine, { ...START, input: [1, 2, 3, 4, 5] }, world(0));
    const open = of(progress, 'task').map(({ taskId }) => taskId);
    expect(open).toHaveLength(2);
    for (let left = 5; left > 0; left -= 1) {
      progress = await resume(
        machine,
        progress.snapshot,
        { type: 'task-succeeded', taskId: open.pop() as string, output: left },
        world(0),
      );
      open.push(...of(progress, 'task').map(({ taskId }) => taskId));
      expect(open.length).toBeLessThanOrEqual(2);
    }
    expect(of(progress, 'ended')).toMatchObject([{ status: 'SUCCEEDED' }]);
  });
});
