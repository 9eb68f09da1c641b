import { z } from 'zod';
import type { Route } from '../../shared/http.ts';
import { render } from '../validate/markdown.ts';
import type { Door } from './door.ts';
import { readFeed } from './feeds.ts';
import { Appeal, appeal, Edit, edit, remove, Report, report } from './own.ts';
import { CountsQuery, readCounts, readThread, Thread, ThreadQuery } from './read.ts';
import { readStatus, StatusQuery } from './status.ts';
import { Accepted, Submission, submit } from './submit.ts';

const THREAD = '/v1/sites/:site/threads/:thread';
const Own = z.object({ id: z.string(), status: z.string() });

/** The public API; infra/web describes it. */
export function doorRoutes(door: Door): Route[] {
  return [
    {
      method: 'POST',
      path: `${THREAD}/comments`,
      summary: 'Submit a comment; 202 once the event is durable',
      access: 'public',
      body: Submission,
      responses: { 202: { description: 'Taken; not judged yet', schema: Accepted } },
      handle: (call) => submit(door, call),
    },
    {
      method: 'GET',
      path: `${THREAD}/comments`,
      summary: 'A page of the published thread',
      access: 'public',
      query: ThreadQuery,
      responses: { 200: { description: 'The page', schema: Thread }, 304: { description: 'Unchanged' } },
      handle: (call) => readThread(door, call),
    },
    {
      method: 'GET',
      path: '/v1/sites/:site/counts',
      summary: 'Published comments of some threads',
      access: 'public',
      query: CountsQuery,
      responses: { 200: { description: 'By key', schema: z.object({ counts: z.record(z.string(), z.int()) }) } },
      handle: (call) => readCounts(door, call),
    },
    {
      method: 'GET',
      path: '/v1/comments/:id/status',
      summary: 'What the writer may know',
      access: 'public',
      query: StatusQuery,
      responses: {
        200: {
          description: 'The status; with `appeal`, one may ask for one more look',
          schema: z.object({ status: z.string(), reason: z.string().optional(), appeal: z.literal(true).optional() }),
        },
      },
      async handle(call) {
        const { token }: z.infer<typeof StatusQuery> = call.query;
        return { status: 200, body: await readStatus(door, call.params.id ?? '', token) };
      },
    },
    {
      method: 'PATCH',
      path: '/v1/comments/:id',
      summary: "Edit one's own comment",
      access: 'capability',
      body: Edit,
      responses: { 202: { description: 'Taken; judged like the first text', schema: Own } },
      handle: (call) => edit(door, call),
    },
    {
      method: 'DELETE',
      path: '/v1/comments/:id',
      summary: "Delete one's own comment",
      access: 'capability',
      responses: { 202: { description: 'Taken', schema: Own } },
      handle: (call) => remove(door, call),
    },
    {
      method: 'POST',
      path: '/v1/comments/:id/appeal',
      summary: 'Ask for one more look at a rejection',
      access: 'capability',
      body: Appeal,
      responses: { 202: { description: 'Held for a person', schema: Own } },
      handle: (call) => appeal(door, call),
    },
    {
      method: 'POST',
      path: '/v1/comments/:id/reports',
      summary: 'Report a published comment',
      access: 'public',
      body: Report,
      responses: { 202: { description: 'Taken', schema: Own } },
      handle: (call) => report(door, call),
    },
    {
      method: 'POST',
      path: '/v1/sites/:site/preview',
      summary: "What the publisher's renderer makes of a text",
      access: 'public',
      body: z.strictObject({ body: z.string().max(16_384) }),
      responses: { 200: { description: 'Sanitized HTML', schema: z.object({ html: z.string() }) } },
      async handle(call) {
        const { body }: { body: string } = call.body;
        const { policy } = (await door.sites.rules(call.params.site ?? '')).policy;
        return { status: 200, body: { html: render(body.normalize('NFC'), { images: policy.images }) } };
      },
    },
    {
      method: 'GET',
      path: '/v1/sites/:site/feed.atom',
      summary: "A site's newest comments (Atom)",
      access: 'public',
      responses: { 200: { description: 'RFC 4287' } },
      handle: (call) => readFeed(door, call),
    },
    {
      method: 'GET',
      path: `${THREAD}/feed.atom`,
      summary: "A thread's newest comments (Atom)",
      access: 'public',
      responses: { 200: { description: 'RFC 4287' } },
      handle: (call) => readFeed(door, call),
    },
  ];
}
