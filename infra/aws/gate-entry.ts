import { readSecret } from './adapters/secret.ts';
import { gateOf } from './gate.ts';
import { once } from './once.ts';

/** What Lambda runs: the secret is read once an environment. */
export const handler = gateOf(
  once(() =>
    readSecret(process.env.SLUICE_SECRET ?? '', {
      accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
      sessionToken: process.env.AWS_SESSION_TOKEN,
    }),
  ),
);
