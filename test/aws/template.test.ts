import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { expect, it } from 'vitest';
import { stacksOf } from '../../infra/aws/stacks.ts';
import { stageOf } from '../../infra/aws/stage.ts';

it('synthesizes', () => {
  const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
  const stacks = stacksOf(app, stageOf(app, {}), {
    pages: '/work/wt/aws/workflows',
    code: () => Code.fromInline('exports.handler=0'),
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  expect(Template.fromStack(stacks.flow)).toBeDefined();
});
