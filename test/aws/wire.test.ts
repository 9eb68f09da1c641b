import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SQSClient } from '@aws-sdk/client-sqs';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '@smithy/core/checksum';
import { afterEach, describe, expect, it } from 'vitest';
import { eventBridgeBus } from '../../infra/aws/adapters/bus.ts';
import { sqsQueue } from '../../infra/aws/adapters/queue.ts';
import { readSecret, secretRequest } from '../../infra/aws/adapters/secret.ts';
import { documentClient, dynamoTable } from '../../infra/aws/adapters/table.ts';
import { stepFunctions } from '../../infra/aws/adapters/workflows.ts';
import type { Write } from '../../shared/ports.ts';
import { type Answer, fault, type Recorded, startRecorder } from './recorder.ts';

/**
 * What no emulator shows: the request that is sent, and what is made of answers that only AWS gives.
 */
const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function recorder(answers: Answer | ((request: Recorded) => Answer)) {
  const made = await startRecorder(typeof answers === 'function' ? answers : () => answers);
  closers.push(made.close);
  return {
    ...made,
    config: {
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      endpoint: made.endpoint,
      retryStrategy: undefined as never,
    },
  };
}
const once = (first: Answer, then: Answer) => {
  let asked = 0;
  return () => (asked++ === 0 ? first : then);
};

describe('Step Functions', () => {
  const arns = { review: 'arn:aws:states:us-east-1:000000000000:stateMachine:review' };
  const started = { executionArn: `${arns.review}:n`, startDate: 1 };

  it('starts by name', async () => {
    const { config, requests } = await recorder({ body: started });
    const workflows = stepFunctions(new SFNClient(config), { arns });
    expect(await workflows.start('review', { name: 'c1-3', input: { id: 'c1' } })).toBe('started');
    expect(requests).toMatchObject([
      { operation: 'StartExecution', body: { stateMachineArn: arns.review, name: 'c1-3', input: '{"id":"c1"}' } },
    ]);
  });

  it('answers that it exists, when it was started before', async () => {
    const { config } = await recorder(fault('ExecutionAlreadyExists'));
    expect(await stepFunctions(new SFNClient(config), { arns }).start('review', { name: 'n', input: {} })).toBe(
      'exists',
    );
  });

  it('does not know a workflow that this function may not start', async () => {
    const { config, requests } = await recorder({ body: started });
    await expect(
      stepFunctions(new SFNClient(config), { arns }).start('moderation', { name: 'n', input: {} }),
    ).rejects.toMatchObject({ code: 'Workflow.Unknown' });
    expect(requests).toEqual([]);
  });

  it('wakes what waits by a token', async () => {
    const { config, requests } = await recorder({ body: {} });
    const workflows = stepFunctions(new SFNClient(config), { arns });
    expect(await workflows.succeed('t', { next: 'publish' })).toBe('woken');
    expect(await workflows.fail('t', { error: 'e'.repeat(300), cause: 'c'.repeat(40_000) })).toBe('woken');
    expect(requests[0]).toMatchObject({
      operation: 'SendTaskSuccess',
      body: { taskToken: 't', output: '{"next":"publish"}' },
    });
    expect(requests[1]!.body).toMatchObject({ error: 'e'.repeat(256), cause: 'c'.repeat(32_768) });
  });

  it.each(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'])('takes %s for a stale token', async (type) => {
    const { config } = await recorder(fault(type));
    expect(await stepFunctions(new SFNClient(config), { arns }).succeed('t', {})).toBe('stale');
  });

  it('is busy when throttled', async () => {
    const { config } = await recorder(fault('ThrottlingException'));
    await expect(
      stepFunctions(new SFNClient({ ...config, maxAttempts: 1 }), { arns }).succeed('t', {}),
    ).rejects.toMatchObject({ code: 'Store.Busy' });
  });
});

describe('DynamoDB', () => {
  const tableOf = (config: object) =>
    dynamoTable(documentClient(new DynamoDBClient({ ...config, maxAttempts: 2 })), {
      tableName: 'sluice',
      clock: { now: () => 1_000_000 },
    });
  const pair: Write[] = [
    { put: { pk: 'a', sk: '1', version: 2 }, if: { version: 1 } },
    { check: { pk: 'b', sk: '1' }, if: 'absent' },
    { delete: { pk: 'c', sk: '1' } },
    { add: { pk: 'd', sk: '1' }, by: { n: 2 }, expiresAt: 2000 },
  ];
  const cancelled = (...codes: string[]) =>
    fault('com.amazonaws.dynamodb.v20120810#TransactionCanceledException', {
      CancellationReasons: codes.map((Code) => ({ Code })),
    });

  it('sends several writes as one transaction, each with its condition, under one token', async () => {
    const { config, requests } = await recorder({ body: {} });
    expect(await tableOf(config).write(pair)).toEqual({ done: true });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      operation: 'TransactWriteItems',
      body: {
        ClientRequestToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
        TransactItems: [
          {
            Put: {
              TableName: 'sluice',
              Item: { pk: { S: 'a' }, version: { N: '2' } },
              ConditionExpression: '#version = :version AND (attribute_not_exists(#expiresAt) OR #expiresAt > :now)',
              ExpressionAttributeValues: { ':version': { N: '1' }, ':now': { N: '1000' } },
            },
          },
          {
            ConditionCheck: {
              Key: { pk: { S: 'b' }, sk: { S: '1' } },
              ConditionExpression: 'attribute_not_exists(#pk) OR #expiresAt <= :now',
            },
          },
          { Delete: { Key: { pk: { S: 'c' }, sk: { S: '1' } } } },
          { Update: { UpdateExpression: 'ADD #a0 :a0 SET #expiresAt = :expiresAt' } },
        ],
      },
    });
  });

  it('names the first write whose condition did not hold', async () => {
    const { config } = await recorder(cancelled('None', 'ConditionalCheckFailed', 'ConditionalCheckFailed', 'None'));
    expect(await tableOf(config).write(pair)).toEqual({ done: false, failed: 1 });
  });

  it('sends a transaction that met another again, with the same token', async () => {
    const { config, requests } = await recorder(
      once(cancelled('TransactionConflict', 'None', 'None', 'None'), { body: {} }),
    );
    expect(await tableOf(config).write(pair)).toEqual({ done: true });
    const tokens = requests.map(({ body }) => (body as { ClientRequestToken: string }).ClientRequestToken);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
  });

  it('is busy when transactions keep meeting', async () => {
    const { config, requests } = await recorder(cancelled('TransactionConflict', 'None', 'None', 'None'));
    await expect(tableOf(config).write(pair)).rejects.toMatchObject({ code: 'Store.Busy' });
    expect(requests).toHaveLength(6);
  });

  it('knows its own first try again, when its answer was lost', async () => {
    const item = { pk: { S: 'a' }, sk: { S: '1' }, n: { N: '1' } };
    const { config } = await recorder(
      once('silence', fault('com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', { Item: item })),
    );
    expect(await tableOf(config).write([{ put: { pk: 'a', sk: '1', n: 1 }, if: 'absent' }])).toEqual({ done: true });
  });

  it('does not take another’s write for its own', async () => {
    const item = { pk: { S: 'a' }, sk: { S: '1' }, n: { N: '2' } };
    const { config } = await recorder(
      once('silence', fault('com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException', { Item: item })),
    );
    expect(await tableOf(config).write([{ put: { pk: 'a', sk: '1', n: 1 }, if: 'absent' }])).toEqual({
      done: false,
      failed: 0,
    });
  });

  it('asks again for the keys that a batch left out', async () => {
    const { config, requests } = await recorder(
      once(
        {
          body: {
            Responses: { sluice: [{ pk: { S: 'a' }, sk: { S: '1' } }] },
            UnprocessedKeys: { sluice: { Keys: [{ pk: { S: 'b' }, sk: { S: '1' } }] } },
          },
        },
        { body: { Responses: { sluice: [{ pk: { S: 'b' }, sk: { S: '1' } }] } } },
      ),
    );
    const found = await tableOf(config).getMany([
      { pk: 'a', sk: '1' },
      { pk: 'b', sk: '1' },
    ]);
    expect(found.map((item) => item?.pk)).toEqual(['a', 'b']);
    expect(requests[1]!.body).toMatchObject({ RequestItems: { sluice: { Keys: [{ pk: { S: 'b' } }] } } });
  });

  it.each(['ThrottlingException', 'ProvisionedThroughputExceededException', 'InternalServerError'])(
    'is busy at %s, and a bug at what waiting does not mend',
    async (type) => {
      const { config } = await recorder(fault(type, {}, type === 'InternalServerError' ? 500 : 400));
      await expect(tableOf(config).get({ pk: 'a', sk: '1' })).rejects.toMatchObject({ code: 'Store.Busy' });
      const other = await recorder(fault('ResourceNotFoundException'));
      await expect(tableOf(other.config).get({ pk: 'a', sk: '1' })).rejects.toMatchObject({ code: 'Internal.Bug' });
    },
  );
});

describe('SQS', () => {
  it('sends the lane as the message group', async () => {
    const { config, requests } = await recorder({ body: { MessageId: 'm', MD5OfMessageBody: '' } });
    const queue = sqsQueue(new SQSClient({ ...config, md5: false }), { url: 'https://sqs/q', maxMessageBytes: 100 });
    await queue.send('b', { group: 'lane-03', delaySeconds: 7 });
    expect(requests[0]).toMatchObject({
      operation: 'SendMessage',
      body: { QueueUrl: 'https://sqs/q', MessageBody: 'b', MessageGroupId: 'lane-03', DelaySeconds: 7 },
    });
  });

  it('hands over the lane and how often a message was received', async () => {
    const { config } = await recorder({
      body: {
        Messages: [
          {
            MessageId: 'm',
            ReceiptHandle: 'r',
            Body: 'b',
            Attributes: { ApproximateReceiveCount: '3', SentTimestamp: '1000', MessageGroupId: 'lane-03' },
          },
        ],
      },
    });
    const queue = sqsQueue(new SQSClient({ ...config, md5: false }), { url: 'https://sqs/q', maxMessageBytes: 100 });
    expect(await queue.receive(1)).toEqual([
      { id: 'm', receipt: 'r', body: 'b', receiveCount: 3, sentAt: 1000, group: 'lane-03' },
    ]);
  });
});

describe('EventBridge', () => {
  it('puts on its own bus, and says when the call itself fails', async () => {
    const { config, requests } = await recorder({ body: { Entries: [{ EventId: 'e1' }] } });
    const bus = eventBridgeBus(new EventBridgeClient(config), { busName: 'sluice-dev' });
    expect(await bus.put([{ source: 's', type: 't', detail: {} }])).toEqual(['e1']);
    expect(requests[0]).toMatchObject({ operation: 'PutEvents', body: { Entries: [{ EventBusName: 'sluice-dev' }] } });
    const broken = await recorder(fault('ThrottlingException'));
    await expect(
      eventBridgeBus(new EventBridgeClient({ ...broken.config, maxAttempts: 1 }), { busName: 'b' }).put([
        { source: 's', type: 't', detail: {} },
      ]),
    ).rejects.toMatchObject({ code: 'Bus.Refused' });
  });
});

describe('Secrets Manager', () => {
  const arn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:sluice-dev-root-key-AbCdEf';
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/key', sessionToken: 'session+token/=' };

  it.each([
    ['with a session, as on Lambda', credentials],
    ['without one', { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret/key' }],
  ])('signs as the SDK does, %s', async (_sentence, who) => {
    const at = new Date('2026-11-23T20:00:00Z');
    const { headers, body } = secretRequest('secretsmanager', arn, who, at, 'eu-central-1');
    const signer = new SignatureV4({
      service: 'secretsmanager',
      region: 'eu-central-1',
      credentials: who,
      sha256: Sha256,
    });
    const { authorization: _ours, 'x-amz-date': _date, 'x-amz-security-token': _token, ...plain } = headers;
    const signed = await signer.sign(
      {
        method: 'POST',
        protocol: 'https:',
        hostname: 'secretsmanager.eu-central-1.amazonaws.com',
        path: '/',
        query: {},
        headers: { ...plain, host: 'secretsmanager.eu-central-1.amazonaws.com' },
        body,
      },
      { signingDate: at, unsignableHeaders: new Set(['x-amz-content-sha256']) },
    );
    const signature = (header: string | undefined) =>
      /SignedHeaders=([^,]+), Signature=(\w+)/.exec(header ?? '')?.slice(1);
    const [names] = signature(signed.headers.authorization) ?? [];
    expect(signature(headers.authorization)?.[0]).toBe(names);
    expect(signature(headers.authorization)).toEqual(signature(signed.headers.authorization));
  });

  it('tries again what passes, and gives up on what does not', async () => {
    const answers = [
      { status: 503, text: '' },
      { status: 200, text: '{"SecretString":"root"}' },
    ];
    expect(await readSecret(arn, credentials, { send: async () => answers.shift()! })).toBe('root');
    let asked = 0;
    const refused = readSecret(arn, credentials, {
      async send() {
        asked++;
        return { status: 400, text: '{"__type":"AccessDeniedException"}' };
      },
    });
    await expect(refused).rejects.toMatchObject({ code: 'Store.Busy' });
    expect(asked).toBe(1);
  });
});
