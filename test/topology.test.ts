import { expect, it } from 'vitest';
import { checkTopology } from '../infra/local/check-topology.ts';
import { serviceOf } from '../infra/local/functions.ts';
import { topology, type Topology } from '../infra/topology.ts';

const functions = Object.keys(serviceOf);
const refusal = (change: (plan: Topology) => void): string => {
  const plan = structuredClone(topology);
  change(plan);
  try {
    checkTopology(plan, functions);
  } catch (error) {
    return (error as Error).message;
  }
  return 'taken';
};

it('knows all that the topology says', () => {
  expect(refusal(() => {})).toBe('taken');
});

it.each<[sentence: string, change: (plan: Topology) => void, named: string]>([
  [
    'a field that it does not know',
    (plan) => Object.assign(plan.queues.intake!, { encryption: 'kms' }),
    'queues.intake.encryption',
  ],
  ['a whole kind of thing that it does not know', (plan) => Object.assign(plan, { topics: {} }), 'topics'],
  [
    'a batch that its pipes do not take',
    (plan) => Object.assign(plan.pipes.moderation!, { batchSize: 10 }),
    'pipes.moderation.batchSize',
  ],
  [
    'a rule to a queue that is not there',
    (plan) => Object.assign(plan.rules['intake-no-lane']!, { target: { queue: 'nowhere' } }),
    'rules.intake-no-lane.target: there is no nowhere among the queues',
  ],
  [
    'a function without a handler',
    (plan) => Object.assign(plan.functions, { translate: plan.functions.publish }),
    'functions.translate',
  ],
  [
    'a substitution that leads nowhere',
    (plan) => Object.assign(plan.workflows.review!.substitutions, { Remind: { function: 'nobody' } }),
    'workflows.review.substitutions.Remind: there is no nobody among the functions',
  ],
])('refuses %s by name, at start', (_sentence, change, named) => {
  expect(refusal(change)).toContain(named);
});
