import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { SluiceError } from '../../../shared/errors.ts';
import type { Queue } from '../../../shared/ports.ts';
import { faultOf, nameOf } from './faults.ts';

/**
 * SQS takes the characters of XML: not U+FFFE and U+FFFF. Our bodies are JSON, where an escape means the same; JSON itself
 * escapes the others that SQS refuses (controls, lone surrogates).
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
const escaped = (body: string) =>
  body.replaceAll(/[\uFFFE\uFFFF]/g, (character) => `\\u${character.charCodeAt(0).toString(16)}`);

const busy = (cause: unknown) => faultOf('SQS', 'Store.Busy', cause);

/** What SQS answers for a receipt that is no longer the message's newest, or whose message is gone. */
const STALE_RECEIPTS = new Set(['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidParameterValue']);

/**
 * One SQS queue.
 *
 * A group makes a standard queue serve its tenants fairly; it neither orders nor de-duplicates.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 *
 * @param url of the queue; the service throttles per account, which the SDK retries
 * @param maxMessageBytes of the queue, checked here first so that the caller learns it as `Queue.TooLarge`
 */
export function sqsQueue(client: SQSClient, { url, maxMessageBytes }: { url: string; maxMessageBytes: number }): Queue {
  const QueueUrl = url;
  const tooLarge = (bytes: number, cause?: unknown) =>
    new SluiceError('Queue.TooLarge', `the message has ${bytes} bytes`, {
      hint: `the queue takes at most ${maxMessageBytes} bytes`,
      cause,
    });
  return {
    async send(body, { delaySeconds, group } = {}) {
      const bytes = Buffer.byteLength(body);
      if (bytes > maxMessageBytes) throw tooLarge(bytes);
      try {
        await client.send(
          new SendMessageCommand({
            QueueUrl,
            MessageBody: escaped(body),
            ...(delaySeconds && { DelaySeconds: delaySeconds }),
            ...(group && { MessageGroupId: group }),
          }),
        );
      } catch (cause) {
        throw /larger|longer than|must be shorter/i.test(String((cause as Error).message))
          ? tooLarge(bytes, cause)
          : busy(cause);
      }
    },
    async receive(max) {
      const { Messages = [] } = await client
        .send(
          new ReceiveMessageCommand({
            QueueUrl,
            MaxNumberOfMessages: max,
            MessageSystemAttributeNames: ['ApproximateReceiveCount', 'SentTimestamp', 'MessageGroupId'],
          }),
        )
        .catch((cause: unknown) => {
          throw busy(cause);
        });
      return Messages.map(({ MessageId, ReceiptHandle, Body, Attributes }) => ({
        id: MessageId!,
        receipt: ReceiptHandle!,
        body: Body ?? '',
        receiveCount: Number(Attributes?.ApproximateReceiveCount ?? 1),
        sentAt: Number(Attributes?.SentTimestamp ?? 0),
        ...(Attributes?.MessageGroupId && { group: Attributes.MessageGroupId }),
      }));
    },
    async remove(receipt) {
      try {
        await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: receipt }));
      } catch (cause) {
        if (!STALE_RECEIPTS.has(nameOf(cause))) throw busy(cause);
      }
    },
    async changeVisibility(receipt, seconds) {
      try {
        await client.send(
          new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: receipt, VisibilityTimeout: seconds }),
        );
      } catch (cause) {
        if (!STALE_RECEIPTS.has(nameOf(cause))) throw busy(cause);
      }
    },
    async attributes() {
      const { Attributes = {} } = await client
        .send(
          new GetQueueAttributesCommand({
            QueueUrl,
            AttributeNames: [
              'ApproximateNumberOfMessages',
              'ApproximateNumberOfMessagesNotVisible',
              'ApproximateNumberOfMessagesDelayed',
            ],
          }),
        )
        .catch((cause: unknown) => {
          throw busy(cause);
        });
      return {
        depth: Number(Attributes.ApproximateNumberOfMessages ?? 0),
        inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
        delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
      };
    },
  };
}
