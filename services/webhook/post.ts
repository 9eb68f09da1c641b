import { lookup as dnsLookup } from 'node:dns/promises';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

/** All of it: name, connection, request and the head of the answer. */
export const TIMEOUT_MS = 10_000;

export type Resolved = { address: string; family: 4 | 6 };

/** What stands between us and the network; tests put their own in. */
export type Network = {
  /** All addresses of a name. */
  resolve(hostname: string): Promise<readonly Resolved[]>;
  allowed(address: string): boolean;
  timeoutMs: number;
};

export const PUBLIC_NETWORK: Network = {
  resolve: async (hostname) => (await dnsLookup(hostname, { all: true })) as readonly Resolved[],
  allowed: isPublic,
  timeoutMs: TIMEOUT_MS,
};

/** `words` are ours, for admins: never what the receiver wrote, which may be of a place that we should not have read. */
export type Answer = { ok: boolean; status?: number; words: string; retryAfterSeconds?: number; never?: true };

/**
 * Posts to an address that a person gave, on the public internet alone; never throws.
 *
 * The name is resolved once, every address is checked, and the connection goes to a checked one: what DNS answers later
 * changes nothing. Redirects are not followed, and of the answer only the status is read.
 */
export async function post(
  address: string,
  body: string,
  headers: Record<string, string>,
  network: Network = PUBLIC_NETWORK,
): Promise<Answer> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username || url.password) {
    return { ok: false, words: 'this is no https address', never: true };
  }
  const signal = AbortSignal.timeout(network.timeoutMs);
  try {
    const addresses = await within(signal, addressesOf(url.hostname, network));
    if (addresses.length === 0) return { ok: false, words: 'the name has no address' };
    if (!addresses.every((one) => network.allowed(one.address))) {
      return { ok: false, words: 'the name leads to a private, local or reserved address' };
    }
    return answerOf(await send(url, body, headers, addresses, signal));
  } catch (error) {
    if (signal.aborted) return { ok: false, words: `no answer within ${network.timeoutMs} ms` };
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error';
    return { ok: false, words: `not reached: ${code.slice(0, 60)}` };
  }
}

function answerOf({ status, retryAfter }: { status: number; retryAfter: string | undefined }): Answer {
  const seconds = /^\d{1,5}$/.test(retryAfter ?? '') ? Number(retryAfter) : undefined;
  const wait = seconds !== undefined && { retryAfterSeconds: seconds };
  if (status >= 200 && status < 300) return { ok: true, status, words: `answered ${status}` };
  if (status >= 300 && status < 400) {
    return { ok: false, status, words: `answered ${status}: redirects are not followed` };
  }
  return { ok: false, status, words: `answered ${status}`, ...wait };
}

async function addressesOf(hostname: string, { resolve }: Network): Promise<readonly Resolved[]> {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1');
  if (ipaddr.isValid(literal)) {
    return [{ address: literal, family: ipaddr.parse(literal).kind() === 'ipv6' ? 6 : 4 }];
  }
  return resolve(hostname);
}

function send(
  url: URL,
  body: string,
  headers: Record<string, string>,
  addresses: readonly Resolved[],
  signal: AbortSignal,
): Promise<{ status: number; retryAfter: string | undefined }> {
  const lookup: LookupFunction = (_hostname, options, done) => {
    if (options.all) done(null, [...addresses]);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
      url,
      {
        method: 'POST',
        // A connection of its own: a kept one would be to wherever the name led before.
        agent: false,
        lookup,
        signal,
        maxHeaderSize: 16_384,
        headers: { ...headers, 'content-length': Buffer.byteLength(body), 'user-agent': 'Sluice-Webhook/1' },
      },
      (response) => {
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] });
        response.destroy();
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return Promise.race([
    work,
    new Promise<never>((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason), { once: true })),
  ]);
}

/** IPv6 as the registry gives it out: everything else is of a special purpose (RFC 6890), or not given out yet. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** What every machine at Azure finds its host under, in a range that is public otherwise. */
const AZURE_HOST = '168.63.129.16';

/**
 * On the public internet: not private, loopback, link-local (where clouds keep their metadata), carrier's, documentation,
 * multicast, nor an IPv6 form that leads to an IPv4 address (mapped, NAT64, 6to4, Teredo).
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.process(address);
  if (ip.range() !== 'unicast' || ip.toString() === AZURE_HOST) return false;
  return ip.kind() === 'ipv4' || (ip as ipaddr.IPv6).match(GLOBAL_IPV6);
}
