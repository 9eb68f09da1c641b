import { z } from 'zod';
import type { Call, Reply, Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { notificationsOf, UNCONFIRMED, type NotifyMessage } from '../../shared/store/notifications.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { readMailToken, type MailLink, type Scope } from './mail-links.ts';
import { page } from './page.ts';
import { escapeHtml, oneLine } from './render.ts';

/**
 * Any fields: RFC 8058, 3.2 lets a mailbox provider post `List-Unsubscribe=One-Click` as a form or as multipart, and what
 * counts is the token. Only our own page sends `choice`.
 */
const Form = z.record(z.string(), z.string());

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

  /** What a link is about, in words for a page, and as the store keeps it. */
  const matterOf = async (scope: Scope): Promise<{ scope: string; words: string } | undefined> => {
    if ('digestOf' in scope) {
      const name = await nameOf(scope.digestOf);
      return { scope: `${scope.digestOf}#`, words: `digests of what waits for review on ${name}` };
    }
    const comment = await store.get(scope.comment);
    if (!comment) return undefined;
    const title = (await sites.thread(comment.site, comment.thread))?.title ?? comment.page?.title;
    const name = await nameOf(comment.site);
    const words = `mail about this thread${title ? ` (“${oneLine(title, 120)}”)` : ''} on ${name}`;
    return { scope: `${comment.site}#${comment.thread}`, words };
  };

  const nameOf = async (site: string): Promise<string> => {
    try {
      return oneLine((await sites.rules(site)).site.name, 80);
    } catch {
      return site; // A site that is gone: the link still works.
    }
  };

  const unsubscribe = async ({ address, scope }: Unsubscription, choice: string | undefined): Promise<Reply> => {
    const matter = await matterOf(scope);
    // A thread that is gone cannot be told from others: then all mail ends rather than none.
    const all = choice === 'all' || !matter;
    if (choice === 'again') {
      await contacts.resubscribe(address, 'all');
      if (matter) await contacts.resubscribe(address, matter.scope);
      log.info('mail link: subscribed again');
      return page(200, { title: 'You get mail again', body: '<p>What you ended with this link is taken back.</p>' });
    }
    await contacts.unsubscribe(address, all ? 'all' : matter.scope);
    log.info({ all }, 'mail link: unsubscribed');
    const words = all ? 'any mail from here' : matter.words;
    const more = all ? '' : button('all', 'End all mail from here');
    return page(200, {
      title: 'You are unsubscribed',
      body: `<p>You no longer get ${escapeHtml(words)}.</p>${more}<p class="quiet">Was that a mistake?</p>${button('again', 'Send me mail again')}`,
    });
  };

  const confirm = async ({ address, contact }: Confirmation): Promise<Reply> => {
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
      title: 'Your address is confirmed',
      body: '<p>From now on you get mail when somebody replies to a comment for which you asked for it. Each mail has a link that ends it.</p>',
    });
  };

  return [
    {
      method: 'GET',
      path: '/v1/mail/confirm/:token',
      summary: 'Asks whether to confirm an address; does nothing',
      access: 'public',
      responses: html('A page that asks (HTML)'),
      async handle({ params }: Call<Caller>) {
        if (!linkOf('confirm', params.token)) return GONE;
        return page(200, {
          title: 'Confirm your address?',
          body: `<p>You will get mail when somebody replies to a comment for which you asked for it.</p>${button('', 'Confirm')}<p class="quiet">If you did not ask for this, close this page: the address is deleted by itself.</p>`,
        });
      },
    },
    {
      method: 'POST',
      path: '/v1/mail/confirm/:token',
      summary: 'Confirms an address (double opt-in)',
      access: 'public',
      form: true,
      body: Form,
      responses: html('Confirmed (HTML)'),
      async handle({ params }: Call<Caller>) {
        const link = linkOf('confirm', params.token);
        return link ? confirm(link) : GONE;
      },
    },
    {
      method: 'GET',
      path: '/v1/mail/unsubscribe/:token',
      summary: 'Asks which mail to end; does nothing',
      access: 'public',
      responses: html('A page that asks (HTML)'),
      async handle({ params }: Call<Caller>) {
        const link = linkOf('unsubscribe', params.token);
        if (!link) return GONE;
        const matter = await matterOf(link.scope);
        const choices = matter
          ? `<label><input type="radio" name="choice" value="thread" checked> ${escapeHtml(capital(matter.words))}</label><label><input type="radio" name="choice" value="all"> All mail from here</label>`
          : '<label><input type="radio" name="choice" value="all" checked> All mail from here</label>';
        return page(200, {
          title: 'Which mail do you want to end?',
          body: `<form method="post"><fieldset><legend>End</legend>${choices}</fieldset><button>Unsubscribe</button></form>`,
        });
      },
    },
    {
      method: 'POST',
      path: '/v1/mail/unsubscribe/:token',
      summary: 'Ends mail about a thread, or all (`choice=all`); one click by RFC 8058',
      access: 'public',
      form: true,
      body: Form,
      responses: html('Unsubscribed (HTML)'),
      async handle({ params, body }: Call<Caller>) {
        const link = linkOf('unsubscribe', params.token);
        return link ? unsubscribe(link, (body as z.infer<typeof Form>).choice) : GONE;
      },
    },
  ];
}

const html = (description: string) => ({
  200: { description },
  404: { description: 'A bad or expired link (HTML)' },
});

const GONE = page(404, {
  title: 'This link does not work',
  body: '<p>It is cut off, or too old: a link that confirms an address works for 7 days. Open it again from the mail itself; to be asked again, comment with “mail me replies” after 30 days.</p>',
});

/** A form of one button; without an action it posts to the page's own address. */
function button(choice: string, words: string): string {
  const field = choice ? `<input type="hidden" name="choice" value="${choice}">` : '';
  return `<form method="post">${field}<button>${escapeHtml(words)}</button></form>`;
}

const capital = (words: string) => words.charAt(0).toUpperCase() + words.slice(1);
