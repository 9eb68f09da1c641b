import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { providers } from '../../infra/aws/clients/providers.ts';
import { environmentOf, VARIABLES } from '../../infra/aws/environment.ts';
import { Policy } from '../../shared/policy.ts';
import { memoryTable } from '../fakes.ts';

type Asked = { service: 'ssm' | 'akismet' | 'bedrock'; url: string; headers: IncomingHttpHeaders; body: string };

/** Parameter Store, Akismet and Bedrock, on one socket. */
let server: Server;
let endpoint: string;
let key: string | undefined;
const asked: Asked[] = [];
const times = (service: Asked['service']) => asked.filter((one) => one.service === service).length;

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    const { url = '', headers } = request;
    const service = url.endsWith('/converse') ? 'bedrock' : url.endsWith('/comment-check') ? 'akismet' : 'ssm';
    asked.push({ service, url, headers, body });
    if (service === 'akismet') return void response.end('true');
    if (service === 'bedrock') {
      const text = '{"spam": false, "confidence": 0.5}';
      return void response.end(JSON.stringify({ output: { message: { content: [{ text }] } } }));
    }
    response.statusCode = key === undefined ? 400 : 200;
    return void response.end(
      JSON.stringify(key === undefined ? { __type: 'ParameterNotFound' } : { Parameter: { Value: key } }),
    );
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  vi.stubEnv('AWS_SESSION_TOKEN', 'of-the-role');
  vi.stubEnv('AWS_ENDPOINT_URL_SSM', endpoint);
  vi.stubEnv('AWS_ENDPOINT_URL_BEDROCK_RUNTIME', endpoint);
});
afterAll(() => {
  vi.unstubAllEnvs();
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked.length = 0;
  key = 'abcdef123456';
});

/** A function's environment as the stacks write it. */
function anew(more: Record<string, string> = {}) {
  const environment = environmentOf(
    { AWS_REGION: 'eu-central-1', [VARIABLES.akismetKey]: 'sluice-test-akismet-key', AKISMET_URL: endpoint, ...more },
    [],
  );
  const of = providers(environment);
  const policy = Policy.parse({ providers: { akismet: true, bedrock: true } });
  const made = of({ id: 'demo', origins: ['https://blog.example'] }, policy, memoryTable(Date.now));
  return (name: 'akismet' | 'bedrock') =>
    made.find((one) => one.name === name)!.opinion({ text: 'A remark.' }, (policy.holdAt + policy.rejectAt) / 2);
}

it('reads the key of Akismet once, and not before a comment is to be asked about', async () => {
  const opinion = anew();
  expect(asked).toEqual([]);
  expect(await opinion('akismet')).toMatchObject({ answered: true, spam: true });
  expect(await opinion('akismet')).toMatchObject({ answered: true, spam: true });
  expect([times('ssm'), times('akismet')]).toEqual([1, 2]);
  const [read, question] = asked;
  expect(JSON.parse(read!.body)).toEqual({ Name: 'sluice-test-akismet-key', WithDecryption: true });
  expect(read!.headers).toMatchObject({
    'x-amz-target': 'AmazonSSM.GetParameter',
    'x-amz-security-token': 'of-the-role',
  });
  expect(read!.headers.authorization).toContain('/eu-central-1/ssm/aws4_request');
  expect(new URLSearchParams(question!.body).get('api_key')).toBe('abcdef123456');
});

it('is told so when there is no key, however often, and finds one that was made meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  key = undefined;
  const opinion = anew();
  for (let n = 0; n < 7; n++) expect(await opinion('akismet')).toMatchObject({ reason: 'unconfigured' });
  expect([times('ssm'), times('akismet')]).toEqual([1, 0]);
  key = 'abcdef123456';
  vi.setSystemTime(Date.now() + 301_000);
  expect(await opinion('akismet')).toMatchObject({ answered: true });
});

it('asks the stage’s model as the function’s role, and reads no key for it', async () => {
  expect(await anew({ BEDROCK_MODEL: 'amazon.nova-micro-v1:0' })('bedrock')).toMatchObject({ answered: true });
  const [{ url, headers }, ...others] = asked as [Asked, ...Asked[]];
  expect(others).toEqual([]);
  expect(url).toBe('/model/amazon.nova-micro-v1%3A0/converse');
  expect(headers['x-amz-security-token']).toBe('of-the-role');
  expect(headers.authorization).toContain('/eu-central-1/bedrock/aws4_request');
});

it('says that a stage without a model has none', async () => {
  expect(await anew()('bedrock')).toEqual({ provider: 'bedrock', answered: false, reason: 'unconfigured' });
  expect(asked).toEqual([]);
});
