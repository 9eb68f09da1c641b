import type { Credentials } from '../../shared/sigv4.ts';
import { readSecret } from './adapters/secret.ts';

/** The credentials that Lambda puts into the environment. */
export const credentialsOf = (env: NodeJS.ProcessEnv): Credentials => ({
  accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
  secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
  sessionToken: env.AWS_SESSION_TOKEN,
});

/** A secret by those. */
export const secretOf = (arn: string, env: NodeJS.ProcessEnv = process.env): Promise<string> =>
  readSecret(arn, credentialsOf(env), { endpoint: env.AWS_ENDPOINT_URL_SECRETS_MANAGER });
