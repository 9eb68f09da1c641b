import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { describe, expect, it } from 'vitest';
import { busName, named } from '../../infra/aws/names.ts';
import { stageOf } from '../../infra/aws/stage.ts';

const stage = (context: Record<string, string>, env: NodeJS.ProcessEnv = {}) => stageOf(new App({ context }), env);

describe('the context', () => {
  it('needs nothing: dev in us-east-1', () => {
    expect(stage({})).toEqual({ name: 'dev', region: 'us-east-1', budget: 50 });
  });

  it('takes the region of the CLI, and another one by name', () => {
    expect(stage({}, { CDK_DEFAULT_REGION: 'eu-central-1' }).region).toBe('eu-central-1');
    expect(stage({ region: 'eu-west-1' }, { CDK_DEFAULT_REGION: 'eu-central-1' }).region).toBe('eu-west-1');
  });

  it('keeps the plain name of the bus for production', () => {
    expect(busName(stage({ stage: 'prod' }))).toBe('sluice');
    expect(busName(stage({ stage: 'dev' }))).toBe('sluice-dev');
    expect(named(stage({ stage: 'blue2' }), 'intake')).toBe('sluice-blue2-intake');
  });

  it.each([
    [{ stage: 'Prod' }, /the stage "Prod"/],
    [{ stage: 'a-b' }, /the stage "a-b"/],
    [{ region: 'us-east-9' }, /the region "us-east-9"/],
    [{ sender: 'nobody' }, /the sender "nobody"/],
    [{ budget: 'much' }, /the budget "much"/],
    [{ bedrockModel: 'haiku' }, /bedrockModel "haiku"/],
    [{ bedrockModel: 'eu.amazon.nova-micro-v1:0' }, /span regions/],
    [{ domain: 'c.blog.example' }, /domain and certificate/],
    [{ domain: 'c.blog.example', certificate: 'arn:aws:acm:eu-central-1:1:certificate/x' }, /us-east-1/],
  ])('refuses %j in one sentence', (context, sentence) => {
    expect(() => stage(context)).toThrow(sentence);
  });

  it('says all that is wrong at once', () => {
    expect(() => stage({ stage: 'X', region: 'mars' })).toThrow(/the stage "X".*; the region "mars"/);
  });
});

it('tells a wrong stage at the command line without a stack trace', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, '../../infra/aws/app.ts')], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, CDK_CONTEXT_JSON: JSON.stringify({ stage: 'Prod!' }) },
  });
  expect(status).toBe(1);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(/^the stage "Prod!" is not .*-c/);
});
