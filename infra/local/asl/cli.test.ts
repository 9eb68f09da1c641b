import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { answerLine } from './cli.ts';

const definition = (state: object): object => ({ QueryLanguage: 'JSONata', StartAt: 'S', States: { S: state } });
const answer = (request: unknown): Promise<{ [key: string]: unknown }> =>
  answerLine(typeof request === 'string' ? request : JSON.stringify(request), 3);

describe('a line', () => {
  it('is answered with its id, outcome and history', async () => {
    const request = {
      id: 'a',
      definition: definition({ Type: 'Pass', Output: '{% $states.input + 1 %}', End: true }),
      input: 1,
    };
    expect(await answer(request)).toMatchObject({
      id: 'a',
      status: 'SUCCEEDED',
      output: 2,
      events: [{ type: 'ExecutionStarted' }, {}, {}, {}],
    });
  });

  it('hands on null for input, and an empty object where there is none', async () => {
    const request = { definition: definition({ Type: 'Succeed' }) };
    expect(await answer({ ...request, input: null })).toMatchObject({ output: null });
    expect(await answer(request)).toMatchObject({ output: {} });
  });

  it('gives each call of a task its answer', async () => {
    const retry = [{ ErrorEquals: ['States.ALL'], MaxAttempts: 5 }];
    const request = {
      definition: definition({ Type: 'Task', Resource: 'a', Retry: retry, End: true }),
      mocks: { S: { '0-1': { Throw: { Error: 'E' } }, '2': { Return: 'third' } } },
    };
    expect(await answer(request)).toMatchObject({ id: null, status: 'SUCCEEDED', output: 'third' });
  });

  it('lays its context over the context object', async () => {
    const request = {
      definition: definition({
        Type: 'Pass',
        Output: '{% [$states.context.Execution.Name, $states.context.StateMachine.Name] %}',
        End: true,
      }),
      context: { Execution: { Name: 'mine' } },
    };
    expect(await answer(request)).toMatchObject({ output: ['mine', 'machine'] });
  });

  it.each<[sentence: string, request: unknown, wanted: object]>([
    ['that is no JSON', '{"id": 1', { id: null, error: 'InvalidLine' }],
    ['that is no object', '7', { id: null, error: 'InvalidLine' }],
    ['without a definition', { id: 1 }, { id: 1, error: 'InvalidLine', cause: '"definition" is missing' }],
    ['with bad mocks', { id: 1, definition: {}, mocks: { S: { x: {} } } }, { id: 1, error: 'InvalidLine' }],
    [
      'that nests without end',
      `{"id": 1, "input": ${'['.repeat(9000)}${']'.repeat(9000)}}`,
      { id: 1, error: 'InvalidLine' },
    ],
    [`whose id does`, `{"id": ${'['.repeat(9000)}${']'.repeat(9000)}}`, { id: null, error: 'InvalidLine' }],
    [
      'with an invalid definition',
      { id: 1, definition: {} },
      { id: 1, error: 'InvalidDefinition', cause: expect.stringContaining('[States, StartAt] at /') },
    ],
  ])('%s is told apart', async (_sentence, request, wanted) => {
    expect(await answer(request)).toMatchObject({ ...wanted, status: 'INVALID', line: 3 });
  });
});

const run = (arguments_: string[], input = ''): { stdout: string; stderr: string; status: number | null } =>
  spawnSync(process.execPath, [fileURLToPath(new URL('cli.ts', import.meta.url)), ...arguments_], {
    input,
    encoding: 'utf8',
  });

describe('the command', () => {
  it('answers every line in order, whatever is in them', () => {
    const good = JSON.stringify({ id: 2, definition: definition({ Type: 'Succeed' }) });
    const { stdout, status } = run([], `oops\n\n${good}\n`);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { id: null, line: 1 },
      { id: 2, status: 'SUCCEEDED' },
    ]);
    expect(status).toBe(0);
  });

  it('explains itself', () => {
    expect(run(['--help']).stdout).toContain('"mocks"');
  });

  it('says which file it cannot draw', () => {
    const { stderr, status } = run(['--draw', '/no/such/file']);
    expect(stderr).toContain('/no/such/file');
    expect(status).toBe(1);
  });
});
