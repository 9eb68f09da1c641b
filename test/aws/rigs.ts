import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { SESv2Client } from '@aws-sdk/client-sesv2';
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import ses from 'aws-ses-v2-local';
import { startFauxqs } from 'fauxqs';
import { OWN_ENDPOINT } from '../../infra/aws/clients/queues.ts';
import { eventBridgeBus } from '../../infra/aws/adapters/bus.ts';
import { sesMail } from '../../infra/aws/adapters/mail.ts';
import { sqsQueue } from '../../infra/aws/adapters/queue.ts';
import { documentClient, dynamoTable } from '../../infra/aws/adapters/table.ts';
import { INDEXES } from '../../infra/aws/table-schema.ts';
import type { BusRig } from '../contracts/bus.contract.ts';
import type { MailRig } from '../contracts/mail.contract.ts';
import type { QueueRig } from '../contracts/queue.contract.ts';
import type { TableRig } from '../contracts/table.contract.ts';
import { startDynalite } from './dynalite.ts';
import { fault, startRecorder } from './recorder.ts';

/** A real endpoint (AWS, or what stands for it), by the SDK's own variable. Without it an emulator starts in here. */
export const REAL_ENDPOINT =
  process.env.AWS_ENDPOINT_URL ?? (process.env.SLUICE_VERIFY_ACCOUNT ? 'the account of this machine' : undefined);

const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
/** A CommonJS default export, which Node hands over inside the module and Vitest by itself. */
const startSes = 'default' in ses ? ses.default : (ses as unknown as (typeof ses)['default']);

const unique = () => `sluice-test-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

/** How AWS is asked: by its own settings for a real endpoint, else with a made-up key. */
export const clientConfig = (endpoint: string) => (REAL_ENDPOINT ? {} : { ...LOCAL, endpoint });

const pair = (name: string) =>
  [
    { AttributeName: `${name}pk`, KeyType: 'HASH' },
    { AttributeName: `${name}sk`, KeyType: 'RANGE' },
  ] as const;

/** The table as the stack makes it, for emulators. */
export const tableDefinition = (TableName: string): CreateTableCommandInput => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: [...pair('')],
  AttributeDefinitions: ['', ...Object.keys(INDEXES)].flatMap((name) =>
    pair(name).map(({ AttributeName }) => ({ AttributeName, AttributeType: 'S' as const })),
  ),
  GlobalSecondaryIndexes: Object.entries(INDEXES).map(([IndexName, ProjectionType]) => ({
    IndexName,
    KeySchema: [...pair(IndexName)],
    Projection: { ProjectionType },
  })),
});

export async function tableRig(): Promise<TableRig> {
  const emulator = REAL_ENDPOINT ? undefined : await startDynalite();
  const client = new DynamoDBClient({ ...clientConfig(emulator?.endpoint ?? ''), maxAttempts: 2 });
  const TableName = unique();
  await client.send(new CreateTableCommand(tableDefinition(TableName)));
  await waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName });
  let ahead = 0;
  const now = () => Date.now() + ahead;
  return {
    table: dynamoTable(documentClient(client), { tableName: TableName, clock: { now } }),
    now,
    // Expiry is read off our own clock, so winding it is enough.
    async pass(ms) {
      ahead += ms;
    },
    async close() {
      await client.send(new DeleteTableCommand({ TableName }));
      client.destroy();
      await emulator?.close();
    },
  };
}

export async function queueRig(): Promise<QueueRig> {
  const emulator = REAL_ENDPOINT ? undefined : await startFauxqs({ port: 0, logger: false });
  const client = new SQSClient({ ...clientConfig(emulator?.address ?? ''), ...OWN_ENDPOINT });
  const urls: string[] = [];
  const create = async (attributes: Record<string, string>) => {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: unique(), Attributes: attributes }));
    urls.push(QueueUrl!);
    return QueueUrl!;
  };
  return {
    async queue({ visibilitySeconds, maxMessageBytes, maxReceives }) {
      const dead = await create({});
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['QueueArn'] }),
      );
      const url = await create({
        VisibilityTimeout: String(visibilitySeconds),
        MaximumMessageSize: String(maxMessageBytes),
        RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes!.QueueArn, maxReceiveCount: maxReceives }),
      });
      return {
        queue: sqsQueue(client, { url, maxMessageBytes }),
        dead: sqsQueue(client, { url: dead, maxMessageBytes: 1_048_576 }),
      };
    },
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async close() {
      for (const QueueUrl of urls) await client.send(new DeleteQueueCommand({ QueueUrl }));
      client.destroy();
      await emulator?.stop();
    },
    ...(!REAL_ENDPOINT && {
      groupsUnseen: 'fauxqs takes the group of a standard queue and does not hand it back',
      astralRefused: 'fauxqs refuses characters beyond the basic plane, which SQS takes',
    }),
  };
}

/** No emulator of EventBridge runs on npm: a recorder takes the requests as the service documents them. */
export async function busRig(): Promise<BusRig> {
  const refusals = new Map<string, number>();
  const taken: { source: string; type: string; detail: unknown }[] = [];
  type Put = { Entries: { Source: string; DetailType: string; Detail: string; EventBusName: string }[] };
  const recorder = await startRecorder(({ body }) => {
    const { Entries } = body as Put;
    const bytes = Entries.reduce(
      (sum, one) => sum + 14 + Buffer.byteLength(one.Source + one.DetailType + one.Detail),
      0,
    );
    if (Entries.length > 10 || bytes > 262_144) return fault('ValidationException');
    const answers = Entries.map(({ Source: source, DetailType: type, Detail }) => {
      const left = refusals.get(type) ?? 0;
      if (left > 0) {
        refusals.set(type, left - 1);
        return { ErrorCode: 'InternalFailure', ErrorMessage: 'try again' };
      }
      taken.push({ source, type, detail: JSON.parse(Detail) as unknown });
      return { EventId: `e${taken.length}` };
    });
    return { body: { Entries: answers, FailedEntryCount: answers.filter((one) => 'ErrorCode' in one).length } };
  });
  const client = new EventBridgeClient({ ...LOCAL, endpoint: recorder.endpoint });
  return {
    bus: eventBridgeBus(client, { busName: 'sluice', pause: async () => {} }),
    taken: async () => taken,
    refuse: (type, times) => void refusals.set(type, times),
    async close() {
      client.destroy();
      await recorder.close();
    },
  };
}

export async function mailRig(): Promise<MailRig> {
  // aws-ses-v2-local takes 0 for no port at all.
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const server = await startSes({ host: '127.0.0.1', port });
  const endpoint = `http://127.0.0.1:${port}`;
  let next: 'later' | 'never' | 'silence' | undefined;
  /** In front of the emulator, which refuses nothing: answers once what a test says. */
  const front = createServer((request, response) => {
    const said = next;
    next = undefined;
    if (said === 'silence') return void request.socket.destroy();
    if (said) {
      const type = said === 'later' ? 'TooManyRequestsException' : 'MessageRejected';
      response.writeHead(said === 'later' ? 429 : 400, {
        'x-amzn-errortype': type,
        'content-type': 'application/json',
      });
      return void response.end('{"message":"no"}');
    }
    const behind = httpRequest(
      `${endpoint}${request.url}`,
      { method: request.method!, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      },
    );
    return void request.pipe(behind);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const client = new SESv2Client({
    ...LOCAL,
    endpoint: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    maxAttempts: 1,
  });
  type Stored = {
    emails: {
      from: string;
      subject: string;
      destination: { to: string[] };
      body: { text?: string; html?: string };
      headers?: { name: string; value: string }[];
    }[];
  };
  return {
    mail: sesMail(client),
    async sent() {
      const { emails } = (await (await fetch(`${endpoint}/store`)).json()) as Stored;
      return emails.map(({ from, subject, destination, body, headers = [] }) => ({
        from,
        subject,
        to: destination.to,
        text: body.text ?? '',
        html: body.html ?? '',
        headers: Object.fromEntries(headers.map(({ name, value }) => [name.toLowerCase(), value])),
      }));
    },
    next(answer) {
      next = answer;
    },
    async close() {
      client.destroy();
      front.closeAllConnections();
      server.closeAllConnections();
      await Promise.all([new Promise((done) => front.close(done)), new Promise((done) => server.close(done))]);
    },
  };
}
