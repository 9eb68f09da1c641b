import type { Transporter } from 'nodemailer';
import type { Logger } from 'pino';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Call, Reply, Route } from '../../shared/http.ts';
import type { Clock, Mail, MailMessage, Ports, Table } from '../../shared/ports.ts';
import { pad, strip } from '../../shared/store/keys.ts';
import { page } from '../../services/deliver/page.ts';
import { escapeHtml, oneLine } from '../../services/deliver/render.ts';

/** The headers beside From, To, Subject and Date, as every adapter sends them. */
export function wireHeaders({ unsubscribeUrl, headers }: MailMessage): Record<string, string> {
  return {
    ...headers,
    // RFC 2369, 3.2 and RFC 8058, 3.1. The signature that covers them (DKIM) is the mail server's.
    ...(unsubscribeUrl && {
      'List-Unsubscribe': `<${unsubscribeUrl}>`,
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
    }),
  };
}

const CONNECT_MS = 5000;
const ANSWER_MS = 10_000;
const CONNECTIONS = 5;

/** The mail of one machine: by SMTP when a server is set, else into the mailbox. */
export function localMail(
  settings: { SMTP_URL?: string | undefined; MAIL_FROM?: string | undefined },
  table: Table,
  log: Logger,
): Mail & { close(): void } {
  const { SMTP_URL: url, MAIL_FROM: from } = settings;
  if (url !== undefined) return smtpMail({ url, log, ...(from !== undefined && { from }) });
  return { ...mailboxMail({ table, clock: { now: Date.now } }), close() {} };
}

/** Kept open between mails; end it with the process. */
export type SmtpMail = Mail & { close(): void };

/**
 * Mail by SMTP (RFC 5321), over a few connections that are kept.
 *
 * What the server answers decides: 4yz is `Mail.Transient`, 5yz to recipient or message `Mail.Refused`. Without an answer it
 * depends on whether the message had begun to go out: before, nothing was sent (`Mail.Transient`); after, nobody knows
 * (`Mail.Uncertain`). What the operator has to mend (sign-in, sender, TLS, name of the host) is `Mail.Transient` too: it
 * says nothing of the message, and must not cost it.
 *
 * @param url `smtp://user:password@host:587`, `smtps://…`
 * @param from the sender's address; default `?from=` of the URL, else its user name where that is an address, else the message's
 * @param answerMs how long the server may keep silent, default 10,000
 */
export function smtpMail({
  url,
  log,
  from,
  answerMs = ANSWER_MS,
}: {
  url: string;
  log: Logger;
  from?: string;
  answerMs?: number;
}): SmtpMail {
  const { server, sender: named } = settingsOf(url);
  const sender = from ?? named;
  let opened: Promise<Transporter> | undefined;

  return {
    async send(message) {
      const watch: Watch = { began: () => false };
      try {
        const transport = await (opened ??= openTransport(server, answerMs));
        const info = await transport.sendMail({
          messageId: message.messageId,
          from: { name: message.from.name, address: sender ?? message.from.address },
          to: { name: '', address: message.to },
          subject: message.subject,
          text: message.text,
          html: message.html,
          headers: unfolded(wireHeaders(message)),
          watch,
        } as Parameters<Transporter['sendMail']>[0]);
        return { response: masked((info as { response?: string }).response ?? '') };
      } catch (error) {
        const fault = faultOf(error as SmtpError, watch.began());
        log.warn({ code: fault.code, words: fault.message }, 'smtp');
        throw fault;
      }
    },
    close() {
      void opened?.then((transport) => transport.close());
    },
  };
}

/** Loads the library with the first mail: a start need not wait for it. */
async function openTransport(url: string, answerMs: number): Promise<Transporter> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS,
    maxMessages: 100,
    // A connection that dies before a byte of the message is replaced this often without telling us.
    maxRequeues: 1,
    dnsTimeout: CONNECT_MS,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: Math.min(CONNECT_MS, answerMs),
    socketTimeout: answerMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0]);
  // The library's stream of the message tells whether the server got to see any of it.
  transport.use('stream', (mail, done) => {
    const original = mail.message.createReadStream.bind(mail.message);
    const streams: { readableDidRead: boolean }[] = [];
    mail.message.createReadStream = (...options) => {
      const stream = original(...options);
      streams.push(stream);
      return stream;
    };
    (mail.data as unknown as { watch: Watch }).watch.began = () =>
      streams.some(({ readableDidRead }) => readableDidRead);
    done();
  });
  return transport;
}

/**
 * A link in a header on one line: folded right after the name, as the library would, some readers miss it. Ids of messages it
 * takes apart itself, and knows as text alone.
 */
function unfolded(
  headers: Record<string, string>,
): Record<string, string | { prepared: true; foldLines: false; value: string }> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const line = oneLine(value, 900);
      return [name, name === 'References' ? line : { prepared: true, foldLines: false, value: line }];
    }),
  );
}

/** Travels with a mail through the library, to the plugin and back. */
type Watch = { began: () => boolean };

type SmtpError = Error & { code?: string; command?: string; responseCode?: number; response?: string };

/** What an error of the library means for the message. */
export function faultOf(error: SmtpError, began: boolean): SluiceError {
  const { code = '', command = '', responseCode, response } = error;
  const words = masked(response ?? `${code}: ${error.message}`);
  const fault = (is: 'Mail.Transient' | 'Mail.Refused' | 'Mail.Uncertain', hint: string) =>
    new SluiceError(is, words, { hint, cause: code });
  if (responseCode !== undefined && responseCode >= 400) {
    // RFC 4954, 6: sign-in. It and the sender's address are the operator's to mend, whatever the digit.
    const ours = code === 'EAUTH' || command === 'MAIL FROM' || [530, 534, 535, 538].includes(responseCode);
    const aboutMessage = command === 'RCPT TO' || command === 'DATA';
    if (responseCode >= 500 && aboutMessage && !ours) return fault('Mail.Refused', 'the server will not take it');
    return fault('Mail.Transient', ours ? 'check SMTP_URL: user, password, from' : 'it is tried again');
  }
  if (began) return fault('Mail.Uncertain', 'the server may have taken it: it is tried once more');
  // The library itself refuses what cannot be an envelope or is over the server's size.
  if (code === 'EENVELOPE' || code === 'EMESSAGE')
    return fault('Mail.Refused', 'the address or the size is not possible');
  return fault('Mail.Transient', 'check SMTP_URL and the server; it is tried again');
}

/** Server's words without addresses: they reach logs and the desk. */
function masked(words: string): string {
  return oneLine(words.replaceAll(/<?[^\s<>"']+@[^\s<>"']+>?/g, '<…>'), 300);
}

function settingsOf(url: string): { server: string; sender?: string } {
  if (!URL.canParse(url) || !/^smtps?:$/.test(new URL(url).protocol)) {
    throw new SluiceError('Config.Invalid', 'SMTP_URL is no smtp:// or smtps:// address', {
      hint: 'SMTP_URL=smtp://user:password@host:587',
    });
  }
  const read = new URL(url);
  const user = decodeURIComponent(read.username);
  const sender = read.searchParams.get('from') ?? (user.includes('@') ? user : undefined);
  read.searchParams.delete('from');
  return { server: read.href, ...(sender !== undefined && { sender }) };
}

/** As many mails as the mailbox keeps. */
export const MAILBOX_KEEPS = 500;

export type KeptMail = { number: number; at: number; message: MailMessage };

const BOX = 'MAILBOX';

/** Mail that goes nowhere: kept for the page, newest 500. For an instance without a mail server. */
export function mailboxMail({ table, clock }: { table: Table; clock: Clock }): Mail {
  return {
    async send(message) {
      const { number = 0 } = await table.increment({ pk: `${BOX}#count`, sk: 'count' }, { number: 1 });
      const kept: KeptMail = { number, at: clock.now(), message };
      await table.write([
        { put: { pk: BOX, sk: pad(number), ...kept } },
        ...(number > MAILBOX_KEEPS ? [{ delete: { pk: BOX, sk: pad(number - MAILBOX_KEEPS) } }] : []),
      ]);
      return { response: `250 2.0.0 kept as mail ${number}` };
    },
  };
}

const ListQuery = z.strictObject({ before: z.coerce.number().int().min(1).optional() });
const PAGE = 50;

/** `/mailbox` and one mail of it. The access is `admin`: mail holds addresses and the links that act for them. */
export function mailboxRoutes<Caller>({ table }: Pick<Ports, 'table'>): readonly Route<Caller>[] {
  const responses = { 200: { description: 'A page (HTML)' } };
  return [
    {
      method: 'GET',
      path: '/mailbox',
      summary: 'What was sent, newest first',
      access: 'admin',
      query: ListQuery,
      responses,
      async handle({ query }: Call<Caller>) {
        const { before } = query as z.infer<typeof ListQuery>;
        const { items } = await table.query({
          pk: BOX,
          order: 'descending',
          limit: PAGE + 1,
          ...(before !== undefined && { to: pad(before - 1) }),
        });
        return renderMailbox(
          items.slice(0, PAGE).map((item) => strip<KeptMail>(item)),
          items.length > PAGE,
        );
      },
    },
    {
      method: 'GET',
      path: '/mailbox/:number',
      summary: 'One mail: its headers, its HTML and its text',
      access: 'admin',
      responses: { ...responses, 404: { description: 'No such mail (HTML)' } },
      async handle({ params }: Call<Caller>) {
        const number = /^\d{1,12}$/.test(params.number ?? '') ? Number(params.number) : 0;
        const item = await table.get({ pk: BOX, sk: pad(number) });
        return item ? renderMail(strip<KeptMail>(item)) : page(404, NO_MAIL);
      },
    },
  ];
}

const NO_MAIL = {
  title: 'There is no such mail',
  body: `<p>The mailbox keeps the newest ${MAILBOX_KEEPS}. <a href="/mailbox">All mails</a></p>`,
};

/** @param older there are mails before the last of these */
export function renderMailbox(mails: readonly KeptMail[], older: boolean): Reply {
  const last = mails.at(-1);
  const rows = mails
    .map(
      ({ number, at, message }) =>
        `<li><a href="/mailbox/${number}">${escapeHtml(message.subject)}</a><br><span class="quiet">to ${escapeHtml(message.to)}, ${time(at)}</span></li>`,
    )
    .join('\n');
  const body =
    mails.length === 0
      ? '<p>Nothing was sent yet. Without SMTP_URL, mail is kept here instead of being sent.</p>'
      : `<p class="quiet">No mail server is set (SMTP_URL): mail is kept here instead of being sent.</p><ol class="mails">${rows}</ol>`;
  const more = older && last ? `<p><a href="/mailbox?before=${last.number}">Older mails</a></p>` : '';
  return page(200, { title: 'Mailbox', body: body + more, wide: true });
}

/** The HTML part stands in a frame of its own without scripts, forms or the page's origin; its links open beside it. */
export function renderMail({ at, message }: KeptMail): Reply {
  const headers = {
    From: `${message.from.name} <${message.from.address}>`,
    To: message.to,
    Date: new Date(at).toUTCString(),
    'Message-ID': message.messageId,
    ...wireHeaders(message),
  };
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const head = `<meta http-equiv="Content-Security-Policy" content="${policy}"><base target="_blank">`;
  const html = /<head>/i.test(message.html) ? message.html.replace(/<head>/i, `<head>${head}`) : head + message.html;
  const list = Object.entries(headers)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('');
  return page(200, {
    title: message.subject,
    wide: true,
    frames: true,
    body: `<p class="quiet">to ${escapeHtml(message.to)}, ${time(at)} · <a href="/mailbox">All mails</a></p>
<h2>HTML</h2><iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="${escapeHtml(html)}"></iframe>
<h2>Text</h2><pre>${escapeHtml(message.text)}</pre>
<h2>Headers</h2><dl>${list}</dl>`,
  });
}

const time = (at: number) => `<time datetime="${new Date(at).toISOString()}">${new Date(at).toUTCString()}</time>`;
