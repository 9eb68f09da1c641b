import { z } from 'zod';
import { SluiceError } from '../../shared/errors.ts';
import type { Call, Reply, Route } from '../../shared/http.ts';
import { LANGUAGES, languageOf } from '../../shared/languages.ts';
import { messageIdOf, notificationsOf, type NotifyMessage } from '../../shared/store/notifications.ts';
import { DATA_HOURS } from '../deliver/compose.ts';
import { readMailToken, type MailLink } from '../deliver/mail-links.ts';
import { Spoken, spokenBy } from '../deliver/mail-routes.ts';
import { page } from '../deliver/page.ts';
import { oneLine } from '../deliver/render.ts';
import { speech, type Speech } from '../deliver/words.ts';
import { forgetEmail, ownExport } from '../import/forget.ts';
import type { Door } from './door.ts';
import { countAsked } from './limits.ts';
import { clientOf } from './submit.ts';

const DAY_S = 86_400;
/** So that nobody can make a site write to the whole world; what is over it is not sent on that day. */
const SITE_PER_DAY = 200;
const CLIENT_PER_MINUTE = 5;
/** Each reads every comment of the site. */
const ACTS_PER_HOUR = 20;

const Ask = z.object({
  email: z.string().trim().max(254),
  site: z.string().max(63),
  lang: z.enum(LANGUAGES).optional().catch(undefined),
});
const Act = z.object({ choice: z.enum(['export', 'forget']), sure: z.literal('yes').optional() });

type PersonLink = MailLink & { kind: 'person' };

/**
 * What a person may do alone with what a site keeps of them: ask for a link by mail, and with it take all of it or have it
 * erased. The mail is the proof; the page that asks for it says the same about every address.
 */
export function personRoutes({ ports, sites, contacts, rateLimit }: Door): Route[] {
  const { table, vault, clock, log, publicUrl } = ports;
  const notifications = notificationsOf(table);

  const ask = async ({ body, client, header }: Call): Promise<Reply> => {
    const { email, site: wanted, lang = languageOf(header('accept-language')) }: z.infer<typeof Ask> = body;
    const { say, html, ...as } = speech(lang);
    if (!/^[^@\s]+@[^@\s]+$/.test(email)) {
      throw new SluiceError('Request.Invalid', 'this is no e-mail address', {
        hint: 'go back and type it again',
        fields: [{ pointer: '/email', detail: 'an e-mail address' }],
      });
    }
    const { site } = await sites.rules(wanted);
    const hint = 'a link that came already still works';
    if (rateLimit) {
      const name = `person-${clientOf(ports, client).key}`;
      await countAsked(table, clock, name, { windowSeconds: 60, limit: CLIENT_PER_MINUTE, hint });
    }
    const day = Math.floor(clock.now() / 1000 / DAY_S);
    const sent = await table.increment(
      { pk: `S#${site.id}`, sk: `person-links#${day}` },
      { sent: 1 },
      { expiresAt: (day + 2) * DAY_S },
    );
    if (Number(sent.sent) <= SITE_PER_DAY) {
      const contact = await contacts.exchange({ email, lang });
      // By day: whoever asks again on the same day gets no other mail.
      const ref = { commentId: `person:${site.id}:${day}`, recipient: `person:${contact}` };
      const messageId = messageIdOf(publicUrl, ref);
      const record = { ...ref, kind: 'person', state: 'queued', messageId, at: clock.now(), tries: 0 } as const;
      if (await notifications.claim({ ...record, version: 1, expiresAt: (day + 3) * DAY_S })) {
        const message: NotifyMessage = { schema: 1, kind: 'person', ...ref, site: site.id };
        await ports.queues.notify!.send(JSON.stringify(message));
      }
    } else log.warn({ site: site.id }, 'too many links to own data for one day');
    return page(202, { ...as, title: say('askedTitle'), body: `<p>${html('askedBody', { n: DATA_HOURS })}</p>` });
  };

  /** The link and the address that it was mailed to; undefined when it is over, or the address is forgotten. */
  const personOf = async (token = ''): Promise<{ link: PersonLink; email: string; name: string } | undefined> => {
    const link = readMailToken(vault, token, clock.now());
    if (link?.kind !== 'person') return undefined;
    const known = await contacts.email(link.contact);
    if (known?.emailHash !== link.address) return undefined;
    const { site } = await sites.rules(link.site);
    return { link, email: known.email, name: oneLine(site.name, 80) };
  };

  const offer = async (call: Call): Promise<Reply> => {
    const speaks = spokenBy(call);
    const { say, html } = speaks;
    const person = await personOf(call.params.token);
    if (!person) return gone(speaks);
    return page(200, {
      ...speaks,
      title: say('dataSubject', { site: person.name }),
      body: `<p>${html('dataBody')}</p>
<h2>${html('exportTitle')}</h2><p>${html('exportBody')}</p>
<form method="post"><input type="hidden" name="choice" value="export"><button>${html('exportButton')}</button></form>
<h2>${html('forgetTitle')}</h2><p>${html('forgetBody')}</p>
<form method="post"><input type="hidden" name="choice" value="forget"><label><input type="checkbox" name="sure" value="yes" required> ${html('sure')}</label><button>${html('forgetButton')}</button></form>`,
    });
  };

  const act = async (call: Call): Promise<Reply> => {
    const speaks = spokenBy(call);
    const { choice, sure }: z.infer<typeof Act> = call.body;
    const person = await personOf(call.params.token);
    if (!person) return gone(speaks);
    const { link, email } = person;
    if (rateLimit) {
      const hint = 'what was asked for is done or under way';
      const limits = { windowSeconds: 3600, limit: ACTS_PER_HOUR, hint };
      await countAsked(table, clock, `person-act-${link.address}`, limits);
    }
    if (choice === 'export') {
      const text = JSON.stringify(await ownExport(ports, email, link.site), null, 2);
      log.info({ site: link.site }, 'a person took their data');
      return {
        status: 200,
        raw: { type: 'application/json', text },
        headers: {
          'content-disposition': `attachment; filename="${link.site}.json"`,
          'cache-control': 'no-store',
          'referrer-policy': 'no-referrer',
        },
      };
    }
    if (sure !== 'yes') {
      throw new SluiceError('Request.Invalid', 'nothing was erased: the box is not ticked', {
        hint: 'go back and tick it',
        fields: [{ pointer: '/sure', detail: 'tick the box' }],
      });
    }
    const onErased = ports.forgetTexts;
    const { comments } = await forgetEmail(ports, email, { site: link.site, ...(onErased && { onErased }) });
    log.info({ site: link.site, comments: comments.length }, 'a person had their data erased');
    const { say, html } = speaks;
    const body = `<p>${html('forgottenBody', { n: comments.length })}</p>`;
    return page(200, { ...speaks, title: say('forgottenTitle'), body });
  };

  return [
    {
      method: 'POST',
      path: '/v1/mail/persons',
      summary: 'Mails a link to what a site keeps of an address; the answer is the same for every address',
      access: 'public',
      form: true,
      body: Ask,
      responses: { 202: { description: 'Taken (HTML)' } },
      handle: ask,
    },
    {
      method: 'GET',
      path: '/v1/mail/persons/:token',
      summary: 'Offers to take one’s data or to have it erased; does nothing',
      access: 'public',
      query: Spoken,
      responses: { 200: { description: 'A page that asks (HTML)' }, 404: { description: 'A bad or old link (HTML)' } },
      handle: offer,
    },
    {
      method: 'POST',
      path: '/v1/mail/persons/:token',
      summary: 'Gives a person what a site keeps of them (`choice=export`), or erases it (`choice=forget`, `sure=yes`)',
      access: 'public',
      form: true,
      query: Spoken,
      body: Act,
      responses: {
        200: { description: 'A JSON file, or that it is erased (HTML)' },
        404: { description: 'A bad or old link (HTML)' },
      },
      handle: act,
    },
  ];
}

const gone = ({ say, html, ...as }: Speech): Reply =>
  page(404, { ...as, title: say('goneTitle'), body: `<p>${html('goneData', { n: DATA_HOURS })}</p>` });
