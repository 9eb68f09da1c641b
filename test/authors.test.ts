import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backEndToken, renewSiteAuthorKey, siteAuthorKey } from '../services/door/authors.ts';
import type { MailMessage } from '../shared/ports.ts';
import { sitesOf } from '../shared/store/sites.ts';
import { testInstance, type TestInstance } from './instance.ts';

const BLOG = 'https://blog.example';
const THREAD = '/v1/sites/blog/threads/post/comments';

let sluice: TestInstance;

beforeAll(async () => {
  sluice = await testInstance({}, { demo: false });
  const { table, clock } = sluice.runtime.ports;
  const site = { name: 'A blog', origins: [BLOG], threadParams: [], moderatorEmails: [] };
  const authors = [
    { id: 'mara', name: 'Mara', email: 'Mara@blog.example', notify: 'none' as const },
    { id: 'ben', name: 'Ben', email: 'ben@blog.example', notify: 'none' as const },
  ];
  await sitesOf(table, clock).put({ ...site, id: 'blog', authors });
  await sitesOf(table, clock).put({ ...site, id: 'other', authors: [] });
});
afterAll(() => sluice.end());

async function mails(): Promise<readonly MailMessage[]> {
  const { items } = await sluice.runtime.ports.table.query({ pk: 'MAILBOX', limit: 100 });
  return items.map(({ message }) => message as MailMessage);
}

/** Waits until there are so many mails, and gives the newest. */
async function mail(count: number): Promise<MailMessage> {
  for (let look = 0; look < 200; look++) {
    const all = await mails();
    if (all.length >= count) return all.at(-1)!;
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error('no mail came');
}

async function drained(): Promise<void> {
  for (let look = 0; look < 200; look++) {
    const { depth, inFlight, delayed } = await sluice.runtime.queues.notify!.attributes();
    if (depth + inFlight + delayed === 0) return;
    await new Promise((done) => setTimeout(done, 20));
  }
}

const linkToken = ({ text }: MailMessage) => /\/author#in=([\w.-]+)/.exec(text)?.[1] ?? '';

async function signIn(email = 'mara@blog.example'): Promise<Record<string, string>> {
  const before = (await mails()).length;
  await sluice.call('POST', '/v1/authors/links', { email, site: 'blog' });
  const token = linkToken(await mail(before + 1));
  const { headers } = await sluice.call('POST', '/v1/authors/sessions', { token });
  return { cookie: (headers.get('set-cookie') ?? '').split(';')[0] ?? '' };
}

const submit = (token: string, name = 'whoever') =>
  sluice.call('POST', THREAD, { author: { name }, body: 'A word from here.' }, { authorization: `Author ${token}` });

describe('an author of a static blog', () => {
  it('is mailed a link that opens a session once, and holds nothing that was typed', async () => {
    const asked = await sluice.call('POST', '/v1/authors/links', { email: 'MARA@blog.example ', site: 'blog' });
    expect(asked).toMatchObject({ status: 202, body: { minutes: 15 } });
    const message = await mail(1);
    expect(message).toMatchObject({ to: 'Mara@blog.example', subject: 'Sign in as an author of A blog' });
    const token = linkToken(message);
    const opened = await sluice.call('POST', '/v1/authors/sessions', { token });
    expect(opened.status).toBe(201);
    expect(opened.headers.get('set-cookie')).toMatch(
      /^sluice_author=[\w-]{43}; Path=\/v1\/authors; HttpOnly; SameSite=Strict; Max-Age=43200/,
    );
    expect((await sluice.call('POST', '/v1/authors/sessions', { token })).status).toBe(403);
    expect((await sluice.call('POST', '/v1/authors/sessions', { token: `${token}x` })).status).toBe(403);
  });

  it('gets the same answer for an address that is no author’s, and no mail goes', async () => {
    await drained();
    const before = (await mails()).length;
    const other = await sluice.call('POST', '/v1/authors/links', { email: 'eve@evil.example', site: 'blog' });
    expect(other).toMatchObject({ status: 202, body: { minutes: 15 } });
    await drained();
    expect(await mails()).toHaveLength(before);
  });

  it('hands the widget a token at an origin of the site, and comments with it', async () => {
    const session = await signIn();
    const who = await sluice.call('GET', '/v1/authors/sessions?site=blog', undefined, session);
    expect(who.body.authors).toEqual([{ site: 'blog', siteName: 'A blog', id: 'mara', name: 'Mara', as: 'author' }]);
    const wanted = { site: 'blog', author: 'mara', origin: BLOG };
    const given = await sluice.call('POST', '/v1/authors/tokens', wanted, session);
    expect(given).toMatchObject({ status: 201, body: { name: 'Mara' } });
    const { body, status } = await submit(given.body.token);
    expect(status).toBe(202);
    await sluice.quiet();
    const page = await sluice.call('GET', THREAD);
    expect(page.body.comments.find(({ id }: { id: string }) => id === body.id)).toMatchObject({
      author: { name: 'Mara', role: 'author' },
    });
    const refused = await sluice.call(
      'POST',
      '/v1/authors/tokens',
      { ...wanted, origin: 'https://evil.example' },
      session,
    );
    expect(refused.status).toBe(403);
    expect((await sluice.call('POST', '/v1/authors/tokens', { ...wanted, author: 'ben' }, session)).status).toBe(403);
    expect((await sluice.call('POST', '/v1/authors/tokens', wanted)).status).toBe(401);
  });

  it('ends its tokens everywhere, and the next one works again', async () => {
    const session = await signIn('ben@blog.example');
    const wanted = { site: 'blog', author: 'ben', origin: BLOG };
    const first = (await sluice.call('POST', '/v1/authors/tokens', wanted, session)).body.token;
    expect((await submit(first)).status).toBe(202);
    const ended = await sluice.call('POST', '/v1/authors/revocations', { site: 'blog', author: 'ben' }, session);
    expect(ended.status).toBe(204);
    expect((await submit(first)).status).toBe(403);
    const next = (await sluice.call('POST', '/v1/authors/tokens', wanted, session)).body.token;
    expect((await submit(next)).status).toBe(202);
  });

  it('is not served to pages of other sites', async () => {
    const session = await signIn('ben@blog.example');
    const wanted = { site: 'blog', author: 'ben', origin: BLOG };
    const forged = { ...session, 'sec-fetch-site': 'same-site', origin: BLOG };
    expect((await sluice.call('POST', '/v1/authors/tokens', wanted, forged)).status).toBe(403);
    const preflight = await sluice.call('OPTIONS', '/v1/authors/tokens', undefined, { origin: BLOG });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('lets whoever is signed in at the desk comment as an author of the site', async () => {
  const admin = await sluice.asAdmin();
  const who = await sluice.call('GET', '/v1/authors/sessions?site=blog', undefined, admin);
  expect(who.body.authors.map(({ id, as }: { id: string; as: string }) => [id, as])).toEqual([
    ['mara', 'moderator'],
    ['ben', 'moderator'],
  ]);
  expect((await sluice.call('GET', '/v1/authors/sessions')).body).toEqual({ authors: [] });
});

describe('a token that a back end signs', () => {
  const soon = (hours: number) => Math.floor(Date.now() / 1000) + hours * 3600;

  it('makes its author comment, for at most a day, at its own site', async () => {
    const { table, vault } = sluice.runtime.ports;
    const key = await siteAuthorKey(table, vault, 'blog');
    expect((await submit(backEndToken(key, 'blog', 'mara', soon(1)))).status).toBe(202);
    const wrong = [
      backEndToken(key, 'blog', 'mara', soon(25)),
      backEndToken(key, 'blog', 'mara', soon(-1)),
      backEndToken(key, 'blog', 'nobody', soon(1)),
      backEndToken(key, 'other', 'mara', soon(1)),
      backEndToken('another key', 'blog', 'mara', soon(1)),
      backEndToken(key, 'blog', 'mara', soon(1)).slice(0, -1),
      'nonsense',
      '....',
    ];
    const statuses = await Promise.all(wrong.map(async (token) => (await submit(token)).status));
    expect(statuses).toEqual(wrong.map(() => 403));
  });

  it('ends with its key', async () => {
    const { table, vault } = sluice.runtime.ports;
    const token = backEndToken(await siteAuthorKey(table, vault, 'blog'), 'blog', 'mara', soon(1));
    await renewSiteAuthorKey(table, 'blog');
    expect((await submit(token)).status).toBe(403);
  });
});

it('mails no more than three links to one address in 15 minutes, whoever’s it is', async () => {
  const strict = await testInstance({ SLUICE_RATE_LIMIT: 'on' }, { demo: false });
  const answers: number[] = [];
  for (let n = 0; n < 4; n++) {
    answers.push((await strict.call('POST', '/v1/authors/links', { email: 'who@blog.example' })).status);
  }
  expect(answers).toEqual([202, 202, 202, 429]);
  await strict.end();
});

describe('the code of docs/authors.md', () => {
  const doc = readFileSync(new URL('../docs/authors.md', import.meta.url), 'utf8');
  const codeIn = (language: string) =>
    new RegExp(`\`\`\`${language}\\n(.*?author.?token.*?)\`\`\``, 'is').exec(doc)![1]!;
  const key = () => siteAuthorKey(sluice.runtime.ports.table, sluice.runtime.ports.vault, 'blog');

  it('signs as the door reads it in JavaScript', async () => {
    const module = (await import(
      /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(`${codeIn('js')}\nexport { authorToken };`)}`
    )) as { authorToken: (key: string, site: string, author: string) => string };
    expect((await submit(module.authorToken(await key(), 'blog', 'mara'))).status).toBe(202);
  });

  it.for([
    ['python', 'python3', 'import sys', 'print(author_token(*sys.argv[1:]))', '-c'],
    ['php', 'php', '', 'echo author_token(...array_slice($argv, 1));', '-r'],
    ['ruby', 'ruby', '', 'print author_token(*ARGV)', '-e'],
  ] as const)(
    'signs as the door reads it in %s',
    { timeout: 60_000 },
    async ([language, command, before, after, run], { skip }) => {
      skip(spawnSync(command, ['--version']).error !== undefined, `${command} is not installed`);
      const code = [before, codeIn(language), after].join('\n');
      const { stdout, stderr } = spawnSync(command, [run, code, await key(), 'blog', 'mara'], { encoding: 'utf8' });
      expect(stderr).toBe('');
      expect((await submit(stdout.trim())).status).toBe(202);
    },
  );
});
