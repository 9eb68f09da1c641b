import type { Service } from '../../shared/ports.ts';
import { authorNotify } from '../../services/author-notify/handler.ts';
import { awaitDecision } from '../../services/await-decision/handler.ts';
import { deliver } from '../../services/deliver/handler.ts';
import { drainDeadLetters } from '../../services/drain-dead-letters/handler.ts';
import { hold } from '../../services/hold/handler.ts';
import { learn } from '../../services/learn/handler.ts';
import { publish } from '../../services/publish/handler.ts';
import { reconcile } from '../../services/reconcile/handler.ts';
import { reject } from '../../services/reject/handler.ts';
import { remind } from '../../services/remind/handler.ts';
import { spamCheckBy } from '../../services/spam-check/handler.ts';
import { validate } from '../../services/validate/handler.ts';
import { webhook } from '../../services/webhook/handler.ts';
import { localAssessor } from './assessor.ts';
import { ACCOUNT, REGION } from './bus.ts';

/** The functions of the topology, by name. */
export const serviceOf: Record<string, Service> = {
  validate,
  'spam-check': (ports) => spamCheckBy(ports, localAssessor()),
  publish,
  hold,
  reject,
  'author-notify': authorNotify,
  'await-decision': awaitDecision,
  remind,
  deliver,
  'drain-dead-letters': drainDeadLetters,
  reconcile,
  learn,
  webhook,
};

export const functionArn = (name: string): string => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}`;
