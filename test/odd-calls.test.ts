import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
let port: number;
const thread = (key: string) => `/v1/sites/demo/threads/${key}/comments`;
const comment = (body: string, more: object = {}) => ({ author: { name: 'Ada' }, body, ...more });

beforeAll(async () => {
  sluice = await testInstance({ SLUICE_RATE_LIMIT: 'on' });
  port = await sluice.listen();
});
afterAll(() => sluice.end());

describe('the rate limit', () => {
  it('is not passed by sending a refused comment again under its Idempotency-Key', async () => {
    const answers: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      const key = { 'idempotency-key': `flood-${turn}` };
      const send = () => sluice.call('POST', thread('flood'), comment(`Remark ${turn}.`), key);
      answers.push((await send()).status, (await send()).status);
    }
    expect(answers.filter((status) => status === 202)).toHaveLength(10);
    expect(answers.slice(10)).toEqual(Array(6).fill(429));
  });
});

describe('an Idempotency-Key', () => {
  it('sent twenty times at once is one comment and twenty equal answers', async () => {
    const other = await testInstance({ SLUICE_RATE_LIMIT: 'on' });
    try {
      const send = () =>
        other.call('POST', thread('at-once'), comment('Only once.'), { 'idempotency-key': 'twenty-at-once' });
      const answers = await Promise.all(Array.from({ length: 20 }, send));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
      await other.quiet();
      expect((await other.call('GET', thread('at-once'))).body.total).toBe(1);
    } finally {
      await other.end();
    }
  });

  it('of a comment that was refused serves for the corrected one', async () => {
    const other = await testInstance();
    try {
      const key = { 'idempotency-key': 'mended' };
      expect((await other.call('POST', thread('mended'), comment(' '), key)).status).toBe(422);
      expect((await other.call('POST', thread('mended'), comment('Now with words.'), key)).status).toBe(202);
    } finally {
      await other.end();
    }
  });
});

describe('a call that no route takes', () => {
  it('with another method is 405, and names those that are', async () => {
    const put = await sluice.call('PUT', thread('x'), {});
    expect(put.status).toBe(405);
    expect(put.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST');
    expect(put.body.code).toBe('Request.Method');
    expect((await sluice.call('POST', '/health')).status).toBe(405);
    expect((await sluice.call('PUT', '/v1/nothing')).status).toBe(404);
  });

  it('with a site that is no UTF-8 is 404 for pages of other origins too', async () => {
    const answer = await sluice.call('GET', '/v1/sites/%E0/threads/x/comments', undefined, {
      origin: 'https://a.example',
    });
    expect(answer.status).toBe(404);
  });
});

it('a body without a length is refused once it is over 64 KiB, not taken to its end', async () => {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  const answered = new Promise<string>((done) => socket.once('data', (data) => done(data.toString())));
  socket.write(
    `POST ${thread('endless')} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  socket.write(`20000\r\n${'>'.repeat(0x20000)}\r\n`);
  const answer = await Promise.race([answered, new Promise((done) => setTimeout(done, 3000, 'no answer'))]);
  socket.destroy();
  expect(answer).toMatch(/^HTTP\/1\.1 413 /);
});

it('reads say that they vary by origin, also to who names none', async () => {
  const read = await sluice.call('GET', thread('x'));
  expect(read.headers.get('vary')).toBe('origin');
});

it('the OpenAPI page names every public call', async () => {
  const { paths } = (await sluice.call('GET', '/v1/openapi.json')).body;
  const calls = Object.entries(paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(calls).toEqual(
    expect.arrayContaining([
      'POST /v1/sites/{site}/threads/{thread}/comments',
      'GET /v1/sites/{site}/threads/{thread}/comments',
      'GET /v1/sites/{site}/counts',
      'GET /v1/comments/{id}/status',
      'PATCH /v1/comments/{id}',
      'DELETE /v1/comments/{id}',
      'POST /v1/comments/{id}/appeal',
      'POST /v1/comments/{id}/reports',
      'POST /v1/sites/{site}/preview',
      'GET /v1/sites/{site}/feed.atom',
      'GET /v1/sites/{site}/threads/{thread}/feed.atom',
      'GET /v1/mail/confirm/{token}',
      'POST /v1/mail/confirm/{token}',
      'GET /v1/mail/unsubscribe/{token}',
      'POST /v1/mail/unsubscribe/{token}',
      'GET /t/{site}/{thread}',
      'POST /t/{site}/{thread}',
      'GET /embed.js',
      'GET /v1/openapi.json',
      'GET /health',
    ]),
  );
});
