import { mkdtempSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentClient, dynamoTable } from '../../infra/aws/adapters/table.ts';
import {
  type Bundle,
  bundleAll,
  withoutDescriptions,
  withPlainNames,
  withShortErrors,
} from '../../infra/aws/bundle.ts';
import type { HttpResult } from '../../infra/aws/http-entry.ts';
import type { Table } from '../../shared/ports.ts';
import { topology } from '../../infra/topology.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { Policy } from '../../shared/policy.ts';
import { judgementKey } from '../../shared/store/keys.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { startDynalite } from './dynalite.ts';
import { fault, startRecorder } from './recorder.ts';
import { tableDefinition } from './rigs.ts';

const LIMIT = 450_000;
/** For those that render Markdown. */
const MARKDOWN_LIMIT = 900_000;
const OWN_LIMIT = 120_000;

let bundles: Record<string, Bundle>;
beforeAll(async () => {
  bundles = await bundleAll(mkdtempSync(join(tmpdir(), 'sluice-bundles-')));
});

describe('bundles', () => {
  it('are small enough to start fast, packages and SDK in them', () => {
    const rows = Object.entries(bundles).map(([name, { bytes, ownBytes, packages }]) => ({
      name,
      bytes,
      ownBytes,
      limit: packages.includes('markdown-it') ? MARKDOWN_LIMIT : LIMIT,
    }));
    expect(rows.filter(({ bytes, limit }) => bytes > limit)).toEqual([]);
    expect(rows.filter(({ ownBytes }) => ownBytes > OWN_LIMIT)).toEqual([]);
  });

  it('are ASCII, which V8 reads at one byte a character', () => {
    const beyond = Object.entries(bundles).filter(([, { folder }]) =>
      readFileSync(join(folder, 'index.js')).some((byte) => byte > 127),
    );
    expect(beyond.map(([name]) => name)).toEqual([]);
  });

  it('hold the clients of their permissions and no others', () => {
    const clients = (name: string) =>
      bundles[name]!.packages.filter((one) => one.startsWith('@aws-sdk/client-')).toSorted();
    expect(clients('publish')).toEqual(['@aws-sdk/client-dynamodb', '@aws-sdk/client-eventbridge']);
    expect(clients('await-decision')).toEqual(['@aws-sdk/client-dynamodb', '@aws-sdk/client-sfn']);
    expect(clients('spam-check')).toEqual(['@aws-sdk/client-dynamodb']);
    expect(clients('gate')).toEqual([]);
  });

  it('leave out what the SDK would ask a workstation for, and worker threads', () => {
    for (const { packages } of Object.values(bundles)) {
      expect(packages).not.toContain('thread-stream');
      expect(packages.filter((one) => one.startsWith('@aws-sdk/credential-provider-'))).toEqual([]);
    }
  });
});

it('keeps of a schema what it checks, and of a route what it does', () => {
  const source = [
    "const Policy = z.object({ days: z.array(z.int()).describe('0 is Sunday'), on: z.boolean() });",
    "const route = { responses: { 200: { description: 'By key', schema: z.object({ a: z.record(z.string(), T) }) }, 304: { description: 'Unchanged' } }, handle };",
  ].join('\n');
  expect(withoutDescriptions(source).split('\n')).toEqual([
    'const Policy = z.object({ days: z.array(z.int()), on: z.boolean() });',
    "const route = { responses: { 200: { description: 'By key'}, 304: { description: 'Unchanged' } }, handle };",
  ]);
});

it('finds the dead letters of a queue by their name, as /health does', () => {
  const named = Object.entries(topology.queues).filter(([, { deadLetter }]) => deadLetter);
  expect(named.filter(([name, { deadLetter }]) => deadLetter!.queue !== `${name}-dead`)).toEqual([]);
  const dead = Object.keys(topology.queues).filter((name) => `${name}-dead` in topology.queues);
  expect(dead).toEqual(named.map(([name]) => name));
});

it('takes constants in brackets for the plain names that they are', () => {
  const source =
    'const _h = "http";\nconst _x = other;\nexport var A$ = [9, n0, _A,\n    { [_h]: ["PUT"], [_x]: 1 }, 0\n];\n';
  expect(withPlainNames(source)).toContain('{ "http": ["PUT"], [_x]: 1 }');
});

it('shortens error classes to what their base class does not set', () => {
  const source = [
    'export class Gone extends Base {',
    '    static shapeId = "x#Gone";',
    '    name = "Gone";',
    '    $fault = "client";',
    '    Item;',
    '    constructor(opts) {',
    '        super({',
    '            name: "Gone",',
    '            $fault: "client",',
    '            ...opts,',
    '        });',
    '        Object.setPrototypeOf(this, Gone.prototype);',
    '        this.Item = opts.Item;',
    '    }',
    '}',
  ];
  const left = source.filter((_, line) => ![2, 3, 11].includes(line));
  expect(withShortErrors(source.join('\n'))).toBe(left.join('\n'));
});

/**
 * The very files that a deploy uploads, called as Lambda calls them, over the wire to emulators: everything twice, since
 * everything may arrive twice.
 */
describe('the bundled functions', () => {
  const closers: (() => Promise<void>)[] = [];
  const put: { type: string; detail: Record<string, unknown> }[] = [];
  let table: Table;
  const clock = { now: () => Date.now() };
  const context = { awsRequestId: 'r', functionVersion: '1' };
  const call = async (name: string, event: unknown): Promise<never> => {
    const load = createRequire(import.meta.url);
    const { handler } = load(join(bundles[name]!.folder, 'index.js')) as {
      handler: (event: unknown, context: unknown) => Promise<never>;
    };
    return handler(event, context);
  };
  const twice = async (name: string, event: unknown): Promise<never> => {
    await call(name, event);
    return call(name, event);
  };

  beforeAll(async () => {
    const dynalite = await startDynalite();
    const others = await startRecorder(({ operation, path, body }) => {
      if (operation === 'GetSecretValue') return { body: { SecretString: 'root-key-of-a-test' } };
      if (operation === 'GetParameter') return fault('ParameterNotFound');
      if (path.endsWith('/converse')) {
        const text = JSON.stringify({ spam: true, confidence: 1 });
        return { body: { output: { message: { role: 'assistant', content: [{ text }] } } } };
      }
      const { Entries = [] } = body as { Entries?: { DetailType: string; Detail: string }[] };
      for (const { DetailType: type, Detail } of Entries) put.push({ type, detail: JSON.parse(Detail) as never });
      return {
        body: { Entries: Entries.map((_, index) => ({ EventId: `e${put.length}-${index}` })), FailedEntryCount: 0 },
      };
    });
    closers.push(dynalite.close, others.close);
    const client = new DynamoDBClient({
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      endpoint: dynalite.endpoint,
    });
    await client.send(new CreateTableCommand(tableDefinition('sluice')));
    table = dynamoTable(documentClient(client), { tableName: 'sluice', clock });
    await sitesOf(table, clock).put({
      id: 'demo',
      name: 'Demo',
      origins: ['https://blog.example'],
      threadParams: [],
      authors: [],
      moderatorEmails: [],
    });
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_DYNAMODB: dynalite.endpoint,
      AWS_ENDPOINT_URL_EVENTBRIDGE: others.endpoint,
      AWS_ENDPOINT_URL_SQS: others.endpoint,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: others.endpoint,
      AWS_ENDPOINT_URL_SSM: others.endpoint,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: others.endpoint,
      SLUICE_STAGE: 'test',
      SLUICE_TABLE: 'sluice',
      SLUICE_BUS: 'sluice-test',
      SLUICE_SECRET: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s',
      SLUICE_AKISMET_KEY: 'sluice-test-akismet-key',
      BEDROCK_MODEL: 'amazon.nova-micro-v1:0',
      PUBLIC_URL: 'https://comments.example',
      LOG_LEVEL: 'silent',
    });
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });

  const event = (id: string, body: string) => ({
    record: {
      messageId: 'm',
      body: JSON.stringify({
        version: '0',
        id: 'ev',
        'detail-type': 'CommentSubmitted',
        source: 'sluice.comments',
        time: new Date().toISOString(),
        detail: { schema: 1, id, site: 'demo', thread: '/post', author: { name: 'Ada' }, body },
      }),
    },
    executionId: 'x1',
  });

  it('load, all of them, with what their environment holds', () => {
    const load = createRequire(import.meta.url);
    const loaded = Object.values(bundles).map(({ folder }) => load(join(folder, 'index.js')) as { handler: unknown });
    expect(loaded.filter(({ handler }) => typeof handler !== 'function')).toEqual([]);
  });

  it('validate, judge and publish a comment once, though each is called twice', async () => {
    const step = await twice('validate', event('c1', 'Thanks, that *fixed* it for me on the second try.'));
    expect(step).toMatchObject({ id: 'c1', next: 'judge' });
    const judged = (await twice('spam-check', { id: 'c1', version: 1, executionId: 'x1' })) as { next: string };
    expect(judged).toMatchObject({ id: 'c1' });
    const trace = { startedAt: new Date().toISOString() };
    const published = await twice('publish', { id: 'c1', version: 1, executionId: 'x1', trace });
    expect(published).toMatchObject({ id: 'c1', next: 'notify' });
    const comment = await storeOf(table, clock).get('c1');
    expect(comment).toMatchObject({ status: 'published', publishedRevision: 1 });
    expect(put.filter(({ type }) => type === 'CommentPublished').map(({ detail }) => detail.id)).toContain('c1');
  });

  it('ask the language model that a policy turned on, and say that Akismet has no key', async () => {
    const sites = sitesOf(table, clock);
    await sites.put({ id: 'asks', name: 'A', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
    const asks = { holdAt: 0, rejectAt: 1, providers: { akismet: true, bedrock: true } };
    await sites.putPolicy('asks', Policy.parse(asks), 0, 'test');
    const submitted = event('c2', 'A remark about which the judge is unsure.');
    const body = submitted.record.body.replace('"site":"demo"', '"site":"asks"');
    await call('validate', { ...submitted, record: { ...submitted.record, body } });
    await twice('spam-check', { id: 'c2', version: 1, executionId: 'x1' });
    expect(await table.get(judgementKey('c2', 1))).toMatchObject({
      unheard: ['akismet'],
      signals: expect.arrayContaining([['bedrock', 3, 'The language model calls it spam']]),
    });
  });

  it('serve the thread through the HTTP API, its HTML escaped and its CORS in place', async () => {
    const http = (method: string, path: string, more: object = {}) => ({
      rawPath: path,
      rawQueryString: '',
      headers: {
        origin: 'https://blog.example',
        'x-forwarded-for': '198.51.100.7, 203.0.113.9',
        'x-sluice-origin': 'secret',
      },
      requestContext: { http: { method, sourceIp: '203.0.113.9' } },
      ...more,
    });
    const thread = (await call('door', http('GET', '/v1/sites/demo/threads/%2Fpost/comments'))) as HttpResult;
    expect(thread.statusCode).toBe(200);
    expect(thread.headers['access-control-allow-origin']).toBe('https://blog.example');
    expect(JSON.parse(thread.body)).toMatchObject({
      total: 1,
      comments: [{ id: 'c1', html: expect.stringContaining('<em>fixed</em>') }],
    });

    const before = put.length;
    const taken = (await call(
      'door',
      http('POST', '/v1/sites/demo/threads/%2Fpost/comments', {
        headers: { 'content-type': 'application/json', 'x-forwarded-for': '198.51.100.7, 203.0.113.9' },
        body: Buffer.from(JSON.stringify({ author: { name: 'Ada' }, body: 'Second' })).toString('base64'),
        isBase64Encoded: true,
      }),
    )) as HttpResult;
    expect(taken.statusCode).toBe(202);
    expect(put).toHaveLength(before + 1);
    expect(put.at(-1)).toMatchObject({ type: 'CommentSubmitted', detail: { site: 'demo', body: 'Second' } });

    // The words of a language lie beside the bundle, and are read when it is first spoken.
    const query = { rawQueryString: 'lang=de' };
    const gone = (await call('links', http('GET', '/v1/mail/confirm/x.y', query))) as HttpResult;
    expect(gone).toMatchObject({ statusCode: 404, body: expect.stringContaining('Dieser Link geht nicht') });

    const page = (await call('door', http('GET', '/t/demo/%2Fpost', query))) as HttpResult;
    expect(page).toMatchObject({ statusCode: 200, body: expect.stringContaining('Kommentar schreiben') });
    const privacy = (await call('door', http('GET', '/privacy', query))) as HttpResult;
    expect(privacy).toMatchObject({ statusCode: 200, body: expect.stringContaining('Kommentare über dich') });
    const form = new URLSearchParams({ name: 'Ada', body: 'Third, by a form.' }).toString();
    const sent = (await call(
      'door',
      http('POST', '/t/demo/%2Fpost', {
        ...query,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: Buffer.from(form).toString('base64'),
        isBase64Encoded: true,
      }),
    )) as HttpResult;
    expect(sent.headers.location).toMatch(/^\/t\/demo\/%2Fpost\/sent\/\w+\?token=[\w-]+&lang=de$/);
    expect(put.at(-1)).toMatchObject({ type: 'CommentSubmitted', detail: { body: 'Third, by a form.' } });

    const missing = (await call('door', http('GET', '/v1/nowhere'))) as HttpResult;
    expect(missing).toMatchObject({ statusCode: 404, headers: { 'content-type': 'application/problem+json' } });
  });

  it('drain a batch of dead letters, and name its queue without the stage', async () => {
    const records = ['m1', 'm2'].map((messageId) => ({
      messageId,
      body: JSON.stringify({ detail: { site: 'demo', id: `d-${messageId}` } }),
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:sluice-test-intake-dead',
      attributes: { ApproximateReceiveCount: '1' },
    }));
    expect(await twice('drain-dead-letters', { Records: records })).toEqual({ batchItemFailures: [] });
    expect(await table.get({ pk: 'D#m1', sk: 'dead' })).toMatchObject({ source: 'intake', site: 'demo' });
  });

  it('fail under the code that the workflow matches', async () => {
    const failed = call('validate', { record: { body: 'not JSON' } });
    await expect(failed).rejects.toMatchObject({ name: 'Comment.Malformed' });
    // Not the bundle's one long line: who reads the log looks for our files.
    await expect(failed).rejects.toMatchObject({
      stack: expect.stringMatching(/services\/validate\/handler\.ts:\d+:\d+/),
    });
  });

  it('suppress an address that bounced for good', async () => {
    const bounce = (bounceType: string, emailAddress: string) => ({
      detail: { eventType: 'Bounce', bounce: { bounceType, bouncedRecipients: [{ emailAddress }] } },
    });
    expect(await twice('mail-feedback', bounce('Permanent', 'Gone@example.org'))).toEqual({ suppressed: 1 });
    expect(await call('mail-feedback', bounce('Transient', 'full@example.org'))).toEqual({ suppressed: 0 });
  });

  it('let through what CloudFront sends, and nothing else', async () => {
    expect(await call('gate', { headers: { 'x-sluice-origin': 'root-key-of-a-test' } })).toEqual({
      isAuthorized: true,
    });
    expect(await call('gate', { headers: { 'x-sluice-origin': 'guess' } })).toEqual({ isAuthorized: false });
    expect(await call('gate', { headers: {} })).toEqual({ isAuthorized: false });
  });
});
