/* oxlint-disable no-new -- a construct is made for its place in the tree */
import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { topology } from '../topology.ts';
import type { EdgeStack } from './edge-stack.ts';
import type { FlowStack } from './flow-stack.ts';
import { named } from './names.ts';
import type { Stage } from './stage.ts';
import type { StateStack } from './state-stack.ts';

type Watched = { metric: IMetric; threshold: number; says: string; minutes?: number };

export type WatchProps = StackProps & { stage: Stage; state: StateStack; edge: EdgeStack; flow: FlowStack };

/** What tells an operator: alarms, one dashboard, and the spend. */
export class WatchStack extends Stack {
  constructor(scope: Construct, id: string, { stage, state, edge, flow, ...props }: WatchProps) {
    super(scope, id, props);
    const topic = new Topic(this, 'alarms', { topicName: named(stage, 'alarms'), enforceSSL: true });
    if (stage.alarmEmail) topic.addSubscription(new EmailSubscription(stage.alarmEmail));

    const minute = Duration.minutes(1);
    const units = Object.values(flow.units);
    const [firstQueues, drained] = [
      Object.entries(topology.queues).filter(([, { deadLetter }]) => deadLetter),
      Object.entries(topology.queues).filter(([, { deadLetter }]) => !deadLetter),
    ];
    const age = (name: string) => state.queues[name]!.metricApproximateAgeOfOldestMessage({ period: minute });
    const lambda = (metricName: string, statistic: string) =>
      new Metric({ namespace: 'AWS/Lambda', metricName, statistic, period: minute });
    const watched: Record<string, Watched> = {
      'dead-letters': {
        metric: flow.units['drain-dead-letters']!.alias.metricInvocations({ period: minute, statistic: 'sum' }),
        threshold: 1,
        says: 'Something became a dead letter: the desk lists it with its reason, and sends it again.',
      },
      'drain-stuck': {
        metric: highest(drained.map(([name]) => age(name))),
        threshold: 900,
        says: 'Dead letters are not drained into the table: look at the log of drain-dead-letters.',
        minutes: 5,
      },
      ...Object.fromEntries(
        firstQueues.map(([name]) => [
          `${name}-age`,
          {
            metric: age(name),
            // A message that waits for its next try is not visible, and does not count here.
            threshold: 300,
            says: `Messages wait in ${name}: is its consumer throttled, or stopped?`,
            minutes: 5,
          },
        ]),
      ),
      'pipe-failed': {
        metric: new Metric({
          namespace: 'AWS/EventBridge/Pipes',
          metricName: 'ExecutionFailed',
          dimensionsMap: { PipeName: named(stage, 'moderation') },
          statistic: 'sum',
          period: minute,
        }),
        threshold: 1,
        says: 'The pipe fails. After steady refusals AWS disables it: see its state and reason in the console, then start it.',
        minutes: 5,
      },
      'pipe-stopped': {
        metric: new MathExpression({
          expression: 'IF(waiting > 0 AND FILL(calls, 0) == 0, 1, 0)',
          label: 'waits, and nobody takes',
          period: minute,
          usingMetrics: {
            waiting: state.queues.intake!.metricApproximateNumberOfMessagesVisible({ period: minute }),
            calls: new Metric({
              namespace: 'AWS/EventBridge/Pipes',
              metricName: 'Invocations',
              dimensionsMap: { PipeName: named(stage, 'moderation') },
              statistic: 'sum',
              period: minute,
            }),
          },
        }),
        threshold: 1,
        says: 'Comments wait and the pipe calls nobody: aws pipes describe-pipe says why it stopped, start-pipe starts it.',
        minutes: 5,
      },
      ...Object.fromEntries(
        Object.entries(flow.workflows).map(([name, machine]) => [
          `${name}-executions`,
          {
            metric: new MathExpression({
              expression: 'FILL(failed, 0) + FILL(late, 0) + FILL(aborted, 0)',
              label: 'not succeeded',
              period: minute,
              usingMetrics: {
                failed: machine.metricFailed({ period: minute }),
                late: machine.metricTimedOut({ period: minute }),
                aborted: machine.metricAborted({ period: minute }),
              },
            }),
            threshold: 1,
            says: `Executions of ${name} fail: see /aws/vendedlogs/states/${named(stage, name)}.`,
          },
        ]),
      ),
      'error-rate': {
        metric: new MathExpression({
          expression: 'IF(errors >= 3, 100 * errors / calls, 0)',
          label: '% of calls',
          period: Duration.minutes(5),
          usingMetrics: {
            errors: lambda('Errors', 'sum').with({ period: Duration.minutes(5) }),
            calls: lambda('Invocations', 'sum').with({ period: Duration.minutes(5) }),
          },
        }),
        threshold: 5,
        says: 'Over 5 % of the calls of functions fail: the dashboard shows which.',
      },
      throttles: {
        metric: lambda('Throttles', 'sum'),
        threshold: 1,
        says: 'Functions are throttled: the account’s concurrency is used up, or a reservation is too small.',
        minutes: 5,
      },
      'table-throttles': {
        metric: new Metric({
          namespace: 'AWS/DynamoDB',
          metricName: 'WriteThrottleEvents',
          dimensionsMap: { TableName: state.table.tableName },
          statistic: 'sum',
          period: minute,
        }),
        threshold: 1,
        says: 'A partition of the table is hot: docs/scale.md tells which key it may be.',
        minutes: 5,
      },
      'api-errors': {
        metric: edge.api.metricServerError({ period: minute, statistic: 'sum' }),
        threshold: 5,
        says: 'The API answers 5xx.',
        minutes: 3,
      },
      'api-p99': {
        metric: edge.api.metricLatency({ period: Duration.minutes(5), statistic: 'p99' }),
        threshold: 3000,
        says: 'One request in a hundred takes over 3 s.',
        minutes: 3,
      },
      'rules-failed': {
        metric: new Metric({
          namespace: 'AWS/Events',
          metricName: 'FailedInvocations',
          dimensionsMap: { EventBusName: state.bus.eventBusName },
          statistic: 'sum',
          period: minute,
        }),
        threshold: 1,
        says: 'A rule could not reach its queue; after a day its events are dead letters.',
      },
      'mail-bounces': {
        metric: new Metric({
          namespace: 'AWS/SES',
          metricName: 'Reputation.BounceRate',
          statistic: 'avg',
          period: Duration.hours(1),
        }),
        threshold: 0.05,
        says: 'Over 5 % of mail bounces: SES reviews accounts from there on.',
      },
    };
    const all = Object.entries(watched).map(
      ([name, { metric, threshold, says, minutes = 1 }]) =>
        new Alarm(this, name, {
          alarmName: named(stage, name),
          alarmDescription: says,
          metric,
          threshold,
          evaluationPeriods: minutes,
          comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
          treatMissingData: TreatMissingData.NOT_BREACHING,
        }),
    );
    for (const alarm of all) alarm.addAlarmAction(new SnsAction(topic));
    this.#budget(stage, topic);

    const dashboard = new Dashboard(this, 'dashboard', { dashboardName: named(stage, 'sluice') });
    dashboard.addWidgets(
      graph(
        'Waiting',
        Object.values(state.queues).map((queue) => queue.metricApproximateNumberOfMessagesVisible({ period: minute })),
      ),
      graph(
        'Oldest message, seconds',
        firstQueues.map(([name]) => age(name)),
      ),
      graph(
        'Verdicts',
        ['publish', 'hold', 'reject'].map(
          (verdict) =>
            new Metric({
              namespace: 'Sluice',
              metricName: 'Verdicts',
              dimensionsMap: { stage: stage.name, verdict },
              statistic: 'sum',
              label: verdict,
            }),
        ),
      ),
      graph(
        'Executions',
        Object.values(flow.workflows).flatMap((machine) => [
          machine.metricSucceeded(),
          machine.metricFailed(),
          machine.metricTimedOut(),
        ]),
      ),
      graph(
        'Function errors',
        units.map(({ alias }) => alias.metricErrors({ statistic: 'sum' })),
      ),
      graph(
        'Function duration, p99',
        units.map(({ alias }) => alias.metricDuration({ statistic: 'p99' })),
      ),
      graph('API', [edge.api.metricCount(), edge.api.metricClientError(), edge.api.metricServerError()]),
      graph('API latency', [
        edge.api.metricLatency({ statistic: 'p50' }),
        edge.api.metricLatency({ statistic: 'p99' }),
      ]),
    );
  }

  /** Tells at four fifths of the budget and at all of it; the account's whole spend, which needs no tag to be switched on. */
  #budget(stage: Stage, topic: Topic): void {
    topic.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal('budgets.amazonaws.com')],
        actions: ['sns:Publish'],
        resources: [topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
      }),
    );
    new CfnBudget(this, 'spend', {
      budget: {
        budgetName: named(stage, 'spend'),
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: stage.budget, unit: 'USD' },
      },
      notificationsWithSubscribers: [80, 100].map((threshold) => ({
        notification: {
          notificationType: 'ACTUAL',
          comparisonOperator: 'GREATER_THAN',
          threshold,
          thresholdType: 'PERCENTAGE',
        },
        subscribers: [{ subscriptionType: 'SNS', address: topic.topicArn }],
      })),
    });
  }
}

const graph = (title: string, left: IMetric[]) => new GraphWidget({ title, left, width: 12 });

const highest = (metrics: IMetric[]): IMetric =>
  new MathExpression({
    expression: 'MAX(METRICS())',
    label: 'highest',
    period: Duration.minutes(1),
    usingMetrics: Object.fromEntries(metrics.map((metric, index) => [`m${index}`, metric])),
  });
