import { expect, it } from 'vitest';
import { bouncesOf } from './bounces.ts';

const report = (type: string, fields: string) =>
  [
    'From: MAILER-DAEMON@mail.example',
    `Content-Type: multipart/report; report-type=${type}; boundary="b"`,
    '',
    '--b',
    'Content-Type: text/plain',
    '',
    'Final-Recipient: rfc822; not-this@people.example',
    'Action: failed',
    'Status: 5.1.1',
    '',
    '--b',
    `Content-Type: message/${type}`,
    '',
    fields,
    '',
    '--b',
    'Content-Type: message/rfc822',
    '',
    'To: nobody@people.example',
    '--b--',
    '',
  ].join('\r\n');

const failed = (address: string, status = '5.1.1', action = 'failed') =>
  `Final-Recipient: rfc822; ${address}\r\nAction: ${action}\r\nStatus: ${status}`;

it.each([
  [
    'a failure for good',
    report('delivery-status', `Reporting-MTA: dns; mail\r\n\r\n${failed('Ada@people.example')}`),
    [['Ada@people.example', 'bounced']],
  ],
  [
    'two of them',
    report('delivery-status', `${failed('a@b.example')}\r\n\r\n${failed('c@d.example')}`),
    [
      ['a@b.example', 'bounced'],
      ['c@d.example', 'bounced'],
    ],
  ],
  ['a delay', report('delivery-status', failed('a@b.example', '4.4.1', 'delayed')), []],
  ['what was refused for our reputation', report('delivery-status', failed('a@b.example', '5.7.1')), []],
  ['a mailbox that is full for good', report('delivery-status', failed('a@b.example', '5.2.2')), []],
  [
    'Exim, which has one status for all',
    report(
      'delivery-status',
      [
        `${failed('a@b.example', '5.0.0')}\r\nDiagnostic-Code: smtp; 550 5.1.1 <a@b.example>: no such user`,
        `${failed('c@d.example', '5.0.0')}\r\nDiagnostic-Code: smtp; 554 5.7.1 listed at a blocklist`,
      ].join('\r\n\r\n'),
    ),
    [['a@b.example', 'bounced']],
  ],
  ['a full mailbox', report('delivery-status', failed('a@b.example', '4.2.2')), []],
  [
    'the address that we wrote to',
    report('delivery-status', `Original-Recipient: rfc822;<a@b.example>\r\n${failed('moved@d.example')}`),
    [['a@b.example', 'bounced']],
  ],
  [
    'a complaint',
    report('feedback-report', 'Feedback-Type: abuse\r\nOriginal-Rcpt-To: <a@b.example>'),
    [['a@b.example', 'complained']],
  ],
  [
    'an answer by a person',
    'Subject: Re: Hello\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\nStatus: 5.1.1',
    [],
  ],
])('reads %s', (_what, message, expected) => {
  expect(bouncesOf(message).map(({ email, why }) => [email, why])).toEqual(expected);
});

it('takes no long time for a message that is no report', () => {
  const began = performance.now();
  bouncesOf('Content-Type: message/delivery-status\n'.repeat(100_000));
  bouncesOf(`Content-Type: message/delivery-status\n\n${'\n '.repeat(200_000)}`);
  expect(performance.now() - began).toBeLessThan(2000);
});
