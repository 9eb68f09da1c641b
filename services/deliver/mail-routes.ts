import { z } from 'zod';
import type { Call, Reply, Route } from '../../shared/http.ts';
import { LANGUAGES, languageOf } from '../../shared/languages.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf, NEWS, REVIEW } from '../../shared/store/contacts.ts';
import { notificationsOf, UNCONFIRMED, type NotifyMessage } from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { readMailToken, type MailLink, type Scope } from './mail-links.ts';
import { page } from './page.ts';
import { escapeHtml, oneLine } from './render.ts';
import { speech, type Speech } from './words.ts';

/**
 * Any fields: RFC 8058, 3.2 lets a mailbox provider post `List-Unsubscribe=One-Click` as a form or as multipart, and what
 * counts is the token. Only our own page sends `choice`.
 */
const Form = z.record(z.string(), z.string());

/** The mail's own language. Mailbox providers may add parameters of theirs. */
export const Spoken = z.object({ lang: z.enum(LANGUAGES).optional().catch(undefined) });

/** The words for who follows a link: those of the mail, else those that the browser asks for. */
export function spokenBy({ query, header }: Pick<Call, 'query' | 'header'>): Speech {
  const { lang }: z.infer<typeof Spoken> = query;
  return speech(lang ?? languageOf(header('accept-language')));
}

type Unsubscription = MailLink & { kind: 'unsubscribe' };
type Confirmation = MailLink & { kind: 'confirm' };

/**
 * Where the links of mails lead: GET shows a page that asks and does nothing, so that scanners of mail decide nothing; POST
 * acts. Twice is once.
 */
export function mailRoutes<Caller>(
  ports: Pick<Ports, 'table' | 'vault' | 'clock' | 'queues' | 'log'>,
): readonly Route<Caller>[] {
  const { table, vault, clock, log } = ports;
  const contacts = contactsOf(table, vault, clock);
  const notifications = notificationsOf(table);
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);

  const linkOf = <Kind extends MailLink['kind']>(kind: Kind, token = ''): (MailLink & { kind: Kind }) | undefined => {
    const link = readMailToken(vault, token, clock.now());
    return link?.kind === kind ? (link as MailLink & { kind: Kind }) : undefined;
  };

  /** What a link is about beside all mail, in words for a page, and as the store keeps it. */
  const matterOf = async (scope: Scope, { say }: Speech): Promise<{ scope: string; words: string } | undefined> => {
    if ('digestOf' in scope) {
      const name = await nameOf(scope.digestOf);
      return { scope: `${scope.digestOf}#${REVIEW}`, words: `Mail about what waits for review on ${name}` };
    }
    if ('newsOf' in scope) {
      const name = await nameOf(scope.newsOf);
      return { scope: `${scope.newsOf}#${NEWS}`, words: `Digests of new comments on ${name}` };
    }
    if ('all' in scope) return undefined;
    const comment = await store.get(scope.comment);
    if (!comment) return undefined;
    const title = (await sites.thread(comment.site, comment.thread))?.title ?? comment.page?.title;
    const site = await nameOf(comment.site);
    const words = title
      ? say('endThread', { title: say('quote', { title: oneLine(title, 120) }), site })
      : say('endUntitled', { site });
    return { scope: `${comment.site}#${comment.thread}`, words };
  };

  const nameOf = async (site: string): Promise<string> => {
    try {
      return oneLine((await sites.rules(site)).site.name, 80);
    } catch {
      return site; // A site that is gone: the link still works.
    }
  };

  const unsubscribe = async (
    { address, scope }: Unsubscription,
    choice: string | undefined,
    speaks: Speech,
  ): Promise<Reply> => {
    const { say, html: words } = speaks;
    const matter = await matterOf(scope, speaks);
    // A thread that is gone cannot be told from others: then all mail ends rather than none.
    const all = choice === 'all' || !matter;
    if (choice === 'again') {
      await contacts.resubscribe(address, 'all');
      if (matter) await contacts.resubscribe(address, matter.scope);
      log.info('mail link: subscribed again');
      return page(200, { ...speaks, title: say('againTitle'), body: `<p>${words('againBody')}</p>` });
    }
    await contacts.unsubscribe(address, all ? 'all' : matter.scope);
    log.info({ all }, 'mail link: unsubscribed');
    const more = all ? '' : button('all', say('endAllToo'));
    const ended = words('endedBody', { what: all ? say('endAll') : matter.words });
    return page(200, {
      ...speaks,
      title: say('endedTitle'),
      body: `<p>${ended}</p>${more}<p class="quiet">${words('mistake')}</p>${button('again', say('again'))}`,
    });
  };

  const confirm = async ({ address, contact }: Confirmation, speaks: Speech): Promise<Reply> => {
    await contacts.confirm(address, contact);
    // What waited for this click; each record decides, so a second click sends nothing twice.
    for (const { commentId, recipient, site } of await contacts.waiting(address)) {
      const record = await notifications.get(commentId, recipient);
      const waits = record?.state === 'skipped' && record.why === UNCONFIRMED;
      const queued = waits ? await notifications.update(record, { state: 'queued', why: undefined }) : record;
      if (queued?.state === 'queued') {
        const message: NotifyMessage = { schema: 1, kind: queued.kind, commentId, recipient, site };
        await ports.queues.notify!.send(JSON.stringify(message));
      }
      await contacts.doneWaiting(address, commentId);
    }
    log.info('mail link: address confirmed');
    return page(200, {
      ...speaks,
      title: speaks.say('confirmedTitle'),
      body: `<p>${speaks.html('confirmedBody')}</p>`,
    });
  };

  return [
    {
      method: 'GET',
      path: '/v1/mail/confirm/:token',
      summary: 'Asks whether to confirm an address; does nothing',
      access: 'public',
      query: Spoken,
      responses: html('A page that asks (HTML)'),
      async handle(call: Call<Caller>) {
        const speaks = spokenBy(call);
        const { say, html: words } = speaks;
        if (!linkOf('confirm', call.params.token)) return gone(speaks);
        return page(200, {
          ...speaks,
          title: say('confirmTitle'),
          body: `<p>${words('confirmBody')}</p>${button('', say('confirmButton'))}<p class="quiet">${words('confirmIgnore')}</p>`,
        });
      },
    },
    {
      method: 'POST',
      path: '/v1/mail/confirm/:token',
      summary: 'Confirms an address (double opt-in)',
      access: 'public',
      form: true,
      query: Spoken,
      body: Form,
      responses: html('Confirmed (HTML)'),
      async handle(call: Call<Caller>) {
        const link = linkOf('confirm', call.params.token);
        return link ? confirm(link, spokenBy(call)) : gone(spokenBy(call));
      },
    },
    {
      method: 'GET',
      path: '/v1/mail/unsubscribe/:token',
      summary: 'Asks which mail to end; does nothing',
      access: 'public',
      query: Spoken,
      responses: html('A page that asks (HTML)'),
      async handle(call: Call<Caller>) {
        const speaks = spokenBy(call);
        const { say, html: words } = speaks;
        const link = linkOf('unsubscribe', call.params.token);
        if (!link) return gone(speaks);
        const matter = await matterOf(link.scope, speaks);
        const choice = (value: string, label: string, checked: boolean) =>
          `<label><input type="radio" name="choice" value="${value}"${checked ? ' checked' : ''}> ${escapeHtml(label)}</label>`;
        const choices = (matter ? choice('thread', matter.words, true) : '') + choice('all', say('endAll'), !matter);
        return page(200, {
          ...speaks,
          title: say('endTitle'),
          body: `<form method="post"><fieldset><legend class="unseen">${words('endTitle')}</legend>${choices}</fieldset><button>${words('endButton')}</button></form>`,
        });
      },
    },
    {
      method: 'POST',
      path: '/v1/mail/unsubscribe/:token',
      summary: 'Ends mail about a thread, or all (`choice=all`); one click by RFC 8058',
      access: 'public',
      form: true,
      query: Spoken,
      body: Form,
      responses: html('Unsubscribed (HTML)'),
      async handle(call: Call<Caller>) {
        const link = linkOf('unsubscribe', call.params.token);
        const { choice }: z.infer<typeof Form> = call.body;
        return link ? unsubscribe(link, choice, spokenBy(call)) : gone(spokenBy(call));
      },
    },
  ];
}

const html = (description: string) => ({
  200: { description },
  404: { description: 'A bad or expired link (HTML)' },
});

const gone = (speaks: Speech) =>
  page(404, { ...speaks, title: speaks.say('goneTitle'), body: `<p>${speaks.html('goneBody')}</p>` });

/** A form of one button; without an action it posts to the page's own address. */
function button(choice: string, words: string): string {
  const field = choice ? `<input type="hidden" name="choice" value="${choice}">` : '';
  return `<form method="post">${field}<button>${escapeHtml(words)}</button></form>`;
}
