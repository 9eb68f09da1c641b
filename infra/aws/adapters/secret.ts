import { createHash, createHmac } from 'node:crypto';
import process from 'node:process';
import { SluiceError } from '../../../shared/errors.ts';
import { backoffMs, pause } from './faults.ts';

type Answer = { status: number; text: string };
type Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined };

export type SecretRequest = { url: string; headers: Record<string, string>; body: string };

const MAX_TRIES = 4;

/**
 * Reads one secret of Secrets Manager with one signed request: a client of its own would add a tenth of a megabyte to each
 * bundle for a call made once per environment.
 *
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 *
 * @param secret its ARN, or its name with `region`
 * @param endpoint instead of the service's own, as the SDK's `AWS_ENDPOINT_URL_SECRETS_MANAGER` says it
 */
export async function readSecret(
  secret: string,
  credentials: Credentials,
  { send = post, endpoint, region }: { send?: typeof post; endpoint?: string | undefined; region?: string } = {},
): Promise<string> {
  let last: unknown;
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    if (attempt > 0) await pause(backoffMs(attempt, 100));
    try {
      const request = secretRequest(secret, credentials, new Date(), region);
      const { status, text } = await send({ ...request, url: endpoint ?? request.url });
      if (status === 200) return (JSON.parse(text) as { SecretString: string }).SecretString;
      last = text.slice(0, 300);
      if (status < 500 && status !== 429 && !text.includes('Throttling')) break;
    } catch (cause) {
      last = cause;
    }
  }
  throw new SluiceError('Store.Busy', 'the root key could not be read', {
    hint: 'check that the secret exists and that this function may read it',
    cause: last,
  });
}

/** By the module that the SDK loads anyway: `fetch`, or `import()`, would load HTTP/2 and more, 17 ms of each cold start. */
async function post({ url, headers, body }: SecretRequest): Promise<Answer> {
  const { request } = process.getBuiltinModule(url.startsWith('http:') ? 'node:http' : 'node:https');
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, signal: AbortSignal.timeout(3000) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** The request, signed: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
export function secretRequest(
  secret: string,
  credentials: Credentials,
  at: Date,
  region = secret.split(':')[3] ?? 'us-east-1',
): SecretRequest {
  const host = `secretsmanager.${region}.amazonaws.com`;
  const body = JSON.stringify({ SecretId: secret });
  const time = `${at.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const day = time.slice(0, 8);
  // In the order of their names, as they are signed.
  const signed: [string, string][] = [
    ['content-type', 'application/x-amz-json-1.1'],
    ['host', host],
    ['x-amz-date', time],
    ...(credentials.sessionToken ? [['x-amz-security-token', credentials.sessionToken] as [string, string]] : []),
    ['x-amz-target', 'secretsmanager.GetSecretValue'],
  ];
  const names = signed.map(([name]) => name).join(';');
  const canonical = ['POST', '/', '', ...signed.map((pair) => pair.join(':')), '', names, sha256(body)].join('\n');
  const scope = `${day}/${region}/secretsmanager/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [day, region, 'secretsmanager', 'aws4_request'].reduce<string | Buffer>(
    (before, part) => createHmac('sha256', before).update(part).digest(),
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const { host: _, ...headers } = Object.fromEntries(signed);
  return {
    url: `https://${host}/`,
    headers: {
      ...headers,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    } as Record<string, string>,
    body,
  };
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
