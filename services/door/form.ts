import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import { type Call, retrySecondsOf } from '../../shared/http.ts';
import { parse } from '../../shared/parse.ts';
import type { CommentForm, Draft } from '../widget/comment-form.ts';
import { fieldOf } from '../widget/format.ts';
import type { PageSpeech } from '../widget/page-words.ts';
import type { Door } from './door.ts';
import { clientOf, Submission } from './submit.ts';

/** The fields of the form without scripts, as browsers send them. How long each may be, `Submission` says. */
export const Fields = z.object({
  name: z.string().default(''),
  email: z.string().default(''),
  url: z.string().default(''),
  body: z.string().default(''),
  notify: z.string().optional(),
  preview: z.string().optional(),
  /** When the form was shown, signed. */
  shown: z.string().optional(),
  /** People do not see it. */
  trap: z.string().default(''),
});
export type Fields = z.infer<typeof Fields>;

/**
 * A form needs no preflight, as JSON does: that the page was ours the browser itself has to say (Fetch Metadata; else the
 * origin). Who says neither is no browser.
 */
export function assertOwnPage({ header, url }: Pick<Call, 'header' | 'url'>, publicUrl: string): void {
  const from = header('sec-fetch-site');
  const origin = header('origin');
  const ours = from
    ? from === 'same-origin' || from === 'none'
    : origin === undefined ||
      origin === new URL(publicUrl).origin ||
      (URL.canParse(origin) && new URL(origin).host === url.host);
  if (ours) return;
  throw new SluiceError('Request.Foreign', 'this form was sent from a page that is not ours', {
    hint: 'open the page of the thread itself, and send it from there',
  });
}

/** To the second: pages are made anew for each reader, and need not differ more than that. */
export function shownNow({ ports: { clock, vault } }: Door, site: string): string {
  const at = Math.floor(clock.now() / 1000);
  return `${at}.${vault.sign('form', `${site}\n${at}`)}`;
}

function shownAt({ ports: { vault } }: Door, site: string, shown = ''): number | undefined {
  const [at = '', signature = ''] = shown.split('.');
  return vault.verify('form', `${site}\n${at}`, signature) ? Number(at) * 1000 : undefined;
}

export const draftOf = ({ name, email, url, body, notify }: Fields): Draft => ({
  name,
  email,
  url,
  body,
  notify: notify !== undefined,
});

/**
 * A form as a call of the API. Its Idempotency-Key is made of what was sent, by whom, from which page: pressing twice is one
 * comment, and so is going back and sending the same again.
 */
export function submissionOf(
  door: Door,
  call: Call,
  fields: Fields,
  { site, lang, reply }: { site: string; lang: string; reply?: string | undefined },
): Call {
  const { ports } = door;
  const { name, email, url, body, notify, trap } = fields;
  const at = shownAt(door, site, fields.shown);
  const submission = parse(
    Submission,
    {
      author: { name, email, url },
      // Forms send line ends as CRLF; what was typed has none.
      body: body.replaceAll('\r\n', '\n'),
      ...(reply && { parentId: reply }),
      notifyReplies: notify !== undefined,
      lang,
      form: { hp: trap.slice(0, 1000), ...(at !== undefined && { t: Math.max(0, ports.clock.now() - at) }) },
    },
    'Request.Invalid',
  );
  const { form: _form, ...content } = submission;
  const key =
    at === undefined
      ? undefined
      : createHash('sha256')
          .update(JSON.stringify([at, clientOf(ports, call.client).key, call.params.thread, content]))
          .digest('base64url');
  const header = (wanted: string) =>
    wanted === 'idempotency-key' ? key : wanted === 'authorization' ? undefined : call.header(wanted);
  return { ...call, header, body: submission as never };
}

const FIELDS = new Set(['name', 'email', 'url', 'body']);

/** What a refusal says in the form. What has no words of its own stays as the API says it. */
export function faultsOf(
  error: SluiceError | undefined,
  { say, fault }: PageSpeech,
): Pick<CommentForm, 'faults' | 'notice'> {
  if (error?.code === 'Thread.Closed') return { notice: say('closed') };
  if (error?.code === 'Request.TooMany') return { notice: say('slow', { n: retrySecondsOf(error) }) };
  if (!error?.fields.length) return { notice: say('broken') };
  const faults: Record<string, string> = {};
  const rest: string[] = [];
  for (const { pointer, detail, kind, most } of error.fields) {
    const field = fieldOf(pointer);
    const words = kind ? fault(kind, most) : detail;
    if (FIELDS.has(field)) faults[field] ??= words;
    else rest.push(words);
  }
  return { faults, ...(rest.length > 0 && { notice: rest.join(' ') }) };
}
