import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueue } from '../adapters/queue.ts';
import type { Environment } from '../environment.ts';
import { CLIENT } from './config.ts';

export function queues({ queues }: Environment) {
  const client = new SQSClient(CLIENT);
  return Object.fromEntries(Object.entries(queues).map(([name, spec]) => [name, sqsQueue(client, spec)]));
}
