import type { Ports } from '../../shared/ports.ts';
import { problem } from '../../shared/http.ts';
import { SluiceError } from '../../shared/errors.ts';
import { type Adapters, loggerOf, needsOf, portsOf } from './entry.ts';
import { environmentOf, type Environment } from './environment.ts';
import { ORIGIN_HEADER } from './gate.ts';
import { once } from './once.ts';
import { withReadableStack } from './stack.ts';

/** What HTTP APIs hand over: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export type HttpEvent = {
  rawPath: string;
  rawQueryString: string;
  headers?: Record<string, string | undefined>;
  cookies?: readonly string[];
  body?: string;
  isBase64Encoded?: boolean;
  requestContext: { http: { method: string; sourceIp: string } };
};

export type HttpResult = {
  statusCode: number;
  headers: Record<string, string>;
  cookies: string[];
  body: string;
};

export type WebApp = (request: Request, client: string) => Promise<Response>;

/** One HTTP function as Lambda calls it. */
export function entry(name: string, makeApp: (ports: Ports, environment: Environment) => WebApp, adapters: Adapters) {
  const environment = environmentOf(process.env, needsOf(adapters));
  const log = loggerOf(name, environment);
  const app = once(async () => makeApp(await portsOf(name, environment, adapters, log), environment));
  app().catch(() => {});

  return async (event: HttpEvent): Promise<HttpResult> => {
    try {
      return await resultOf(await (await app())(requestOf(event, environment.publicUrl), clientOf(event)));
    } catch (error) {
      log.error({ err: withReadableStack(error) }, 'request failed');
      return resultOf(
        problem(
          error instanceof SluiceError
            ? error
            : new SluiceError('Internal.Bug', 'the request failed here', { hint: 'try again', cause: error }),
        ),
      );
    }
  };
}

/** The request as readers sent it: our own address, and nothing of what CloudFront added for the gate. */
export function requestOf(event: HttpEvent, publicUrl: string): Request {
  const { method } = event.requestContext.http;
  const headers = new Headers();
  for (const [name, value] of Object.entries(event.headers ?? {})) {
    if (value !== undefined && name !== ORIGIN_HEADER && name !== 'host') headers.set(name, value);
  }
  if (event.cookies?.length) headers.set('cookie', event.cookies.join('; '));
  const query = event.rawQueryString ? `?${event.rawQueryString}` : '';
  const body =
    event.body === undefined || method === 'GET' || method === 'HEAD'
      ? undefined
      : Buffer.from(event.body, event.isBase64Encoded ? 'base64' : 'utf8');
  return new Request(new URL(`${event.rawPath}${query}`, publicUrl || 'https://localhost'), {
    method,
    headers,
    ...(body && { body: new Uint8Array(body) }),
  });
}

/**
 * Who asked. CloudFront writes the reader's address behind whatever the reader claimed, and API Gateway CloudFront's
 * behind that: the last but one is the first that nobody outside can choose.
 */
export function clientOf({ headers = {}, requestContext }: HttpEvent): string {
  const { sourceIp } = requestContext.http;
  const hops = (headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((hop) => hop.trim())
    .filter(Boolean);
  if (hops.at(-1) === sourceIp) hops.pop();
  return hops.at(-1) ?? sourceIp;
}

async function resultOf(response: Response): Promise<HttpResult> {
  return {
    statusCode: response.status,
    headers: Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie')),
    cookies: response.headers.getSetCookie(),
    body: await response.text(),
  };
}
