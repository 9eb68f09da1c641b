import { describe, expect, it } from 'vitest';
import { compile } from './compile.ts';
import { draw } from './draw.ts';

const one = (state: object, name = 'S'): object => ({ StartAt: name, States: { [name]: state } });
const end = { End: true };

describe('a definition', () => {
  it.each<[sentence: string, definition: unknown, message: string]>([
    ['that is no JSON', '{', 'INVALID_JSON_DESCRIPTION'],
    ['that is no object', [], 'SCHEMA_VALIDATION_FAILED: Definition must be a valid JSON object'],
    ['without states', {}, 'SCHEMA_VALIDATION_FAILED: These fields are required: [States, StartAt] at /'],
    ['without a start', { States: {} }, 'These fields are required: [StartAt] at /'],
    [
      'that starts nowhere',
      { StartAt: 'X', States: { S: { Type: 'Succeed' } } },
      "MISSING_TRANSITION_TARGET: Missing 'StartAt' target: X at /StartAt",
    ],
    ['that goes nowhere', one({ Type: 'Pass', Next: 'X' }), "Missing 'Next' target: X at /States/S/Next"],
    [
      'with a state that nothing leads to',
      { StartAt: 'S', States: { S: { Type: 'Succeed' }, T: { Type: 'Succeed' } } },
      'State "T" is not reachable. at /States/T',
    ],
    [
      'with an unknown type',
      one({ Type: 'Jump' }),
      'Value is not one of: [Task, Pass, Choice, Wait, Parallel, Map, Succeed, Fail] at /States/S/Type',
    ],
    ['with an unknown field', one({ Type: 'Pass', Foo: 1, ...end }), "Field 'Foo' is not supported at /States/S"],
    ['with neither end nor next', one({ Type: 'Pass' }), "exactly one of 'Next' and 'End' at /States/S"],
    [
      'that goes back from JSONata',
      { QueryLanguage: 'JSONata', ...one({ Type: 'Pass', QueryLanguage: 'JSONPath', ...end }) },
      "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine at /States/S",
    ],
    [
      'with a JSONPath field in JSONata',
      one({ Type: 'Pass', QueryLanguage: 'JSONata', InputPath: '$', ...end }),
      "Field 'InputPath' is not supported when 'QueryLanguage' is 'JSONata' at /States/S",
    ],
    [
      'with a bad expression',
      one({ Type: 'Pass', QueryLanguage: 'JSONata', Output: '{% 1 + %}', ...end }),
      'The JSONata expression is not valid: S0207',
    ],
    [
      'with a bad path',
      one({ Type: 'Pass', InputPath: '$.[', ...end }),
      "Invalid path '$.[' at /States/S/InputPath".split(' at ')[0] as string,
    ],
    [
      'with a bad intrinsic',
      one({ Type: 'Pass', Parameters: { 'a.$': 'States.Nope()' }, ...end }),
      "The value for the field 'a.$' must be a valid JSONPath or a valid intrinsic function call at /States/S/Parameters",
    ],
    [
      'with a bad time',
      one({ Type: 'Wait', Timestamp: '2016-12-05 21:29:29Z', ...end }),
      'String does not match RFC3339 timestamp at /States/S/Timestamp',
    ],
    [
      'with States.ALL among others',
      one({ Type: 'Task', Resource: 'a', Retry: [{ ErrorEquals: ['States.ALL', 'A'] }], ...end }),
      "'States.ALL' must appear alone",
    ],
    [
      'with States.ALL before others',
      one({
        Type: 'Task',
        Resource: 'a',
        Catch: [
          { ErrorEquals: ['States.ALL'], Next: 'S' },
          { ErrorEquals: ['A'], Next: 'S' },
        ],
        ...end,
      }),
      "'States.ALL' must appear alone, and in the last entry at /States/S/Catch[0]/ErrorEquals",
    ],
    [
      'with one name twice',
      one({ Type: 'Parallel', Branches: [one({ Type: 'Succeed' })], ...end }),
      'DUPLICATE_STATE_NAME: Duplicate State name: S at /States/S',
    ],
    ['without a resource', one({ Type: 'Task', ...end }), 'These fields are required: [Resource] at /States/S'],
    [
      'with a bad branch',
      one({ Type: 'Parallel', Branches: [{ StartAt: 'A', States: {} }], ...end }),
      'States must be a non-empty object at /States/S/Branches[0]/States',
    ],
    [
      'with an error both written down and pointed at',
      one({ Type: 'Fail', Error: 'E', ErrorPath: '$.e' }),
      "Only one of 'Error' and 'ErrorPath' is allowed at /States/S",
    ],
    [
      'with a reader of objects',
      one({ Type: 'Map', ItemReader: {}, ItemProcessor: one({ Type: 'Pass', ...end }, 'I'), ...end }),
      "Field 'ItemReader' is not supported",
    ],
  ])('%s is refused, naming the place', (_sentence, definition, message) => {
    expect(() => compile(definition)).toThrow(
      expect.objectContaining({ code: 'Definition.Invalid', message: expect.stringContaining(message) }),
    );
  });

  it('gets every fault named at once', () => {
    const faults = { StartAt: 'A', States: { A: { Type: 'Pass' }, B: { Type: 'Jump' } } };
    expect(() => compile(faults)).toThrow(
      expect.objectContaining({
        fields: expect.arrayContaining([
          { pointer: '/States/A', detail: expect.any(String) },
          { pointer: '/States/B/Type', detail: expect.any(String) },
        ]),
      }),
    );
  });

  it('for Express waits for nobody', () => {
    const definition = one({ Type: 'Task', Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken', ...end });
    expect(() => compile(definition)).not.toThrow();
    expect(() => compile(definition, { type: 'EXPRESS' })).toThrow(
      "Express state machine does not support '.waitForTaskToken' service integration at /States/S/Resource",
    );
  });

  it('may not assign to what is the service’s own', () => {
    expect(() => compile(one({ Type: 'Pass', Assign: { states: 1 }, ...end }))).toThrow(
      'Invalid variable name: states',
    );
  });

  it('has the same hash as its text', () => {
    const definition = one({ Type: 'Succeed' });
    expect(compile(definition).hash).toBe(compile(JSON.stringify(definition)).hash);
  });
});

it('draws states, choices, retries, catches and what is inside', () => {
  const drawn = draw(
    compile({
      QueryLanguage: 'JSONata',
      StartAt: 'Judge "it"',
      States: {
        'Judge "it"': {
          Type: 'Task',
          Resource: 'arn:aws:lambda:us-east-1:000000000000:function:f',
          Retry: [{ ErrorEquals: ['Store.Busy'], MaxAttempts: 2, JitterStrategy: 'FULL' }],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Lost' }],
          Next: 'Choose',
        },
        Choose: {
          Type: 'Choice',
          Choices: [{ Condition: "{% $states.input.verdict = 'hold' %}", Next: 'Both' }],
          Default: 'Lost',
        },
        Both: {
          Type: 'Parallel',
          Branches: [one({ Type: 'Pass', ...end }, 'Left'), one({ Type: 'Succeed' }, 'Right')],
          End: true,
        },
        Lost: { Type: 'Fail' },
      },
    }),
  );
  expect(drawn).toMatchInlineSnapshot(`
    "stateDiagram-v2
      state "Judge #34;it#34;" as s1
      state "Choose" as s2
      state "Both" as s3 {
        state "Left" as s5
        [*] --> s5
        s5 --> [*]
        --
        state "Right" as s6
        [*] --> s6
        s6 --> [*]
      }
      state "Lost" as s4
      [*] --> s1
      s1 --> s1 : retry Store.Busy (at most 2, after 1 s ×2 with jitter)
      s1 --> s4 : catch States.ALL
      s1 --> s2
      s2 --> s3 : $states.input.verdict = 'hold'
      s2 --> s4 : default
      s3 --> [*]
      s4 --> [*] : fails
    "
  `);
});
