import { eventSchemas } from '../../shared/events.ts';
import { openapi, type Route } from '../../shared/http.ts';
import type { Described } from './served.ts';

/** The pages that describe the API. On AWS they are files, made at synth: no function there carries the schemas. */
export function descriptionsOf(routes: readonly Described[]): Route[] {
  let made: unknown;
  const own: Route[] = [
    {
      method: 'GET',
      path: '/v1/events.json',
      summary: 'JSON Schemas of all events, in and out',
      access: 'public',
      responses: { 200: { description: 'By type' } },
      handle: async () => ({ status: 200, body: eventSchemas() }),
    },
    {
      method: 'GET',
      path: '/v1/openapi.json',
      summary: 'This page',
      access: 'public',
      responses: { 200: { description: 'OpenAPI 3.1' } },
      handle: async () => ({ status: 200, body: page() }),
    },
  ];
  const page = () =>
    (made ??= openapi([...routes, ...own] as unknown as Route<never>[], {
      title: 'Sluice',
      version: '1',
      description: 'Comments for blogs: submit, read, moderate. Errors are problem details (RFC 9457).',
    }));
  return own;
}
