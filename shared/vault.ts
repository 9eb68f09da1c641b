import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { SluiceError } from './errors.ts';

export type Purpose =
  | 'door'
  | 'status'
  | 'capability'
  | 'contact'
  | 'writer'
  | 'network'
  | 'mail'
  | 'author'
  | 'lane'
  | 'form'
  | 'session';

/** All that needs the instance's secret. One root key; a key of its own for each purpose (HKDF, RFC 5869). */
export type Vault = {
  /** A keyed hash, 32 URL-safe characters (192 bits of HMAC-SHA-256). */
  sign(purpose: Purpose, text: string): string;
  /** In constant time. */
  verify(purpose: Purpose, text: string, signature: string): boolean;
  /** AES-256-GCM; another text each time. */
  seal(text: string): string;
  /** Throws `Internal.Bug` for what this vault did not seal. */
  open(sealed: string): string;
};

/** @param root 32 random bytes that outlive the process: without them sealed addresses stay closed */
export function vaultOf(root: Uint8Array): Vault {
  const keys = new Map<string, KeyObject>();
  const keyFor = (purpose: string) => {
    let key = keys.get(purpose);
    if (!key) {
      // A KeyObject made once: from bytes, each HMAC would make its own, at ten times the cost.
      key = createSecretKey(Buffer.from(hkdfSync('sha256', root, '', `sluice/${purpose}`, 32)));
      keys.set(purpose, key);
    }
    return key;
  };
  const sign = (purpose: Purpose, text: string) =>
    createHmac('sha256', keyFor(purpose)).update(text).digest().subarray(0, 24).toString('base64url');
  return {
    sign,
    verify(purpose, text, signature) {
      const expected = Buffer.from(sign(purpose, text));
      const given = Buffer.from(signature);
      return expected.length === given.length && timingSafeEqual(expected, given);
    },
    seal(text) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', keyFor('seal'), nonce);
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed) {
      try {
        const bytes = Buffer.from(sealed, 'base64url');
        const decipher = createDecipheriv('aes-256-gcm', keyFor('seal'), bytes.subarray(0, 12));
        decipher.setAuthTag(bytes.subarray(12, 28));
        return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8');
      } catch (cause) {
        throw new SluiceError('Internal.Bug', 'a sealed value does not open', {
          hint: 'restore the key file that belongs to this store',
          cause,
        });
      }
    },
  };
}
