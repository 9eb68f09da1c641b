import { beforeEach, describe, expect, it } from 'vitest';
import type { Offer } from './offers.ts';
import { appOf, signIn, type Caller } from './testing/call.ts';
import { addComment, addSite, memoryPorts, type Memory } from './testing/memory.ts';

let ports: Memory;
let mia: Caller;

beforeEach(async () => {
  ports = memoryPorts();
  await addSite(ports);
  const { call } = appOf(ports);
  mia = await signIn(ports, call, 'mia', [{ site: 'demo', role: 'moderator' }]);
});

const offers = async () => ((await mia('GET', '/v1/moderation/sites/demo/offers')).body as { offers: Offer[] }).offers;
const decide = (id: string, action = 'spam') =>
  mia('POST', '/v1/moderation/decisions', { decisions: [{ id, version: 2, action }] });
/** Held comments that are alike in what is given, each rejected by hand. */
const rejected = async (ids: readonly string[], some: object, body = (id: string) => `Nothing like ${id} before.`) => {
  for (const id of ids) {
    await addComment(ports, { id, body: body(id), ...some });
    await decide(id);
  }
};

describe('three rejections that are alike', () => {
  it.each([
    ['in the host that they link to', { linkHosts: ['shop.example'] }, 'host', 'shop.example'],
    ['in their text', { fingerprint: 'f1' }, 'text', 'f1'],
    ['in their network', { author: { name: 'X', key: 'x', network: 'net-1' } }, 'network', 'net-1'],
  ])('%s offer the rule, with what it would have done', async (_how, some, kind, value) => {
    await addComment(ports, { id: 'p1', status: 'published' });
    await addComment(ports, { id: 'old', status: 'rejected', ...some });
    await rejected(['s1', 's2'], some);
    expect(await offers()).toEqual([]);
    await rejected(['s3'], some);
    const [offer] = await offers();
    expect(offer).toMatchObject({ kind, value, caught: 4, rejected: 4, wrong: 0, published: 1 });
    expect(offer?.alike.toSorted()).toEqual(['s1', 's2', 's3']);
  });

  it('in a word that no published comment has offer the word', async () => {
    for (let n = 0; n < 300; n++)
      await addComment(ports, { id: `p${n}`, status: 'published', body: 'An honest remark' });
    await rejected(['s1', 's2', 's3'], {}, (id) => `An honest ${id} remark about REPLICAS`);
    expect(await offers()).toMatchObject([{ kind: 'word', value: 'replicas', caught: 3, published: 300, wrong: 0 }]);
  });

  it('offer nothing that honest comments have as well', async () => {
    const some = { linkHosts: ['video.example'] };
    for (const id of ['p1', 'p2']) await addComment(ports, { id, status: 'published', ...some });
    await rejected(['s1', 's2', 's3'], some);
    expect(await offers()).toEqual([]);
  });

  it('offer one rule where several would catch the same', async () => {
    await rejected(['s1', 's2', 's3'], { linkHosts: ['shop.example'], fingerprint: 'f1' });
    expect(await offers()).toMatchObject([{ kind: 'text' }]);
  });

  it('offer nothing any more once the rule was added, or a decision taken back', async () => {
    await rejected(['s1', 's2', 's3'], { linkHosts: ['shop.example'] });
    await rejected(['t1', 't2'], { fingerprint: 'f1' });
    const { body } = await (async () => {
      await addComment(ports, { id: 't3', fingerprint: 'f1' });
      return decide('t3');
    })();
    expect(await offers()).toHaveLength(2);
    const { results }: { results: { decisionId: string }[] } = body;
    await mia('POST', `/v1/moderation/decisions/${results[0]?.decisionId}/undo`);
    expect(await offers()).toMatchObject([{ kind: 'host' }]);
    const expiresAt = ports.clock.now() + 86_400_000;
    const rule = { site: 'demo', kind: 'host', value: 'shop.example', action: 'reject', reason: 'spam', expiresAt };
    expect((await mia('POST', '/v1/moderation/bans', rule)).status).toBe(201);
    expect(await offers()).toEqual([]);
  });

  it('that are older than a week offer nothing', async () => {
    await rejected(['s1', 's2', 's3'], { linkHosts: ['shop.example'] });
    ports.clock.wind(8 * 86_400_000);
    const again = await signIn(ports, appOf(ports).call, 'tom', [{ site: 'demo', role: 'moderator' }]);
    expect((await again('GET', '/v1/moderation/sites/demo/offers')).body).toEqual({ offers: [] });
  });
});
