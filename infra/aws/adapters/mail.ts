import { SendEmailCommand, type SESv2Client } from '@aws-sdk/client-sesv2';
import { SluiceError } from '../../../shared/errors.ts';
import type { Mail, MailMessage } from '../../../shared/ports.ts';
import { isPassing, isUnanswered, nameOf } from './faults.ts';

/**
 * What changes by waiting: rates, a paused account, an address of ours that is not verified yet.
 * https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
 */
const LATER = new Set([
  'AccountSuspendedException',
  'LimitExceededException',
  'MailFromDomainNotVerifiedException',
  'SendingPausedException',
  'TooManyRequestsException',
]);

/** Set by SES itself: a message that names them is refused. */
const OWN_HEADERS = new Set(['message-id', 'date', 'return-path', 'from', 'to', 'subject', 'sender', 'bounce-to']);

/**
 * Amazon SES.
 *
 * The client sends each message once (`maxAttempts: 1`): SES knows no idempotency token, so a request whose answer was
 * lost is `Mail.Uncertain`, and the caller decides. SES replaces `Message-ID`; ours travels as `X-Sluice-Message`.
 * https://docs.aws.amazon.com/ses/latest/dg/header-fields.html
 */
export function sesMail(
  client: SESv2Client,
  { configurationSet }: { configurationSet?: string | undefined } = {},
): Mail {
  return {
    async send(message) {
      try {
        const { MessageId } = await client.send(
          new SendEmailCommand({
            ...(configurationSet && { ConfigurationSetName: configurationSet }),
            FromEmailAddress: `${quoted(message.from.name)} <${message.from.address}>`,
            Destination: { ToAddresses: [message.to] },
            Content: {
              Simple: {
                Subject: { Data: message.subject, Charset: 'UTF-8' },
                Body: {
                  Text: { Data: message.text, Charset: 'UTF-8' },
                  Html: { Data: message.html, Charset: 'UTF-8' },
                },
                Headers: headersOf(message),
              },
            },
          }),
        );
        return { response: `SES took it as ${MessageId}` };
      } catch (cause) {
        throw faultOfMail(cause);
      }
    },
  };
}

/** RFC 8058 asks for both headers; SES signs them with the rest. */
function headersOf({ messageId, unsubscribeUrl, headers = {} }: MailMessage) {
  const all = {
    ...Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()))),
    'X-Sluice-Message': messageId,
    ...(unsubscribeUrl && {
      'List-Unsubscribe': `<${unsubscribeUrl}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    }),
  };
  return Object.entries(all).map(([Name, Value]) => ({ Name, Value }));
}

/** A display name (RFC 5322 quoted string, RFC 2047 where it is not ASCII) that cannot break out into other headers. */
function quoted(name: string): string {
  const plain = name.replaceAll(/\p{Cc}+/gu, ' ').trim();
  return /^[ -~]*$/.test(plain) ? `"${plain.replaceAll(/["\\]/g, '\\$&')}"` : encodedWords(plain);
}

/** A word has at most 75 characters, and ends between characters; the spaces between words are not read (RFC 2047, 2 and 5). */
function encodedWords(text: string): string {
  const words = [''];
  for (const character of text) {
    const longer = words.at(-1) + character;
    if (Buffer.byteLength(longer) > 45) words.push(character);
    else words[words.length - 1] = longer;
  }
  return words.map((word) => `=?UTF-8?B?${Buffer.from(word).toString('base64')}?=`).join(' ');
}

function faultOfMail(cause: unknown): SluiceError {
  const name = nameOf(cause);
  if (isUnanswered(cause) && !neverLeft(cause)) {
    return new SluiceError('Mail.Uncertain', `SES gave no answer: ${name}`, {
      hint: 'SES may have taken it: look for its X-Sluice-Message before sending again',
      cause,
    });
  }
  if (LATER.has(name) || isPassing(cause)) {
    return new SluiceError('Mail.Transient', `SES answered ${name}`, { hint: 'send it again later', cause });
  }
  return new SluiceError('Mail.Refused', `SES refused the message: ${name}`, {
    hint: 'check the sender’s verification, the sandbox and the suppression list in the SES console',
    cause,
  });
}

/** The connection never came about, so nothing was sent. */
const neverLeft = (cause: unknown) =>
  ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'].includes((cause as { code?: string }).code ?? '');
