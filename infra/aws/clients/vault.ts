import { createHash } from 'node:crypto';
import { vaultOf, type Vault } from '../../../shared/vault.ts';
import { readSecret } from '../adapters/secret.ts';
import type { Environment } from '../environment.ts';

/** The root key, read once an environment and kept in its memory alone. */
export async function vault({ secret }: Environment, env: NodeJS.ProcessEnv = process.env): Promise<Vault> {
  const text = await readSecret(secret!, {
    accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    sessionToken: env.AWS_SESSION_TOKEN,
  });
  return vaultOf(createHash('sha256').update(text).digest());
}
