import { createServer, type AddressInfo, type Server } from 'node:net';
import { simpleParser, type ParsedMail } from 'mailparser';
import { pino } from 'pino';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, describe, expect, it } from 'vitest';
import type { MailMessage } from '../../shared/ports.ts';
import { memoryTable } from '../../test/fakes.ts';
import { mailboxMail, mailboxRoutes, renderMail, smtpMail, type SmtpMail } from './mail.ts';

const MESSAGE: MailMessage = {
  messageId: '<one@comments.example>',
  from: { name: 'A “Blog”, Inc.', address: 'comments@comments.example' },
  to: 'ada@people.example',
  subject: 'Zoë replied to your comment on “Ünïcode”',
  text: `A reply.\n\nFrom here on\n.\n..dots ${'and a long line '.repeat(100)}`,
  html: '<!doctype html><html><head></head><body><p>A reply.</p></body></html>',
  unsubscribeUrl: `https://comments.example/v1/mail/unsubscribe/${'a'.repeat(260)}.bcd`,
  headers: {
    'Auto-Submitted': 'auto-generated',
    'List-Id': '<blog.sluice.comments.example>',
    'In-Reply-To': '<root@comments.example>',
    References: '<root@comments.example>',
  },
};

const log = pino({ level: 'silent' });
const ends: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** A real SMTP server; what it took is parsed. */
async function smtp(options: SMTPServerOptions = {}): Promise<{ url: string; taken: ParsedMail[]; raw: string[] }> {
  const taken: ParsedMail[] = [];
  const raw: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    closeTimeout: 100,
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        raw.push(text);
        void simpleParser(text).then((mail) => {
          taken.push(mail);
          done(null);
        });
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise<void>((resolve) => server.close(resolve)));
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, taken, raw };
}

/** A server that answers by the first word of each line, `DATA` twice: the command and the end of the message. */
async function scripted(answers: Record<string, string | 'drop' | 'silent'>): Promise<string> {
  const server: Server = createServer((socket) => {
    let inData = false;
    const answer = (word: string) => {
      const words = answers[word] ?? '250 ok';
      if (words === 'drop') socket.destroy();
      else if (words !== 'silent') socket.write(`${words}\r\n`);
    };
    answer('GREETING');
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      rest += chunk.toString('latin1');
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (inData) {
          if (line !== '.') continue;
          inData = false;
          answer('END');
        } else {
          const word = line.split(/[ :]/)[0]!.toUpperCase();
          inData = word === 'DATA' && (answers.DATA ?? '354').startsWith('354');
          answer(word);
        }
      }
    });
    ends.push(() => void socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => void server.close());
  return `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const USUAL = { GREETING: '220 test', DATA: '354 go on' };

function mailTo(url: string, answerMs = 400): SmtpMail {
  const mail = smtpMail({ url, log, answerMs });
  ends.push(() => mail.close());
  return mail;
}

describe('mail by SMTP', () => {
  it('sends text and HTML with the headers of RFC 8058, names and subject intact', async () => {
    const { url, taken, raw } = await smtp();
    const { response } = await mailTo(url).send(MESSAGE);
    expect(response).toMatch(/^250/);
    const [mail] = taken;
    expect(mail!.subject).toBe(MESSAGE.subject);
    expect(mail!.from!.value).toEqual([{ name: 'A “Blog”, Inc.', address: 'comments@comments.example' }]);
    expect(mail!.messageId).toBe(MESSAGE.messageId);
    expect(mail!.text!.trim()).toBe(MESSAGE.text.trim());
    expect(mail!.html).toContain('<p>A reply.</p>');
    const headers = Object.fromEntries(mail!.headerLines.map(({ key, line }) => [key, line.replace(/^[^:]*: /, '')]));
    for (const [name, value] of Object.entries(MESSAGE.headers!)) expect(headers[name.toLowerCase()]).toBe(value);
    expect(raw[0]).toContain(`List-Unsubscribe: <${MESSAGE.unsubscribeUrl}>\r\n`);
    expect(raw[0]).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
    expect(Math.max(...raw[0]!.split('\r\n').map((line) => line.length))).toBeLessThan(998);
  });

  it('uses the sender that SMTP_URL names', async () => {
    const { url, taken } = await smtp();
    await mailTo(`${url}/?from=me%40blog.example`).send(MESSAGE);
    expect(taken[0]!.from!.value[0]!.address).toBe('me@blog.example');
  });

  it('cannot be made to add a header or a recipient by what readers type', async () => {
    const { url, taken, raw } = await smtp();
    await mailTo(url).send({
      ...MESSAGE,
      from: { name: 'x\r\nBcc: victim@people.example', address: 'comments@comments.example' },
      subject: 'hello\r\nBcc: victim@people.example\r\n\r\nbody',
    });
    expect(taken[0]!.bcc).toBeUndefined();
    expect(raw[0]).not.toMatch(/^Bcc:/im);
    expect(taken[0]!.text).not.toMatch(/^body/);
  });

  it('sends a hundred over a few connections', async () => {
    let connections = 0;
    const { url, taken } = await smtp({
      onConnect(_session, done) {
        connections++;
        done();
      },
    });
    const mail = mailTo(url, 5000);
    await Promise.all(Array.from({ length: 100 }, () => mail.send(MESSAGE)));
    expect(taken).toHaveLength(100);
    expect(connections).toBeLessThanOrEqual(6);
  });

  it('takes it after a 4yz, when asked again', async () => {
    let asked = 0;
    const { url, taken } = await smtp({
      onRcptTo(_address, _session, done) {
        if (++asked > 1) return done();
        done(Object.assign(new Error('4.7.1 greylisted, try later'), { responseCode: 451 }));
      },
    });
    const mail = mailTo(url);
    await expect(mail.send(MESSAGE)).rejects.toMatchObject({
      code: 'Mail.Transient',
      message: expect.stringContaining('451'),
    });
    await mail.send(MESSAGE);
    expect(taken).toHaveLength(1);
  });

  const faults: [sentence: string, answers: Parameters<typeof scripted>[0], code: string][] = [
    ['puts off what a greeting puts off', { GREETING: '421 busy' }, 'Mail.Transient'],
    ['puts off when the server says nothing at first', { GREETING: 'silent' }, 'Mail.Transient'],
    ['puts off when the connection ends before the greeting', { GREETING: 'drop' }, 'Mail.Transient'],
    ['puts off when the connection ends before the message', { ...USUAL, RCPT: 'drop' }, 'Mail.Transient'],
    ['puts off when DATA gets no answer', { ...USUAL, DATA: 'silent' }, 'Mail.Transient'],
    ['puts off a full mailbox', { ...USUAL, RCPT: '452 4.2.2 full' }, 'Mail.Transient'],
    ['puts off a 4yz to the message', { ...USUAL, END: '451 4.3.0 later' }, 'Mail.Transient'],
    ['puts off what the settings cause: the sender', { ...USUAL, MAIL: '550 5.7.1 not you' }, 'Mail.Transient'],
    ['puts off what the settings cause: no sign-in', { ...USUAL, RCPT: '530 5.7.0 sign in' }, 'Mail.Transient'],
    ['gives up an unknown address', { ...USUAL, RCPT: '550 5.1.1 no such user' }, 'Mail.Refused'],
    ['gives up a message that is refused', { ...USUAL, END: '554 5.7.1 spam' }, 'Mail.Refused'],
    ['does not know, when the connection ends after the message', { ...USUAL, END: 'drop' }, 'Mail.Uncertain'],
    ['does not know, when nothing follows the message', { ...USUAL, END: 'silent' }, 'Mail.Uncertain'],
  ];
  it.each(faults)('%s', async (_sentence, answers, code) => {
    const mail = mailTo(await scripted(answers));
    await expect(mail.send(MESSAGE)).rejects.toMatchObject({ code });
  });

  it('puts off when nobody listens, within seconds', async () => {
    const mail = mailTo('smtp://127.0.0.1:1');
    await expect(mail.send(MESSAGE)).rejects.toMatchObject({ code: 'Mail.Transient' });
  });

  it('says the server’s words without addresses', async () => {
    const mail = mailTo(await scripted({ ...USUAL, RCPT: '550 5.1.1 <ada@people.example> unknown' }));
    await expect(mail.send(MESSAGE)).rejects.toMatchObject({ message: '550 5.1.1 <…> unknown' });
  });

  it('refuses an SMTP_URL that is none, naming the setting and not its password', () => {
    expect(() => smtpMail({ url: 'http://u:secret@x', log })).toThrow(/SMTP_URL/);
    expect(() => smtpMail({ url: 'http://u:secret@x', log })).not.toThrow(/secret/);
  });
});

const call = (set: object) => ({ query: {}, params: {}, ...set }) as never;

describe('the mailbox', () => {
  it('keeps the newest 500', async () => {
    const table = memoryTable(() => 1000);
    const mail = mailboxMail({ table, clock: { now: () => 1000 } });
    for (let i = 1; i <= 503; i++) await mail.send({ ...MESSAGE, subject: `mail ${i}` });
    const { items } = await table.query({ pk: 'MAILBOX', limit: 1000 });
    expect(items).toHaveLength(500);
    const [list, one] = mailboxRoutes({ table });
    const first = (await list!.handle(call({}))).raw!.text;
    expect(first).toContain('mail 503');
    expect(first).not.toContain('mail 453<');
    expect((await list!.handle(call({ query: { before: 454 } }))).raw!.text).toContain('mail 453');
    expect((await one!.handle(call({ params: { number: '503' } }))).raw!.text).toContain('mail 503');
    expect((await one!.handle(call({ params: { number: '3' } }))).status).toBe(404);
    expect((await one!.handle(call({ params: { number: '../x' } }))).status).toBe(404);
  });

  it('shows the HTML inert, in a frame of its own', () => {
    const evil = { ...MESSAGE, subject: '<script>1</script>', html: '<head></head>"><script>alert(1)</script>' };
    const { raw, headers } = renderMail({ number: 1, at: 0, message: evil });
    expect(raw!.text).not.toContain('<script>');
    expect(raw!.text).toContain('sandbox="allow-popups allow-popups-to-escape-sandbox"');
    expect(headers!['content-security-policy']).toContain("default-src 'none'");
    expect(headers!['content-security-policy']).not.toContain('script-src');
  });
});
