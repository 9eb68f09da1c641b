import { readFileSync } from 'node:fs';
import type { Language } from '../../shared/languages.ts';

type Row = readonly [what: string, where: string, howLong: string];

/** What the page on privacy says: `{}` are times, but for `{site}`. The other languages lie in privacy/, with the same keys. */
export const ENGLISH = {
  title: 'What these comments keep about you',
  intro:
    'Reading needs no cookie, tells no third party, and counts nobody. Writing stores this, on the server that you reach at this address:',
  kept: 'Kept:',
  rows: {
    comment: [
      'Your comment: name, web address if you gave one, text and its earlier versions, the page, the time',
      'In the comments of this instance, for everybody to read once it is published.',
      'Until you delete it, or ask to be forgotten.',
    ],
    email: [
      'Your e-mail address, if you gave one',
      'Encrypted, apart from your comments; for mail that you asked for, and to recognise you by a keyed hash. Nobody reads it on a page.',
      '{short} after its last use; {long} if you confirmed it.',
    ],
    network: [
      'Your network address',
      'A keyed hash of its network beside the comment, against floods and bans; the address itself only if the site asks Akismet, encrypted as your e-mail is.',
      'The hash as long as the comment; the address {short} after its last use, {long} if you confirmed an e-mail address with it.',
    ],
    pace: ['How often you wrote within minutes and hours', 'As counters under a keyed hash, for limits.', '{pace}.'],
    name: ['That you keep a name, if you asked for it', 'A keyed hash of the name.', '{name} after its last use.'],
    twice: ['That a submission was sent twice', 'A hash of its key and text.', '{twice}.'],
    verdict: [
      'Why a comment was published, held or rejected, and by whom',
      'Beside the comment, for its moderators; no address stands in it.',
      'As long as the comment.',
    ],
    report: [
      'That you reported a comment, and whether its moderators agreed',
      'Beside the comment, and as counts, under a keyed hash of your network address: who was often wrong weighs less.',
      'The report as long as the comment; the counts {reports} after the last answer.',
    ],
    ban: [
      'That a site banned you, your network or a text',
      'As keyed hashes, with the reason, which you are told; no name and no address stands in it.',
      'Until the site lifts it; one that has ended goes after {month}, with the next ban.',
    ],
    ended: [
      'That you ended mail, or that mail to you came back',
      'Under a keyed hash of the address, so that nothing is sent again.',
      'Until you take it back.',
    ],
    confirmation: [
      'That your address was asked to confirm',
      'Under a keyed hash of the address.',
      '{month}: within them it is not asked again.',
    ],
    asked: [
      'That you asked for what is kept of you',
      'Your address, encrypted, for the mail with the link.',
      '{short}.',
    ],
    browser: [
      'What lets you edit and delete your comment, and your draft',
      'In your own browser (local storage), and nowhere else.',
      'Until you clear it; editing ends after {edit}.',
    ],
    staff: [
      'Authors and moderators: a session cookie on this server’s own pages; an author’s token in the author’s browser',
      'Readers get no cookie.',
      '{session}; the token {token}.',
    ],
  } satisfies Record<string, Row> as Record<RowName, Row>,
  /** Instead of how long a comment is kept, where the site’s policy lets texts go by themselves. */
  erased: '{erase}; less if you delete it, or ask to be forgotten.',
  yours: 'What is yours',
  yoursBody:
    'Each mail has a link that ends it. Your own comment can be deleted where you wrote it. Who is forgotten loses the record of the addresses at once; in a thread with replies a mark stays where the comment stood.',
  ask: 'Whoever gave {site} an address can have all of it, or have it erased: a link to both is mailed there. Without an address nobody can tell whose a comment is; then write to the site.',
  address: 'Your e-mail address',
  mail: 'Mail me the link',
  elsewhere:
    'Whoever gave a site an address can have all that it keeps of them, or have it erased: each mail about a reply leads to that site’s page, and so does the thread’s page without scripts.',
  others: 'Others',
  othersBody:
    'Mail goes through the mail server of this instance. A site may tell a service of its own (a webhook) that a comment came, with its name and the beginning of its text, never with an address. Some sites ask a spam filter elsewhere: they must say so themselves.',
};

export type RowName =
  | 'comment'
  | 'email'
  | 'network'
  | 'pace'
  | 'name'
  | 'twice'
  | 'verdict'
  | 'report'
  | 'ban'
  | 'ended'
  | 'confirmation'
  | 'asked'
  | 'browser'
  | 'staff';

/** Read for each page: they are seldom asked for. */
export const privacyWords = (lang: Language): typeof ENGLISH =>
  lang === 'en' ? ENGLISH : JSON.parse(readFileSync(new URL(`./privacy/${lang}.json`, import.meta.url), 'utf8'));
