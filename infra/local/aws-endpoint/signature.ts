import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AwsFault } from './fault.ts';

/** The key of the one caller that this endpoint knows. */
export type AwsKey = { id: string; secret: string };

export type SignedRequest = {
  method: string;
  /** Path and query as they came. */
  target: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  body: Uint8Array;
};

/** A signature is taken this long before and after its date. */
const WINDOW_MS = 15 * 60_000;
const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * Checks Signature Version 4 over the whole request, the body included.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * @param service the name that the credential's scope must bear (`events`, `states`, `sqs`)
 * @throws AwsFault 403, by the codes of the services' common errors
 */
export function verifySignature(
  request: SignedRequest,
  { key, region, service, nowMs }: { key: AwsKey; region: string; service: string; nowMs: number },
): void {
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : value?.join(',');
  };
  const authorization = header('authorization');
  if (!authorization) throw refused('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const parts = /^AWS4-HMAC-SHA256\s+(.*)$/s.exec(authorization)?.[1];
  const fields = Object.fromEntries((parts ?? '').split(',').map((part) => part.trim().split(/=(.*)/s, 2)));
  const {
    Credential: credential,
    SignedHeaders: signedHeaders,
    Signature: signature,
  } = fields as Record<string, string | undefined>;
  if (!parts || !credential || !signedHeaders || !signature) {
    throw incomplete(
      `Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters, and the algorithm ${ALGORITHM}.`,
    );
  }
  const [id, scopeDate, scopeRegion, scopeService, end, ...more] = credential.split('/');
  if (end !== 'aws4_request' || more.length > 0) {
    throw incomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential.slice(0, 200)}'.`,
    );
  }
  const date = header('x-amz-date') ?? '';
  const dateMs = readDate(date);
  if (dateMs === undefined) throw incomplete("Date must be in ISO-8601 'basic format', in the header X-Amz-Date.");
  if (id !== key.id)
    throw refused('UnrecognizedClientException', 'The security token included in the request is invalid.');
  if (scopeRegion !== region)
    throw mismatch(`Credential should be scoped to a valid region, not '${scopeRegion}'. This endpoint is ${region}.`);
  if (scopeService !== service) throw mismatch(`Credential should be scoped to correct service: '${service}'.`);
  if (scopeDate !== date.slice(0, 8)) {
    throw mismatch(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scopeDate}' != '${date.slice(0, 8)}'.`,
    );
  }
  const names = signedHeaders.split(';');
  // Whatever is not signed may have been changed on the way.
  for (const needed of [
    'host',
    'x-amz-date',
    ...(request.headers['x-amz-target'] === undefined ? [] : ['x-amz-target']),
  ]) {
    if (!names.includes(needed)) throw mismatch(`'${needed}' must be a 'SignedHeader' in the Authorization header.`);
  }
  if (dateMs < nowMs - WINDOW_MS) {
    throw mismatch(
      `Signature expired: ${date} is now earlier than ${basic(nowMs - WINDOW_MS)} (${basic(nowMs)} - 15 min.)`,
    );
  }
  if (dateMs > nowMs + WINDOW_MS) {
    throw mismatch(
      `Signature not yet current: ${date} is still later than ${basic(nowMs + WINDOW_MS)} (${basic(nowMs)} + 15 min.)`,
    );
  }
  const bodyHash = sha256(request.body);
  const declared = header('x-amz-content-sha256');
  if (declared !== undefined && declared !== bodyHash) {
    throw mismatch('The value of the header X-Amz-Content-Sha256 is not the hash of the body.');
  }
  const canonical = [
    request.method,
    canonicalPath(request.target),
    canonicalQuery(request.target),
    ...names.map((name) => `${name}:${(header(name) ?? '').trim().replace(/\s+/g, ' ')}`),
    '',
    signedHeaders,
    bodyHash,
  ].join('\n');
  const scope = `${scopeDate}/${scopeRegion}/${scopeService}/aws4_request`;
  const signing = [scopeDate, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, step) =>
      createHmac('sha256', secret)
        .update(step as string)
        .digest(),
    `AWS4${key.secret}`,
  );
  const expected = createHmac('sha256', signing)
    .update(`${ALGORITHM}\n${date}\n${scope}\n${sha256(canonical)}`)
    .digest();
  const given = Buffer.from(signature, 'hex');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw mismatch(
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
}

const refused = (code: string, message: string): AwsFault => new AwsFault(code, message, { status: 403 });
const incomplete = (message: string): AwsFault => refused('IncompleteSignatureException', message);
const mismatch = (message: string): AwsFault => refused('InvalidSignatureException', message);

const sha256 = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');

const basic = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');

function readDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(ms) ? undefined : ms;
}

const pathOf = (target: string): string => target.split('?', 1)[0] || '/';

/** RFC 3986, and the four signs that encodeURIComponent leaves. */
const encode = (part: string): string =>
  encodeURIComponent(part).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Encoded once more than it travels, as every service but S3 has it. */
const canonicalPath = (target: string): string => pathOf(target).split('/').map(encode).join('/');

function canonicalQuery(target: string): string {
  const query = target.includes('?') ? target.slice(target.indexOf('?') + 1) : '';
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s, 2);
      return `${encode(decode(name))}=${encode(decode(value))}`;
    })
    .toSorted()
    .join('&');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
