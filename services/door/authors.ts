import { createHmac, timingSafeEqual } from 'node:crypto';
import { SluiceError } from '../../shared/errors.ts';
import type { Item, Key, Ports, Table } from '../../shared/ports.ts';
import type { Author, Site } from '../../shared/store/sites.ts';
import type { Vault } from '../../shared/vault.ts';

const SCHEME = 'Author ';

/** How long a token of `/author` holds, unless its author ends it before. */
export const AUTHOR_TOKEN_DAYS = 30;
/** A back end signs a new token for each page or session; one that asks for longer is refused. */
export const BACK_END_TOKEN_HOURS = 24;

const epochKey = (site: string, author: string): Key => ({ pk: `S#${site}`, sk: `author-epoch#${author}` });
const keyEpochKey = (site: string): Key => ({ pk: `S#${site}`, sk: 'author-key-epoch' });
const epochOf = (item: Item | undefined): number => Number(item?.epoch ?? 0);

/** The epoch that an author's tokens carry now. */
export async function authorEpoch(table: Table, site: string, author: string): Promise<number> {
  return epochOf(await table.get(epochKey(site, author)));
}

/** Ends every token of `/author` that this author has anywhere. */
export async function revokeAuthorTokens(table: Table, site: string, author: string): Promise<void> {
  await table.increment(epochKey(site, author), { epoch: 1 });
}

/**
 * A token with which an author comments as such: `{site}.{author}.{expiry in epoch seconds}.{epoch}.{signature}`, the site in
 * base64url.
 *
 * The signature is the vault's (purpose `author`) over what stands before it. `epoch` is the author's: raising it
 * (`revokeAuthorTokens`) ends all tokens before.
 */
export function authorToken(
  vault: Vault,
  site: string,
  author: string,
  expiresAtSeconds: number,
  epoch: number = 0,
): string {
  const claim = `${Buffer.from(site).toString('base64url')}.${author}.${expiresAtSeconds}.${epoch}`;
  return `${claim}.${vault.sign('author', claim)}`;
}

/** The key with which a blog's back end signs tokens of its own; see docs/authors.md. */
export async function siteAuthorKey(table: Table, vault: Vault, site: string): Promise<string> {
  return keyAt(vault, site, epochOf(await table.get(keyEpochKey(site))));
}

/** Ends the key, and with it all that it signed. */
export async function renewSiteAuthorKey(table: Table, site: string): Promise<void> {
  await table.increment(keyEpochKey(site), { epoch: 1 });
}

const keyAt = (vault: Vault, site: string, epoch: number): string => vault.sign('author', `key\n${site}\n${epoch}`);

/**
 * What a back end signs: `{site}.{author}.{expiry in epoch seconds}.{signature}`, the signature being HMAC-SHA-256 over what
 * stands before it, in base64url.
 */
export function backEndToken(key: string, site: string, author: string, expiresAtSeconds: number): string {
  const claim = `${Buffer.from(site).toString('base64url')}.${author}.${expiresAtSeconds}`;
  return `${claim}.${createHmac('sha256', key).update(claim).digest('base64url')}`;
}

/** The author who signs this call, if it says so at all. Throws `Capability.Refused` for a token that does not hold. */
export async function authorOf(
  { ports }: { ports: Pick<Ports, 'table' | 'vault' | 'clock'> },
  site: Site,
  authorization: string | undefined,
): Promise<Author | undefined> {
  if (!authorization?.startsWith(SCHEME)) return undefined;
  const id = await holderOf(ports, site.id, authorization.slice(SCHEME.length).trim());
  const author = id === undefined ? undefined : site.authors.find((one) => one.id === id);
  if (!author) {
    throw new SluiceError('Capability.Refused', 'the author token does not hold', { hint: 'sign in again at /author' });
  }
  return author;
}

/** The id of the author whose token this is; undefined for one that is forged, over, revoked, or of another site. */
async function holderOf(
  { table, vault, clock }: Pick<Ports, 'table' | 'vault' | 'clock'>,
  site: string,
  token: string,
): Promise<string | undefined> {
  if (token.length > 400) return undefined;
  const cut = token.lastIndexOf('.');
  const [claim, signature] = [token.slice(0, Math.max(0, cut)), token.slice(cut + 1)];
  const [siteId = '', author = '', expiry = '', epoch, ...rest] = claim.split('.');
  const leftMs = Number(expiry) * 1000 - clock.now();
  if (Buffer.from(siteId, 'base64url').toString() !== site || !(leftMs > 0) || rest.length > 0) return undefined;
  if (epoch === undefined) {
    if (leftMs > BACK_END_TOKEN_HOURS * 3_600_000) return undefined;
    const expected = createHmac('sha256', await siteAuthorKey(table, vault, site))
      .update(claim)
      .digest();
    const given = Buffer.from(signature, 'base64url');
    return given.length === expected.length && timingSafeEqual(given, expected) ? author : undefined;
  }
  if (!vault.verify('author', claim, signature)) return undefined;
  return Number(epoch) === (await authorEpoch(table, site, author)) ? author : undefined;
}
