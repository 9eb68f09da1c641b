import { rulesRoutes } from '../../services/moderation/rules-routes.ts';
import { settingsRoutes } from '../../services/moderation/settings-routes.ts';
import type { Ports } from '../../shared/ports.ts';
import { type FunctionSpec, topology } from '../topology.ts';
import { unusable } from './unusable.ts';

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

/** Each path as the HTTP API writes it: of its routes the most specific is taken. */
const pathsOf = (routesOf: (ports: Ports) => readonly { path: string }[]) => [
  ...new Set(routesOf(unusable as Ports).map(({ path }) => `ANY ${path.replaceAll(/:(\w+)/g, '{$1}')}`)),
];

export const EXTRA: Readonly<Record<string, ExtraSpec>> = {
  door: {
    kind: 'http',
    folder: 'door',
    memoryMb: 512,
    timeoutSeconds: 10,
    may: { table: 'write', putEvents: true, secret: true },
    routes: ['ANY /{proxy+}'],
  },
  links: {
    kind: 'http',
    folder: 'door',
    memoryMb: 512,
    // Who takes or erases their data has every comment of the site looked through.
    timeoutSeconds: 25,
    // Confirmations release what waited for them, authors are mailed their link, persons theirs.
    may: { table: 'write', send: ['notify'], secret: true },
    routes: ['ANY /v1/mail/{proxy+}', 'ANY /v1/authors/{proxy+}'],
  },
  moderation: {
    kind: 'http',
    folder: 'moderation',
    memoryMb: 512,
    timeoutSeconds: 25,
    may: {
      table: 'write',
      putEvents: true,
      // A held decision, or one undone, waits anew.
      start: ['review'],
      answer: ['review'],
      secret: true,
    },
    routes: ['ANY /v1/moderation/{proxy+}'],
  },
  settings: {
    kind: 'http',
    folder: 'moderation',
    memoryMb: 512,
    timeoutSeconds: 25,
    may: {
      table: 'write',
      // A redrive sends a dead letter to the queue that it came from; the test of a webhook to its own.
      send: Object.keys(topology.queues).filter((name) => topology.queues[name]?.deadLetter),
      secret: true,
    },
    looksAtQueues: true,
    routes: ['ANY /health', 'ANY /v1/moderation/oidc/{proxy+}', ...pathsOf(settingsRoutes)],
  },
  rules: {
    kind: 'http',
    folder: 'moderation',
    memoryMb: 512,
    timeoutSeconds: 25,
    may: { table: 'write', secret: true },
    routes: pathsOf(rulesRoutes),
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
