import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

type Attributes = Record<string, unknown>;
type Condition = {
  TableName: string;
  Key?: Attributes;
  Item?: Attributes;
  ConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
};
type Operation = Partial<Record<'Put' | 'Delete' | 'Update' | 'ConditionCheck', Condition>>;

const require = createRequire(import.meta.url);
const { validateExpressions } = require('dynalite/validations') as {
  validateExpressions(data: object): string | undefined;
};
const { checkConditional } = require('dynalite/db') as { checkConditional(data: object, item?: Attributes): unknown };

/**
 * dynalite, and before it what it lacks: `TransactWriteItems`, carried out one request at a time with dynalite's own
 * parser of conditions, so that the adapter's transactions run over the wire too.
 *
 * Not shown by it: conflicts between transactions, throttling, and the item that a failed condition met.
 */
export async function startDynalite(): Promise<{ endpoint: string; close(): Promise<void> }> {
  const behind = (require('dynalite') as (options: object) => import('node:http').Server)({ createTableMs: 0 });
  behind.listen(0, '127.0.0.1');
  await once(behind, 'listening');
  const base = `http://127.0.0.1:${(behind.address() as AddressInfo).port}`;

  let turn: Promise<unknown> = Promise.resolve();
  const seen = new Map<string, string>();
  const server = createServer((request, response) => {
    const run = async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const headers = Object.fromEntries(
        ['authorization', 'x-amz-date', 'content-type', 'x-amz-target'].map((name) => [
          name,
          String(request.headers[name] ?? ''),
        ]),
      );
      const call = async (operation: string, data: string) => {
        const answer = await fetch(base, {
          method: 'POST',
          headers: { ...headers, 'x-amz-target': `DynamoDB_20120810.${operation}` },
          body: data,
        });
        return { status: answer.status, text: await answer.text() };
      };
      const operation = headers['x-amz-target']?.split('.')[1] ?? '';
      const answer =
        operation === 'TransactWriteItems' ? await transact(call, body, seen) : await call(operation, body);
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' }).end(answer.text);
    };
    turn = turn.then(run, run).catch((error: unknown) => {
      response.writeHead(500).end(JSON.stringify({ __type: 'InternalServerError', message: String(error) }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      behind.closeAllConnections();
      await Promise.all([new Promise((done) => server.close(done)), new Promise((done) => behind.close(done))]);
    },
  };
}

const refuse = (type: string, more: object): Answer => ({
  status: 400,
  text: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, ...more }),
});

type Answer = { status: number; text: string };

async function transact(
  call: (operation: string, data: string) => Promise<Answer>,
  body: string,
  seen: Map<string, string>,
): Promise<Answer> {
  const { TransactItems, ClientRequestToken } = JSON.parse(body) as {
    TransactItems: Operation[];
    ClientRequestToken?: string;
  };
  const before = ClientRequestToken && seen.get(ClientRequestToken);
  if (before) return before === body ? { status: 200, text: '{}' } : refuse('IdempotentParameterMismatchException', {});
  if (TransactItems.length > 100) return refuse('ValidationException', { message: 'at most 100' });

  const reasons: { Code: string }[] = [];
  for (const one of TransactItems) {
    const [condition] = Object.values(one);
    const { TableName, Key } = condition!;
    const key = Key ?? { pk: condition!.Item?.pk, sk: condition!.Item?.sk };
    const found = JSON.parse(
      (await call('GetItem', JSON.stringify({ TableName, Key: key, ConsistentRead: true }))).text,
    ) as {
      Item?: Attributes;
    };
    const data = structuredClone(condition!);
    const fault = validateExpressions(data);
    if (fault) return refuse('ValidationException', { message: fault });
    reasons.push({ Code: checkConditional(data, found.Item) ? 'ConditionalCheckFailed' : 'None' });
  }
  if (reasons.some(({ Code }) => Code !== 'None')) {
    return refuse('TransactionCanceledException', { Message: 'cancelled', CancellationReasons: reasons });
  }
  for (const { Put, Delete, Update } of TransactItems) {
    const [operation, data] = Put ? ['PutItem', Put] : Delete ? ['DeleteItem', Delete] : ['UpdateItem', Update];
    if (!data) continue;
    const { ReturnValuesOnConditionCheckFailure: _, ...rest } = data as Attributes;
    const answer = await call(operation!, JSON.stringify(rest));
    if (answer.status !== 200) return answer;
  }
  if (ClientRequestToken) seen.set(ClientRequestToken, body);
  return { status: 200, text: '{}' };
}
