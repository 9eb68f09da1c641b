import { pino } from 'pino';
import { expect, it } from 'vitest';
import { SluiceError } from '../../shared/errors.ts';
import { openDatabase } from './database.ts';
import { localWorkflows } from './workflows.ts';

const WAITS = {
  QueryLanguage: 'JSONata',
  StartAt: 'Wait for it',
  States: {
    'Wait for it': {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
      TimeoutSeconds: 60,
      Arguments: { FunctionName: 'keep', Payload: { token: '{% $states.context.Task.Token %}' } },
      Catch: [{ ErrorEquals: ['States.Timeout'], Output: 'late', Next: 'End' }],
      Next: 'End',
    },
    End: { Type: 'Succeed' },
  },
};

/** One execution that waits, on a store whose writes fail while `broken`. */
async function waiting() {
  const database = openDatabase(':memory:');
  const at = { broken: false, writes: 0, nowMs: 1_000_000_000_000 };
  let token = '';
  const workflows = localWorkflows(
    { waits: { file: '', type: 'STANDARD', substitutions: {}, timeoutSeconds: 0 } },
    () => WAITS,
    async (_resource, args) => {
      ({ token } = (args as { Payload: { token: string } }).Payload);
      return {};
    },
    {
      database: {
        ...database,
        write: (work) =>
          ++at.writes && at.broken
            ? Promise.reject(new SluiceError('Store.Busy', 'the disk is full', { hint: 'make room' }))
            : database.write(work),
      },
      clock: { now: () => at.nowMs },
      log: pino({ level: 'silent' }),
    },
  );
  await workflows.start('waits', { name: 'one', input: {} });
  await expect.poll(() => token).not.toBe('');
  await workflows.idle();
  const output = () =>
    (database.sqlite.prepare('SELECT output FROM execution').get() as { output: string | null }).output;
  return { at, workflows, token, output };
}

it('does not lose an answer whose step could not be written: it may come again', async () => {
  const { at, workflows, token, output } = await waiting();
  at.broken = true;
  await expect(workflows.succeed(token, 'yes')).rejects.toMatchObject({ code: 'Store.Busy' });
  expect(output()).toBeNull();
  at.broken = false;
  at.writes = 0;
  expect(await workflows.succeed(token, 'yes')).toBe('woken');
  // One write: no crash comes between the token that goes and the step that heard it.
  expect(at.writes).toBe(1);
  expect(output()).toBe('"yes"');
  expect(await workflows.succeed(token, 'yes')).toBe('stale');
});

it('does not lose a time-out whose step could not be written: it rings again', async () => {
  const { at, workflows, output } = await waiting();
  at.broken = true;
  at.nowMs += 61_000;
  workflows.recover();
  await new Promise((done) => setTimeout(done, 50));
  expect(output()).toBeNull();
  at.broken = false;
  at.nowMs += 6000;
  at.writes = 0;
  workflows.recover();
  await expect.poll(output).toBe('"late"');
  expect(at.writes).toBe(1);
});
