import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sitesOf } from '../shared/store/sites.ts';
import { testInstance, type TestInstance } from './instance.ts';

let sluice: TestInstance;
const TYPE = 'application/x-www-form-urlencoded';

beforeAll(async () => {
  sluice = await testInstance();
});
afterAll(() => sluice.end());

const FILLED = { name: 'Ada', email: '', url: '', body: 'Written without scripts.', trap: '' };
const shownBy = (html: string) => /name="shown" value="([^"]+)"/.exec(html)![1]!;

/** Sends the form as a browser does: with what the page gave it. */
async function send(path: string, fields: object = {}, headers: Record<string, string> = {}) {
  const { body } = await sluice.call('GET', path);
  const form = new URLSearchParams({ ...FILLED, shown: shownBy(body), ...fields }).toString();
  return sluice.call('POST', path, form, { 'content-type': TYPE, 'sec-fetch-site': 'same-origin', ...headers });
}

/** Where a 303 leads, below the same server. */
const followed = async (answer: { headers: Headers }) => sluice.call('GET', answer.headers.get('location')!);
const comments = async (thread: string) => (await sluice.call('GET', `/v1/sites/demo/threads/${thread}/comments`)).body;

describe('the form without scripts', () => {
  it('takes a comment by the door, and says in words that it is published', async () => {
    const sent = await send('/t/demo/plain');
    expect(sent.status).toBe(303);
    expect(sent.headers.get('cache-control')).toBe('no-store');
    const state = await followed(sent);
    expect(state.status).toBe(200);
    expect(state.body).toContain('Published.');
    expect(state.headers.get('cache-control')).toBe('no-store');
    const link = /href="(\/t\/demo\/plain\?around=[^"]+)"/.exec(state.body)![1]!;
    expect((await sluice.call('GET', link)).body).toContain('Written without scripts.');
    const { total, comments: shown } = await comments('plain');
    expect(total).toBe(1);
    // A comment of no post has its permalink here, on whatever page of the thread it is.
    expect(shown[0].permalink).toBe(sluice.publicUrl + link);
  });

  it('puts a reply under the comment that it answers', async () => {
    await followed(await send('/t/demo/answers'));
    const [parent] = (await comments('answers')).comments;
    const page = (await sluice.call('GET', '/t/demo/answers')).body;
    expect(page).toContain(`href="/t/demo/answers?reply=${parent.id}"`);
    const state = await followed(await send(`/t/demo/answers?reply=${parent.id}`, { body: 'I agree.' }));
    expect(state.body).toContain('Published.');
    expect((await comments('answers')).comments[0].replies).toMatchObject([{ html: '<p>I agree.</p>\n' }]);
  });

  it('sent twice is one comment, and one more once the text is another', async () => {
    const { body } = await sluice.call('GET', '/t/demo/twice');
    const headers = { 'content-type': TYPE, 'sec-fetch-site': 'same-origin' };
    const post = (fields: object) =>
      sluice.call(
        'POST',
        '/t/demo/twice',
        new URLSearchParams({ ...FILLED, shown: shownBy(body), ...fields }).toString(),
        headers,
      );
    const [first, second] = [await post({}), await post({})];
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect((await post({ body: 'Another one.' })).status).toBe(303);
    await sluice.quiet();
    expect((await comments('twice')).total).toBe(2);
  });

  it('keeps what was typed, and says at its field what does not fit', async () => {
    const fields = { name: ' ', email: 'ada@nowhere', url: 'a b', body: '<b>kept</b>', notify: 'yes' };
    const { status, body, headers } = await send('/t/demo/faults', fields);
    expect(status).toBe(422);
    expect(headers.get('cache-control')).toBe('no-store');
    for (const [field, words] of [
      ['name', 'Write something here.'],
      ['email', 'This is no e-mail address.'],
      ['url', 'This is no web address.'],
    ]) {
      expect(body).toContain(`<p class="error" id="${field}-note">${words}</p>`);
    }
    expect(body).toContain('&lt;b&gt;kept&lt;/b&gt;</textarea>');
    expect(body).toContain('value="ada@nowhere"');
    expect(body).toContain('value="yes" checked');
    expect((await comments('faults')).total).toBe(0);
  });

  it.each([
    ['the name of the author', { name: 'Mara Lindqvist' }, 'This name is somebody else’s here.'],
    ['16 KiB and more', { body: 'x'.repeat(16_385) }, 'This is too long: 16,384 at most.'],
    ['replies by mail, but no address', { notify: 'yes' }, 'Without an address nobody can tell you of replies.'],
    ['more fields than there are, and a name without end', { name: 'x'.repeat(401), more: 'x' }, '&lt;=400'],
  ])('refuses %s as the API does', async (_what, fields, words) => {
    const { status, body } = await send('/t/demo/refused', fields);
    expect(status).toBe(422);
    expect(body).toContain(words);
  });

  it('is no way in for another site, whichever way the browser tells where it comes from', async () => {
    const refused = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1' },
      { 'sec-fetch-site': '', origin: 'https://elsewhere.example' },
      { 'sec-fetch-site': '', origin: 'null' },
    ];
    for (const headers of refused) {
      const { status, body } = await send('/t/demo/foreign', {}, headers);
      expect(status).toBe(403);
      expect(body.code).toBe('Request.Foreign');
    }
    expect((await send('/t/demo/foreign', {}, { 'sec-fetch-site': '', origin: 'http://127.0.0.1' })).status).toBe(303);
    await sluice.quiet();
    expect((await comments('foreign')).total).toBe(1);
  });

  it('previews by the renderer that publishes, and takes nothing yet', async () => {
    const { status, body } = await send('/t/demo/preview', { body: 'It *works*. <script>', preview: 'yes' });
    expect(status).toBe(200);
    expect(body).toContain('It <em>works</em>. &lt;script&gt;');
    expect(body).toContain('It *works*. &lt;script&gt;</textarea>');
    await sluice.quiet();
    expect((await comments('preview')).total).toBe(0);
  });

  it('previews no more than could be taken', async () => {
    const { status, body } = await send('/t/demo/preview', { body: '*a* '.repeat(5000), preview: 'yes' });
    expect(status).toBe(422);
    expect(body).toContain('This is too long: 16,384 at most.');
  });

  it('tells of a comment that waits, and of one that is rejected with its reason', async () => {
    const links = [1, 2, 3, 4].map((n) => `https://site${n}.example/`).join(' ');
    expect((await followed(await send('/t/demo/held', { name: 'Kim', body: `Look at ${links}` }))).body).toContain(
      'Waiting for a moderator.',
    );
    const spam =
      'BUY CHEAP VIAGRA casino bonus http://casino-win.example http://pills.example click here $$$ free money';
    const { body } = await followed(await send('/t/demo/held', { name: 'Casino', body: spam }));
    expect(body).toContain('Not published. Reason: Spam');
  });

  it('hands the judge the filled trap, and how long the form was open', async () => {
    const { headers } = await send('/t/demo/trap', { trap: 'x' });
    const id = /sent\/([^?]+)/.exec(headers.get('location')!)![1]!;
    await sluice.quiet();
    const { body } = await sluice.call('GET', `/v1/moderation/comments/${id}`, undefined, await sluice.asAdmin());
    expect(body.signals.map(({ name }: { name: string }) => name)).toEqual(
      expect.arrayContaining(['honeypot', 'too-fast']),
    );
  });

  it('tells nobody without its token what became of a comment', async () => {
    const { headers } = await send('/t/demo/secret');
    const location = headers.get('location')!;
    const { status, body } = await sluice.call('GET', location.replace(/token=.{4}/, 'token=AAAA'));
    expect(status).toBe(404);
    expect(body).toContain('Comment not found.');
    expect((await sluice.call('GET', location)).headers.get('referrer-policy')).toBe('same-origin');
  });

  it('is not there in a closed thread, nor for a comment that is gone', async () => {
    expect((await sluice.call('GET', '/t/demo/gone?reply=nobody')).status).toBe(404);
    await followed(await send('/t/demo/closed'));
    const shown = shownBy((await sluice.call('GET', '/t/demo/closed')).body);
    const { table, clock } = sluice.runtime.ports;
    const sites = sitesOf(table, clock);
    await sites.putThread({ ...(await sites.thread('demo', 'closed'))!, closed: true });
    const { body } = await sluice.call('GET', '/t/demo/closed');
    expect(body).toContain('This thread is closed.');
    expect(body).not.toContain('<form');
    const late = new URLSearchParams({ ...FILLED, body: 'Too late.', shown }).toString();
    const refused = await sluice.call('POST', '/t/demo/closed', late, { 'content-type': TYPE });
    expect(refused.status).toBe(409);
    expect(refused.body).toContain('Too late.</textarea>');
    const lost = await sluice.call('GET', '/t/demo/closed?around=nobody');
    expect(lost.status).toBe(404);
    expect(lost.body).not.toContain('<form');
  });
});

it('the form keeps to the limits of the door, and the text with it', async () => {
  const own = await testInstance({ SLUICE_RATE_LIMIT: 'on' });
  const form = (n: number) => new URLSearchParams({ ...FILLED, body: `Number ${n}.` }).toString();
  const answers = [];
  for (let n = 0; n < 7; n++) answers.push(await own.call('POST', '/t/demo/many', form(n), { 'content-type': TYPE }));
  await own.end();
  const last = answers.at(-1)!;
  expect(last.status).toBe(429);
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(last.body).toContain('Too fast.');
  expect(last.body).toContain('Number 6.</textarea>');
});

it('the API tells faults in the language that is asked for', async () => {
  const comment = { author: { name: 'Ada', email: 'nowhere' }, body: 'x'.repeat(16_385) };
  const path = '/v1/sites/demo/threads/words/comments';
  const { body } = await sluice.call('POST', path, comment, { 'accept-language': 'de' });
  expect(body.errors).toEqual([
    { pointer: '/body', detail: 'Das ist zu lang: höchstens 16.384.', kind: 'long', most: 16_384 },
    { pointer: '/author/email', detail: 'Das ist keine E-Mail-Adresse.', kind: 'email' },
  ]);
  expect((await sluice.call('POST', path, comment)).body.errors[0].detail).toContain('has 16385 bytes');
});

describe('the pages speak', () => {
  it('the language that the browser asks for first, and caches are told so', async () => {
    const { body, headers } = await sluice.call('GET', '/t/demo/words', undefined, {
      'accept-language': 'xx, de-CH;q=0.9',
    });
    expect(body).toContain('<html lang="de" dir="ltr">');
    expect(body).toContain('Kommentar schreiben');
    expect(headers.get('vary')).toContain('accept-language');
  });

  it('the one that the address names, on every page that it leads to', async () => {
    const page = await sluice.call('GET', '/t/demo/words?lang=ar', undefined, { 'accept-language': 'de' });
    expect(page.body).toContain('<html lang="ar" dir="rtl">');
    const privacy = /href="(\/privacy[^"]+)"/.exec(page.body)![1]!.replaceAll('&amp;', '&');
    expect((await sluice.call('GET', privacy)).status).toBe(200);
    const sent = await send('/t/demo/words?lang=ar');
    expect((await followed(sent)).body).toMatch(/<html lang="ar" dir="rtl">[\s\S]*نُشر\./);
    expect((await send('/t/demo/words?lang=ar', { body: ' ' })).body).toContain('اكتب شيئًا هنا.');
  });
});
