import { SluiceError } from '../../shared/errors.ts';
import type { Author, Site } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';
import type { Door } from './door.ts';

const SCHEME = 'Author ';

/**
 * A token with which an author comments as such: `{site}.{author}.{expiry in epoch seconds}.{signature}`.
 *
 * The signature is the vault's (purpose `author`) over the first three parts.
 */
export function authorToken(vault: Vault, site: string, author: string, expiresAtSeconds: number): string {
  const claim = `${Buffer.from(site).toString('base64url')}.${author}.${expiresAtSeconds}`;
  return `${claim}.${vault.sign('author', claim)}`;
}

/** The author who signs this call, if it says so at all. Throws `Capability.Refused` for a token that does not hold. */
export async function authorOf(
  { ports }: Pick<Door, 'ports'>,
  site: Site,
  authorization: string | undefined,
): Promise<Author | undefined> {
  if (!authorization?.startsWith(SCHEME)) return undefined;
  const token = authorization.slice(SCHEME.length).trim();
  const cut = token.lastIndexOf('.');
  const claim = token.slice(0, cut);
  const [siteId, authorId, expiry] = claim.split('.');
  const holds =
    cut > 0 &&
    ports.vault.verify('author', claim, token.slice(cut + 1)) &&
    Buffer.from(siteId ?? '', 'base64url').toString() === site.id &&
    Number(expiry) * 1000 > ports.clock.now();
  const author = holds ? site.authors.find(({ id }) => id === authorId) : undefined;
  if (!author) {
    throw new SluiceError('Capability.Refused', 'the author token does not hold', { hint: 'sign in again at /author' });
  }
  return author;
}
