import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Workflows } from '../../shared/ports.ts';

/**
 * The workflow `waits` of every rig: hands a token to whoever works, and ends with the answer, or with what went wrong.
 *
 * @param resource an integration with `.waitForTaskToken`
 * @param args its arguments, `{% $states.context.Task.Token %}` and the execution's name among them
 */
export const waits = (resource: string, args: object): object => ({
  QueryLanguage: 'JSONata',
  StartAt: 'Await',
  States: {
    Await: {
      Type: 'Task',
      Resource: resource,
      Arguments: args,
      TimeoutSeconds: 30,
      Catch: [
        {
          ErrorEquals: ['States.ALL'],
          Output: { error: '{% $states.errorOutput.Error %}', cause: '{% $states.errorOutput.Cause %}' },
          Next: 'Done',
        },
      ],
      Next: 'Done',
    },
    Done: { Type: 'Succeed' },
  },
});

export type WorkflowsRig = {
  workflows: Workflows;
  /** The tokens that the execution of this name handed out so far, oldest first. */
  tokens(name: string): Promise<readonly string[]>;
  /** Undefined while it runs. */
  output(name: string): Promise<unknown>;
  pass(ms: number): Promise<void>;
  /** Kills the process that runs executions, and starts another; unset where there is none to kill. */
  restart?: () => Promise<void>;
  close(): Promise<void>;
};

/** Every promise of `Workflows`, asked of one adapter that runs the workflow `waits`. */
export function workflowsContract(adapter: string, rig: () => Promise<WorkflowsRig>): void {
  describe(`workflows contract, ${adapter}`, () => {
    let at: WorkflowsRig;
    let cases = 0;
    const run = `w${Date.now().toString(36)}`;
    beforeAll(async () => {
      at = await rig();
    });
    afterAll(() => at.close());

    const started = async (): Promise<{ name: string; token: string }> => {
      const name = `${run}-${cases++}`;
      expect(await at.workflows.start('waits', { name, input: { name } })).toBe('started');
      return { name, token: await tokenOf(name) };
    };
    const tokenOf = async (name: string, which = 0) => {
      await expect
        .poll(() => at.tokens(name).then((tokens) => tokens.length), { timeout: 10_000 })
        .toBeGreaterThan(which);
      return (await at.tokens(name))[which] as string;
    };
    const output = (name: string) => expect.poll(() => at.output(name), { timeout: 10_000 });

    it('starts once what is started twice', async () => {
      const { name, token } = await started();
      expect(await at.workflows.start('waits', { name, input: { name } })).toBe('exists');
      expect(await at.tokens(name)).toEqual([token]);
    });

    it('starts once what many start at the same moment', async () => {
      const name = `${run}-${cases++}`;
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => at.workflows.start('waits', { name, input: { name } })),
      );
      expect(answers.filter((answer) => answer === 'started')).toHaveLength(1);
      await tokenOf(name);
      expect(await at.tokens(name)).toHaveLength(1);
    });

    it('does not start again what has ended', async () => {
      const { name, token } = await started();
      await at.workflows.succeed(token, 'over');
      await output(name).toBe('over');
      expect(await at.workflows.start('waits', { name, input: { name } })).toBe('exists');
    });

    it('refuses a workflow that is not there', async () => {
      await expect(at.workflows.start('nowhere', { name: 'x', input: {} })).rejects.toMatchObject({
        code: 'Workflow.Unknown',
      });
    });

    it('goes on with the answer to its token', async () => {
      const { name, token } = await started();
      expect(await at.workflows.succeed(token, { decided: ['Grüße 👋', null, 1] })).toBe('woken');
      await output(name).toEqual({ decided: ['Grüße 👋', null, 1] });
    });

    it('goes on with the fault that its token is told', async () => {
      const { name, token } = await started();
      expect(await at.workflows.fail(token, { error: 'Desk.Closed', cause: 'nobody there' })).toBe('woken');
      await output(name).toEqual({ error: 'Desk.Closed', cause: 'nobody there' });
    });

    it('calls a token stale that was answered, and one that never was', async () => {
      const { name, token } = await started();
      await at.workflows.succeed(token, 'first');
      expect(await at.workflows.succeed(token, 'second')).toBe('stale');
      expect(await at.workflows.fail(token, { error: 'Late', cause: '' })).toBe('stale');
      expect(await at.workflows.succeed('nobody waits by this', {})).toBe('stale');
      await output(name).toBe('first');
    });

    it('hears one of two answers that come at once', async () => {
      const { name, token } = await started();
      const answers = await Promise.all([at.workflows.succeed(token, 'one'), at.workflows.succeed(token, 'two')]);
      expect(answers.toSorted()).toEqual(['stale', 'woken']);
      await output(name).toBe(answers[0] === 'woken' ? 'one' : 'two');
    });

    it('stops waiting when its time is over, and the token is stale', async () => {
      const { name, token } = await started();
      await at.pass(31_000);
      await output(name).toMatchObject({ error: 'States.Timeout' });
      expect(await at.workflows.succeed(token, 'late')).toBe('stale');
    });

    it('waits on by the same token after a restart', async ({ skip }) => {
      const { restart } = at;
      if (!restart) return skip('the service has no process of ours to kill');
      const { name, token } = await started();
      await restart();
      expect(await at.workflows.start('waits', { name, input: { name } })).toBe('exists');
      expect(await at.output(name)).toBeUndefined();
      expect(await at.workflows.succeed(token, 'after')).toBe('woken');
      await output(name).toBe('after');
    });

    it('keeps its time over a restart', async ({ skip }) => {
      const { restart } = at;
      if (!restart) return skip('the service has no process of ours to kill');
      const { name } = await started();
      await at.pass(20_000);
      await restart();
      await at.pass(11_000);
      await output(name).toMatchObject({ error: 'States.Timeout' });
    });
  });
}
