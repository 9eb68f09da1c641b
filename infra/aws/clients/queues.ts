import { SQSClient } from '@aws-sdk/client-sqs';
import { sqsQueue } from '../adapters/queue.ts';
import type { Environment } from '../environment.ts';
import { CLIENT } from './config.ts';

/** Where the client is told to ask (a VPC endpoint, an emulator) counts, not the host in the queue's URL. */
export const OWN_ENDPOINT = { useQueueUrlAsEndpoint: false } as const;

export function queues({ queues }: Environment) {
  const client = new SQSClient({ ...CLIENT, ...OWN_ENDPOINT });
  return Object.fromEntries(Object.entries(queues).map(([name, spec]) => [name, sqsQueue(client, spec)]));
}
