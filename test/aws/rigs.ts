import { CreateTableCommand, DeleteTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateQueueCommand, DeleteQueueCommand, GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { startFauxqs } from 'fauxqs';
import { sqsQueue } from '../../infra/aws/adapters/queue.ts';
import { documentClient, dynamoTable } from '../../infra/aws/adapters/table.ts';
import type { QueueRig } from '../contracts/queue.contract.ts';
import type { TableRig } from '../contracts/table.contract.ts';
import { startDynalite } from './dynalite.ts';

/** A real endpoint (AWS, or what stands for it), by the SDK's own variable. Without it an emulator starts in here. */
export const REAL_ENDPOINT = process.env.AWS_ENDPOINT_URL;

const LOCAL = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const unique = () => `sluice-test-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

/** How AWS is asked: by its own settings for a real endpoint, else with a made-up key. */
export const clientConfig = (endpoint: string) => (REAL_ENDPOINT ? {} : { ...LOCAL, endpoint });

const pair = (name: string) =>
  [
    { AttributeName: `${name}pk`, KeyType: 'HASH' },
    { AttributeName: `${name}sk`, KeyType: 'RANGE' },
  ] as const;

export async function tableRig(): Promise<TableRig> {
  const emulator = REAL_ENDPOINT ? undefined : await startDynalite();
  const client = new DynamoDBClient({ ...clientConfig(emulator?.endpoint ?? ''), maxAttempts: 2 });
  const TableName = unique();
  const indexes = ['gsi1', 'gsi2', 'gsi3'];
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [...pair('')],
      AttributeDefinitions: ['', ...indexes].flatMap((name) =>
        pair(name).map(({ AttributeName }) => ({ AttributeName, AttributeType: 'S' as const })),
      ),
      GlobalSecondaryIndexes: indexes.map((IndexName) => ({
        IndexName,
        KeySchema: [...pair(IndexName)],
        Projection: { ProjectionType: 'ALL' },
      })),
    }),
  );
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
  const client = new SQSClient(clientConfig(emulator?.address ?? ''));
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
