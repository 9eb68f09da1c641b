import { createHash } from 'node:crypto';
import { SluiceError } from '../../../shared/errors.ts';
import { ACCOUNT } from '../bus.ts';
import type { LocalQueue } from '../queues.ts';
import { queueArn, type Runtime } from '../runtime.ts';
import { AwsFault } from './fault.ts';
import { optionalText, text, texts, whole, type Input } from './input.ts';
import { messageMoves } from './moves.ts';

/** A long poll looks this often besides being told of arrivals: a message may become visible again unannounced. */
const LOOK_MS = 250;

/** SQS, its JSON protocol. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html */
export const queueActions = (
  runtime: Pick<Runtime, 'queues' | 'topology' | 'ports' | 'database'>,
  closing: AbortSignal,
) => {
  const { queues, topology, ports, database } = runtime;
  const moves = messageMoves(runtime, closing);

  const queueOf = (input: Input): LocalQueue => {
    const name = text(input, 'QueueUrl').split('/').at(-1) ?? '';
    return Object.hasOwn(queues, name) ? (queues[name] as LocalQueue) : missing();
  };

  return {
    async ListQueues(input: Input, { origin }: { origin: string }) {
      const prefix = optionalText(input, 'QueueNamePrefix') ?? '';
      const most = whole(input, 'MaxResults', { least: 1, most: 1000, otherwise: 1000 });
      const from = Number(optionalText(input, 'NextToken') ?? 0);
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
      const name = text(input, 'QueueName', { longest: 80 });
      if (!Object.hasOwn(queues, name)) missing();
      return { QueueUrl: `${origin}/${ACCOUNT}/${name}` };
    },

    async SendMessage(input: Input) {
      const queue = queueOf(input);
      const body = text(input, 'MessageBody', { longest: 2 ** 21 });
      if (body === '')
        throw new AwsFault('MissingParameter', 'The request must contain the parameter MessageBody.', {
          queryCode: 'MissingParameter',
        });
      for (const member of ['MessageAttributes', 'MessageSystemAttributes']) {
        const given = input[member];
        if (typeof given === 'object' && given !== null && Object.keys(given).length > 0) {
          throw unsupported(`${member} are not kept here: put them into the body.`);
        }
      }
      const delaySeconds = bounded(input, 'DelaySeconds', 0, 900, 0);
      const group = optionalText(input, 'MessageGroupId', { longest: 128 });
      try {
        const id = await database.write(() => queue.enqueue(body, { delaySeconds, ...(group && { group }) }));
        return { MessageId: id, MD5OfMessageBody: md5(body) };
      } catch (error) {
        if (!(error instanceof SluiceError && error.code === 'Queue.TooLarge')) throw error;
        throw parameter(
          `One or more parameters are invalid. Reason: Message must be shorter than ${queue.spec.maxMessageBytes} bytes.`,
        );
      }
    },

    async ReceiveMessage(input: Input, { gone }: { gone: AbortSignal }) {
      const queue = queueOf(input);
      const max = bounded(input, 'MaxNumberOfMessages', 1, 10, 1);
      const waitMs = bounded(input, 'WaitTimeSeconds', 0, 20, 0) * 1000;
      const visibility = bounded(input, 'VisibilityTimeout', 0, 43_200, queue.spec.visibilitySeconds);
      const wanted = new Set([...texts(input, 'AttributeNames'), ...texts(input, 'MessageSystemAttributeNames')]);
      const until = ports.clock.now() + waitMs;
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
      const receipt = text(input, 'ReceiptHandle');
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
      const unknown = names.find((name) => name !== 'All' && !Object.hasOwn(all, name) && name !== 'RedrivePolicy');
      if (unknown !== undefined) {
        throw new AwsFault('InvalidAttributeName', `Unknown Attribute ${unknown.slice(0, 100)}.`, {
          queryCode: 'InvalidAttributeName',
        });
      }
      const asked = Object.entries(all).filter(([name]) => names.includes('All') || names.includes(name));
      return asked.length > 0 ? { Attributes: Object.fromEntries(asked) } : {};
    },

    StartMessageMoveTask: async (input: Input) => moves.start(input),
    ListMessageMoveTasks: async (input: Input) => moves.list(input),
  };

  function bounded(input: Input, member: string, least: number, most: number, otherwise: number): number {
    const value = input[member] ?? otherwise;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      throw parameter(
        `Value ${String(value).slice(0, 100)} for parameter ${member} is invalid. Reason: Must be between ${least} and ${most}, if provided.`,
      );
    }
    return value;
  }

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

export const parameter = (message: string): AwsFault =>
  new AwsFault('InvalidParameterValueException', message, { queryCode: 'InvalidParameterValue' });
export const unsupported = (message: string): AwsFault =>
  new AwsFault('UnsupportedOperation', message, { queryCode: 'AWS.SimpleQueueService.UnsupportedOperation' });

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
