import { afterAll, beforeAll, expect, it } from 'vitest';
import type { MailMessage } from '../shared/ports.ts';
import { contactsOf } from '../shared/store/contacts.ts';
import { sitesOf } from '../shared/store/sites.ts';
import { testInstance, type TestInstance } from './instance.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let sluice: TestInstance;
beforeAll(async () => {
  sluice = await testInstance();
  const { table, clock } = sluice.runtime.ports;
  const other = { id: 'other', name: 'Another', origins: [], threadParams: [], authors: [], moderatorEmails: [] };
  await sitesOf(table, clock).put(other);
});
afterAll(() => sluice.end());

const post = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  sluice.call('POST', path, new URLSearchParams(fields).toString(), { ...FORM, ...headers });
const ask = (email: string, headers?: Record<string, string>, site = 'demo') =>
  post('/v1/mail/persons', { email, site }, headers);
const say = (email: string, body: string, site = 'demo') =>
  sluice.call('POST', `/v1/sites/${site}/threads/own/comments`, { author: { name: 'Ada Quokka', email }, body });

/** What was mailed to an address, once nothing waits to be sent. */
async function mailsTo(email: string): Promise<readonly MailMessage[]> {
  for (let look = 0; look < 500; look++) {
    const { depth, inFlight, delayed } = await sluice.runtime.queues.notify!.attributes();
    if (depth + inFlight + delayed === 0) break;
    await new Promise((done) => setTimeout(done, 20));
  }
  const { items } = await sluice.runtime.ports.table.query({ pk: 'MAILBOX', limit: 100 });
  return items.map(({ message }) => message as MailMessage).filter(({ to }) => to === email);
}

const addresses = () => {
  const { table, vault, clock } = sluice.runtime.ports;
  return contactsOf(table, vault, clock);
};

async function linkFor(email: string, site = 'demo'): Promise<string> {
  expect((await ask(email, {}, site)).status).toBe(202);
  const mail = (await mailsTo(email)).at(-1);
  return /https?:\/\/[^/]+(\/v1\/mail\/persons\/\S+)/.exec(mail!.text)![1]!;
}

it('the page on privacy asks for an address, where it is about one site', async () => {
  expect((await sluice.call('GET', '/privacy?site=demo')).body).toContain('action="/v1/mail/persons"');
  expect((await sluice.call('GET', '/privacy')).body).not.toContain('<form');
});

it('a link is mailed once a day, with nothing in it that was typed, and the answer tells nothing', async () => {
  await say('known@people.example', 'I was here.');
  const german = { 'accept-language': 'de' };
  const known = await ask('known@people.example', german);
  const unknown = await ask('unknown@people.example', german);
  expect(known).toMatchObject({ status: 202, body: unknown.body });
  expect(known.body).toContain('Ein Link ist zu dieser Adresse unterwegs');
  await ask('known@people.example');
  const mails = await mailsTo('known@people.example');
  expect(mails).toHaveLength(1);
  expect(mails[0]!.subject).toMatch(/^Was .+ über dich speichert$/);
  expect(`${mails[0]!.text}${mails[0]!.html}`).not.toMatch(/Quokka|I was here|people\.example/);
  expect((await ask('no address')).status).toBe(422);
  expect((await ask('x@people.example', {}, 'nowhere')).status).toBe(404);
});

it('goes to nobody who called our mail spam', async () => {
  const contacts = addresses();
  await contacts.suppress(contacts.hashOf('cross@people.example'), 'complained');
  expect((await ask('cross@people.example')).status).toBe(202);
  expect(await mailsTo('cross@people.example')).toEqual([]);
});

it('a person takes all that the site keeps of them, and nothing of others', async () => {
  const email = 'take@people.example';
  const { body: sent } = await say(email, 'My unmistakable wombatsentence.');
  await say(email, 'On the other site.', 'other');
  await say('bob@people.example', 'Somebody else.');
  await sluice.quiet();
  const link = await linkFor(email);
  const offered = await sluice.call('GET', link);
  expect(offered.status).toBe(200);
  expect(offered.body).not.toMatch(/<script|@people/);
  const taken = await post(link, { choice: 'export' });
  expect(taken.headers.get('content-disposition')).toContain('attachment');
  expect(taken.headers.get('cache-control')).toBe('no-store');
  expect(taken.body).toMatchObject({
    email,
    site: 'demo',
    contacts: [{ email }],
    comments: [{ id: sent.id, status: 'published', texts: [{ body: 'My unmistakable wombatsentence.' }] }],
  });
  expect(taken.body.comments[0].decisions).toMatchObject([{ by: 'policy', to: 'published' }]);
  expect(JSON.stringify(taken.body)).not.toMatch(/Somebody else|other site|bob@|signals/);
});

it('erases only once the box is ticked, on that site alone, and then the address if no other site has it', async () => {
  const email = 'gone@people.example';
  const { body: here } = await say(email, 'My lost quollsentence.');
  const { body: there } = await say(email, 'Stays elsewhere.', 'other');
  await sluice.quiet();
  const link = await linkFor(email);
  await sluice.call('GET', link);
  expect((await post(link, { choice: 'forget' })).status).toBe(422);
  const shown = async (site: string) => (await sluice.call('GET', `/v1/sites/${site}/threads/own/comments`)).body;
  expect(JSON.stringify(await shown('demo'))).toContain('quollsentence');

  const erased = await post(link, { choice: 'forget', sure: 'yes' });
  expect(erased).toMatchObject({ status: 200 });
  expect(erased.body).toContain('1 comment is gone.');
  expect(JSON.stringify(await shown('demo'))).not.toContain('quollsentence');
  const left = await sluice.call('GET', `/v1/moderation/comments/${here.id}`, undefined, await sluice.asAdmin());
  expect(JSON.stringify(left.body)).not.toContain('quollsentence');
  expect(JSON.stringify(await shown('other'))).toContain(there.id);
  // The other site still has the address, so that link works on.
  expect((await sluice.call('GET', link)).status).toBe(200);

  const second = await linkFor(email, 'other');
  expect((await post(second, { choice: 'forget', sure: 'yes' })).body).toContain('1 comment');
  expect((await sluice.call('GET', link)).status).toBe(404);
  const { sqlite } = sluice.runtime.database;
  const sealed = sqlite.prepare(`SELECT count(*) AS n FROM item WHERE pk LIKE 'K#%' AND doc LIKE '%' || ? || '%'`);
  const contacts = addresses();
  expect(sealed.get(contacts.hashOf(email))).toEqual({ n: 0 });
});

it('a link of another kind, a changed one and one that is over open nothing', async () => {
  const link = await linkFor('kinds@people.example');
  expect((await sluice.call('GET', link.replace('persons', 'confirm'))).status).toBe(404);
  for (const bad of [`${link}x`, '/v1/mail/persons/x.y']) {
    expect((await sluice.call('GET', bad)).status).toBe(404);
    expect((await post(bad, { choice: 'export' })).status).toBe(404);
  }
});

it('mail to a writer is in the language of the browser, of the page, or English for who speaks none of ours', async () => {
  const cases: [email: string, accepted: string, fields: object, subject: RegExp][] = [
    ['sven@people.example', 'sv-SE,sv;q=0.9,en;q=0.8', {}, /^Bekräfta din adress/],
    ['pia@people.example', 'sv', { lang: 'pt-BR' }, /^Confirme o seu endereço/],
    ['worf@people.example', 'tlh', {}, /^Confirm your address/],
  ];
  for (const [email, accepted, fields] of cases) {
    const comment = {
      author: { name: 'Kim', email },
      body: `Tell ${email} of replies.`,
      notifyReplies: true,
      ...fields,
    };
    const headers = { 'accept-language': accepted };
    await sluice.call('POST', '/v1/sites/demo/threads/languages/comments', comment, headers);
  }
  await sluice.quiet();
  for (const [email, , , subject] of cases) {
    const find = async () => (await mailsTo(email)).at(-1)?.subject ?? '';
    await expect.poll(find, { timeout: 20_000 }).toMatch(subject);
  }
}, 30_000);

it('one client asks five times a minute', async () => {
  const strict = await testInstance({ SLUICE_RATE_LIMIT: 'on' });
  try {
    const answers = [];
    for (let n = 0; n < 6; n++) {
      const body = `email=p${n}%40people.example&site=demo`;
      answers.push((await strict.call('POST', '/v1/mail/persons', body, FORM)).status);
    }
    expect(answers).toEqual([202, 202, 202, 202, 202, 429]);
  } finally {
    await strict.end();
  }
});
