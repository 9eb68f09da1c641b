import { z } from 'zod';
import type { Comment } from '../../shared/comment.ts';
import type { Reply, Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { contactsOf } from '../../shared/store/contacts.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { usersOf } from '../../shared/store/users.ts';
import { readMailToken } from '../deliver/mail-links.ts';
import { page } from '../deliver/page.ts';
import { escapeHtml, oneLine } from '../deliver/render.ts';
import { adminAddresses } from '../remind/admins.ts';
import type { Changes } from './changes.ts';
import { decide } from './decide.ts';
import type { Moderator } from './moderator.ts';
import { shownRevision } from './row.ts';

const ACTIONS = { publish: 'Publish', reject: 'Reject', spam: 'Mark as spam' } as const;
const MailedAction = z.enum(['publish', 'reject', 'spam']);
const Asked = z.strictObject({ do: MailedAction.optional() });
const Decided = z.strictObject({ action: MailedAction });

const PATH = '/v1/moderation/mail/:token';

/**
 * Where the links of a moderators' digest lead: GET shows the comment and asks, so that scanners of mail decide nothing; POST
 * decides, under the name of whom the mail went to, and only the version that they were mailed.
 */
export function mailDecisionRoutes(ports: Ports, changes: Changes): Route<Moderator>[] {
  const { table, clock, vault, publicUrl, log } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  const users = usersOf(table, clock);
  const contacts = contactsOf(table, vault, clock);

  /** Undefined for a link that no longer counts: too old, or of somebody who moderates no more. */
  const open = async (token = '') => {
    const link = readMailToken(vault, token, clock.now());
    if (link?.kind !== 'decide') return undefined;
    const comment = await store.get(link.comment);
    if (!comment || comment.status === 'erased') return undefined;
    const { site } = await sites.rules(comment.site);
    const addresses = [...site.moderatorEmails, ...(await adminAddresses(users, site.id))];
    const name = addresses.find((email) => contacts.hashOf(email) === link.address);
    if (name === undefined || (await users.get(name))?.disabled) return undefined;
    return { comment, name, version: link.version, site };
  };
  const desk = `<p><a href="${publicUrl}/moderate">Open the desk</a></p>`;
  const GONE = page(404, {
    title: 'This link does not work',
    body: `<p>It is cut off, older than a week, or about a comment that is gone.</p>${desk}`,
  });

  const overtaken = (comment: Comment): Reply => {
    const by = comment.decidedBy?.replace(/^user:/, '');
    const what = comment.status === 'held' ? 'It was changed and waits again' : `It is ${comment.status} by now`;
    return page(409, {
      title: 'Something happened since that mail',
      body: `<p>${what}${by === undefined ? '' : `, by ${escapeHtml(by)}`}. Nothing was decided with this link.</p>${desk}`,
    });
  };

  return [
    {
      method: 'GET',
      path: PATH,
      summary: 'Shows a moderator the comment of a mailed link, and asks; does nothing',
      access: 'public',
      query: Asked,
      responses: { 200: { description: 'A page that asks (HTML)' } },
      async handle({ params, query }) {
        const { do: wanted = 'publish' }: z.infer<typeof Asked> = query;
        const opened = await open(params.token);
        if (!opened) return GONE;
        const { comment, site, version } = opened;
        if (comment.version !== version) return overtaken(comment);
        const text = await store.revision(comment.id, shownRevision(comment));
        const [judged] = await store.judged([comment]);
        const reasons = (judged?.judgement?.signals ?? []).slice(0, 3);
        const others = MailedAction.options.filter((action) => action !== wanted);
        return page(200, {
          title: `${ACTIONS[wanted]}?`,
          body: [
            `<p><strong>${escapeHtml(oneLine(comment.author.name, 80))}</strong> wrote on ${escapeHtml(oneLine(site.name, 80))}:</p>`,
            `<pre>${escapeHtml(text?.body ?? comment.excerpt)}</pre>`,
            reasons.length > 0
              ? `<ul>${reasons.map(({ words }) => `<li>${escapeHtml(oneLine(words, 200))}</li>`).join('')}</ul>`
              : '',
            `<form method="post"><button name="action" value="${wanted}">${ACTIONS[wanted]}</button></form>`,
            `<form method="post"><p class="quiet">Or: ${others.map((action) => `<button class="other" name="action" value="${action}">${ACTIONS[action]}</button>`).join(' ')}</p></form>`,
            desk,
          ].join(''),
        });
      },
    },
    {
      method: 'POST',
      path: PATH,
      summary: 'Decides the comment of a mailed link, in the version that was mailed',
      access: 'public',
      form: true,
      body: Decided,
      responses: { 200: { description: 'Decided (HTML)' }, 409: { description: 'What happened since (HTML)' } },
      async handle({ params, body }) {
        const { action }: z.infer<typeof Decided> = body;
        const opened = await open(params.token);
        if (!opened) return GONE;
        const { comment, name, version } = opened;
        const result = await decide(ports, name, { id: comment.id, version, action });
        if (result.result === 'done') {
          const { status, version: now = version } = result;
          const about = { site: comment.site, commentId: comment.id, by: name };
          changes.push({ ...about, type: 'decided', version: now, ...(status && { status }) });
          log.info({ commentId: comment.id, action }, 'decided by a mailed link');
        }
        if (result.result !== 'done' && result.result !== 'unchanged')
          return overtaken(await store.mustGet(comment.id));
        return page(200, {
          title: `Done: ${result.status}`,
          body: `<p>The decision stands under your name. It can be undone at the desk.</p>${desk}`,
        });
      },
    },
  ];
}
