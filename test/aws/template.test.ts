import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXTRA } from '../../infra/aws/extra.ts';
import { stacksOf } from '../../infra/aws/stacks.ts';
import { stageOf } from '../../infra/aws/stage.ts';
import { INDEXES } from '../../infra/aws/table-schema.ts';
import { topology } from '../../infra/topology.ts';

type Resource = {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
};
type Resources = Record<string, Resource>;
type Statement = { Action: string | string[]; Resource: unknown; Effect: string; Condition?: unknown; Sid?: string };

const ALL_FUNCTIONS = { ...topology.functions, ...EXTRA };

let state: Resources;
let edge: Resources;
let flow: Resources;
let watch: Resources;

/** Once for all: nothing here changes a template. Functions without their code, which bundle.test.ts looks at. */
beforeAll(() => {
  const app = new App({
    context: {
      '@aws-cdk/core:validateAgainstDefaultRules': true,
      stage: 'test',
      sender: 'comments@blog.example',
      bedrockModel: 'amazon.nova-micro-v1:0',
    },
  });
  const pages = mkdtempSync(join(tmpdir(), 'sluice-pages-'));
  writeFileSync(join(pages, 'demo.html'), '');
  const stacks = stacksOf(app, stageOf(app, {}), {
    pages,
    descriptions: { '/v1/openapi.json': { openapi: '3.1.0' } },
    code: () => Code.fromInline('exports.handler = 0'),
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  // Throws for any finding of AwsSolutions that is not acknowledged, and for what CloudFormation would refuse.
  app.synth();
  [state, edge, flow, watch] = [stacks.state, stacks.edge, stacks.flow, stacks.watch].map(
    (stack) => Template.fromStack(stack).toJSON().Resources as Resources,
  ) as [Resources, Resources, Resources, Resources];
});

const ofType = (resources: Resources, type: string) =>
  Object.entries(resources).filter(([, { Type }]) => Type === type);
/** The one resource of a type that has a name of ours. */
function one(resources: Resources, type: string, property: string, name: string): { id: string } & Resource {
  const found = ofType(resources, type).filter(([, { Properties }]) => Properties[property] === name);
  if (found.length !== 1) throw new Error(`${found.length} of ${type} are named ${name}`);
  return { id: found[0]![0], ...found[0]![1] };
}
const queue = (name: string) => one(state, 'AWS::SQS::Queue', 'QueueName', `sluice-test-${name}`);
const lambda = (name: string) => one(flow, 'AWS::Lambda::Function', 'FunctionName', `sluice-test-${name}`);
const machine = (name: string) =>
  one(flow, 'AWS::StepFunctions::StateMachine', 'StateMachineName', `sluice-test-${name}`);
const textOf = (value: unknown) => JSON.stringify(value);
/** Across stacks a reference is an import whose name holds the construct's id. */
const pointsAt = (value: unknown, id: string) => expect(textOf(value)).toContain(id);

const pair = (name: string) => [
  { AttributeName: `${name}pk`, KeyType: 'HASH' },
  { AttributeName: `${name}sk`, KeyType: 'RANGE' },
];

function statementsOf(roleId: string): Statement[] {
  return ofType(flow, 'AWS::IAM::Policy')
    .filter(([, { Properties }]) => textOf(Properties.Roles).includes(`"${roleId}"`))
    .flatMap(([, { Properties }]) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement);
}
const actionsOf = (statements: readonly Statement[]) => statements.flatMap(({ Action }) => Action).toSorted();

describe('the bus', () => {
  it('is named after its stage and keeps its archive as long as the topology says', () => {
    expect(ofType(state, 'AWS::Events::EventBus').map(([, { Properties }]) => Properties.Name)).toEqual([
      'sluice-test',
    ]);
    const [[, archive]] = ofType(state, 'AWS::Events::Archive') as [[string, Resource]];
    expect(archive.Properties.RetentionDays).toBe(topology.bus.archiveDays);
  });

  it('has exactly the rules of the topology', () => {
    expect(
      ofType(state, 'AWS::Events::Rule')
        .map(([, { Properties }]) => Properties.Name)
        .toSorted(),
    ).toEqual(
      Object.keys(topology.rules)
        .map((name) => `sluice-test-${name}`)
        .toSorted(),
    );
  });

  it.each(Object.entries(topology.rules))('rule %s: pattern, queue, lane, retries, dead letters', (name, rule) => {
    const { Properties } = one(state, 'AWS::Events::Rule', 'Name', `sluice-test-${name}`);
    expect(Properties.EventPattern).toEqual(rule.pattern);
    const [target, ...others] = Properties.Targets as Record<string, never>[];
    expect(others).toEqual([]);
    pointsAt(target!.Arn, queue(rule.target.queue).id);
    expect(target!.SqsParameters).toEqual(
      rule.target.messageGroup ? { MessageGroupId: rule.target.messageGroup } : undefined,
    );
    expect(target!.RetryPolicy).toMatchObject({ MaximumEventAgeInSeconds: rule.retryHours * 3600 });
    pointsAt(target!.DeadLetterConfig, queue(rule.deadLetter).id);
  });

  it('may write to each queue that a rule names, from those rules alone', () => {
    const wanted = new Map<string, string[]>();
    for (const [name, { target, deadLetter }] of Object.entries(topology.rules)) {
      for (const to of [target.queue, deadLetter])
        wanted.set(to, [...(wanted.get(to) ?? []), `rule/sluice-test/sluice-test-${name}`]);
    }
    for (const [name, rules] of wanted) {
      const { id } = queue(name);
      const statements = ofType(state, 'AWS::SQS::QueuePolicy')
        .filter(([, { Properties }]) => textOf(Properties.Queues).includes(`"${id}"`))
        .flatMap(
          ([, { Properties }]) =>
            (Properties.PolicyDocument as { Statement: (Statement & { Principal: unknown })[] }).Statement,
        )
        .filter(({ Principal }) => textOf(Principal).includes('events.amazonaws.com'));
      expect(statements).toHaveLength(1);
      expect(statements[0]!.Action).toBe('sqs:SendMessage');
      const sources = textOf((statements[0]!.Condition as { ArnEquals: unknown }).ArnEquals);
      for (const rule of rules) expect(sources).toContain(`:${rule}"`);
      expect(sources.match(/:rule\//g)).toHaveLength(rules.length);
    }
  });
});

describe('queues', () => {
  it('are exactly those of the topology', () => {
    expect(
      ofType(state, 'AWS::SQS::Queue')
        .map(([, { Properties }]) => Properties.QueueName)
        .toSorted(),
    ).toEqual(
      Object.keys(topology.queues)
        .map((name) => `sluice-test-${name}`)
        .toSorted(),
    );
  });

  it.each(Object.entries(topology.queues))('%s: times, size, dead letters, kept on destroy', (name, spec) => {
    const { Properties, DeletionPolicy } = queue(name);
    expect(Properties).toMatchObject({
      VisibilityTimeout: spec.visibilitySeconds,
      MessageRetentionPeriod: spec.retentionDays * 86_400,
      MaximumMessageSize: spec.maxMessageBytes,
      SqsManagedSseEnabled: true,
    });
    // A fair queue is a standard one with message groups.
    expect(Properties.FifoQueue).toBeUndefined();
    expect(DeletionPolicy).toBe('Retain');
    if (spec.deadLetter) {
      expect(Properties.RedrivePolicy).toMatchObject({ maxReceiveCount: spec.deadLetter.maxReceives });
      pointsAt(Properties.RedrivePolicy, queue(spec.deadLetter.queue).id);
    } else {
      const sources = Object.keys(topology.queues).filter(
        (other) => topology.queues[other]?.deadLetter?.queue === name,
      );
      const allowed = Properties.RedriveAllowPolicy as { redrivePermission: string; sourceQueueArns?: unknown[] };
      expect(allowed.redrivePermission).toBe(sources.length > 0 ? 'byQueue' : 'denyAll');
      for (const source of sources) pointsAt(allowed.sourceQueueArns, `:sluice-test-${source}"`.slice(0, -1));
    }
  });

  it('refuse what comes without TLS', () => {
    for (const [id] of ofType(state, 'AWS::SQS::Queue')) {
      const policies = ofType(state, 'AWS::SQS::QueuePolicy').filter(([, { Properties }]) =>
        textOf(Properties.Queues).includes(`"${id}"`),
      );
      expect(policies).toHaveLength(1);
      expect(textOf(policies[0]![1].Properties)).toContain('"aws:SecureTransport":"false"');
    }
  });
});

describe('the table', () => {
  it('has the keys and indexes of the store, expiry, recovery, and stays', () => {
    const [[, table], ...others] = ofType(state, 'AWS::DynamoDB::Table') as [[string, Resource]];
    expect(others).toEqual([]);
    expect(table.Properties).toMatchObject({
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: pair(''),
      GlobalSecondaryIndexes: Object.entries(INDEXES).map(([IndexName, ProjectionType]) => ({
        IndexName,
        KeySchema: pair(IndexName),
        Projection: { ProjectionType },
      })),
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      DeletionProtectionEnabled: true,
    });
    expect(table.DeletionPolicy).toBe('Retain');
  });
});

describe('functions', () => {
  it('are those of the topology, and what AWS alone needs', () => {
    const names = ofType(flow, 'AWS::Lambda::Function').map(([, { Properties }]) => Properties.FunctionName);
    expect(names.toSorted()).toEqual(
      Object.keys(ALL_FUNCTIONS)
        .map((name) => `sluice-test-${name}`)
        .toSorted(),
    );
  });

  it.each(Object.entries(ALL_FUNCTIONS))('%s: size, time, runtime, log, alias, roll-back', (name, spec) => {
    const { id, Properties } = lambda(name);
    expect(Properties).toMatchObject({
      MemorySize: spec.memoryMb,
      Timeout: spec.timeoutSeconds,
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: { LogFormat: 'JSON' },
    });
    expect(Properties.ReservedConcurrentExecutions).toBe(spec.reservedConcurrency);
    const log = one(flow, 'AWS::Logs::LogGroup', 'LogGroupName', `/aws/lambda/sluice-test-${name}`);
    expect(log.Properties.RetentionInDays).toBe(30);
    const aliases = ofType(flow, 'AWS::Lambda::Alias').filter(([, one]) =>
      textOf(one.Properties.FunctionName).includes(id),
    );
    expect(aliases).toHaveLength(1);
    expect(aliases[0]![1].Properties.Name).toBe('live');
    const update = (aliases[0]![1] as unknown as { UpdatePolicy: unknown }).UpdatePolicy;
    expect(textOf(update)).toContain('CodeDeployLambdaAliasUpdate');
    const groups = ofType(flow, 'AWS::CodeDeploy::DeploymentGroup');
    expect(
      groups.some(
        ([group, { Properties: own }]) =>
          textOf(update).includes(group) && textOf(own.AutoRollbackConfiguration).includes('DEPLOYMENT_STOP_ON_ALARM'),
      ),
    ).toBe(true);
  });

  it.each(Object.entries(ALL_FUNCTIONS))('%s may do what the topology says, and nothing else', (name, spec) => {
    const { Properties } = lambda(name);
    const roleId = (Properties.Role as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0];
    const { may } = spec;
    const consumed = Object.values(topology.eventSources).filter(({ function: to }) => to === name);
    const own = statementsOf(roleId).filter(({ Action }) => !/^(xray|logs):/.test([Action].flat()[0] ?? ''));
    expect(new Set(actionsOf(own))).toEqual(
      new Set([
        ...(may.table ? ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:Query'] : []),
        ...(may.table === 'write'
          ? ['dynamodb:ConditionCheckItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem']
          : []),
        ...(may.putEvents ? ['events:PutEvents'] : []),
        ...(may.send ? ['sqs:SendMessage'] : []),
        ...(may.start ? ['states:StartExecution'] : []),
        ...(may.answer ? ['states:SendTaskFailure', 'states:SendTaskSuccess'] : []),
        ...(may.mail ? ['ses:SendEmail'] : []),
        ...(may.secret ? ['secretsmanager:GetSecretValue'] : []),
        ...(may.askOutside ? ['bedrock:InvokeModel', 'ssm:GetParameter'] : []),
        ...(consumed.length > 0 ? ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'] : []),
        ...('looksAtQueues' in spec ? ['sqs:GetQueueAttributes'] : []),
      ]),
    );
    for (const { Action, Resource } of own) {
      expect(textOf(Action)).not.toContain('*');
      expect(textOf(Resource)).not.toContain('*');
    }
    for (const to of may.send ?? [])
      pointsAt(
        own.filter(({ Action }) => textOf(Action).includes('sqs:SendMessage')),
        queue(to).id,
      );
    for (const workflow of [...(may.start ?? []), ...(may.answer ?? [])]) {
      pointsAt(own, `stateMachine:sluice-test-${workflow}`);
    }
    for (const { queue: from } of consumed) pointsAt(own, queue(from).id);
    if (may.askOutside) {
      pointsAt(own, ':foundation-model/amazon.nova-micro-v1:0"');
      pointsAt(own, ':parameter/sluice-test-akismet-key"');
    }
  });

  it('hold no root key unless the topology says so', () => {
    for (const [name, { may }] of Object.entries(ALL_FUNCTIONS)) {
      const { Variables } = lambda(name).Properties.Environment as { Variables: Record<string, unknown> };
      expect({ name, secret: Variables.SLUICE_SECRET !== undefined }).toEqual({ name, secret: may.secret === true });
      expect(textOf(Variables)).not.toContain('resolve:secretsmanager');
    }
  });
});

describe('workflows', () => {
  it.each(Object.entries(topology.workflows))('%s is the file as it stands, of its type, filled in', (name, spec) => {
    const { id, Properties } = machine(name);
    expect(Properties.DefinitionString).toBe(readFileSync(spec.file, 'utf8'));
    expect(Properties.StateMachineType).toBe(spec.type);
    const filled = Properties.DefinitionSubstitutions as Record<string, unknown>;
    expect(Object.keys(filled).toSorted()).toEqual(Object.keys(spec.substitutions).toSorted());
    for (const [word, target] of Object.entries(spec.substitutions)) {
      if ('function' in target) {
        const alias = ofType(flow, 'AWS::Lambda::Alias').find(([, one]) =>
          textOf(one.Properties.FunctionName).includes(`"${lambda(target.function).id}"`),
        );
        expect(filled[word]).toEqual({ Ref: alias![0] });
      } else if ('queue' in target) pointsAt(filled[word], queue(target.queue).id);
      else pointsAt(filled[word], `stateMachine:sluice-test-${target.workflow}:live`);
    }
    expect(Properties.LoggingConfiguration).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
    expect(Properties.TracingConfiguration).toEqual({ Enabled: true });
    const versions = ofType(flow, 'AWS::StepFunctions::StateMachineVersion').filter(([, one]) =>
      textOf(one).includes(id),
    );
    expect(versions).toHaveLength(1);
    // What waits on the version before goes on with it.
    expect(versions[0]![1].UpdateReplacePolicy).toBe('Retain');
  });

  it('name every word that their files ask for', () => {
    for (const { file, substitutions } of Object.values(topology.workflows)) {
      const words = [...readFileSync(file, 'utf8').matchAll(/\$\{(\w+)\}/g)].map(([, word]) => word);
      expect(new Set(words)).toEqual(new Set(Object.keys(substitutions)));
    }
  });

  it.each(Object.entries(topology.workflows))(
    '%s calls its functions, queues and workflows, and nothing else',
    (name, spec) => {
      const roleId = (machine(name).Properties.RoleArn as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0];
      const targets = Object.values(spec.substitutions);
      const own = statementsOf(roleId).filter(({ Action }) => !/^(xray|logs):/.test([Action].flat()[0] ?? ''));
      expect(actionsOf(own)).toEqual(
        [
          'lambda:InvokeFunction',
          ...(targets.some((target) => 'queue' in target) ? ['sqs:SendMessage'] : []),
          ...(targets.some((target) => 'workflow' in target) ? ['states:StartExecution'] : []),
        ].toSorted(),
      );
      expect(textOf(own.map(({ Resource }) => Resource))).not.toContain('*');
    },
  );
});

describe('pipes and sources', () => {
  it.each(Object.entries(topology.pipes))(
    'pipe %s: one message a run, synchronously, without a window',
    (name, spec) => {
      const { Properties } = one(flow, 'AWS::Pipes::Pipe', 'Name', `sluice-test-${name}`);
      pointsAt(Properties.Source, queue(spec.queue).id);
      expect(Properties.SourceParameters).toEqual({ SqsQueueParameters: { BatchSize: spec.batchSize } });
      expect(Properties.TargetParameters).toEqual({
        StepFunctionStateMachineParameters: { InvocationType: spec.invocation },
      });
      // The machine itself: aliases are documented for StartExecution alone, and a synchronous pipe calls another.
      expect(Properties.Target).toEqual({ Ref: machine(spec.workflow).id });
      // Visibility must outlast the longest run: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-sqs.html
      expect(topology.queues[spec.queue]!.visibilitySeconds).toBeGreaterThan(
        topology.workflows[spec.workflow]!.timeoutSeconds,
      );
    },
  );

  it('has exactly the event sources of the topology', () => {
    expect(ofType(flow, 'AWS::Lambda::EventSourceMapping')).toHaveLength(Object.keys(topology.eventSources).length);
  });

  it.each(Object.entries(topology.eventSources))(
    'source %s: queue, alias, batch, partial failures, limit',
    (_name, spec) => {
      const { id } = queue(spec.queue);
      const found = ofType(flow, 'AWS::Lambda::EventSourceMapping').filter(([, { Properties }]) =>
        new RegExp(`${id}(?![A-Za-z])`).test(textOf(Properties.EventSourceArn).replaceAll('Arn', ' ')),
      );
      expect(found).toHaveLength(1);
      const { Properties } = found[0]![1];
      expect(Properties).toMatchObject({
        BatchSize: spec.batchSize,
        ScalingConfig: { MaximumConcurrency: spec.maxConcurrency },
      });
      expect(Properties.FunctionResponseTypes).toEqual(spec.partialFailures ? ['ReportBatchItemFailures'] : undefined);
      // AWS asks for six times the function's time.
      expect(topology.queues[spec.queue]!.visibilitySeconds).toBeGreaterThanOrEqual(
        topology.functions[spec.function]!.timeoutSeconds,
      );
    },
  );

  it.each(Object.entries(topology.schedules))('schedule %s comes as often as it says', (name, spec) => {
    const { Properties } = one(flow, 'AWS::Events::Rule', 'Name', `sluice-test-every-${name}`);
    const minutes = spec.everySeconds / 60;
    expect(Properties.ScheduleExpression).toBe(minutes === 1 ? 'rate(1 minute)' : `rate(${minutes} minutes)`);
  });
});

describe('the edge', () => {
  it('lets nobody around CloudFront: every route asks the gate', () => {
    const routes = ofType(flow, 'AWS::ApiGatewayV2::Route');
    expect(routes.map(([, { Properties }]) => Properties.RouteKey).toSorted()).toEqual(
      Object.values(EXTRA)
        .flatMap(({ routes: own = [] }) => own)
        .toSorted(),
    );
    for (const [, { Properties }] of routes) {
      expect(Properties.AuthorizationType).toBe('CUSTOM');
      expect(Properties.AuthorizerId).toBeDefined();
    }
    const [[, authorizer]] = ofType(flow, 'AWS::ApiGatewayV2::Authorizer') as [[string, Resource]];
    expect(authorizer.Properties.IdentitySource).toEqual(['$request.header.x-sluice-origin']);
  });

  it('throttles, and keeps readers’ addresses and paths out of its log', () => {
    const [[, stage]] = ofType(edge, 'AWS::ApiGatewayV2::Stage') as [[string, Resource]];
    expect(stage.Properties.DefaultRouteSettings).toMatchObject({
      ThrottlingRateLimit: 500,
      ThrottlingBurstLimit: 1000,
    });
    expect(textOf(stage.Properties.AccessLogSettings)).not.toMatch(/identity|sourceIp|path|userAgent/i);
  });

  it('writes no secret into a template', () => {
    expect(textOf(edge)).toContain('{{resolve:secretsmanager:');
    expect(textOf(edge)).not.toMatch(/"SecretString":/);
  });

  it('tells bounces and complaints, and suppresses them', () => {
    const [[, set]] = ofType(edge, 'AWS::SES::ConfigurationSet') as [[string, Resource]];
    expect(set.Properties.SuppressionOptions).toEqual({ SuppressedReasons: ['BOUNCE', 'COMPLAINT'] });
    const rule = one(flow, 'AWS::Events::Rule', 'Name', 'sluice-test-mail-feedback');
    expect(rule.Properties.EventPattern).toMatchObject({ source: ['aws.ses'] });
  });
});

describe('the watch', () => {
  it.each([
    'dead-letters',
    'drain-stuck',
    'intake-age',
    'notify-age',
    'moderation-executions',
    'review-executions',
    'error-rate',
    'pipe-failed',
    'pipe-stopped',
    'throttles',
    'table-throttles',
    'api-errors',
    'api-p99',
    'rules-failed',
  ])('an alarm says: %s', (name) => {
    const { Properties } = one(watch, 'AWS::CloudWatch::Alarm', 'AlarmName', `sluice-test-${name}`);
    expect(Properties.AlarmActions).toHaveLength(1);
  });

  it('has one dashboard and a budget', () => {
    expect(ofType(watch, 'AWS::CloudWatch::Dashboard')).toHaveLength(1);
    expect(ofType(watch, 'AWS::Budgets::Budget')).toHaveLength(1);
  });
});

describe('cdk destroy', () => {
  it('leaves what holds data: table, queues, users, root key; and versions that executions run on', () => {
    const kept = [state, edge, flow, watch].flatMap((resources) =>
      Object.values(resources)
        .filter(({ DeletionPolicy }) => DeletionPolicy === 'Retain')
        .map(({ Type }) => Type),
    );
    expect([...new Set(kept)].toSorted()).toEqual([
      'AWS::Cognito::UserPool',
      'AWS::DynamoDB::Table',
      'AWS::SQS::Queue',
      'AWS::SecretsManager::Secret',
      'AWS::StepFunctions::StateMachineVersion',
    ]);
  });
});
