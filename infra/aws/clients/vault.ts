import { createHash } from 'node:crypto';
import { vaultOf, type Vault } from '../../../shared/vault.ts';
import { secretOf } from '../credentials.ts';
import type { Environment } from '../environment.ts';

/** The root key, read once an environment and kept in its memory alone. */
export const vault = async ({ secret }: Environment): Promise<Vault> =>
  vaultOf(
    createHash('sha256')
      .update(await secretOf(secret!))
      .digest(),
  );
