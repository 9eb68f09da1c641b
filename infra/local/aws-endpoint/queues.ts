import { createHash } from 'node:crypto';
import { SluiceError } from '../../../shared/errors.ts';
import { ACCOUNT } from '../bus.ts';
import type { LocalQueue } from '../queues.ts';
import { queueArn, type Runtime } from '../runtime.ts';
import { AwsFault } from './fault.ts';
import { optionalText, texts, type Input } from './input.ts';
import { messageMoves } from './moves.ts';
import { bounded, invalidParameter, required, unsupported } from './queue-input.ts';

/** A long poll looks this often besides being told of arrivals: a message may become visible again unannounced. */
const LOOK_MS = 250;

/** What SQS knows of a message that is received. */
const MESSAGE_ATTRIBUTES = new Set([
  'All',
  'AWSTraceHeader',
  'ApproximateFirstReceiveTimestamp',
  'ApproximateReceiveCount',
  'DeadLetterQueueSourceArn',
  'MessageDeduplicationId',
  'MessageGroupId',
  'SenderId',
  'SentTimestamp',
  'SequenceNumber',
]);
/** What a standard queue may be asked for, and has not here. */
const UNSET_ATTRIBUTES = new Set([
  'All',
  'CreatedTimestamp',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'LastModifiedTimestamp',
  'Policy',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
]);

/** SQS, its JSON protocol. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html */
export const queueActions = (
  runtime: Pick<Runtime, 'queues' | 'topology' | 'ports' | 'database'>,
  closing: AbortSignal,
) => {
  const { queues, topology, ports, database } = runtime;
  const moves = messageMoves(runtime, closing);

  const queueOf = (input: Input): LocalQueue => {
    const [account, name = ''] = required(input, 'QueueUrl').split('/').slice(-2);
    return account === ACCOUNT && Object.hasOwn(queues, name) ? (queues[name] as LocalQueue) : missing();
  };

  return {
    async ListQueues(input: Input, { origin }: { origin: string }) {
      const prefix = optionalText(input, 'QueueNamePrefix') ?? '';
      const most = bounded(input, 'MaxResults', {
        least: 1,
        most: 1000,
        otherwise: 1000,
        reason: 'Must be between 1 and 1000, if provided.',
      });
      const from = Number(optionalText(input, 'NextToken') ?? 0);
      if (!Number.isSafeInteger(from) || from < 0) throw invalidParameter('Invalid or expired next token.');
      const names = Object.keys(queues)
        .filter((name) => name.startsWith(prefix))
        .toSorted();
      const page = names.slice(from, from + most);
      return {
        QueueUrls: page.map((name) => `${origin}/${ACCOUNT}/${name}`),
        ...(input.MaxResults !== undefined && names.length > from + most && { NextToken: String(from + most) }),
      };
    },

    async GetQueueUrl(input: Input, { origin }: { origin: string }) {
      const name = required(input, 'QueueName');
      if (!Object.hasOwn(queues, name)) missing();
      return { QueueUrl: `${origin}/${ACCOUNT}/${name}` };
    },

    async SendMessage(input: Input) {
      const queue = queueOf(input);
      const body = required(input, 'MessageBody');
      for (const member of ['MessageAttributes', 'MessageSystemAttributes']) {
        const given = input[member];
        if (typeof given === 'object' && given !== null && Object.keys(given).length > 0) {
          throw unsupported(`${member} are not kept here: put them into the body.`);
        }
      }
      const delaySeconds = bounded(input, 'DelaySeconds', {
        least: 0,
        most: 900,
        otherwise: 0,
        reason: 'DelaySeconds must be >= 0 and <= 900.',
      });
      const group = optionalText(input, 'MessageGroupId');
      if (group !== undefined && !/^[!-~]{1,128}$/.test(group)) {
        throw invalidValue(
          'MessageGroupId',
          group,
          'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
        );
      }
      const once = optionalText(input, 'MessageDeduplicationId');
      if (once !== undefined) {
        throw invalidValue(
          'MessageDeduplicationId',
          once,
          'The request include parameter that is not valid for this queue type.',
        );
      }
      try {
        const id = await database.write(() => queue.enqueue(body, { delaySeconds, ...(group && { group }) }));
        return { MessageId: id, MD5OfMessageBody: md5(body) };
      } catch (error) {
        if (!(error instanceof SluiceError && error.code === 'Queue.TooLarge')) throw error;
        throw invalidParameter(
          `One or more parameters are invalid. Reason: Message must be shorter than ${queue.spec.maxMessageBytes} bytes.`,
        );
      }
    },

    async ReceiveMessage(input: Input, { gone }: { gone: AbortSignal }) {
      const queue = queueOf(input);
      const max = bounded(input, 'MaxNumberOfMessages', {
        least: 1,
        most: 10,
        otherwise: 1,
        reason: 'Must be between 1 and 10, if provided.',
      });
      const waitSeconds = bounded(input, 'WaitTimeSeconds', {
        least: 0,
        most: 20,
        otherwise: 0,
        reason: 'Must be >= 0 and <= 20, if provided.',
      });
      const visibility = bounded(input, 'VisibilityTimeout', {
        least: 0,
        most: 43_200,
        otherwise: queue.spec.visibilitySeconds,
        reason: 'Must be >= 0 and <= 43200, if provided.',
      });
      const wanted = new Set([...texts(input, 'AttributeNames'), ...texts(input, 'MessageSystemAttributeNames')]);
      checkNames(wanted, (name) => MESSAGE_ATTRIBUTES.has(name));
      const until = ports.clock.now() + waitSeconds * 1000;
      for (;;) {
        const messages = await queue.receive(max);
        if (messages.length > 0) {
          if (visibility !== queue.spec.visibilitySeconds) {
            for (const { receipt } of messages) await queue.changeVisibility(receipt, visibility);
          }
          return {
            Messages: messages.map(({ id, receipt, body, receiveCount, sentAt, group }) => {
              const attributes: Record<string, string> = {
                ApproximateReceiveCount: String(receiveCount),
                SentTimestamp: String(sentAt),
                SenderId: ACCOUNT,
                ...(group && { MessageGroupId: group }),
              };
              const asked = Object.entries(attributes).filter(([name]) => wanted.has('All') || wanted.has(name));
              return {
                MessageId: id,
                ReceiptHandle: receipt,
                Body: body,
                MD5OfBody: md5(body),
                ...(asked.length > 0 && { Attributes: Object.fromEntries(asked) }),
              };
            }),
          };
        }
        // Who has gone must not take a message that nobody would delete.
        if (ports.clock.now() >= until || gone.aborted || closing.aborted) return {};
        await arrival(queue, Math.min(LOOK_MS, Math.max(1, until - ports.clock.now())));
        if (gone.aborted || closing.aborted) return {};
      }
    },

    async DeleteMessage(input: Input) {
      const queue = queueOf(input);
      const receipt = required(input, 'ReceiptHandle');
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(receipt)) {
        throw new AwsFault(
          'ReceiptHandleIsInvalid',
          `The input receipt handle "${receipt.slice(0, 200)}" is not a valid receipt handle.`,
          { queryCode: 'ReceiptHandleIsInvalid' },
        );
      }
      await queue.remove(receipt);
      return {};
    },

    async GetQueueAttributes(input: Input) {
      const queue = queueOf(input);
      const { depth, inFlight, delayed } = await queue.attributes();
      const { spec } = queue;
      const all: Record<string, string> = {
        ApproximateNumberOfMessages: String(depth - delayed),
        ApproximateNumberOfMessagesNotVisible: String(inFlight),
        ApproximateNumberOfMessagesDelayed: String(delayed),
        VisibilityTimeout: String(spec.visibilitySeconds),
        MaximumMessageSize: String(spec.maxMessageBytes),
        MessageRetentionPeriod: String(spec.retentionDays * 86_400),
        DelaySeconds: '0',
        ReceiveMessageWaitTimeSeconds: '0',
        QueueArn: queueArn(queue.name),
        ...(spec.deadLetter && {
          RedrivePolicy: JSON.stringify({
            deadLetterTargetArn: queueArn(spec.deadLetter.queue),
            maxReceiveCount: spec.deadLetter.maxReceives,
          }),
        }),
      };
      const names = texts(input, 'AttributeNames');
      checkNames(names, (name) => Object.hasOwn(all, name) || UNSET_ATTRIBUTES.has(name));
      const asked = Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name));
      return asked.length > 0 ? { Attributes: Object.fromEntries(asked) } : {};
    },

    StartMessageMoveTask: async (input: Input) => moves.start(input),
    ListMessageMoveTasks: async (input: Input) => moves.list(input),
  };

  /** Resolves when something may have arrived, at the latest after `ms`. */
  function arrival(queue: LocalQueue, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const timer = setTimeout(done, ms);
      const forget = queue.onArrival(done);
    });
  }

  function missing(): never {
    throw new AwsFault(
      'QueueDoesNotExist',
      `The specified queue does not exist. There are: ${Object.keys(topology.queues).join(', ')}.`,
      { queryCode: 'AWS.SimpleQueueService.NonExistentQueue' },
    );
  }
};

const invalidValue = (member: string, value: string, reason: string): AwsFault =>
  invalidParameter(`Value ${value.slice(0, 200)} for parameter ${member} is invalid. Reason: ${reason}`);

function checkNames(names: Iterable<string>, known: (name: string) => boolean): void {
  for (const name of names) {
    if (known(name)) continue;
    throw new AwsFault('InvalidAttributeName', `Unknown Attribute ${name.slice(0, 100)}.`, {
      queryCode: 'InvalidAttributeName',
    });
  }
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
