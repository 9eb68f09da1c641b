import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EventBridgeClient, PutEventsCommand, TestEventPatternCommand, PutRuleCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { topology } from '../infra/topology.ts';
import { testInstance, type TestInstance } from './instance.ts';

const ARN = 'arn:aws:states:us-east-1:000000000000';
const REVIEW = `${ARN}:stateMachine:review`;
const QUEUE_ARN = 'arn:aws:sqs:us-east-1:000000000000';

type Options = ConstructorParameters<typeof SFNClient>[0];

let instance: TestInstance;
let options: NonNullable<Options>;
let events: EventBridgeClient;
let states: SFNClient;
let queues: SQSClient;

beforeAll(async () => {
  instance = await testInstance({ SLUICE_AWS_PORT: '0' });
  await instance.listen();
  const [accessKeyId = '', secretAccessKey = ''] = readFileSync(join(instance.folder, 'aws.key'), 'utf8').trim().split(':');
  options = {
    endpoint: `http://127.0.0.1:${instance.aws()?.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: 1,
  };
  events = new EventBridgeClient(options);
  states = new SFNClient(options);
  queues = new SQSClient(options);
});
afterAll(() => instance.end());

const comment = (detail: object, entry: object = {}) => ({
  EventBusName: 'sluice',
  Source: 'sluice.comments',
  DetailType: 'CommentSubmitted',
  Detail: JSON.stringify({
    schema: 1,
    site: 'demo',
    thread: '/from-a-back-end',
    author: { name: 'Ada Lovelace' },
    body: 'Put by a back end, with an SDK.',
    ...detail,
  }),
  ...entry,
});

/** Starts what waits by a token of ours, and waits until it does. */
async function waiting(name: string): Promise<string> {
  await states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, name, input: JSON.stringify({ id: name, version: 1 }) }));
  return `${ARN}:execution:review:${name}`;
}

const refusal = (call: Promise<unknown>) =>
  call.then(
    () => expect.unreachable('the call succeeded'),
    (error: { name: string; message: string; $metadata: { httpStatusCode?: number } }) => ({
      name: error.name,
      message: error.message,
      status: error.$metadata.httpStatusCode,
    }),
  );

describe('EventBridge', () => {
  it('publishes a comment that a back end puts by PutEvents', async () => {
    const { FailedEntryCount, Entries } = await events.send(new PutEventsCommand({ Entries: [comment({ id: 'put-by-sdk' })] }));
    expect(FailedEntryCount).toBe(0);
    expect(Entries).toMatchObject([{ EventId: expect.stringMatching(/^[0-9a-f-]{36}$/) }]);
    await instance.quiet();
    const { body } = await instance.call('GET', '/v1/sites/demo/threads/%2Ffrom-a-back-end/comments');
    expect(body).toMatchObject({ total: 1, comments: [{ id: 'put-by-sdk', author: { name: 'Ada Lovelace' } }] });
  });

  it('makes a dead letter, its reason visible, of an event that does not fit its schema', async () => {
    await events.send(new PutEventsCommand({ Entries: [comment({ id: 'does-not-fit', author: 'nobody' })] }));
    const headers = await instance.asAdmin();
    await expect
      .poll(async () => (await instance.call('GET', '/v1/moderation/dead-letters', undefined, headers)).body.deadLetters)
      .toMatchObject([{ reason: 'Comment.Malformed', source: 'intake', detail: expect.stringContaining('/author') }]);
  });

  it('answers each entry that fails with its code, in order, and takes the others', async () => {
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({
        Entries: [
          comment({}, { Detail: '{"schema": 1' }),
          comment({}, { Detail: '[]' }),
          comment({}, { Source: undefined }),
          comment({}, { DetailType: undefined }),
          comment({}, { Detail: undefined }),
          comment({}, { EventBusName: undefined }),
          comment({}, { Source: 'aws.s3' }),
          comment({ id: 'among-failures' }, { EventBusName: 'arn:aws:events:us-east-1:000000000000:event-bus/sluice' }),
        ],
      }),
    );
    expect(FailedEntryCount).toBe(7);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'MalformedDetail',
      'MalformedDetail',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'NotAuthorizedForSourceException',
      undefined,
    ]);
    expect(Entries?.[2]?.ErrorMessage).toBe('Parameter Source is not valid. Reason: Source is a required argument.');
    expect(Entries?.[7]?.EventId).toBeDefined();
  });

  it('refuses more than ten entries, none, and more than a megabyte', async () => {
    const many = Array.from({ length: 11 }, () => comment({}));
    expect(await refusal(events.send(new PutEventsCommand({ Entries: many })))).toMatchObject({ name: 'ValidationException', status: 400 });
    expect(await refusal(events.send(new PutEventsCommand({ Entries: [] })))).toMatchObject({ name: 'ValidationException' });
    const large = Array.from({ length: 10 }, () => comment({ body: 'x'.repeat(110_000) }));
    expect(await refusal(events.send(new PutEventsCommand({ Entries: large })))).toMatchObject({
      name: 'ValidationException',
      message: 'Total size of the entries in the request is over the limit.',
    });
  });

  it('tests a pattern, and says where one is not valid', async () => {
    const Event = JSON.stringify({ id: '1', source: 'a', 'detail-type': 't', detail: { n: 5 } });
    const ask = (pattern: object) => events.send(new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event }));
    expect(await ask({ detail: { n: [{ numeric: ['>', 4] }] } })).toMatchObject({ Result: true });
    expect(await ask({ detail: { n: [4] } })).toMatchObject({ Result: false });
    const fault = await refusal(ask({ detail: { n: [{ nummeric: ['>', 4] }] } }));
    expect(fault).toMatchObject({ name: 'InvalidEventPatternException', status: 400 });
    expect(fault.message).toContain('Unrecognized match type nummeric');
    expect(fault.message).toContain('/detail/n/0');
  });
});

describe('Step Functions', () => {
  it('lists the state machines with their types', async () => {
    const { stateMachines } = await states.send(new ListStateMachinesCommand({}));
    expect(stateMachines).toMatchObject([
      { name: 'moderation', type: 'EXPRESS', creationDate: expect.any(Date) },
      { name: 'review', type: 'STANDARD', stateMachineArn: REVIEW },
    ]);
  });

  it('starts, lists, describes and stops an execution', async () => {
    // Of an unknown comment: the first step fails and is tried again for a day, so it runs until somebody stops it.
    const executionArn = await waiting('an-operators-own');
    const running = await states.send(new ListExecutionsCommand({ stateMachineArn: REVIEW, statusFilter: 'RUNNING' }));
    const mine = running.executions?.find((execution) => execution.executionArn === executionArn);
    if (mine) expect(mine).toMatchObject({ name: 'an-operators-own', status: 'RUNNING', startDate: expect.any(Date) });
    await states.send(new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'no longer wanted' }));
    const described = await states.send(new DescribeExecutionCommand({ executionArn }));
    expect(described).toMatchObject({ name: 'an-operators-own', stateMachineArn: REVIEW, input: '{"id":"an-operators-own","version":1}' });
    expect(['ABORTED', 'SUCCEEDED']).toContain(described.status);
    const { events: history } = await states.send(new GetExecutionHistoryCommand({ executionArn, includeExecutionData: true }));
    expect(history?.[0]).toMatchObject({ id: 1, type: 'ExecutionStarted', timestamp: expect.any(Date) });
  });
});
