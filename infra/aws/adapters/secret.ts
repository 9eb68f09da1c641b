import process from 'node:process';
import { SluiceError } from '../../../shared/errors.ts';
import { signedHeaders, type Credentials } from '../../../shared/sigv4.ts';
import { backoffMs, pause } from './faults.ts';

type Answer = { status: number; text: string };

export type SecretRequest = { url: string; headers: Record<string, string>; body: string };

type Options = {
  region: string;
  send?: typeof post;
  /** Instead of the service's own, as the SDK's `AWS_ENDPOINT_URL_SECRETS_MANAGER` or `AWS_ENDPOINT_URL_SSM` says it. */
  endpoint?: string | undefined;
};

const MAX_TRIES = 4;

/**
 * Reads one secret of Secrets Manager with one signed request: a client of its own would add a tenth of a megabyte to each
 * bundle for a call made once per environment.
 *
 * https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 *
 * @param secret its ARN, or its name with `region`
 */
export async function readSecret(
  secret: string,
  credentials: Credentials,
  { region = secret.split(':')[3] ?? 'us-east-1', ...how }: Partial<Options> = {},
): Promise<string> {
  const read = () => secretRequest('secretsmanager', secret, credentials, new Date(), region);
  const { status, text } = await answerTo(read, how);
  if (status === 200) return (JSON.parse(text) as { SecretString: string }).SecretString;
  throw unread('the root key', text);
}

/**
 * Reads one parameter of Parameter Store, decrypted; undefined where there is none.
 *
 * https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
 */
export async function readParameter(
  name: string,
  credentials: Credentials,
  { region, ...how }: Options,
): Promise<string | undefined> {
  const read = () => secretRequest('ssm', name, credentials, new Date(), region);
  const { status, text } = await answerTo(read, how);
  if (status === 200) return (JSON.parse(text) as { Parameter: { Value: string } }).Parameter.Value;
  if (text.includes('ParameterNotFound')) return undefined;
  throw unread(`the parameter ${name}`, text);
}

const unread = (what: string, cause: unknown) =>
  new SluiceError('Store.Busy', `${what} could not be read`, {
    hint: 'check that it exists and that this function may read it',
    cause,
  });

/** Tries again what passes. The last answer, however bad; status 0: there was none. */
async function answerTo(
  make: () => SecretRequest,
  { send = post, endpoint }: Omit<Options, 'region'>,
): Promise<Answer> {
  let last: Answer = { status: 0, text: '' };
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    if (attempt > 0) await pause(backoffMs(attempt, 100));
    try {
      const request = make();
      last = await send({ ...request, url: endpoint ?? request.url });
      const passes = last.status >= 500 || last.status === 429 || last.text.includes('Throttling');
      if (!passes) break;
    } catch (cause) {
      last = { status: 0, text: String(cause) };
    }
  }
  return { ...last, text: last.status === 200 ? last.text : last.text.slice(0, 300) };
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

const READS = {
  secretsmanager: { target: 'secretsmanager.GetSecretValue', input: (SecretId: string) => ({ SecretId }) },
  ssm: { target: 'AmazonSSM.GetParameter', input: (Name: string) => ({ Name, WithDecryption: true }) },
} as const;

/** The request that reads one value, signed. */
export function secretRequest(
  service: keyof typeof READS,
  name: string,
  credentials: Credentials,
  at: Date,
  region: string,
): SecretRequest {
  const { target, input } = READS[service];
  const url = `https://${service}.${region}.amazonaws.com/`;
  const body = JSON.stringify(input(name));
  const headers = signedHeaders(
    {
      method: 'POST',
      url: new URL(url),
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target },
      body,
    },
    { service, region, credentials, at },
  );
  return { url, headers, body };
}
