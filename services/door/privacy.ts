import type { Reply } from '../../shared/http.ts';
import { DEFAULT_POLICY, type Policy } from '../../shared/policy.ts';
import { CONFIRMATION_S, CONFIRMED_S, UNCONFIRMED_S } from '../../shared/store/contacts.ts';
import { NAME_S } from '../../shared/store/names.ts';
import { REPORTER_S } from '../../shared/store/reporters.ts';
import type { Rules, Site } from '../../shared/store/sites.ts';
import { page } from '../deliver/page.ts';
import { escapeHtml } from '../deliver/render.ts';
import { AUTHOR_TOKEN_DAYS } from './authors.ts';
import { KEY_S } from './submit.ts';

const days = (seconds: number): string => {
  const n = Math.round(seconds / 86_400);
  return n === 1 ? 'a day' : `${n} days`;
};

type Row = readonly [what: string, where: string, howLong: string];

/** `[what, where and for what, how long]`. The times are those of the code that deletes. */
const rows = ({ editMinutes, eraseAfterDays }: Policy): readonly Row[] => [
  [
    'Your comment: name, web address if you gave one, text and its earlier versions, the page, the time',
    'In the comments of this instance, for everybody to read once it is published',
    eraseAfterDays === null
      ? 'Until you delete it, or you ask to be forgotten'
      : `${eraseAfterDays} days; less if you delete it, or ask to be forgotten`,
  ],
  [
    'Your e-mail address, if you gave one',
    'Encrypted, apart from your comments; for mail that you asked for, and to recognise you by a keyed hash. Nobody reads it on a page',
    `${days(UNCONFIRMED_S)} after its last use; ${days(CONFIRMED_S)} if you confirmed it`,
  ],
  [
    'Your network address',
    'A keyed hash of its network beside the comment, against floods and bans; the address itself only if the site asks Akismet, encrypted as your e-mail is',
    `The hash as long as the comment; the address ${days(UNCONFIRMED_S)} after its last use, ${days(CONFIRMED_S)} if you confirmed an e-mail address with it`,
  ],
  ['How often you wrote within minutes and hours', 'As counters under a keyed hash, for limits', 'Two hours'],
  ['That you keep a name, if you asked for it', 'A keyed hash of the name', `${days(NAME_S)} after its last use`],
  ['That a submission was sent twice', 'A hash of its key and text', days(KEY_S)],
  [
    'Why a comment was published, held or rejected, and by whom',
    'Beside the comment, for its moderators; no address stands in it',
    'As long as the comment',
  ],
  [
    'That you reported a comment, and whether its moderators agreed',
    'Beside the comment, and as counts, under a keyed hash of your network address: who was often wrong weighs less',
    `The report as long as the comment; the counts ${days(REPORTER_S)} after the last answer`,
  ],
  [
    'That a site banned you, your network or a text',
    'As keyed hashes, with the reason, which you are told; no name and no address stands in it',
    'Until the site lifts it; one that has ended goes after 30 days, with the next ban',
  ],
  [
    'That you ended mail, or that mail to you came back',
    'Under a keyed hash of the address, so that nothing is sent again',
    'Until you take it back',
  ],
  [
    'That your address was asked to confirm',
    'Under a keyed hash of the address',
    `${days(CONFIRMATION_S)}: within them it is not asked again`,
  ],
  [
    'That you asked for what is kept of you',
    'Your address, encrypted, for the mail with the link',
    days(UNCONFIRMED_S),
  ],
  [
    'What lets you edit and delete your comment, and your draft',
    'In your own browser (local storage), and nowhere else',
    `Until you clear it; editing ends after ${editMinutes} minutes`,
  ],
  [
    'Authors and moderators: a session cookie on this server’s own pages; an author’s token in the author’s browser',
    'Readers get no cookie',
    `12 hours; the token ${AUTHOR_TOKEN_DAYS} days`,
  ],
];

const table = (policy: Policy) =>
  `<dl class="long">${rows(policy)
    .map(
      ([what, where, howLong]) =>
        `<dt><strong>${what}</strong></dt><dd>${where}.<br><strong>Kept:</strong> ${howLong}.</dd>`,
    )
    .join('')}</dl>`;

const ASK = (
  site: Site,
) => `<p>Whoever gave ${escapeHtml(site.name)} an address can have all of it, or have it erased: a link to both is
mailed there. Without an address nobody can tell whose a comment is; then write to the site.</p>
<form method="post" action="/v1/mail/persons"><input type="hidden" name="site" value="${escapeHtml(site.id)}">
<label>Your e-mail address<input type="email" name="email" required maxlength="254" autocomplete="email"></label>
<button>Mail me the link</button></form>`;

const WHERE_TO_ASK = `<p>Whoever gave a site an address can have all that it keeps of them, or have it erased: each mail about a reply
leads to that site’s page, and so does the thread’s page without scripts.</p>`;

/** What is stored, where and how long, for readers: by the policy of a site, or by the one that a new site has. */
export function privacyPage(rules?: Pick<Rules, 'site' | 'policy'>): Reply {
  const policy = rules?.policy.policy ?? DEFAULT_POLICY;
  return page(200, {
    title: 'What these comments keep about you',
    wide: true,
    body: `<p>Reading needs no cookie, tells no third party, and counts nobody. Writing stores this, on the server that you reach at this address:</p>
${table(policy)}
<h2 id="yours">What is yours</h2>
<p>Each mail has a link that ends it. Your own comment can be deleted where you wrote it. Who is forgotten loses the record of
the addresses at once; in a thread with replies a mark stays where the comment stood.</p>
${rules ? ASK(rules.site) : WHERE_TO_ASK}
<h2>Others</h2>
<p>Mail goes through the mail server of this instance. A site may tell a service of its own (a webhook) that a comment came,
with its name and the beginning of its text, never with an address. Some sites ask a spam filter elsewhere: they must say
so themselves.</p>`,
  });
}
