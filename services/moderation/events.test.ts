import { expect, it } from 'vitest';
import { usersOf } from '../../shared/store/users.ts';
import { changesOf } from './changes.ts';
import { moderationRoutes } from './routes.ts';
import { authenticate } from './sessions.ts';
import { signIn, type Caller } from './testing/call.ts';
import { addSite, memoryPorts } from './testing/memory.ts';
import { serve } from '../../shared/http.ts';

async function desk() {
  const ports = memoryPorts();
  await addSite(ports);
  await addSite(ports, 'other');
  const changes = changesOf(ports.clock);
  const app = serve(moderationRoutes(ports, changes, { live: true }), {
    authenticate: authenticate(ports),
    log: ports.log,
  });
  let token = '';
  const call: Caller = async (method, path, body, headers) => {
    const answer = await app.request(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const told = (await answer.json()) as { token?: string };
    token = told.token ?? token;
    return { status: answer.status, body: told as never, headers: answer.headers };
  };
  await signIn(ports, call, 'tom', [{ site: 'demo', role: 'moderator' }]);
  const open = async (headers: Record<string, string> = {}) => {
    const answer = await app.request('/v1/moderation/events', {
      headers: { accept: 'text/event-stream', authorization: `Bearer ${token}`, ...headers },
    });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const lines = new TextDecoder();
    let rest = '';
    /** The next message, or undefined at the end. */
    const next = async (): Promise<
      { id: string; data: { events: { commentId: string }[]; reset: boolean } } | undefined
    > => {
      for (;;) {
        const end = rest.indexOf('\n\n');
        if (end >= 0) {
          const message = rest.slice(0, end);
          rest = rest.slice(end + 2);
          const [, id = '', data = ''] = /^id: (.*)\ndata: (.*)$/.exec(message) ?? [];
          if (data) return { id, data: JSON.parse(data) };
          continue;
        }
        const { done, value } = await reader.read();
        if (done) return undefined;
        rest += lines.decode(value);
      }
    };
    return { answer, next, close: () => reader.cancel() };
  };
  return { ports, changes, open };
}

it('tells moderators live what others do, at their own sites alone', async () => {
  const { changes, open } = await desk();
  const { answer, next, close } = await open();
  expect(answer.headers.get('content-type')).toBe('text/event-stream');
  expect((await next())?.data.events).toEqual([]);
  changes.push({ site: 'other', commentId: 'theirs', type: 'decided' });
  changes.push({ site: 'demo', commentId: 'ours', type: 'decided' });
  expect((await next())?.data.events.map(({ commentId }) => commentId)).toEqual(['ours']);
  await close();
});

it('goes on behind Last-Event-ID, and says when it cannot', async () => {
  const { changes, open } = await desk();
  const first = await open();
  const id = (await first.next())?.id ?? '';
  await first.close();
  changes.push({ site: 'demo', commentId: 'meanwhile', type: 'decided' });
  const second = await open({ 'last-event-id': id });
  expect((await second.next())?.data).toMatchObject({ events: [{ commentId: 'meanwhile' }], reset: false });
  await second.close();
  const third = await open({ 'last-event-id': 'gone-1' });
  expect((await third.next())?.data).toMatchObject({ events: [], reset: true });
  await third.close();
});

it('hangs up when the moderator is shut out, or the server stops', async () => {
  const { ports, changes, open } = await desk();
  const { next } = await open();
  await next();
  const users = usersOf(ports.table, ports.clock);
  const tom = await users.get('tom');
  if (tom) await users.change(tom, { disabled: true });
  changes.push({ site: 'demo', commentId: 'secret', type: 'decided' });
  expect(await next()).toBeUndefined();
  if (tom) await users.change({ ...tom, version: tom.version + 1 }, { disabled: false });
  const again = await open();
  await again.next();
  changes.end();
  expect(await again.next()).toBeUndefined();
});
