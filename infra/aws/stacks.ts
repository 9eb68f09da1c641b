/* oxlint-disable no-new -- a construct is made for its place in the tree */
import type { App } from 'aws-cdk-lib';
import { type EdgeProps, EdgeStack } from './edge-stack.ts';
import { FlowStack, type FlowProps } from './flow-stack.ts';
import { named } from './names.ts';
import type { Stage } from './stage.ts';
import { StateStack } from './state-stack.ts';
import { WatchStack } from './watch-stack.ts';

/** The four stacks of one stage, in the order in which they come up. */
export function stacksOf(
  app: App,
  stage: Stage,
  { pages, descriptions, code }: Pick<FlowProps, 'code'> & Pick<EdgeProps, 'pages' | 'descriptions'>,
) {
  const common = {
    stage,
    env: { region: stage.region, ...(stage.account && { account: stage.account }) },
    // Names are ours; a stack that holds the table does not go by a slip.
    terminationProtection: false,
  };
  const state = new StateStack(app, named(stage, 'state'), {
    ...common,
    terminationProtection: stage.name === 'prod',
    description: 'Sluice: what holds data and takes it in',
  });
  const edge = new EdgeStack(app, named(stage, 'edge'), {
    ...common,
    users: state.users,
    pages,
    descriptions,
    description: 'Sluice: address, pages, API, mail',
  });
  const flow = new FlowStack(app, named(stage, 'flow'), {
    ...common,
    state,
    edge,
    code,
    description: 'Sluice: functions, workflows, pipe',
  });
  const watch = new WatchStack(app, named(stage, 'watch'), {
    ...common,
    state,
    edge,
    flow,
    description: 'Sluice: alarms, dashboard, spend',
  });
  return { state, edge, flow, watch };
}
