import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { pino } from 'pino';
import { bus } from '../../infra/aws/clients/bus.ts';
import { mail } from '../../infra/aws/clients/mail.ts';
import { providers } from '../../infra/aws/clients/providers.ts';
import { queues } from '../../infra/aws/clients/queues.ts';
import { table as tableClient } from '../../infra/aws/clients/table.ts';
import { vault } from '../../infra/aws/clients/vault.ts';
import { workflows as workflowsClient } from '../../infra/aws/clients/workflows.ts';
import { documentClient, dynamoTable } from '../../infra/aws/adapters/table.ts';
import { entry, type LambdaContext } from '../../infra/aws/entry.ts';
import { VARIABLES } from '../../infra/aws/environment.ts';
import type { Json } from '../../infra/local/asl/types.ts';
import { openDatabase } from '../../infra/local/database.ts';
import { serviceOf } from '../../infra/local/functions.ts';
import { compilePattern } from '../../infra/local/patterns.ts';
import { localWorkflows } from '../../infra/local/workflows.ts';
import { topology } from '../../infra/topology.ts';
import { startDynalite } from './dynalite.ts';
import { fault, startRecorder } from './recorder.ts';
import { tableDefinition } from './rigs.ts';

const ACCOUNT = '000000000000';
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
const arnOf = (service: string, what: string) => `arn:aws:${service}:us-east-1:${ACCOUNT}:${what}`;

type Handler = (event: unknown, context: LambdaContext) => Promise<unknown>;
type PutEntry = { Source: string; DetailType: string; Detail: string };

/** How records come: each so often, and in what order those that wait together. */
export type Delivery = { times: number; shuffle<T>(records: readonly T[]): T[] };

/**
 * What stands for an AWS account with the stage `test`: table and queues in emulators, bus and task tokens behind recorders,
 * the workflows in our interpreter, and in between the Lambda handlers with their own adapters, over the wire.
 *
 * Delays are left out, since only the order counts here; nothing is delivered until `deliver` is called.
 */
export async function startAccount() {
  const [dynalite, fauxqs] = await Promise.all([startDynalite(), startFauxqs({ port: 0, logger: false })]);
  const put: { type: string; detail: Record<string, unknown> }[] = [];
  const mails: { to: string; subject: string }[] = [];
  const sqs = new SQSClient({ region: 'us-east-1', endpoint: fauxqs.address, credentials: CREDENTIALS });
  const rules = Object.values(topology.rules).map((rule) => ({ ...rule, fits: compilePattern(rule.pattern) }));
  const underway = new Set<Promise<unknown>>();
  const after = (work: Promise<unknown>) => {
    underway.add(work);
    void work.finally(() => underway.delete(work));
  };

  /** The bus: each rule that fits sends to its queue. */
  const route = ({ Source: source, DetailType: type, Detail }: PutEntry): string => {
    const id = randomUUID();
    const detail = JSON.parse(Detail) as Record<string, unknown>;
    put.push({ type, detail });
    const time = new Date().toISOString();
    const event = {
      version: '0',
      id,
      'detail-type': type,
      source,
      account: ACCOUNT,
      time,
      region: 'us-east-1',
      detail,
    };
    for (const { target } of rules.filter(({ fits }) => fits(event))) after(send(target.queue, JSON.stringify(event)));
    return id;
  };
  const send = (queue: string, MessageBody: string) =>
    sqs.send(new SendMessageCommand({ QueueUrl: urls[queue]!, MessageBody }));

  const others = await startRecorder(({ operation, path, body }) => {
    if (operation === 'GetSecretValue') return { body: { SecretString: 'root-key-of-a-test' } };
    if (operation === 'PutEvents') {
      const { Entries } = body as { Entries: PutEntry[] };
      return { body: { Entries: Entries.map((one) => ({ EventId: route(one) })), FailedEntryCount: 0 } };
    }
    if (operation === 'SendTaskSuccess') {
      const { taskToken, output } = body as { taskToken: string; output: string };
      after(steps.succeed(taskToken, JSON.parse(output)));
      return { body: {} };
    }
    if (path.includes('outbound-emails')) {
      const { Destination, Content } = body as {
        Destination: { ToAddresses: [string] };
        Content: { Simple: { Subject: { Data: string } } };
      };
      mails.push({ to: Destination.ToAddresses[0], subject: Content.Simple.Subject.Data });
      return { body: { MessageId: `m${mails.length}` } };
    }
    return fault('UnknownOperationException');
  });

  const urls: Record<string, string> = {};
  for (const name of Object.keys(topology.queues)) {
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `sluice-test-${name}` }));
    urls[name] = QueueUrl!;
  }
  const dynamo = new DynamoDBClient({ region: 'us-east-1', endpoint: dynalite.endpoint, credentials: CREDENTIALS });
  await dynamo.send(new CreateTableCommand(tableDefinition('sluice-test-table')));

  /** What a command in a process of its own needs to find this account. */
  const env = {
    ...KEYS,
    AWS_ENDPOINT_URL_DYNAMODB: dynalite.endpoint,
    AWS_ENDPOINT_URL_SQS: fauxqs.address,
    AWS_ENDPOINT_URL_EVENTBRIDGE: others.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: others.endpoint,
    AWS_ENDPOINT_URL_SFN: others.endpoint,
    AWS_ENDPOINT_URL_SESV2: others.endpoint,
  };
  Object.assign(process.env, env, {
    [VARIABLES.stage]: 'test',
    [VARIABLES.table]: 'sluice-test-table',
    [VARIABLES.bus]: 'sluice-test',
    [VARIABLES.secret]: arnOf('secretsmanager', 'secret:sluice-test-root-key'),
    [VARIABLES.queues]: JSON.stringify(
      Object.fromEntries(
        Object.entries(topology.queues).map(([name, { maxMessageBytes }]) => [
          name,
          { url: urls[name], maxMessageBytes },
        ]),
      ),
    ),
    [VARIABLES.workflows]: JSON.stringify({ review: arnOf('states', 'stateMachine:sluice-test-review') }),
    [VARIABLES.publicUrl]: 'https://comments.example',
    [VARIABLES.logLevel]: 'silent',
    SLUICE_SENDER: 'comments@blog.example',
  });

  const handlers: Record<string, Handler> = {};
  for (const [name, { may }] of Object.entries(topology.functions)) {
    handlers[name] = entry(name, serviceOf[name]!, {
      ...(may.table && { table: tableClient }),
      ...(may.putEvents && { bus }),
      ...(may.send && { queues }),
      ...((may.start || may.answer) && { workflows: workflowsClient }),
      ...(may.mail && { mail }),
      ...(may.secret && { vault }),
      ...(may.askOutside && { providers }),
    });
  }
  const invoke = async (name: string, event: unknown): Promise<Json> =>
    ((await handlers[name]!(structuredClone(event), { awsRequestId: randomUUID(), functionVersion: '1' })) ??
      null) as Json;

  const perform = async (resource: string, args: Json): Promise<Json> => {
    const input = args as { [key: string]: Json };
    const functionOf = (arn: unknown) => /function:sluice-test-([^:]+)/.exec(String(arn))![1]!;
    if (resource.startsWith('arn:aws:lambda:')) return invoke(functionOf(resource), args);
    if (resource.startsWith('arn:aws:states:::lambda:invoke')) {
      return { StatusCode: 200, Payload: await invoke(functionOf(input.FunctionName), input.Payload) };
    }
    if (resource === 'arn:aws:states:::sqs:sendMessage') {
      const body = input.MessageBody;
      const MessageBody = typeof body === 'string' ? body : JSON.stringify(body);
      await sqs.send(new SendMessageCommand({ QueueUrl: String(input.QueueUrl), MessageBody }));
      return {};
    }
    const started = await steps.start('review', { name: String(input.Name), input: input.Input });
    if (started === 'exists') {
      throw Object.assign(new Error('exists'), { name: 'StepFunctions.ExecutionAlreadyExistsException' });
    }
    return {};
  };
  const definitionOf = (name: string): unknown => {
    const { file, substitutions } = topology.workflows[name]!;
    const text = readFileSync(file, 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, word: string) => {
      const target = substitutions[word]!;
      if ('function' in target) return arnOf('lambda', `function:sluice-test-${target.function}:live`);
      return 'queue' in target ? urls[target.queue]! : arnOf('states', `stateMachine:sluice-test-${target.workflow}`);
    });
    return JSON.parse(text);
  };
  const database = openDatabase(':memory:');
  const steps = localWorkflows(topology.workflows, definitionOf, perform, {
    database,
    clock: { now: Date.now },
    log: pino({ level: 'silent' }),
  });

  const receive = async (queue: string): Promise<Message[]> => {
    const all: Message[] = [];
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: urls[queue]!,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp'],
        }),
      );
      if (Messages.length === 0) return all;
      all.push(...Messages);
    }
  };
  const recordOf = (queue: string, { MessageId, ReceiptHandle, Body, Attributes }: Message) => ({
    messageId: MessageId!,
    receiptHandle: ReceiptHandle!,
    body: Body!,
    attributes: Attributes ?? {},
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: arnOf('sqs', `sluice-test-${queue}`),
    awsRegion: 'us-east-1',
  });
  const remove = (queue: string, { ReceiptHandle }: Message) =>
    sqs.send(new DeleteMessageCommand({ QueueUrl: urls[queue]!, ReceiptHandle }));

  /** All that waits in a queue now, as its pipe or its event source hands it over. */
  const drain = async (queue: string, { times, shuffle }: Delivery): Promise<number> => {
    const messages = await receive(queue);
    const copies = shuffle(messages.flatMap((message) => Array.from({ length: times }, () => message)));
    const source = Object.values(topology.eventSources).find((one) => one.queue === queue);
    if (source) {
      for (let from = 0; from < copies.length; from += source.batchSize) {
        const batch = copies.slice(from, from + source.batchSize);
        const answer = await invoke(source.function, { Records: batch.map((one) => recordOf(queue, one)) });
        const { batchItemFailures } = answer as { batchItemFailures: Json[] };
        if (batchItemFailures.length > 0) throw new Error(`${queue}: ${JSON.stringify(batchItemFailures)}`);
      }
    } else {
      // A pipe runs many at once.
      await Promise.all(
        copies.map(async (one) => {
          const { status, error, cause } = await steps.express('moderation', [recordOf(queue, one) as unknown as Json]);
          if (status !== 'SUCCEEDED') throw new Error(`moderation ${status}: ${error} ${cause}`);
        }),
      );
    }
    for (const message of messages) await remove(queue, message);
    return messages.length;
  };

  return {
    env,
    put,
    mails,
    table: dynamoTable(documentClient(dynamo), { tableName: 'sluice-test-table', clock: { now: Date.now } }),
    invoke,
    send,
    receive,
    /** Puts an event on the bus, as any client does. */
    event: (type: string, detail: object) =>
      route({ Source: 'sluice.comments', DetailType: type, Detail: JSON.stringify(detail) }),
    /** Reviews that were started, by name. */
    reviews: () =>
      (
        database.sqlite.prepare('SELECT name, status FROM execution ORDER BY name').all() as Record<string, string>[]
      ).map(({ name, status }) => ({ name, status })),
    /** Delivers until nothing waits in any queue but the last. */
    async deliver(delivery: Delivery = { times: 1, shuffle: (records) => [...records] }) {
      for (let round = 0; round < 100; round++) {
        let moved = 0;
        await Promise.all(underway);
        for (const queue of Object.keys(topology.queues)) moved += await drain(queue, delivery);
        await steps.idle();
        if (moved === 0 && underway.size === 0) return;
      }
      throw new Error('the queues never ran dry');
    },
    async close() {
      await Promise.all(underway);
      steps.close();
      database.close();
      sqs.destroy();
      dynamo.destroy();
      await Promise.all([dynalite.close(), fauxqs.stop(), others.close()]);
    },
  };
}

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
