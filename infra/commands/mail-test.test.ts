import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, expect, it } from 'vitest';
import { testInstance, type TestInstance } from '../../test/instance.ts';
import { trialOn } from '../local/commands/place.ts';
import { runMailTest, whatToDo } from './mail-test.ts';

const ADDRESS = 'ada@people.example';
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function smtp(options: SMTPServerOptions = {}): Promise<{ url: string; mails: string[]; drop: () => void }> {
  const mails: string[] = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    closeTimeout: 100,
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (part: Buffer) => (text += part.toString()));
      stream.on('end', () => {
        mails.push(text);
        done(null, 'queued as 4711');
      });
    },
    ...options,
  });
  const sockets: Socket[] = [];
  server.server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  ends.push(() => new Promise((done) => server.close(() => done())));
  const { port } = server.server.address() as AddressInfo;
  const drop = () => {
    for (const socket of sockets.splice(0)) socket.destroy();
  };
  return { url: `smtp://127.0.0.1:${port}`, mails, drop };
}

async function run(env: Record<string, string>) {
  const sluice: TestInstance = await testInstance(env);
  ends.push(() => sluice.end());
  const { database, ports } = sluice.runtime;
  await sluice.quiet();
  const lines: string[] = [];
  const fetch = (request: Request) => sluice.fetch(request);
  const error = await runMailTest(trialOn(database, { ...ports, fetch }, ''), ADDRESS, (line) =>
    lines.push(line),
  ).catch((thrown: Error) => thrown);
  const left = database.sqlite
    .prepare(`SELECT pk, sk FROM item WHERE (pk LIKE '%mail-test%' OR sk LIKE '%mail-test%' OR doc LIKE '%mail-test%')`)
    .all() as { pk: string }[];
  return {
    hops: lines.map((line) => line.split(/\s+/)[0]),
    lines,
    error,
    left: left.filter(({ pk }) => pk !== 'MAILBOX'),
  };
}

const HOPS = ['submitted', 'published', 'confirmed', 'submitted', 'published', 'queued'];

it('says each hop with the words of the mail server, and leaves nothing behind', async () => {
  const { url, mails } = await smtp();
  const { hops, lines, error, left } = await run({ SMTP_URL: url });
  expect(error).toBeUndefined();
  expect(hops).toEqual([...HOPS, 'sent', 'removed']);
  expect(lines.find((line) => line.startsWith('sent'))).toMatch(/250 .*queued as 4711/);
  expect(mails).toHaveLength(1);
  expect(mails[0]).toMatch(/To: .*ada@people\.example/);
  expect(mails[0]).toContain('This reply tests whether that mail arrives');
  expect(left).toEqual([]);
});

it('says why a mail server refuses, and removes the test all the same', async () => {
  const { url, mails } = await smtp({
    onRcptTo: (_address, _session, done) =>
      done(Object.assign(new Error('5.7.1 relaying denied'), { responseCode: 550 })),
  });
  const { hops, error, left } = await run({ SMTP_URL: url });
  expect(error).toMatchObject({ code: 'Mail.Refused' });
  expect((error as Error).message).toMatch(/not sent: 550 5\.7\.1 relaying denied/);
  expect(hops).toEqual([...HOPS, 'removed']);
  expect({ mails, left }).toEqual({ mails: [], left: [] });
});

it.each([
  ['EDNS: getaddrinfo ENOTFOUND mail.nowhere.invalid', /slip in the host/],
  ['ESOCKET: connect ECONNREFUSED 127.0.0.1:2699', /check the port/],
  ['ESOCKET: 400D:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:', /smtps:\/\/ is for/],
  ['ESOCKET: certificate has expired', /certificate is not trusted/],
  ['ESOCKET: self-signed certificate in certificate chain', /NODE_EXTRA_CA_CERTS/],
  ['ETIMEDOUT: Greeting never received', /says nothing/],
  ['ETIMEDOUT: Connection timeout', /says nothing/],
  ['HTTP/1.1 400 Bad Request', /no mail server/],
  ['535 5.7.8 Authentication credentials invalid', /password/],
  ['530 Error: authentication Required', /wants a sign-in/],
  ['553 5.7.1 Sender address rejected: not owned by user', /MAIL_FROM/],
  ['451 4.7.1 <…> Greylisted, try again in 300 seconds', /wait some minutes/],
  ['550 5.1.1 <…>: Recipient address rejected: User unknown', /knows no such address/],
  ['550 5.7.1 relaying denied', /its own addresses alone/],
  ['554 5.7.1 Message rejected as spam', /SPF, DKIM/],
  ['SES answered TooManyRequestsException', /wait some minutes/],
  ['ECONNECTION: something new', /check SMTP_URL and MAIL_FROM/],
])('says what to do about %j', (words, cure) => {
  expect(whatToDo(words)).toMatch(cure);
});

it('does not call unsent what the server may have taken', async () => {
  const { url, drop } = await smtp({
    onData(stream) {
      stream.resume();
      stream.on('end', () => drop());
    },
  });
  const { error } = await run({ SMTP_URL: url });
  expect(error).toMatchObject({ code: 'Mail.Uncertain' });
  expect((error as Error).message).toMatch(/nobody knows whether it was sent/);
});

it('says that a mail server is not there', async () => {
  const { error } = await run({ SMTP_URL: 'smtp://127.0.0.1:9' });
  expect(error).toMatchObject({ code: 'Mail.Transient' });
  expect((error as Error).message).toMatch(/not sent: put off: .*ECONNREFUSED/);
});

it('works with the mailbox too', async () => {
  const { hops, lines, error } = await run({});
  expect(error).toBeUndefined();
  expect(hops).toEqual([...HOPS, 'sent', 'removed']);
  expect(lines.find((line) => line.startsWith('sent'))).toMatch(/kept as mail 1/);
});
