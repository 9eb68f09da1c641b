import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Policy } from '../shared/policy.ts';
import { storeOf } from '../shared/store/comments.ts';
import { sitesOf } from '../shared/store/sites.ts';
import { testInstance, type TestInstance } from './instance.ts';

let akismet: Server;
let answer: () => { status: number; text: string };
let sluice: TestInstance;

beforeAll(async () => {
  akismet = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      const { status, text } = answer();
      response.writeHead(status);
      response.end(text);
    });
  });
  await new Promise<void>((done) => akismet.listen(0, '127.0.0.1', done));
  const { port } = akismet.address() as { port: number };
  sluice = await testInstance(
    { AKISMET_KEY: 'abcdef123456', AKISMET_URL: `http://127.0.0.1:${port}` },
    { demo: false },
  );
  const sites = sitesOf(sluice.runtime.table, { now: Date.now });
  await sites.put({ id: 'demo', name: 'Demo', origins: [], threadParams: [], authors: [], moderatorEmails: [] });
  await sites.putPolicy('demo', Policy.parse({ providers: { akismet: true }, holdAt: 0.6 }), 0, 'test');
});
afterAll(async () => {
  await sluice.end();
  akismet.close();
});

const judged = async (id: string) => {
  const store = storeOf(sluice.runtime.table, { now: Date.now });
  const [comment] = await store.judged([await store.mustGet(id)]);
  return comment!;
};

const submit = async (body: string) => {
  const { body: accepted } = await sluice.call('POST', '/v1/sites/demo/threads/t/comments', {
    author: { name: 'Kim' },
    body,
  });
  await sluice.quiet();
  return judged(accepted.id);
};

it('counts what Akismet says, in words', async () => {
  answer = () => ({ status: 200, text: 'true' });
  const comment = await submit('A remark that Akismet has met before, on many sites.');
  expect(comment.judgement?.signals).toContainEqual(
    expect.objectContaining({ name: 'akismet', words: 'Akismet calls it spam' }),
  );
});

it('judges without Akismet when it does not answer, says so, and asks again when it is back', async () => {
  answer = () => ({ status: 500, text: 'out of order' });
  const comment = await submit('A second remark, with nothing against it at all.');
  expect(comment).toMatchObject({ status: 'published', judgement: { degraded: ['akismet'] } });

  answer = () => ({ status: 200, text: 'false' });
  const store = storeOf(sluice.runtime.table, { now: Date.now });
  await store.annotate(comment, { judgement: { ...comment.judgement!, at: Date.now() - 60_000 } });
  expect(await sluice.runtime.invoke('reconcile', {})).toMatchObject({ revisited: 1 });
  const again = await judged(comment.id);
  expect(again.judgement?.degraded).toBeUndefined();
  expect(again.judgement?.signals[0]).toMatchObject({ name: 'akismet', words: 'Akismet finds no fault with it' });
});
