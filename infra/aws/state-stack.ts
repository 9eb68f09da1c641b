/* oxlint-disable no-new -- a construct is made for its place in the tree */
import { Duration, Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import {
  AccountRecovery,
  FeaturePlan,
  Mfa,
  UserPool,
  type UserPoolDomain,
  CfnUserPoolGroup,
} from 'aws-cdk-lib/aws-cognito';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Archive, CfnRule, EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type CfnQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { topology, type Rule } from '../topology.ts';
import { acknowledge } from './nag.ts';
import { busName, named } from './names.ts';
import type { Stage } from './stage.ts';
import { INDEXES } from './table-schema.ts';

/**
 * What holds data, and what takes it in: a comment is accepted while everything else is deployed anew or rolled back.
 *
 * The rules stand here because a queue has one policy, and theirs names them.
 */
export class StateStack extends Stack {
  readonly table: Table;
  readonly bus: EventBus;
  readonly queues: Readonly<Record<string, Queue>>;
  readonly users: UserPool;
  userDomain!: UserPoolDomain;
  /** Of the vault. */
  readonly rootKey: Secret;

  constructor(scope: Construct, id: string, { stage, ...props }: StackProps & { stage: Stage }) {
    super(scope, id, props);
    this.table = this.#table(stage);
    this.queues = this.#queues(stage);
    this.bus = this.#bus(stage);
    this.users = this.#users(stage);
    this.rootKey = new Secret(this, 'root-key', {
      secretName: named(stage, 'root-key'),
      description: 'Sluice: seals addresses and signs capabilities. Without it sealed addresses stay closed.',
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(this.rootKey, {
      'AwsSolutions-SMG4': 'A new root key would close every address that the old one sealed: it is kept, not rotated.',
    });
  }

  #table(stage: Stage): Table {
    const table = new Table(this, 'table', {
      tableName: named(stage, 'table'),
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const [indexName, projection] of Object.entries(INDEXES)) {
      table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: `${indexName}pk`, type: AttributeType.STRING },
        sortKey: { name: `${indexName}sk`, type: AttributeType.STRING },
        projectionType: ProjectionType[projection],
      });
    }
    return table;
  }

  #queues(stage: Stage): Record<string, Queue> {
    const made: Record<string, Queue> = {};
    const entries = Object.entries(topology.queues);
    // Dead letters first: the others point at them.
    const ordered = entries.toSorted(([, a], [, b]) => Number(!!a.deadLetter) - Number(!!b.deadLetter));
    for (const [name, spec] of ordered) {
      made[name] = new Queue(this, `queue-${name}`, {
        queueName: named(stage, name),
        visibilityTimeout: Duration.seconds(spec.visibilitySeconds),
        retentionPeriod: Duration.days(spec.retentionDays),
        maxMessageSizeBytes: spec.maxMessageBytes,
        encryption: QueueEncryption.SQS_MANAGED,
        enforceSSL: true,
        removalPolicy: RemovalPolicy.RETAIN,
        ...(spec.deadLetter && {
          deadLetterQueue: { queue: made[spec.deadLetter.queue]!, maxReceiveCount: spec.deadLetter.maxReceives },
        }),
      });
    }
    for (const [name, queue] of Object.entries(made)) {
      if (topology.queues[name]?.deadLetter) continue;
      const sources = entries.filter(([, { deadLetter }]) => deadLetter?.queue === name).map(([source]) => source);
      // By name: a reference back to the source would be a circle.
      (queue.node.defaultChild as CfnQueue).redriveAllowPolicy =
        sources.length > 0
          ? {
              redrivePermission: 'byQueue',
              sourceQueueArns: sources.map((source) =>
                this.formatArn({ service: 'sqs', resource: named(stage, source) }),
              ),
            }
          : { redrivePermission: 'denyAll' };
      if (sources.length === 0) {
        acknowledge(queue, {
          'AwsSolutions-SQS3':
            'Is itself where dead letters arrive, from a rule or a workflow; a function drains it into the table.',
        });
      }
    }
    return made;
  }

  #bus(stage: Stage): EventBus {
    const bus = new EventBus(this, 'bus', { eventBusName: busName(stage) });
    new Archive(this, 'archive', {
      archiveName: named(stage, 'archive'),
      sourceEventBus: bus,
      eventPattern: { source: ['sluice.comments', 'sluice.pipeline'] },
      retention: Duration.days(topology.bus.archiveDays),
    });
    for (const [name, rule] of Object.entries(topology.rules)) {
      new CfnRule(this, `rule-${name}`, {
        name: named(stage, name),
        eventBusName: bus.eventBusName,
        eventPattern: rule.pattern,
        targets: [
          {
            id: rule.target.queue,
            arn: this.#queue(rule.target.queue).queueArn,
            retryPolicy: { maximumEventAgeInSeconds: rule.retryHours * 3600, maximumRetryAttempts: 185 },
            deadLetterConfig: { arn: this.#queue(rule.deadLetter).queueArn },
            // On a standard queue a group makes it fair; a path is not known to work, hence a rule a lane.
            ...(rule.target.messageGroup && { sqsParameters: { messageGroupId: rule.target.messageGroup } }),
          },
        ],
      });
    }
    this.#allowRules(stage, ({ target }) => target.queue);
    this.#allowRules(stage, ({ deadLetter }) => deadLetter);
    return bus;
  }

  /**
   * Without the policy EventBridge drops events in silence, dead letters too.
   * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
   */
  #allowRules(stage: Stage, queueOf: (rule: Rule) => string): void {
    const rules = Object.entries(topology.rules);
    for (const queue of new Set(rules.map(([, rule]) => queueOf(rule)))) {
      const arns = rules
        .filter(([, rule]) => queueOf(rule) === queue)
        .map(([name]) =>
          this.formatArn({
            service: 'events',
            resource: 'rule',
            resourceName: `${busName(stage)}/${named(stage, name)}`,
          }),
        );
      this.#queue(queue).addToResourcePolicy(
        new PolicyStatement({
          effect: Effect.ALLOW,
          principals: [new ServicePrincipal('events.amazonaws.com')],
          actions: ['sqs:SendMessage'],
          resources: [this.#queue(queue).queueArn],
          conditions: { ArnEquals: { 'aws:SourceArn': arns } },
        }),
      );
    }
  }

  #queue(name: string): Queue {
    return this.queues[name]!;
  }

  #users(stage: Stage): UserPool {
    const users = new UserPool(this, 'users', {
      userPoolName: named(stage, 'moderators'),
      selfSignUpEnabled: false,
      signInAliases: { username: true, email: true },
      featurePlan: FeaturePlan.ESSENTIALS,
      mfa: Mfa.OPTIONAL,
      mfaSecondFactor: { otp: true, sms: false },
      accountRecovery: AccountRecovery.EMAIL_ONLY,
      passwordPolicy: {
        minLength: 12,
        requireLowercase: true,
        requireUppercase: true,
        requireDigits: true,
        requireSymbols: true,
      },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.userDomain = users.addDomain('domain', {
      // Unique in the region: the account's tail keeps two operators apart.
      cognitoDomain: { domainPrefix: Fn.join('-', ['sluice', stage.name, this.account]) },
    });
    for (const [group, precedence] of [
      ['admin', 1],
      ['moderator', 2],
    ] as const) {
      new CfnUserPoolGroup(this, `group-${group}`, { userPoolId: users.userPoolId, groupName: group, precedence });
    }
    acknowledge(users, {
      'AwsSolutions-COG2': 'A second factor is offered, not forced: a blog with one moderator starts without a phone.',
      'AwsSolutions-COG3':
        'Threat protection needs the Plus plan, at 0.02 USD a user and month; Cognito locks out guessers as it is.',
      'AwsSolutions-COG8': 'As COG3: the Plus plan is a choice of the operator.',
    });
    return users;
  }
}
