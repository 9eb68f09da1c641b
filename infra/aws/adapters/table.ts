import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type {
  ConditionalCheckFailedException,
  DynamoDBClient,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import { SluiceError } from '../../../shared/errors.ts';
import type { Clock, Item, Key, Query, Table, Write, WriteResult } from '../../../shared/ports.ts';
import { INDEXES } from '../table-schema.ts';
import { attemptsOf, backoffMs, faultOf, nameOf, pause } from './faults.ts';

type Operation = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

const MAX_WRITES = 100;
const MAX_KEYS = 100;
const MAX_TRIES = 6;
/** A page is filled from at most so many reads of 1 MB, then handed over as it is, with its cursor. */
const MAX_READS = 10;

const LIVE = '(attribute_not_exists(#expiresAt) OR #expiresAt > :now)';

/**
 * The store over one DynamoDB table.
 *
 * Reads by key are consistent. DynamoDB deletes an expired item some time within days, so every read drops what is
 * past `expiresAt`, and every condition counts it as absent.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
 *
 * One write is a plain conditional request; several are a transaction, at twice the write units.
 * https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
 */
export function dynamoTable(
  client: DynamoDBDocumentClient,
  { tableName: TableName, clock }: { tableName: string; clock: Clock },
): Table {
  const nowSeconds = () => Math.floor(clock.now() / 1000);
  const isLive = (item: Item) => item.expiresAt === undefined || item.expiresAt > nowSeconds();

  const get: Table['get'] = async (key, { stale = false } = {}) => {
    try {
      const { Item: item } = await client.send(new GetCommand({ TableName, Key: keyOf(key), ConsistentRead: !stale }));
      return item && isLive(item as Item) ? (item as Item) : undefined;
    } catch (cause) {
      throw faultOf('DynamoDB', 'Store.Busy', cause);
    }
  };

  const getMany = async (
    keys: readonly Key[],
    { stale = false }: { stale?: boolean } = {},
  ): Promise<(Item | undefined)[]> => {
    if (keys.length > MAX_KEYS) throw ours(`getMany of ${keys.length} keys, at most ${MAX_KEYS}`);
    const found = new Map<string, Item>();
    let owed: Record<string, unknown>[] = [...new Map(keys.map((key) => [nameOfKey(key), keyOf(key)])).values()];
    for (let attempt = 0; owed.length > 0; attempt++) {
      if (attempt === MAX_TRIES) throw busy(`${owed.length} of ${keys.length} keys stayed unread`);
      if (attempt > 0) await pause(backoffMs(attempt));
      try {
        const page = await client.send(
          new BatchGetCommand({ RequestItems: { [TableName]: { Keys: owed, ConsistentRead: !stale } } }),
        );
        for (const item of (page.Responses?.[TableName] ?? []) as Item[]) {
          if (isLive(item)) found.set(nameOfKey(item), item);
        }
        owed = page.UnprocessedKeys?.[TableName]?.Keys ?? [];
      } catch (cause) {
        throw faultOf('DynamoDB', 'Store.Busy', cause);
      }
    }
    return keys.map((key) => found.get(nameOfKey(key)));
  };

  /** The items behind the keys of an index; an index is a little late, so those that left its partition are dropped. */
  const whole = async (keys: readonly Item[], partition: string, pk: string): Promise<Item[]> => {
    const parts = Array.from({ length: Math.ceil(keys.length / MAX_KEYS) }, (_, part) =>
      getMany(keys.slice(part * MAX_KEYS, (part + 1) * MAX_KEYS)),
    );
    const found = (await Promise.all(parts)).flat();
    return found.filter((item) => item !== undefined).filter((item) => item[partition] === pk);
  };

  const query = async ({ index, pk, from, to, prefix, order = 'ascending', limit = 100, cursor }: Query) => {
    if (!(limit >= 1 && limit <= 1000)) throw ours(`a page of ${limit} items, 1 to 1000`);
    const partition = index ? `${index}pk` : 'pk';
    const sort = index ? `${index}sk` : 'sk';
    const range = rangeOf({
      ...(from !== undefined && { from }),
      ...(to !== undefined && { to }),
      ...(prefix && { prefix }),
    });
    if (range === 'empty') return { items: [] };

    const items: Item[] = [];
    let start = cursor === undefined ? undefined : startOf(cursor, partition, sort, pk);
    for (let reads = 0; reads < MAX_READS; reads++) {
      const page = await client
        .send(
          new QueryCommand({
            TableName,
            ...(index ? { IndexName: index } : { ConsistentRead: true }),
            KeyConditionExpression: `#pk = :pk${range.expression}`,
            ExpressionAttributeNames: { '#pk': partition, ...(range.expression && { '#sk': sort }) },
            ExpressionAttributeValues: { ':pk': pk, ...range.values },
            ScanIndexForward: order === 'ascending',
            // One more than asked for tells a last page from one that happens to end here.
            Limit: limit + 1 - items.length,
            ...(start && { ExclusiveStartKey: start }),
          }),
        )
        .catch((cause: unknown) => {
          throw start && nameOf(cause) === 'ValidationException'
            ? badCursor(cause)
            : faultOf('DynamoDB', 'Store.Busy', cause);
        });
      const found = (page.Items ?? []) as Item[];
      items.push(
        ...(index && INDEXES[index] === 'KEYS_ONLY' ? await whole(found, partition, pk) : found.filter(isLive)),
      );
      if (items.length > limit) {
        return { items: items.slice(0, limit), cursor: cursorOf(items[limit - 1]!, sort) };
      }
      start = page.LastEvaluatedKey;
      if (!start) return { items };
    }
    return { items, cursor: cursorOf(start as Item, sort) };
  };

  const write = async (writes: readonly Write[]): Promise<WriteResult> => {
    if (writes.length > MAX_WRITES) throw ours(`a transaction of ${writes.length} writes, at most ${MAX_WRITES}`);
    const names = new Set(writes.map((one) => nameOfKey(keyOfWrite(one))));
    if (names.size < writes.length) throw ours('a transaction names one key twice');
    if (writes.length === 0) return { done: true };

    /** Tallies whose item is past its time: they begin anew instead of adding to what DynamoDB has not deleted yet. */
    const anew = new Set<number>();
    const now = nowSeconds();
    let request = { operations: writes.map((one) => operationOf(TableName, one, now, false)), token: randomUUID() };
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      if (attempt > 0) await pause(backoffMs(attempt));
      const outcome = await send(client, request);
      if (outcome === 'done') return { done: true };
      if (outcome === 'again') continue;
      const { failed } = outcome;
      if (!('add' in writes[failed]!)) return { done: false, failed };
      if (anew.has(failed)) anew.delete(failed);
      else anew.add(failed);
      // Another token: DynamoDB refuses a used one with other parameters.
      request = {
        operations: writes.map((one, index) => operationOf(TableName, one, now, anew.has(index))),
        token: randomUUID(),
      };
    }
    throw busy(`the write met other writes ${MAX_TRIES} times`);
  };

  const increment: Table['increment'] = (key, by, options) => tally({ add: key, by, ...options });

  const tally = async (add: Extract<Write, { add: Key }>): Promise<Record<string, number>> => {
    const { by } = add;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const now = nowSeconds();
      try {
        const { Attributes } = await client.send(
          new UpdateCommand({ ...operationOf(TableName, add, now, false).Update!, ReturnValues: 'UPDATED_NEW' }),
        );
        return Object.fromEntries(Object.keys(by).map((name) => [name, Number(Attributes?.[name])]));
      } catch (cause) {
        if (nameOf(cause) !== 'ConditionalCheckFailedException') throw faultOf('DynamoDB', 'Store.Busy', cause);
      }
      const begun = await send(client, { operations: [operationOf(TableName, add, now, true)], token: randomUUID() });
      if (begun === 'done') return { ...by };
    }
    throw busy(`the tally met other writes ${MAX_TRIES} times`);
  };

  const writeInTurn: Table['writeInTurn'] = async (groups) => {
    for (const [index, group] of groups.entries()) {
      const [only] = group;
      // A lone tally: a plain update, at half the price of the transaction whose token would keep it from counting twice.
      if (group.length === 1 && only && 'add' in only) await tally(only);
      else if (!(await write(group)).done) return { done: false, failed: index };
    }
    return { done: true };
  };

  return { get, getMany, query, write, writeInTurn, increment };
}

const keyOf = ({ pk, sk }: Key): Key => ({ pk, sk });
const nameOfKey = ({ pk, sk }: Key) => JSON.stringify([pk, sk]);

function keyOfWrite(one: Write): Key {
  if ('put' in one) return one.put;
  if ('delete' in one) return one.delete;
  return 'add' in one ? one.add : one.check;
}

/** One write as DynamoDB words it; `anew` replaces a tally whose item is past its time. */
function operationOf(TableName: string, one: Write, now: number, anew: boolean): Operation {
  const ReturnValuesOnConditionCheckFailure = 'ALL_OLD' as const;
  const absent = {
    ConditionExpression: 'attribute_not_exists(#pk) OR #expiresAt <= :now',
    ExpressionAttributeNames: { '#pk': 'pk', '#expiresAt': 'expiresAt' },
    ExpressionAttributeValues: { ':now': now },
    ReturnValuesOnConditionCheckFailure,
  };
  const conditionOf = (condition: 'absent' | { version: number }) =>
    condition === 'absent'
      ? absent
      : {
          ConditionExpression: `#version = :version AND ${LIVE}`,
          ExpressionAttributeNames: { '#version': 'version', '#expiresAt': 'expiresAt' },
          ExpressionAttributeValues: { ':version': condition.version, ':now': now },
          ReturnValuesOnConditionCheckFailure,
        };
  if ('put' in one) return { Put: { TableName, Item: one.put, ...(one.if && conditionOf(one.if)) } };
  if ('delete' in one) return { Delete: { TableName, Key: keyOf(one.delete), ...(one.if && conditionOf(one.if)) } };
  if ('check' in one) return { ConditionCheck: { TableName, Key: keyOf(one.check), ...conditionOf(one.if) } };

  const { by, first = {}, expiresAt } = one;
  if (anew) {
    const Item = { ...keyOf(one.add), ...first, ...by, ...(expiresAt !== undefined && { expiresAt }) };
    return { Put: { TableName, Item, ...absent } };
  }
  const adds = Object.entries(by);
  const firsts = Object.entries(first);
  const sets = [
    ...firsts.map((_, index) => `#f${index} = if_not_exists(#f${index}, :f${index})`),
    ...(expiresAt === undefined ? [] : ['#expiresAt = :expiresAt']),
  ];
  const clauses = [
    adds.length > 0 && `ADD ${adds.map((_, index) => `#a${index} :a${index}`).join(', ')}`,
    sets.length > 0 && `SET ${sets.join(', ')}`,
  ].filter(Boolean);
  if (clauses.length === 0) throw ours('a tally that adds nothing');
  return {
    Update: {
      TableName,
      Key: keyOf(one.add),
      UpdateExpression: clauses.join(' '),
      ConditionExpression: LIVE,
      ExpressionAttributeNames: {
        '#expiresAt': 'expiresAt',
        ...Object.fromEntries(adds.map(([name], index) => [`#a${index}`, name])),
        ...Object.fromEntries(firsts.map(([name], index) => [`#f${index}`, name])),
      },
      ExpressionAttributeValues: {
        ':now': now,
        ...(expiresAt !== undefined && { ':expiresAt': expiresAt }),
        ...Object.fromEntries(adds.map(([, value], index) => [`:a${index}`, value])),
        ...Object.fromEntries(firsts.map(([, value], index) => [`:f${index}`, value])),
      },
    },
  };
}

type Outcome = 'done' | 'again' | { failed: number };
type Request = { operations: readonly Operation[]; token: string };

/** A lone tally goes as a transaction too: its token keeps a repeated request from adding twice. */
async function send(client: DynamoDBDocumentClient, { operations, token }: Request): Promise<Outcome> {
  const [first] = operations;
  try {
    if (operations.length === 1 && first?.Put) await client.send(new PutCommand(first.Put));
    else if (operations.length === 1 && first?.Delete) await client.send(new DeleteCommand(first.Delete));
    else {
      await client.send(new TransactWriteCommand({ TransactItems: [...operations], ClientRequestToken: token }));
    }
    return 'done';
  } catch (cause) {
    switch (nameOf(cause)) {
      case 'ConditionalCheckFailedException':
        return first && isOwnWork(first, cause) ? 'done' : { failed: 0 };
      case 'TransactionCanceledException':
        return outcomeOf(cause as TransactionCanceledException);
      case 'TransactionConflictException':
      case 'TransactionInProgressException':
        return 'again';
      default:
        throw faultOf('DynamoDB', 'Store.Busy', cause);
    }
  }
}

/**
 * When an answer is lost the SDK sends again, and the condition then meets what our own first try wrote: that is done,
 * not failed.
 */
function isOwnWork(operation: Operation, cause: unknown): boolean {
  if (attemptsOf(cause) < 2) return false;
  const { Item: standing } = cause as ConditionalCheckFailedException;
  if (operation.Delete) return standing === undefined;
  return standing !== undefined && isDeepStrictEqual(plain(unmarshall(standing, NUMBERS)), plain(operation.Put?.Item));
}

/** Without what JSON does not carry: a missing attribute and an undefined one are the same item. */
const plain = (item: unknown): unknown => JSON.parse(JSON.stringify(item));

/** https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html */
function outcomeOf(cause: TransactionCanceledException): Outcome {
  const codes = (cause.CancellationReasons ?? []).map(({ Code }) => Code);
  const failed = codes.indexOf('ConditionalCheckFailed');
  if (failed >= 0) return { failed };
  const invalid = codes.findIndex((code) => code === 'ValidationError' || code === 'ItemCollectionSizeLimitExceeded');
  if (invalid >= 0) throw ours(`write ${invalid} of the transaction is not valid`, cause);
  return 'again';
}

type Bounds = { from?: string; to?: string; prefix?: string };

/** DynamoDB takes one condition on the sort key: a prefix with bounds becomes a range. */
function rangeOf({ from, to, prefix }: Bounds): { expression: string; values: Record<string, string> } | 'empty' {
  if (prefix !== undefined && from === undefined && to === undefined) {
    return { expression: ' AND begins_with(#sk, :from)', values: { ':from': prefix } };
  }
  // U+10FFFF is the last code point, so that nothing that begins with the prefix lies beyond.
  const lower = [prefix, from]
    .filter((bound) => bound !== undefined)
    .toSorted(byBytes)
    .at(-1);
  const upper = [prefix === undefined ? undefined : `${prefix}\u{10FFFF}`, to]
    .filter((bound) => bound !== undefined)
    .toSorted(byBytes)[0];
  if (lower !== undefined && upper !== undefined) {
    if (byBytes(lower, upper) > 0) return 'empty';
    return { expression: ' AND #sk BETWEEN :from AND :to', values: { ':from': lower, ':to': upper } };
  }
  if (lower !== undefined) return { expression: ' AND #sk >= :from', values: { ':from': lower } };
  if (upper !== undefined) return { expression: ' AND #sk <= :to', values: { ':to': upper } };
  return { expression: '', values: {} };
}

/** As DynamoDB orders strings. */
const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const cursorOf = (item: Item, sort: string) =>
  Buffer.from(JSON.stringify([item.pk, item.sk, item[sort]])).toString('base64url');

/** The partition comes from the query, so a cursor opens no other one. */
function startOf(cursor: string, partition: string, sort: string, value: string): Record<string, string> {
  try {
    const [pk, sk, sortValue] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as unknown[];
    if (typeof pk !== 'string' || typeof sk !== 'string' || typeof sortValue !== 'string') throw new TypeError('shape');
    return { pk, sk, [sort]: sortValue, [partition]: value };
  } catch (cause) {
    throw badCursor(cause);
  }
}

const badCursor = (cause: unknown) =>
  new SluiceError('Request.Invalid', 'the cursor is not one of this listing', {
    hint: 'take the cursor from the page before, unchanged, or begin without one',
    cause,
    fields: [{ pointer: '/cursor', detail: 'not a cursor of this listing' }],
  });

const busy = (message: string) => new SluiceError('Store.Busy', message, { hint: 'send it again a little later' });

const ours = (message: string, cause?: unknown) =>
  new SluiceError('Internal.Bug', message, { hint: 'please report this', cause });

/** Numbers as JSON has them. */
const NUMBERS = { wrapNumbers: Number };

/** The document client as this adapter wants it: undefined attributes left out, numbers as JSON has them. */
export const documentClient = (client: DynamoDBClient): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(client, {
    marshallOptions: { removeUndefinedValues: true, allowImpreciseNumbers: true },
    // A copy: the client writes into what it is given.
    unmarshallOptions: { ...NUMBERS },
  });
