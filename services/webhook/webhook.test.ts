import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import { PIPELINE_SOURCE } from '../../shared/events.ts';
import { hookedBus } from '../../shared/hooked-bus.ts';
import type { Ports, Queue } from '../../shared/ports.ts';
import { webhooksOf, type Webhook } from '../../shared/store/webhooks.ts';
import { memoryQueue } from '../../test/fakes.ts';
import { appOf, signIn } from '../moderation/testing/call.ts';
import { addComment, addSite, memoryPorts } from '../moderation/testing/memory.ts';
import { PATIENCE_MS, retrySeconds, webhookOver } from './handler.ts';
import { signed } from './payload.ts';
import { isPublic, post, type Network } from './post.ts';

const SECRET = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

type Received = { headers: IncomingMessage['headers']; body: string };

/** A receiver on loopback, under the name hooks.example for those who ask the rig's network. */
async function receiver(answer: (response: ServerResponse, count: number) => void) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      answer(response, received.length);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  open.push({ close: () => (server.closeAllConnections(), server.close()) });
  const { port } = server.address() as AddressInfo;
  const network: Network = {
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    allowed: () => true,
    timeoutMs: 300,
  };
  return { received, url: `http://hooks.example:${port}/in`, network };
}

const ok = (response: ServerResponse) => response.writeHead(204).end();

async function rig(url: string, network: Network, fields: Partial<Webhook> = {}) {
  const base = memoryPorts();
  let now = base.clock.now();
  const clock = { now: () => now };
  const queues = { ...base.queues, webhooks: memoryQueue(clock.now), faults: memoryQueue(clock.now) };
  const ports = { ...base, clock, queues } as unknown as Ports & { queues: Record<string, Queue> };
  await addSite(base);
  await addComment(base, { id: 'c1', status: 'published', body: 'Hello <!channel> & you' });
  const hook: Webhook = {
    id: 'h1',
    url,
    secret: ports.vault.seal(SECRET),
    events: ['CommentPublished'],
    format: 'standard',
    enabled: true,
    createdAt: 0,
    ...fields,
  };
  const webhooks = webhooksOf(ports.table);
  await webhooks.change('demo', () => [hook]);
  const consume = webhookOver(ports, network);
  return {
    ports,
    webhooks,
    queue: queues.webhooks,
    faults: queues.faults,
    publish: (id = 'c1') =>
      queues.webhooks.send(
        JSON.stringify({
          'detail-type': 'CommentPublished',
          source: PIPELINE_SOURCE,
          detail: {
            schema: 1,
            site: 'demo',
            id,
            thread: '/posts/hello',
            version: 2,
            at: '2026-11-23T10:00:00.000Z',
            revision: 1,
            parentId: null,
            hooks: true,
          },
        }),
      ),
    wind(ms: number) {
      now += ms;
    },
    async pump() {
      let rounds = 0;
      for (; rounds < 1000; rounds++) {
        const messages = await queues.webhooks.receive(10);
        if (messages.length === 0) break;
        const answer = (await consume({
          Records: messages.map(({ id, body }) => ({ messageId: id, body })),
        })) as { batchItemFailures: unknown[] };
        expect(answer.batchItemFailures).toEqual([]);
        for (const { receipt } of messages) await queues.webhooks.remove(receipt);
      }
      return rounds;
    },
  };
}

describe('a webhook', () => {
  it('gets the event signed by the Standard Webhooks scheme, with the comment and no address', async () => {
    const { received, url, network } = await receiver(ok);
    const { publish, pump, webhooks } = await rig(url, network);
    await publish();
    await pump();
    const [first] = received as [Received];
    // The scheme allows five minutes of skew; the rig's clock stands elsewhere.
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signer = new Verifier(SECRET);
    const id = String(first.headers['webhook-id']);
    const at = new Date(Number(first.headers['webhook-timestamp']) * 1000);
    expect(first.headers['webhook-signature']).toBe(signer.sign(id, at, first.body));
    const again = { 'webhook-id': id, 'webhook-timestamp': timestamp };
    const signature = signer.sign(id, new Date(Number(timestamp) * 1000), first.body);
    expect(signer.verify(first.body, { ...again, 'webhook-signature': signature })).toMatchObject({
      type: 'comment.published',
      timestamp: '2026-11-23T10:00:00.000Z',
      data: { site: 'demo', id: 'c1', comment: { author: { name: 'Ada' }, status: 'published' } },
    });
    expect(first.body).not.toMatch(/hooks|@/);
    expect(await webhooks.last('demo', 'h1')).toMatchObject({ ok: true, words: 'answered 204', failures: 0 });
  });

  it('with a new secret is signed by the one before too, for a day', async () => {
    const { received, url, network } = await receiver(ok);
    const { ports, publish, pump, wind, webhooks } = await rig(url, network);
    const { call } = appOf(ports as never);
    const admin = await signIn(ports as never, call, 'root', [{ site: '*', role: 'admin' }]);
    const answer = await admin('POST', '/v1/moderation/sites/demo/webhooks/h1/secret');
    const { secret, previous } = answer.body as { secret: string; previous?: unknown };
    expect([answer.status, previous]).toEqual([200, undefined]);
    expect(secret).not.toBe(SECRET);
    expect(await webhooks.list('demo')).toHaveLength(1);
    await publish();
    await pump();
    wind(86_400_000);
    await publish();
    await pump();
    const by = ({ headers, body }: Received, key: string) =>
      new Verifier(key).sign(
        String(headers['webhook-id']),
        new Date(Number(headers['webhook-timestamp']) * 1000),
        body,
      );
    const [first, later] = received as [Received, Received];
    expect(first.headers['webhook-signature']).toBe(`${by(first, secret)} ${by(first, SECRET)}`);
    expect(later.headers['webhook-signature']).toBe(by(later, secret));
  });

  it('is told again under the same id, later and later, until it answers', async () => {
    const { received, url, network } = await receiver((response, count) =>
      response.writeHead(count < 4 ? 503 : 200).end(),
    );
    const { publish, pump, wind, queue } = await rig(url, network);
    await publish();
    for (const seconds of [0, 5, 15, 45]) {
      wind(seconds * 1000 - 1);
      if (seconds > 0) expect(await pump()).toBe(0);
      wind(1);
      await pump();
    }
    expect(received).toHaveLength(4);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(queue.messages).toEqual([]);
  });

  it('that is down for a day leaves one dead letter, whose redrive begins anew', async () => {
    const { received, url, network } = await receiver((response) => response.writeHead(500).end());
    const { publish, pump, wind, queue, faults } = await rig(url, network);
    await publish();
    let waitedMs = 0;
    while (queue.messages.length > 0) {
      await pump();
      wind(retrySeconds(99) * 1000);
      waitedMs += retrySeconds(99) * 1000;
      expect(waitedMs).toBeLessThanOrEqual(PATIENCE_MS + retrySeconds(99) * 2000);
    }
    expect(received.length).toBeGreaterThan(90);
    const [letter] = faults.messages;
    expect(faults.messages).toHaveLength(1);
    const fault = JSON.parse(letter?.body ?? '') as { source: string; reason: string; detail: string; message: string };
    expect(fault).toMatchObject({ source: 'webhooks', reason: 'Webhook.Refused' });
    expect(fault.detail).toContain('answered 500');
    await queue.send(fault.message);
    await pump();
    expect(queue.messages).toHaveLength(1);
    expect(faults.messages).toHaveLength(1);
  });

  it('that answers 410 is turned off', async () => {
    const { received, url, network } = await receiver((response) => response.writeHead(410).end());
    const { publish, pump, webhooks } = await rig(url, network);
    await publish();
    await pump();
    await publish();
    await pump();
    expect(received).toHaveLength(1);
    expect(await webhooks.list('demo')).toMatchObject([{ enabled: false, why: 'the receiver answered 410 Gone' }]);
  });

  it('in Slack’s format mentions nobody, whatever a reader typed', async () => {
    const { received, url, network } = await receiver(ok);
    const { publish, pump } = await rig(url, network, { format: 'slack' });
    await publish();
    await pump();
    const { text } = JSON.parse(received[0]?.body ?? '') as { text: string };
    expect(text).toContain('*New comment*');
    expect(text).toContain('Hello &lt;!channel&gt; &amp; you');
    expect(text).not.toMatch(/<[!@#]/);
  });
});

it('in Slack’s format leads to an address as it is, also one that is no UTF-8', () => {
  const detail = { site: 'demo', id: 'c1', version: 2, at: '2026-11-23T10:00:00.000Z' };
  const about = {
    siteName: 'Demo',
    permalink: 'https://blog.example/%E0?a=1&b=2#x|y',
    moderateUrl: 'https://x.example',
  };
  const { body } = signed({ format: 'slack' }, [SECRET], { type: 'CommentPublished', detail }, about, 0);
  expect(JSON.parse(body).text).toContain('<https://blog.example/%E0?a=1&amp;b=2#x%7Cy|Read it>');
});

describe('the way out', () => {
  it.each([
    ['127.0.0.1', false],
    ['10.1.2.3', false],
    ['172.16.0.1', false],
    ['192.168.1.1', false],
    ['169.254.169.254', false],
    ['100.64.0.1', false],
    ['0.0.0.0', false],
    ['224.0.0.1', false],
    ['168.63.129.16', false],
    ['::1', false],
    ['::', false],
    ['::ffff:127.0.0.1', false],
    ['::127.0.0.1', false],
    ['64:ff9b::a00:1', false],
    ['2002:7f00:1::', false],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', false],
    ['fd00:ec2::254', false],
    ['fe80::1', false],
    ['fec0::1', false],
    ['not an address', false],
    ['93.184.216.34', true],
    ['2606:2800:220:1:248:1893:25c8:1946', true],
  ])('to %s is open: %s', (address, allowed) => {
    expect(isPublic(address)).toBe(allowed);
  });

  it.each([
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:10.0.0.1]/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://localhost/',
    'ftp://hooks.example/',
    'https://user:word@hooks.example/',
    'nonsense',
  ])('does not lead to %s', async (address) => {
    expect(await post(address, '{}', {})).toMatchObject({ ok: false });
  });

  it('refuses a name of which one address is private', async () => {
    const { received, url, network } = await receiver(ok);
    const resolve = async () => [
      { address: '93.184.216.34', family: 4 } as const,
      { address: '127.0.0.1', family: 4 } as const,
    ];
    const answer = await post(url, '{}', {}, { ...network, resolve, allowed: isPublic });
    expect(answer).toEqual({ ok: false, words: 'the name leads to a private, local or reserved address' });
    expect(received).toEqual([]);
  });

  it('connects to the address that was checked, whatever the name leads to afterwards', async () => {
    const { received, url, network } = await receiver(ok);
    let asked = 0;
    const resolve: Network['resolve'] = async () => {
      asked += 1;
      return [{ address: asked === 1 ? '127.0.0.1' : '192.0.2.1', family: 4 }];
    };
    const checked: string[] = [];
    const allowed = (address: string) => checked.push(address) > 0;
    expect(await post(url, '{}', {}, { ...network, resolve, allowed })).toMatchObject({ ok: true });
    expect({ asked, checked, received: received.length }).toEqual({ asked: 1, checked: ['127.0.0.1'], received: 1 });
  });

  it('follows no redirect', async () => {
    const { received, url, network } = await receiver((response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end(),
    );
    expect(await post(url, '{}', {}, network)).toMatchObject({ ok: false, status: 302 });
    expect(received).toHaveLength(1);
  });

  it('waits no longer than its time for one that says nothing, and reads no endless answer', async () => {
    const silent = await receiver(() => {});
    expect(await post(silent.url, '{}', {}, silent.network)).toEqual({ ok: false, words: 'no answer within 300 ms' });
    const endless = await receiver((response) => {
      response.writeHead(200);
      const more = setInterval(() => response.write('x'.repeat(65_536)), 1);
      response.on('close', () => clearInterval(more));
    });
    expect(await post(endless.url, '{}', {}, endless.network)).toMatchObject({ ok: true });
    const stuck: Network = { ...silent.network, resolve: () => new Promise(() => {}) };
    expect(await post(silent.url, '{}', {}, stuck)).toMatchObject({ words: 'no answer within 300 ms' });
  });
});

it('marks events for the rule only while a webhook of the site wants them', async () => {
  const { ports, webhooks, wind } = await rig('https://hooks.example/', undefined as never);
  const put: unknown[] = [];
  const bus = hookedBus(
    {
      async put(entries) {
        put.push(...entries.map(({ detail }) => (detail as { hooks?: true }).hooks ?? false));
        return [];
      },
    },
    ports.table,
    ports.clock,
  );
  const of = (type: string, site = 'demo') => ({ source: PIPELINE_SOURCE, type, detail: { site } });
  await bus.put([of('CommentPublished'), of('CommentHeld'), of('CommentPublished', 'other'), of('DeadLettered')]);
  await webhooks.change('demo', () => []);
  wind(5000);
  await bus.put([of('CommentPublished')]);
  expect(put).toEqual([true, false, false, false, false]);
});

describe('the admin of a site', () => {
  it('adds a webhook, sees its secret once, turns it off and deletes it', async () => {
    const ports = memoryPorts();
    await addSite(ports);
    const { call } = appOf(ports);
    const admin = await signIn(ports, call, 'root', [{ site: 'demo', role: 'admin' }]);
    const path = '/v1/moderation/sites/demo/webhooks';
    const made = (await admin('POST', path, { url: 'https://hooks.example/in' })).body as {
      id: string;
      secret: string;
    };
    expect(made.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const list = await admin('GET', path);
    expect(list.body).toMatchObject({ webhooks: [{ id: made.id, enabled: true, last: null }] });
    expect(JSON.stringify([list.body, await ports.table.get({ pk: 'S#demo', sk: 'webhooks' })])).not.toContain(
      made.secret,
    );
    expect((await admin('PATCH', `${path}/${made.id}`, { enabled: false })).body).toMatchObject({ enabled: false });
    for (const url of ['http://hooks.example/in', 'https://user:word@hooks.example/in']) {
      expect((await admin('POST', path, { url })).status).toBe(422);
    }
    expect((await admin('DELETE', `${path}/${made.id}`)).status).toBe(204);
    expect((await admin('POST', `${path}/${made.id}/test`)).status).toBe(404);
  });
});
