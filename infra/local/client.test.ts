import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { clientOf } from '../../services/door/submit.ts';
import { vaultOf } from '../../shared/vault.ts';
import { clientResolver } from './client.ts';

const log = pino({ level: 'silent' });
const vault = vaultOf(Buffer.alloc(32, 1));

describe('the client of a request', () => {
  it.each([
    ['is the peer, where no proxy is trusted', undefined, '192.0.2.9', '198.51.100.1', '192.0.2.9'],
    ['is what the one proxy added', '1', '192.0.2.9', '203.0.113.66, 198.51.100.1', '198.51.100.1'],
    ['is the outer proxy’s word behind two', '2', '192.0.2.9', '203.0.113.66, 198.51.100.1, 192.0.2.8', '198.51.100.1'],
    [
      'is read past trusted addresses',
      '192.0.2.0/24',
      '192.0.2.9',
      '203.0.113.66, 198.51.100.1, 192.0.2.8',
      '198.51.100.1',
    ],
    ['is read without its port', '1', '192.0.2.9', '203.0.113.66, 198.51.100.1:4711', '198.51.100.1'],
    ['is read without its port and brackets', '1', '192.0.2.9', '203.0.113.66, [2001:db8::1]:4711', '2001:db8::1'],
    [
      'is never what the client wrote itself, when the proxy’s word is no address',
      '1',
      '192.0.2.9',
      '203.0.113.66, unknown',
      '192.0.2.9',
    ],
  ])('%s', (_sentence, trust, peer, forwarded, client) => {
    expect(clientResolver(trust, log)(peer, forwarded)).toBe(client);
  });

  it('is one client in all addresses of its IPv6 network, and another in the next', () => {
    const keyOf = (address: string) => clientOf({ vault }, address).key;
    expect(keyOf('2001:db8:1:2::1')).toBe(keyOf('2001:db8:1:2:ffff::9'));
    expect(keyOf('2001:db8:1:3::1')).not.toBe(keyOf('2001:db8:1:2::1'));
    expect(keyOf('192.0.2.1')).not.toBe(keyOf('192.0.2.2'));
    expect(keyOf('::ffff:192.0.2.1')).toBe(keyOf('192.0.2.1'));
  });
});
