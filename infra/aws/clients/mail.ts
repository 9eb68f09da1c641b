import { SESv2Client } from '@aws-sdk/client-sesv2';
import { sesMail } from '../adapters/mail.ts';
import type { Environment } from '../environment.ts';

/** Sent once: SES knows no idempotency token, so that a repeat is the caller's decision. */
export const mail = ({ configurationSet }: Environment) =>
  sesMail(new SESv2Client({ maxAttempts: 1, requestHandler: { connectionTimeout: 1000, requestTimeout: 10_000 } }), {
    configurationSet,
  });
