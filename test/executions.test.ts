import { expect, it } from 'vitest';
import { openDatabase } from '../infra/local/database.ts';
import { localExecutions, type Run } from '../infra/local/executions.ts';

const START = Date.UTC(2026, 0, 15);

function rig(limitBytes = 64 * 1_048_576) {
  let now = START;
  const database = openDatabase(':memory:');
  const executions = localExecutions(database, { now: () => now }, { limitBytes });
  let runs = 0;
  return {
    database,
    executions,
    wind(ms: number) {
      now += ms;
    },
    run(more: Partial<Run> = {}) {
      runs += 1;
      executions.offer({
        workflow: 'moderation',
        name: `run-${String(runs).padStart(6, '0')}`,
        definition: 'd',
        status: 'SUCCEEDED',
        input: [
          {
            body: JSON.stringify({
              id: 'e',
              detail: { id: `c${runs}`, author: { name: 'Ada', email: 'ada@private.example' } },
            }),
          },
        ],
        startedAt: now,
        endedAt: now + 5,
        troubled: false,
        events: () => [
          { id: 1, previousEventId: 0, timestamp: now, type: 'ExecutionStarted', note: 'x'.repeat(1000) } as never,
        ],
        ...more,
      });
    },
    kept: (filter: object = {}) => executions.list({ limit: 1000, ...filter }).executions,
  };
}

it('keeps every run at a walking pace, and one in a hundred under load', () => {
  const { run, wind, kept } = rig();
  for (let second = 0; second < 30; second++) {
    run();
    wind(1000);
  }
  expect(kept()).toHaveLength(30);
  for (let step = 0; step < 10_000; step++) {
    run();
    wind(1);
  }
  // 20 at once, 5 a second for ten seconds, and 1 % of what is left.
  expect(kept().length - 30).toBeGreaterThan(120);
  expect(kept().length - 30).toBeLessThan(200);
});

it('keeps runs in which a step failed, though others are many', () => {
  const { run, wind, kept } = rig();
  for (let step = 0; step < 1000; step++) {
    run(step % 100 === 50 ? { troubled: true } : {});
    wind(1);
  }
  run({ status: 'FAILED', error: 'States.Timeout' });
  expect(kept({ status: 'FAILED' })).toMatchObject([{ error: 'States.Timeout' }]);
  expect(kept().map(({ name }) => name)).toEqual(expect.arrayContaining(['run-000051', 'run-000951']));
});

it('stays within its bytes: the oldest go first', () => {
  const { run, wind, kept, database } = rig(20_000);
  for (let step = 0; step < 100; step++) {
    run();
    wind(1000);
  }
  const { bytes } = database.sqlite.prepare('SELECT sum(bytes) AS bytes FROM express').get() as { bytes: number };
  expect(bytes).toBeLessThanOrEqual(20_000);
  expect(kept()[0]?.name).toBe('run-000100');
  expect(kept().length).toBeGreaterThan(5);
});

it('finds by comment, keeps no e-mail, and forgets', async () => {
  const { run, kept, executions, database } = rig();
  run();
  run();
  expect(kept({ comment: 'c2' })).toMatchObject([{ name: 'run-000002', comment: 'c2' }]);
  const all = JSON.stringify(database.sqlite.prepare('SELECT * FROM express').all());
  expect(all).not.toContain('private.example');
  expect(all).toContain('(not kept)');
  await executions.forget('c2');
  expect(kept().map(({ comment }) => comment)).toEqual(['c1']);
});

it('forgets a Standard execution 90 days after its end', async () => {
  const { executions, wind, kept, database } = rig();
  const insert = database.sqlite.prepare(
    `INSERT INTO execution (workflow, name, definition, status, pending, input, started_at, ended_at) VALUES ('review', ?, 'd', ?, '[]', '{}', ?, ?)`,
  );
  insert.run('ended', 'SUCCEEDED', START, START);
  insert.run('waits', 'RUNNING', START, null);
  expect(await executions.sweep()).toBe(0);
  wind(91 * 86_400_000);
  expect(await executions.sweep()).toBe(1);
  expect(kept().map(({ name }) => name)).toEqual(['waits']);
});
