import { readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  EventBridgeClient,
  PutEventsCommand,
  TestEventPatternCommand,
  PutRuleCommand,
} from '@aws-sdk/client-eventbridge';
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
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { awsEndpoint } from '../infra/local/aws-endpoint/endpoint.ts';
import { openDatabase, type Database } from '../infra/local/database.ts';
import { localRuntime } from '../infra/local/runtime.ts';
import { topology } from '../infra/topology.ts';
import { vaultOf } from '../shared/vault.ts';
import { testInstance, type TestInstance } from './instance.ts';

const ARN = 'arn:aws:states:us-east-1:000000000000';
const REVIEW = `${ARN}:stateMachine:review`;
const QUEUE_ARN = 'arn:aws:sqs:us-east-1:000000000000';
/** JSON that recursion over its value would not survive. */
const NESTED = `${'['.repeat(9000)}${']'.repeat(9000)}`;

type Options = {
  endpoint: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  maxAttempts: number;
  systemClockOffset?: number;
};

let instance: TestInstance;
let options: Options;
let events: EventBridgeClient;
let states: SFNClient;
let queues: SQSClient;

beforeAll(async () => {
  instance = await testInstance({ SLUICE_AWS_PORT: '0' });
  await instance.listen();
  const [accessKeyId = '', secretAccessKey = ''] = readFileSync(join(instance.folder, 'aws.key'), 'utf8')
    .trim()
    .split(':');
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

/** Puts a comment that the policy holds, and waits until its review waits. */
async function held(id: string): Promise<{ executionArn: string; name: string }> {
  const body =
    'Four write-ups on queues that I found useful: https://kim.example/backoff https://kim.example/order https://kim.example/delay https://kim.example/retry';
  await events.send(new PutEventsCommand({ Entries: [comment({ id, body: `${body} (${id})` })] }));
  await expect.poll(() => tokenOf(id), { timeout: 10_000 }).toMatch(/./);
  const { items } = await instance.runtime.ports.table.query({ pk: `C#${id}` });
  const heldVersion = Number(items.find((item) => typeof item.heldVersion === 'number')?.heldVersion);
  const name = `${id}-${heldVersion}`;
  return { executionArn: `${ARN}:execution:review:${name}`, name };
}

async function tokenOf(id: string): Promise<string | undefined> {
  const { items } = await instance.runtime.ports.table.query({ pk: `C#${id}` });
  const token = items.map((item) => item.token).find((value) => typeof value === 'string');
  return token as string | undefined;
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
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({ Entries: [comment({ id: 'put-by-sdk' })] }),
    );
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
      .poll(
        async () => (await instance.call('GET', '/v1/moderation/dead-letters', undefined, headers)).body.deadLetters,
      )
      .toMatchObject([{ reason: 'Comment.Malformed', source: 'intake', detail: expect.stringContaining('/author') }]);
  });

  it('answers each entry that fails with its code, in order, and takes the others', async () => {
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({
        Entries: [
          comment({}, { Detail: '{"schema": 1' }),
          comment({}, { Detail: '[]' }),
          comment({}, { Detail: `{"a":${NESTED}}` }),
          comment({}, { Source: undefined }),
          comment({}, { DetailType: undefined }),
          comment({}, { Detail: undefined }),
          comment({}, { EventBusName: undefined }),
          comment({}, { Source: 'aws.s3' }),
          comment({ id: 'among-failures' }, { EventBusName: 'arn:aws:events:us-east-1:000000000000:event-bus/sluice' }),
        ],
      }),
    );
    expect(FailedEntryCount).toBe(8);
    expect(Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      'MalformedDetail',
      'MalformedDetail',
      'MalformedDetail',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'InvalidArgument',
      'NotAuthorizedForSourceException',
      undefined,
    ]);
    expect(Entries?.[3]?.ErrorMessage).toBe('Parameter Source is not valid. Reason: Source is a required argument.');
    expect(Entries?.[8]?.EventId).toBeDefined();
  });

  it('refuses more than ten entries, none, and more than a megabyte', async () => {
    const many = Array.from({ length: 11 }, () => comment({}));
    expect(await refusal(events.send(new PutEventsCommand({ Entries: many })))).toMatchObject({
      name: 'ValidationException',
      status: 400,
    });
    expect(await refusal(events.send(new PutEventsCommand({ Entries: [] })))).toMatchObject({
      name: 'ValidationException',
    });
    const large = Array.from({ length: 10 }, () => comment({ body: 'x'.repeat(110_000) }));
    expect(await refusal(events.send(new PutEventsCommand({ Entries: large })))).toMatchObject({
      name: 'ValidationException',
      message: 'Total size of the entries in the request is over the limit.',
    });
  });

  const EVENT = {
    id: '1',
    account: '123456789012',
    source: 'a',
    time: '2026-11-28T12:00:00Z',
    region: 'us-east-1',
    'detail-type': 't',
    detail: { n: 5 },
  };

  it.each<[sentence: string, event: string]>([
    ['that is no JSON', '{'],
    ['that is a string', '"a"'],
    ['without a time', JSON.stringify({ ...EVENT, time: undefined })],
    ['that nests without end', JSON.stringify(EVENT).replace('{"n":5}', NESTED)],
  ])('tests no pattern on an event %s', async (_sentence, event) => {
    const call = events.send(new TestEventPatternCommand({ EventPattern: '{"source":["a"]}', Event: event }));
    expect(await refusal(call)).toMatchObject({
      name: 'ValidationException',
      message: 'Parameter Event is not valid.',
      status: 400,
    });
  });

  it('tests a pattern, and says where one is not valid', async () => {
    const ask = (pattern: object) =>
      events.send(new TestEventPatternCommand({ EventPattern: JSON.stringify(pattern), Event: JSON.stringify(EVENT) }));
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

  it('lists, describes and stops the review of a held comment', async () => {
    const { executionArn, name } = await held('stopped-by-operator');
    const running = await states.send(new ListExecutionsCommand({ stateMachineArn: REVIEW, statusFilter: 'RUNNING' }));
    expect(running.executions?.find((execution) => execution.executionArn === executionArn)).toMatchObject({
      name,
      status: 'RUNNING',
      stateMachineArn: REVIEW,
      startDate: expect.any(Date),
    });
    const described = await states.send(new DescribeExecutionCommand({ executionArn }));
    expect(described).toMatchObject({ status: 'RUNNING', inputDetails: { included: true } });
    expect(JSON.parse(described.input ?? '')).toMatchObject({ id: 'stopped-by-operator' });

    const { stopDate } = await states.send(
      new StopExecutionCommand({ executionArn, error: 'Operator', cause: 'no longer wanted' }),
    );
    expect(stopDate).toEqual(expect.any(Date));
    expect(await states.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({
      status: 'ABORTED',
      error: 'Operator',
      cause: 'no longer wanted',
      stopDate,
    });
    const { executions } = await states.send(
      new ListExecutionsCommand({ stateMachineArn: REVIEW, statusFilter: 'ABORTED' }),
    );
    expect(executions?.map((execution) => execution.name)).toContain(name);
    for (const none of [{ redriveFilter: 'REDRIVEN' }, { statusFilter: 'PENDING_REDRIVE' }] as const) {
      const call = new ListExecutionsCommand({ stateMachineArn: REVIEW, ...none });
      expect((await states.send(call)).executions).toEqual([]);
    }
  });

  it('pages histories from either end, with data and without', async () => {
    const { executionArn } = await held('history-read');
    const whole = await states.send(new GetExecutionHistoryCommand({ executionArn }));
    const types = whole.events?.map(({ type }) => type) ?? [];
    expect(types.slice(0, 2)).toEqual(['ExecutionStarted', 'TaskStateEntered']);
    expect(types).toContain('TaskSubmitted');
    expect(whole.events?.[0]?.executionStartedEventDetails?.input).toContain('history-read');
    expect(whole.events?.[0]?.timestamp?.getFullYear()).toBeGreaterThan(2024);

    const first = await states.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 2 }));
    expect(first.events?.map(({ id }) => id)).toEqual([1, 2]);
    const second = await states.send(
      new GetExecutionHistoryCommand({ executionArn, maxResults: 2, nextToken: first.nextToken }),
    );
    expect(second.events?.map(({ id }) => id)).toEqual([3, 4]);
    const back = await states.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1, includeExecutionData: false }),
    );
    expect(back.events?.[0]?.id).toBe(types.length);
    const beyond = new GetExecutionHistoryCommand({ executionArn, nextToken: '99999' });
    expect(await refusal(states.send(beyond))).toMatchObject({ name: 'InvalidToken' });
    const bare = await states.send(new GetExecutionHistoryCommand({ executionArn, includeExecutionData: false }));
    expect(bare.events?.[0]?.executionStartedEventDetails).not.toHaveProperty('input');
  });

  it('pages executions', async () => {
    for (const id of ['page-1', 'page-2', 'page-3']) await held(id);
    const names: string[] = [];
    let nextToken: string | undefined;
    do {
      const page = await states.send(new ListExecutionsCommand({ stateMachineArn: REVIEW, maxResults: 2, nextToken }));
      expect(page.executions?.length).toBeLessThanOrEqual(2);
      names.push(...(page.executions ?? []).map(({ name }) => name ?? ''));
      nextToken = page.nextToken;
    } while (nextToken);
    expect(new Set(names).size).toBe(names.length);
    for (const id of ['page-1', 'page-2', 'page-3']) expect(names.some((name) => name.startsWith(`${id}-`))).toBe(true);
    expect(
      await refusal(states.send(new ListExecutionsCommand({ stateMachineArn: REVIEW, nextToken: 'made-up' }))),
    ).toMatchObject({
      name: 'InvalidToken',
    });
  });

  it('answers a task token once; the review then looks again and waits by another', async () => {
    const { executionArn } = await held('token-answered');
    const token = await tokenOf('token-answered');
    await states.send(new SendTaskHeartbeatCommand({ taskToken: token }));
    await states.send(new SendTaskSuccessCommand({ taskToken: token, output: '{"by":"an operator"}' }));
    await expect.poll(() => tokenOf('token-answered')).not.toBe(token);
    expect(await states.send(new DescribeExecutionCommand({ executionArn }))).toMatchObject({ status: 'RUNNING' });
    expect(await refusal(states.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' })))).toMatchObject({
      name: 'TaskTimedOut',
      status: 400,
    });
    const next = await tokenOf('token-answered');
    await states.send(new SendTaskFailureCommand({ taskToken: next, error: 'Operator', cause: 'look again' }));
    await expect.poll(() => tokenOf('token-answered')).not.toBe(next);
  });

  it('starts once by name, and says so when the input differs', async () => {
    const { executionArn, name } = await held('started-twice');
    const { input } = await states.send(new DescribeExecutionCommand({ executionArn }));
    expect(await states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, name, input }))).toMatchObject({
      executionArn,
    });
    expect(
      await refusal(states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, name, input: '{}' }))),
    ).toMatchObject({
      name: 'ExecutionAlreadyExists',
      status: 400,
    });
  });

  const BAD: [sentence: string, call: () => Promise<unknown>, code: string][] = [
    [
      'a state machine that is not there',
      () => states.send(new StartExecutionCommand({ stateMachineArn: `${ARN}:stateMachine:none` })),
      'StateMachineDoesNotExist',
    ],
    [
      'an execution that is not there',
      () => states.send(new DescribeExecutionCommand({ executionArn: `${ARN}:execution:review:none` })),
      'ExecutionDoesNotExist',
    ],
    ['what is no ARN', () => states.send(new StopExecutionCommand({ executionArn: 'review' })), 'InvalidArn'],
    [
      'input that is no JSON',
      () => states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, input: '{' })),
      'InvalidExecutionInput',
    ],
    [
      'a name with a colon',
      () => states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, name: 'a:b' })),
      'InvalidName',
    ],
    [
      'output that is no JSON',
      () => states.send(new SendTaskSuccessCommand({ taskToken: 'a-token-of-nothing', output: 'x' })),
      'InvalidOutput',
    ],
    ['a token that is none', () => states.send(new SendTaskHeartbeatCommand({ taskToken: '?' })), 'InvalidToken'],
    [
      'the executions of an Express workflow',
      () => states.send(new ListExecutionsCommand({ stateMachineArn: `${ARN}:stateMachine:moderation` })),
      'StateMachineTypeNotSupported',
    ],
    [
      'input that nests without end',
      () => states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, input: NESTED })),
      'InvalidExecutionInput',
    ],
    [
      'an empty name',
      () => states.send(new StartExecutionCommand({ stateMachineArn: REVIEW, name: '' })),
      'ValidationException',
    ],
    [
      'output that nests without end',
      () => states.send(new SendTaskSuccessCommand({ taskToken: 'a-token-of-nothing', output: NESTED })),
      'InvalidOutput',
    ],
    [
      'a status that is none',
      () => states.send(new ListExecutionsCommand({ stateMachineArn: REVIEW, statusFilter: 'DONE' as 'FAILED' })),
      'ValidationException',
    ],
  ];
  it.each(BAD)("refuses %s with the service's own code", async (_sentence, call, name) => {
    expect(await refusal(call())).toMatchObject({ name, status: 400 });
  });
});

describe('SQS', () => {
  const urlOf = async (QueueName: string) => (await queues.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;

  it('lists queues and tells what is in one', async () => {
    const { QueueUrls } = await queues.send(new ListQueuesCommand({ QueueNamePrefix: 'intake' }));
    expect(QueueUrls?.map((url) => url.split('/').at(-1))).toEqual(['intake', 'intake-dead']);
    const QueueUrl = await urlOf('intake');
    const { Attributes } = await queues.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
    expect(Attributes).toMatchObject({
      QueueArn: `${QUEUE_ARN}:intake`,
      VisibilityTimeout: String(topology.queues.intake?.visibilitySeconds),
      ApproximateNumberOfMessages: expect.stringMatching(/^\d+$/),
    });
    expect(JSON.parse(Attributes?.RedrivePolicy ?? '')).toEqual({
      deadLetterTargetArn: `${QUEUE_ARN}:intake-dead`,
      maxReceiveCount: 8,
    });
  });

  const BAD: [sentence: string, call: () => Promise<unknown>, code: string][] = [
    ['a queue that is not there', () => urlOf('none'), 'QueueDoesNotExist'],
    [
      'a queue of another account',
      async () =>
        queues.send(
          new SendMessageCommand({
            QueueUrl: (await urlOf('notify'))?.replace('000000000000', '111111111111'),
            MessageBody: 'x',
          }),
        ),
      'QueueDoesNotExist',
    ],
    [
      'a call without its queue',
      () => queues.send(new GetQueueUrlCommand({ QueueName: undefined })),
      'MissingParameter',
    ],
    [
      'an empty message',
      async () => queues.send(new SendMessageCommand({ QueueUrl: await urlOf('notify'), MessageBody: '' })),
      'MissingParameter',
    ],
    [
      'a group of 129 characters',
      async () =>
        queues.send(
          new SendMessageCommand({
            QueueUrl: await urlOf('notify'),
            MessageBody: 'x',
            MessageGroupId: 'g'.repeat(129),
          }),
        ),
      'InvalidParameterValue',
    ],
    [
      'a deduplication id, which is for FIFO queues',
      async () =>
        queues.send(
          new SendMessageCommand({ QueueUrl: await urlOf('notify'), MessageBody: 'x', MessageDeduplicationId: 'd' }),
        ),
      'InvalidParameterValue',
    ],
    [
      'an attribute that no message has',
      async () =>
        queues.send(new ReceiveMessageCommand({ QueueUrl: await urlOf('notify'), AttributeNames: ['Age' as 'All'] })),
      'InvalidAttributeName',
    ],
    [
      'a made-up token',
      () => queues.send(new ListQueuesCommand({ MaxResults: 1, NextToken: 'x' })),
      'InvalidParameterValue',
    ],
    [
      'a message over the queue’s size',
      async () =>
        queues.send(new SendMessageCommand({ QueueUrl: await urlOf('intake'), MessageBody: 'x'.repeat(65_537) })),
      'InvalidParameterValue',
    ],
    [
      'eleven messages at once',
      async () => queues.send(new ReceiveMessageCommand({ QueueUrl: await urlOf('notify'), MaxNumberOfMessages: 11 })),
      'InvalidParameterValue',
    ],
    [
      'a receipt that is none',
      async () => queues.send(new DeleteMessageCommand({ QueueUrl: await urlOf('notify'), ReceiptHandle: 'x' })),
      'ReceiptHandleIsInvalid',
    ],
    [
      'to move from a queue that is no dead-letter queue',
      () => queues.send(new StartMessageMoveTaskCommand({ SourceArn: `${QUEUE_ARN}:intake` })),
      'InvalidParameterValue',
    ],
    [
      'to move from a queue that is not there',
      () => queues.send(new StartMessageMoveTaskCommand({ SourceArn: `${QUEUE_ARN}:none` })),
      'ResourceNotFoundException',
    ],
  ];
  it.each(BAD)("refuses %s with the service's own code", async (_sentence, call, name) => {
    expect(await refusal(call())).toMatchObject({ name, status: 400 });
  });
});

describe('SQS, with nobody else at the queues', () => {
  let database: Database;
  let endpoint: ReturnType<typeof awsEndpoint>;
  let client: SQSClient;
  const urlOf = async (QueueName: string) => (await client.send(new GetQueueUrlCommand({ QueueName }))).QueueUrl;

  beforeAll(async () => {
    database = openDatabase(':memory:');
    const runtime = localRuntime(
      { ...topology, pipes: {}, eventSources: {}, schedules: {} },
      {
        database,
        clock: { now: Date.now },
        vault: vaultOf(new Uint8Array(32)),
        log: pino({ level: 'silent' }),
        mail: () => ({ send: async () => ({ response: '' }) }),
        publicUrl: 'http://127.0.0.1',
      },
    );
    endpoint = awsEndpoint(runtime, { id: 'AKIDTEST', secret: 'a-secret-of-the-tests' });
    await new Promise<void>((done) => endpoint.server.listen(0, '127.0.0.1', done));
    client = new SQSClient({
      ...options,
      endpoint: `http://127.0.0.1:${(endpoint.server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'a-secret-of-the-tests' },
    });
  });
  afterAll(async () => {
    client.destroy();
    await endpoint.close();
    database.close();
  });

  it('sends, receives with attributes, and deletes', async () => {
    const QueueUrl = await urlOf('intake');
    const { MessageId } = await client.send(
      new SendMessageCommand({ QueueUrl, MessageBody: 'grüße ✓', MessageGroupId: 'lane-03' }),
    );
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, MessageSystemAttributeNames: ['All'] }),
    );
    expect(Messages).toMatchObject([
      {
        MessageId,
        Body: 'grüße ✓',
        Attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: expect.stringMatching(/^\d{13}$/),
          MessageGroupId: 'lane-03',
        },
      },
    ]);
    const count = async () =>
      (
        await client.send(
          new GetQueueAttributesCommand({
            QueueUrl,
            AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
          }),
        )
      ).Attributes;
    expect(await count()).toEqual({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '1' });
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: Messages?.[0]?.ReceiptHandle }));
    expect(await count()).toEqual({ ApproximateNumberOfMessages: '0', ApproximateNumberOfMessagesNotVisible: '0' });
  });

  it('refuses a message with attributes, which are not kept', async () => {
    const MessageAttributes = { a: { DataType: 'String', StringValue: 'b' } };
    const call = client.send(
      new SendMessageCommand({ QueueUrl: await urlOf('notify'), MessageBody: 'x', MessageAttributes }),
    );
    expect(await refusal(call)).toMatchObject({ status: 400, message: expect.stringContaining('not kept here') });
  });

  it('waits for a message that comes during a long poll, and shows it again after its own visibility timeout', async () => {
    const QueueUrl = await urlOf('notify');
    const poll = client.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, VisibilityTimeout: 1 }));
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'late' }));
    expect((await poll).Messages).toMatchObject([{ Body: 'late' }]);
    expect((await client.send(new ReceiveMessageCommand({ QueueUrl }))).Messages).toBeUndefined();
    const again = await client.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5, AttributeNames: ['All'] }),
    );
    expect(again.Messages).toMatchObject([{ Body: 'late', Attributes: { ApproximateReceiveCount: '2' } }]);
  });

  it('moves what is in the dead letters back to the queue they came from', async () => {
    const QueueUrl = await urlOf('intake-dead');
    for (const MessageBody of ['a', 'b', 'c']) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    const SourceArn = `${QUEUE_ARN}:intake-dead`;
    const { TaskHandle } = await client.send(new StartMessageMoveTaskCommand({ SourceArn }));
    expect(TaskHandle).toMatch(/./);
    const tasks = async () => (await client.send(new ListMessageMoveTasksCommand({ SourceArn }))).Results;
    await expect.poll(tasks).toMatchObject([
      {
        Status: 'COMPLETED',
        SourceArn,
        DestinationArn: `${QUEUE_ARN}:intake`,
        ApproximateNumberOfMessagesMoved: 3,
        ApproximateNumberOfMessagesToMove: 3,
      },
    ]);
    const { Messages } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: await urlOf('intake'), MaxNumberOfMessages: 10, AttributeNames: ['All'] }),
    );
    expect(Messages?.map(({ Body }) => Body)).toEqual(['a', 'b', 'c']);
    expect(Messages?.[0]?.Attributes?.ApproximateReceiveCount).toBe('1');
  });

  it('answers nothing for an attribute that a queue may have and has not', async () => {
    const QueueUrl = await urlOf('notify');
    const { Attributes } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['Policy', 'KmsMasterKeyId'] }),
    );
    expect(Attributes).toBeUndefined();
  });

  it('moves at the pace that is asked for, one task at a time', async () => {
    const QueueUrl = await urlOf('notify-dead');
    for (const MessageBody of ['a', 'b']) await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    const SourceArn = `${QUEUE_ARN}:notify-dead`;
    await client.send(new StartMessageMoveTaskCommand({ SourceArn, MaxNumberOfMessagesPerSecond: 1 }));
    expect(await refusal(client.send(new StartMessageMoveTaskCommand({ SourceArn })))).toMatchObject({
      name: 'UnsupportedOperation',
      message: expect.stringContaining('already a task running'),
    });
  });
});

describe('who may call', () => {
  const key = () => options.credentials;
  const list = (more: Partial<Options>) =>
    new SFNClient({ ...options, ...more }).send(new ListStateMachinesCommand({}));

  it('refuses a forged signature', async () => {
    const forged = { ...key(), secretAccessKey: 'not-the-secret' };
    expect(await refusal(list({ credentials: forged }))).toMatchObject({
      name: 'InvalidSignatureException',
      status: 403,
      message: expect.stringContaining('does not match the signature you provided'),
    });
    expect(
      await refusal(new SQSClient({ ...options, credentials: forged }).send(new ListQueuesCommand({}))),
    ).toMatchObject({ status: 403 });
    expect(
      await refusal(
        new EventBridgeClient({ ...options, credentials: forged }).send(
          new PutEventsCommand({ Entries: [comment({})] }),
        ),
      ),
    ).toMatchObject({ status: 403 });
  });

  it('refuses a key that it does not know', async () => {
    expect(await refusal(list({ credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' } }))).toMatchObject({
      name: 'UnrecognizedClientException',
      status: 403,
    });
  });

  it.each([
    ['expired', -16 * 60_000, 'Signature expired: '],
    ['not yet current', 16 * 60_000, 'Signature not yet current: '],
  ])('refuses a signature that is %s', async (_word, systemClockOffset, message) => {
    expect(await refusal(list({ systemClockOffset }))).toMatchObject({
      name: 'InvalidSignatureException',
      status: 403,
      message: expect.stringContaining(message),
    });
  });

  it('takes a signature that is ten minutes old', async () => {
    await expect(list({ systemClockOffset: -10 * 60_000 })).resolves.toBeDefined();
  });

  it('refuses the credential of another region', async () => {
    expect(await refusal(list({ region: 'eu-west-1' }))).toMatchObject({
      name: 'InvalidSignatureException',
      status: 403,
    });
  });

  it('refuses a body, a target or a path that was changed after signing', async () => {
    const captured = await capture();
    const send = (change: Partial<typeof captured>) => {
      const { path, headers, body } = { ...captured, ...change };
      return fetch(`${options.endpoint}${path}`, { method: 'POST', headers, body });
    };
    expect((await send({})).status).toBe(200);
    for (const change of [
      { body: '{"maxResults":1}' },
      { headers: { ...captured.headers, 'x-amz-target': 'AWSStepFunctions.StopExecution' } },
      { path: '/?a=b' },
    ]) {
      const answer = await send(change);
      expect(answer.status).toBe(403);
      expect(answer.headers.get('x-amzn-errortype')).toBe('InvalidSignatureException');
    }
    const { authorization: _, ...bare } = captured.headers;
    expect(await (await send({ headers: bare })).json()).toMatchObject({
      __type: expect.stringContaining('MissingAuthenticationTokenException'),
    });
  });

  it('names what is supported when another call is made', async () => {
    expect(
      await refusal(
        states.send(
          new CreateStateMachineCommand({ name: 'x', definition: '{}', roleArn: 'arn:aws:iam::000000000000:role/x' }),
        ),
      ),
    ).toMatchObject({
      name: 'UnknownOperationException',
      status: 400,
      message: expect.stringMatching(/CreateStateMachine is not supported here\. Supported: .*StopExecution/),
    });
    expect(await refusal(events.send(new PutRuleCommand({ Name: 'x' })))).toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('Supported: PutEvents, TestEventPattern'),
    });
  });

  it('keeps the key that it made for its owner alone', () => {
    expect(statSync(join(instance.folder, 'aws.key')).mode & 0o777).toBe(0o600);
  });

  it('listens on the loopback alone, and not at all when it is off', async () => {
    const off = await testInstance({ SLUICE_AWS_PORT: 'off' }, { demo: false });
    await off.listen();
    expect(off.aws()).toBeUndefined();
    await off.end();
  });
});

/** One signed call as it goes over the wire. */
async function capture(): Promise<{ path: string; headers: Record<string, string>; body: string }> {
  let seen: { path: string; headers: Record<string, string>; body: string } | undefined;
  const client = new SFNClient(options);
  client.middlewareStack.add(
    (next) => async (args) => {
      const { path, headers, body } = args.request as { path: string; headers: Record<string, string>; body: string };
      seen = { path, headers: { ...headers }, body };
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  await client.send(new ListStateMachinesCommand({}));
  const { path, headers, body } = seen!;
  const { host: _host, 'content-length': _length, ...rest } = headers;
  return { path, headers: rest, body };
}
