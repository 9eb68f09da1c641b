import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { REGION } from '../bus.ts';
import type { Runtime } from '../runtime.ts';
import { eventActions } from './events.ts';
import { AwsFault } from './fault.ts';
import type { Input } from './input.ts';
import { queueActions } from './queues.ts';
import { verifySignature, type AwsKey } from './signature.ts';
import { stateActions } from './states.ts';

/** A megabyte of entries may travel as several megabytes of escaped JSON. */
const MOST_BODY_BYTES = 8 * 1_048_576;

type Call = { origin: string; gone: AbortSignal };
type Service = {
  /** As the credential's scope has it. */
  scope: string;
  name: string;
  /** Before the # of `__type`. */
  namespace: string;
  contentType: string;
  actions: Record<string, (input: Input, call: Call) => Promise<unknown>>;
};

/**
 * The calls of EventBridge, Step Functions and SQS that a blog's back end and an operator's CLI make, so that the same
 * client code works here and on AWS: the JSON protocols over HTTP, signed with Signature Version 4.
 *
 * https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
export function awsEndpoint(runtime: Runtime, key: AwsKey): { server: Server; close(): Promise<void> } {
  const closing = new AbortController();
  const services: Record<string, Service> = {
    AWSEvents: {
      scope: 'events',
      name: 'EventBridge',
      namespace: 'com.amazonaws.events',
      contentType: 'application/x-amz-json-1.1',
      actions: eventActions(runtime),
    },
    AWSStepFunctions: {
      scope: 'states',
      name: 'Step Functions',
      namespace: 'com.amazonaws.sfn',
      contentType: 'application/x-amz-json-1.0',
      actions: stateActions(runtime),
    },
    AmazonSQS: {
      scope: 'sqs',
      name: 'SQS',
      namespace: 'com.amazonaws.sqs',
      contentType: 'application/x-amz-json-1.0',
      actions: queueActions(runtime, closing.signal),
    },
  };

  const answer = async (
    request: IncomingMessage,
    gone: AbortSignal,
  ): Promise<{ service: Service | undefined; result: unknown }> => {
    const [prefix = '', action = ''] = (request.headers['x-amz-target']?.toString() ?? '').split('.', 2);
    const service = Object.hasOwn(services, prefix) ? services[prefix] : undefined;
    try {
      const body = await bodyOf(request);
      verifySignature(
        { method: request.method ?? '', target: request.url ?? '/', headers: request.headersDistinct, body },
        {
          key,
          region: REGION,
          // Who calls no service of ours is told so only after the signature is found right for the one they named.
          service: service?.scope ?? scopeOf(request),
          nowMs: runtime.ports.clock.now(),
        },
      );
      if (!service) throw unknown(`There is no such service here. ${supported(services)}`);
      const perform = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
      if (!perform) {
        throw unknown(
          `${service.name} ${action.slice(0, 80)} is not supported here. Supported: ${Object.keys(service.actions).join(', ')}.`,
        );
      }
      const origin = `http://${request.headers.host ?? '127.0.0.1'}`;
      return { service, result: await perform(inputOf(body), { origin, gone }) };
    } catch (error) {
      if (error instanceof AwsFault) return { service, result: error };
      runtime.ports.log.error({ err: error, action }, 'AWS call failed');
      return {
        service,
        result: new AwsFault('InternalFailure', 'The request failed here; the log has the cause.', { status: 500 }),
      };
    }
  };

  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    void answer(request, gone.signal).then(({ service, result }) => send(response, service, result));
  });

  return {
    server,
    async close() {
      closing.abort();
      server.closeIdleConnections();
      await new Promise<void>((done) => (server.listening ? server.close(() => done()) : done()));
    },
  };
}

function send(response: ServerResponse, service: Service | undefined, result: unknown): void {
  const requestId = randomUUID();
  const fault = result instanceof AwsFault ? result : undefined;
  const text = JSON.stringify(
    fault
      ? {
          __type:
            service && fault.status !== 403
              ? `${service.namespace}#${fault.code}`
              : `com.amazon.coral.service#${fault.code}`,
          message: fault.message,
        }
      : (result ?? {}),
  );
  response.writeHead(fault?.status ?? 200, {
    'content-type': service?.contentType ?? 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    'x-amzn-requestid': requestId,
    'cache-control': 'no-store',
    ...(fault && { 'x-amzn-errortype': fault.code }),
    ...(fault?.queryCode && { 'x-amzn-query-error': `${fault.queryCode};Sender` }),
    // What is left of a body that was refused is not read.
    ...(fault?.status === 413 && { connection: 'close' }),
  });
  response.end(text);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > MOST_BODY_BYTES) {
      throw new AwsFault('RequestEntityTooLarge', `The request is over ${MOST_BODY_BYTES} bytes.`, { status: 413 });
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function inputOf(body: Buffer): Input {
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Input;
  } catch {
    // Said below.
  }
  throw new AwsFault('SerializationException', 'The body is not a JSON object in UTF-8.');
}

const scopeOf = (request: IncomingMessage): string =>
  /Credential=[^/\s]+\/\d+\/[^/\s]+\/([^/\s]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? '';

const unknown = (message: string): AwsFault => new AwsFault('UnknownOperationException', message);

const supported = (services: Record<string, Service>): string =>
  Object.values(services)
    .map(({ name, actions }) => `${name}: ${Object.keys(actions).join(', ')}.`)
    .join(' ');
