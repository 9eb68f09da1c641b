import { type FunctionSpec, topology } from '../topology.ts';

/**
 * Functions that AWS alone needs: locally one server is the door and the desk, and SMTP tells of bounces by itself.
 */
export type ExtraSpec = FunctionSpec & {
  kind: 'http' | 'feedback' | 'gate';
  /** Of the HTTP API, as it writes them. */
  routes?: readonly string[];
  /** Reads the depth of every queue, for /health. */
  looksAtQueues?: true;
};

export const EXTRA: Readonly<Record<string, ExtraSpec>> = {
  door: {
    kind: 'http',
    folder: 'door',
    memoryMb: 512,
    timeoutSeconds: 10,
    // Confirmations release what waited for them, and authors are mailed their link.
    may: { table: 'write', putEvents: true, send: ['notify'], secret: true },
    routes: ['ANY /{proxy+}'],
    looksAtQueues: true,
  },
  moderation: {
    kind: 'http',
    folder: 'moderation',
    memoryMb: 512,
    timeoutSeconds: 25,
    may: {
      table: 'write',
      putEvents: true,
      // A redrive sends a dead letter to the queue that it came from.
      send: Object.keys(topology.queues).filter((name) => topology.queues[name]?.deadLetter),
      answer: ['review'],
      secret: true,
    },
    routes: ['ANY /v1/moderation/{proxy+}'],
    looksAtQueues: true,
  },
  settings: {
    kind: 'http',
    folder: 'moderation',
    memoryMb: 512,
    timeoutSeconds: 25,
    // The test of a webhook.
    may: { table: 'write', send: ['webhooks'], secret: true },
    routes: [
      'ANY /v1/moderation/oidc/{proxy+}',
      'ANY /v1/moderation/sites',
      'ANY /v1/moderation/sites/{site}',
      'ANY /v1/moderation/sites/{site}/authors/{author}',
      'ANY /v1/moderation/sites/{site}/webhooks',
      'ANY /v1/moderation/sites/{site}/webhooks/{hook}',
      'ANY /v1/moderation/sites/{site}/webhooks/{hook}/test',
      'ANY /v1/moderation/threads',
      'ANY /v1/moderation/threads/aliases',
      'ANY /v1/moderation/persons/{proxy+}',
    ],
  },
  /** Bounces and complaints of SES → no more mail to that address. */
  'mail-feedback': {
    kind: 'feedback',
    folder: '',
    memoryMb: 256,
    timeoutSeconds: 10,
    may: { table: 'write', secret: true },
  },
  /** Refuses what does not come through CloudFront. */
  gate: { kind: 'gate', folder: '', memoryMb: 128, timeoutSeconds: 5, may: { secret: true } },
};
