import ipaddr from 'ipaddr.js';
import type { Logger } from 'pino';

/**
 * Whose request this is, behind `SLUICE_TRUST_PROXY`: a number of hops, or the addresses of the proxies. X-Forwarded-For is
 * read from the right, past what is trusted; from a peer that is not trusted it is no evidence, and is logged once.
 */
export function clientResolver(
  trust: string | undefined,
  log: Logger,
): (peer: string, forwarded: string | undefined) => string {
  const hops = trust !== undefined && /^\d+$/.test(trust) ? Number(trust) : undefined;
  const networks =
    trust === undefined || hops !== undefined ? [] : trust.split(',').map((part) => rangeOf(part.trim()));
  let told = false;

  const trusted = (address: string): boolean => {
    if (!ipaddr.isValid(address)) return false;
    const ip = ipaddr.process(address);
    return networks.some(([network, bits]) => network.kind() === ip.kind() && ip.match(network, bits));
  };

  return (peer, forwarded) => {
    if (forwarded === undefined) return peer;
    const chain = [...forwarded.split(',').map((part) => bare(part.trim())), peer].slice(-50);
    // Fewer entries than hops: the first one. An entry that is no address is never passed over, to what a client wrote.
    if (hops !== undefined && hops > 0) return valid(chain.at(-1 - hops) ?? chain[0]) ?? peer;
    if (!trusted(peer)) {
      if (!told) {
        told = true;
        log.warn(
          { setting: 'SLUICE_TRUST_PROXY' },
          'X-Forwarded-For came from a peer that is not trusted, and is not believed: if this is your proxy, name its address',
        );
      }
      return peer;
    }
    for (let index = chain.length - 2; index >= 0; index--) {
      const address = chain[index] as string;
      if (!trusted(address)) return valid(address) ?? peer;
    }
    return valid(chain[0]) ?? peer;
  };
}

/** Some proxies name the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const bare = (entry: string): string =>
  /^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? entry;

const valid = (address: string | undefined): string | undefined =>
  address !== undefined && ipaddr.isValid(address) ? address : undefined;

function rangeOf(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  if (text.includes('/')) return ipaddr.parseCIDR(text);
  const ip = ipaddr.process(text);
  return [ip, ip.kind() === 'ipv4' ? 32 : 128];
}
