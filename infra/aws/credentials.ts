import { readSecret } from './adapters/secret.ts';

/** A secret by the credentials that Lambda puts into the environment. */
export const secretOf = (arn: string, env: NodeJS.ProcessEnv = process.env): Promise<string> =>
  readSecret(
    arn,
    {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
      sessionToken: env.AWS_SESSION_TOKEN,
    },
    { endpoint: env.AWS_ENDPOINT_URL_SECRETS_MANAGER },
  );
