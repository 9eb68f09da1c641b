/* oxlint-disable no-new -- a construct is made for its place in the tree */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnAuthorizer, CfnIntegration, CfnRoute, type HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  Architecture,
  CfnPermission,
  type Code,
  EventSourceMapping,
  type IFunction,
  type IVersion,
  Function as LambdaFunctionResource,
  LoggingFormat,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import {
  CfnStateMachine,
  CfnStateMachineAlias,
  CfnStateMachineVersion,
  DefinitionBody,
  LogLevel,
  StateMachine,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import { CfnSamplingRule } from 'aws-cdk-lib/aws-xray';
import type { Construct } from 'constructs';
import { type FunctionSpec, topology } from '../topology.ts';
import type { EdgeStack } from './edge-stack.ts';
import { VARIABLES } from './environment.ts';
import { EXTRA, type ExtraSpec } from './extra.ts';
import { ORIGIN_HEADER } from './gate.ts';
import { acknowledge } from './nag.ts';
import { type Arns, statementsOf } from './permissions.ts';
import { named } from './names.ts';
import type { Stage } from './stage.ts';
import type { StateStack } from './state-stack.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A hundredth of the runs, and none for certain: a reservoir of one a second would trace every run of a small site. */
const TRACED = 0.01;

/** Of functions and workflows: what a deploy moves. */
const LIVE = 'live';

export type FlowProps = StackProps & {
  stage: Stage;
  state: StateStack;
  edge: EdgeStack;
  /** The code of one function; the app bundles it, a test need not. */
  code(name: string, spec: FunctionSpec | ExtraSpec): Code;
};

/** One function with what others call: its alias, which a deploy moves and an alarm moves back. */
export type Unit = { function: LambdaFunctionResource; alias: Alias; errors: Alarm; role: Role };

/** CDK's classes and interfaces part where optional properties are exact: hence `as`. */
const callable = ({ alias }: Unit) => alias as IFunction;

/** What runs: functions, workflows, the pipe, event sources, schedules and routes. Holds nothing; may be deployed anew. */
export class FlowStack extends Stack {
  readonly units: Readonly<Record<string, Unit>>;
  readonly workflows: Readonly<Record<string, StateMachine>>;
  readonly pipes: Readonly<Record<string, CfnPipe>>;
  readonly #stage: Stage;
  readonly #state: StateStack;
  readonly #edge: EdgeStack;

  constructor(scope: Construct, id: string, { stage, state, edge, code, ...props }: FlowProps) {
    super(scope, id, props);
    this.#stage = stage;
    this.#state = state;
    this.#edge = edge;
    new CfnSamplingRule(this, 'traces', {
      samplingRule: {
        ruleName: named(stage, 'traces'),
        version: 1,
        priority: 1000,
        fixedRate: TRACED,
        reservoirSize: 0,
        host: '*',
        httpMethod: '*',
        resourceArn: '*',
        serviceName: `${named(stage, '')}*`,
        serviceType: '*',
        urlPath: '*',
      },
    });
    this.units = this.#functions(code);
    this.workflows = this.#workflowsOf();
    this.pipes = this.#pipesOf();
    this.#eventSources();
    this.#schedules();
    this.#routes(edge.api);
    this.#mailFeedback();
    new CfnOutput(this, 'BusName', { value: state.bus.eventBusName, description: 'Where PutEvents goes' });
    new CfnOutput(this, 'UserPoolId', { value: state.users.userPoolId, description: 'Where moderators are added' });
    new CfnOutput(this, 'TableName', { value: state.table.tableName, description: 'For sluice --stage' });
    new CfnOutput(this, 'PublicUrl', { value: edge.publicUrl, description: 'Where readers reach this instance' });
  }

  #functions(code: FlowProps['code']): Record<string, Unit> {
    const application = new LambdaApplication(this, 'application', {
      applicationName: named(this.#stage, 'functions'),
    });
    const made: Record<string, Unit> = {};
    for (const [name, spec] of Object.entries({ ...topology.functions, ...EXTRA })) {
      made[name] = this.#function(name, spec, code(name, spec), application);
    }
    return made;
  }

  #function(name: string, spec: FunctionSpec | ExtraSpec, code: Code, application: LambdaApplication): Unit {
    const functionName = named(this.#stage, name);
    const logGroup = new LogGroup(this, `log-${name}`, {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, `role-${name}`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    for (const statement of statementsOf(spec, this.#arns(name))) role.addToPolicy(statement);
    if ('looksAtQueues' in spec) {
      role.addToPolicy(
        new PolicyStatement({
          actions: ['sqs:GetQueueAttributes'],
          resources: Object.values(this.#state.queues).map(({ queueArn }) => queueArn),
        }),
      );
    }
    const lambda = new LambdaFunctionResource(this, `function-${name}`, {
      functionName,
      description: `Sluice: ${name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code,
      role,
      logGroup,
      memorySize: spec.memoryMb,
      timeout: Duration.seconds(spec.timeoutSeconds),
      // Traced when the workflow that calls is; otherwise Lambda would trace one a second, which is all of a small site.
      tracing: isTraced(name) ? Tracing.ACTIVE : Tracing.PASS_THROUGH,
      loggingFormat: LoggingFormat.JSON,
      // START, END and REPORT of every call would be most of the log.
      systemLogLevelV2: SystemLogLevel.WARN,
      environment: this.#environment(name, spec),
      ...(spec.reservedConcurrency !== undefined && { reservedConcurrentExecutions: spec.reservedConcurrency }),
    });
    acknowledge(role, {
      'AwsSolutions-IAM5[Resource::*]': 'X-Ray’s PutTraceSegments and PutTelemetryRecords know no resource.',
    });
    const alias = new Alias(this, `alias-${name}`, { aliasName: LIVE, version: lambda.currentVersion as IVersion });
    const errors = new Alarm(this, `errors-${name}`, {
      alarmName: named(this.#stage, `${name}-errors`),
      alarmDescription: `${name} fails: a deploy that is under way is rolled back. Look at /aws/lambda/${functionName}.`,
      metric: alias.metricErrors({ period: Duration.minutes(1), statistic: 'sum' }),
      threshold: 5,
      evaluationPeriods: 2,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const group = new LambdaDeploymentGroup(this, `deployment-${name}`, {
      application,
      alias,
      deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
      alarms: [errors],
    });
    acknowledge(group, {
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited]':
        'The policy that AWS keeps for just this: CodeDeploy moves an alias.',
    });
    return { function: lambda, alias, errors, role };
  }

  #environment(name: string, { may, ...spec }: FunctionSpec | ExtraSpec): Record<string, string> {
    const state = this.#state;
    const queues = 'looksAtQueues' in spec ? Object.keys(topology.queues) : (may.send ?? []);
    return {
      [VARIABLES.stage]: this.#stage.name,
      [VARIABLES.logLevel]: 'info',
      [VARIABLES.publicUrl]: this.#edge.publicUrl,
      ...(may.table && { [VARIABLES.table]: state.table.tableName }),
      ...(may.putEvents && { [VARIABLES.bus]: state.bus.eventBusName }),
      ...(may.secret && { [VARIABLES.secret]: this.#secretOf(name).secretArn }),
      ...(may.askOutside && { [VARIABLES.akismetKey]: this.#akismetKey() }),
      ...(may.askOutside && this.#stage.bedrockModel && { [VARIABLES.bedrockModel]: this.#stage.bedrockModel }),
      ...(may.mail && { [VARIABLES.configurationSet]: this.#edge.configurationSet.configurationSetName }),
      ...(may.mail && this.#stage.sender && { SLUICE_SENDER: this.#stage.sender }),
      ...(queues.length > 0 && {
        [VARIABLES.queues]: this.toJsonString(
          Object.fromEntries(
            queues.map((queue) => [
              queue,
              { url: state.queues[queue]!.queueUrl, maxMessageBytes: topology.queues[queue]!.maxMessageBytes },
            ]),
          ),
        ),
      }),
      ...(may.start && {
        [VARIABLES.workflows]: this.toJsonString(
          Object.fromEntries(may.start.map((workflow) => [workflow, this.#startArn(workflow)])),
        ),
      }),
      ...(name === 'settings' && {
        [VARIABLES.userPool]: state.users.userPoolId,
        [VARIABLES.userClient]: this.#edge.userClient.userPoolClientId,
        [VARIABLES.userDomain]: state.userDomain.baseUrl(),
      }),
    };
  }

  #secretOf(name: string) {
    return name === 'gate' ? this.#edge.originSecret : this.#state.rootKey;
  }

  /** A parameter that the operator makes, or not: no deploy is needed. */
  #akismetKey(): string {
    return named(this.#stage, 'akismet-key');
  }

  /** What `StartExecution` is given: the alias. Rights are those on the machine: https://docs.aws.amazon.com/step-functions/latest/dg/auth-version-alias.html */
  #startArn(name: string): string {
    return `${this.#workflowArn(name)}:${LIVE}`;
  }

  /** By name, not by reference: workflows call functions and functions start workflows. */
  #workflowArn(name: string): string {
    return this.formatArn({
      service: 'states',
      resource: 'stateMachine',
      resourceName: named(this.#stage, name),
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  #arns(name: string): Arns {
    const state = this.#state;
    return {
      table: state.table.tableArn,
      indexes: ['gsi1', 'gsi2', 'gsi3'].map((index) => `${state.table.tableArn}/index/${index}`),
      bus: state.bus.eventBusArn,
      queue: (queue) => state.queues[queue]!.queueArn,
      workflow: (workflow) => this.#workflowArn(workflow),
      secret: this.#secretOf(name).secretArn,
      akismetKey: this.formatArn({ service: 'ssm', resource: 'parameter', resourceName: this.#akismetKey() }),
      ...(this.#stage.bedrockModel && {
        bedrockModel: this.formatArn({
          service: 'bedrock',
          account: '',
          resource: 'foundation-model',
          resourceName: this.#stage.bedrockModel,
        }),
      }),
      mail: [
        this.formatArn({
          service: 'ses',
          resource: 'configuration-set',
          resourceName: this.#edge.configurationSet.configurationSetName,
        }),
        ...(this.#edge.identityArn ? [this.#edge.identityArn] : []),
      ],
    };
  }

  #workflowsOf(): Record<string, StateMachine> {
    const made: Record<string, StateMachine> = {};
    for (const [name, spec] of Object.entries(topology.workflows)) {
      const logs = new LogGroup(this, `log-workflow-${name}`, {
        // Step Functions writes its grants into this name's policy, and asks for the prefix.
        logGroupName: `/aws/vendedlogs/states/${named(this.#stage, name)}`,
        retention: RetentionDays.ONE_MONTH,
        removalPolicy: RemovalPolicy.DESTROY,
      });
      const role = new Role(this, `role-workflow-${name}`, { assumedBy: new ServicePrincipal('states.amazonaws.com') });
      const targets = Object.values(spec.substitutions);
      const invoked = targets.flatMap((target) => ('function' in target ? [target.function] : []));
      role.addToPolicy(
        new PolicyStatement({
          actions: ['lambda:InvokeFunction'],
          resources: [...new Set(invoked)].map((one) => this.units[one]!.alias.functionArn),
        }),
      );
      const sent = targets.flatMap((target) => ('queue' in target ? [this.#state.queues[target.queue]!.queueArn] : []));
      if (sent.length > 0) {
        role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: sent }));
      }
      const started = targets.flatMap((target) => ('workflow' in target ? [this.#workflowArn(target.workflow)] : []));
      if (started.length > 0) {
        role.addToPolicy(new PolicyStatement({ actions: ['states:StartExecution'], resources: started }));
      }
      const machine = new StateMachine(this, `workflow-${name}`, {
        stateMachineName: named(this.#stage, name),
        stateMachineType: StateMachineType[spec.type],
        // The file as it stands: CloudFormation fills in the ${words}.
        definitionBody: DefinitionBody.fromString(readFileSync(join(ROOT, spec.file), 'utf8')),
        definitionSubstitutions: Object.fromEntries(
          Object.entries(spec.substitutions).map(([word, target]) => [word, this.#substitute(target)]),
        ),
        role,
        timeout: Duration.seconds(spec.timeoutSeconds),
        tracingEnabled: true,
        // Failures, without input and output: those may hold what readers wrote.
        logs: { destination: logs, level: LogLevel.ERROR, includeExecutionData: false },
        removalPolicy: RemovalPolicy.DESTROY,
      });
      acknowledge(role, {
        'AwsSolutions-IAM5[Resource::*]':
          'Delivery of logs and X-Ray segments know no resource; every other statement names its own.',
      });
      acknowledge(machine, {
        'AwsSolutions-SF1':
          'ALL would log 20 KB a run, 10 USD a million comments: the run’s trace stands in the comment’s log, failures are logged.',
      });
      const { attrArn, attrStateMachineRevisionId } = machine.node.defaultChild as CfnStateMachine;
      const version = new CfnStateMachineVersion(this, `version-${name}`, {
        stateMachineArn: attrArn,
        stateMachineRevisionId: attrStateMachineRevisionId,
      });
      // The one before stays: what runs on it ends on it, and a roll-back needs it.
      version.applyRemovalPolicy(RemovalPolicy.RETAIN);
      const failures = new Alarm(this, `failures-${name}`, {
        alarmName: named(this.#stage, `${name}-failures`),
        alarmDescription: `Executions of ${name} fail or time out: a deploy that is under way is rolled back.`,
        metric: machine.metricFailed({ period: Duration.minutes(1), statistic: 'sum' }),
        threshold: 5,
        evaluationPeriods: 2,
        comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      });
      new CfnStateMachineAlias(this, `alias-workflow-${name}`, {
        name: LIVE,
        deploymentPreference: {
          stateMachineVersionArn: version.attrArn,
          type: 'CANARY',
          percentage: 10,
          interval: 5,
          alarms: [failures.alarmName],
        },
      });
      made[name] = machine;
    }
    return made;
  }

  #substitute(target: { function: string } | { queue: string } | { workflow: string }): string {
    if ('function' in target) return this.units[target.function]!.alias.functionArn;
    if ('queue' in target) return this.#state.queues[target.queue]!.queueUrl;
    return this.#startArn(target.workflow);
  }

  #pipesOf(): Record<string, CfnPipe> {
    const made: Record<string, CfnPipe> = {};
    for (const [name, spec] of Object.entries(topology.pipes)) {
      const queue = this.#state.queues[spec.queue]!;
      const machine = this.workflows[spec.workflow]!;
      const sync = spec.invocation === 'REQUEST_RESPONSE';
      const role = new Role(this, `role-pipe-${name}`, { assumedBy: new ServicePrincipal('pipes.amazonaws.com') });
      role.addToPolicy(
        new PolicyStatement({
          actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
          resources: [queue.queueArn],
        }),
      );
      role.addToPolicy(
        new PolicyStatement({
          actions: [sync ? 'states:StartSyncExecution' : 'states:StartExecution'],
          resources: [machine.stateMachineArn],
        }),
      );
      const pipe = new CfnPipe(this, `pipe-${name}`, {
        name: named(this.#stage, name),
        roleArn: role.roleArn,
        source: queue.queueArn,
        // No window: with one a quiet queue may wait 20 s.
        sourceParameters: { sqsQueueParameters: { batchSize: spec.batchSize } },
        // Not the alias: what a pipe may call is documented as a state machine (docs/decisions/0007).
        target: machine.stateMachineArn,
        targetParameters: { stepFunctionStateMachineParameters: { invocationType: spec.invocation } },
      });
      // The role's rights must stand before the pipe's first look at the queue.
      pipe.node.addDependency(role);
      made[name] = pipe;
    }
    return made;
  }

  #eventSources(): void {
    for (const [name, spec] of Object.entries(topology.eventSources)) {
      const unit = this.units[spec.function]!;
      const queue = this.#state.queues[spec.queue]!;
      unit.role.addToPolicy(
        new PolicyStatement({
          actions: ['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'],
          resources: [queue.queueArn],
        }),
      );
      const source = new EventSourceMapping(this, `source-${name}`, {
        target: callable(unit),
        eventSourceArn: queue.queueArn,
        batchSize: spec.batchSize,
        reportBatchItemFailures: spec.partialFailures,
        maxConcurrency: spec.maxConcurrency,
      });
      source.node.addDependency(unit.role);
    }
  }

  #schedules(): void {
    for (const [name, spec] of Object.entries(topology.schedules)) {
      new Rule(this, `schedule-${name}`, {
        ruleName: named(this.#stage, `every-${name}`),
        schedule: Schedule.rate(Duration.seconds(spec.everySeconds)),
        targets: [
          new LambdaFunction(callable(this.units[spec.function]!), {
            event: RuleTargetInput.fromObject({ schedule: name }),
            // The next one comes soon enough.
            retryAttempts: 0,
          }),
        ],
      });
    }
  }

  /** Written out: CDK's own would stand in the API's stack, and that one must not know the functions. */
  #routes(api: HttpApi): void {
    const allow = (name: string, what: string) =>
      new CfnPermission(this, `permission-${name}`, {
        action: 'lambda:InvokeFunction',
        functionName: this.units[name]!.alias.functionArn,
        principal: 'apigateway.amazonaws.com',
        sourceArn: this.formatArn({ service: 'execute-api', resource: api.apiId, resourceName: what }),
      });
    allow('gate', 'authorizers/*');
    const authorizer = new CfnAuthorizer(this, 'authorizer', {
      apiId: api.apiId,
      name: named(this.#stage, 'gate'),
      authorizerType: 'REQUEST',
      authorizerUri: `arn:${this.partition}:apigateway:${this.region}:lambda:path/2015-03-31/functions/${this.units.gate!.alias.functionArn}/invocations`,
      authorizerPayloadFormatVersion: '2.0',
      enableSimpleResponses: true,
      identitySource: [`$request.header.${ORIGIN_HEADER}`],
      authorizerResultTtlInSeconds: 3600,
    });
    for (const [name, spec] of Object.entries(EXTRA)) {
      if (!spec.routes) continue;
      allow(name, '*');
      const integration = new CfnIntegration(this, `integration-${name}`, {
        apiId: api.apiId,
        integrationType: 'AWS_PROXY',
        integrationUri: this.units[name]!.alias.functionArn,
        payloadFormatVersion: '2.0',
        timeoutInMillis: spec.timeoutSeconds * 1000,
      });
      for (const routeKey of spec.routes) {
        new CfnRoute(this, `route-${routeKey}`, {
          apiId: api.apiId,
          routeKey,
          target: `integrations/${integration.ref}`,
          authorizationType: 'CUSTOM',
          authorizerId: authorizer.ref,
        });
      }
    }
  }

  #mailFeedback(): void {
    new Rule(this, 'mail-feedback', {
      ruleName: named(this.#stage, 'mail-feedback'),
      eventPattern: {
        source: ['aws.ses'],
        detailType: ['Email Bounced', 'Email Complaint Received'],
        // Another stage in this account has bounces of its own.
        detail: { mail: { tags: { 'ses:configuration-set': [named(this.#stage, 'mail')] } } },
      },
      targets: [new LambdaFunction(callable(this.units['mail-feedback']!), { retryAttempts: 10 })],
    });
  }
}

/** Called by a workflow, which decides whether a run is traced. */
function isTraced(name: string): boolean {
  return Object.values(topology.workflows).some(({ substitutions }) =>
    Object.values(substitutions).some((target) => 'function' in target && target.function === name),
  );
}
