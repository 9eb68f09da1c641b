import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Recorded = { method: string; path: string; operation: string; headers: IncomingHttpHeaders; body: never };
/** `'silence'` closes the connection without an answer. */
export type Answer = { status?: number; body: unknown } | 'silence';

/** Stands where a service of AWS stands: keeps every request as it came over the wire, and answers what a test says. */
export async function startRecorder(
  answer: (request: Recorded) => Answer,
): Promise<{ endpoint: string; requests: Recorded[]; close(): Promise<void> }> {
  const requests: Recorded[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const recorded: Recorded = {
        method: request.method ?? '',
        path: request.url ?? '',
        operation: String(request.headers['x-amz-target'] ?? '').split('.')[1] ?? '',
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString() || '{}') as never,
      };
      requests.push(recorded);
      const said = answer(recorded);
      if (said === 'silence') return void request.socket.destroy();
      response.writeHead(said.status ?? 200, { 'content-type': 'application/x-amz-json-1.1' });
      return void response.end(JSON.stringify(said.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** An error as the services of AWS with JSON write it. */
export const fault = (type: string, more: object = {}, status = 400): Answer => ({
  status,
  body: { __type: type, message: type, ...more },
});
