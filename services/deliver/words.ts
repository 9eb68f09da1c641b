import { readFileSync } from 'node:fs';
import type { Language } from '../../shared/languages.ts';
import { escapeHtml } from './render.ts';

/**
 * The words of readers' mails, and of the pages to which these lead. What authors and moderators get is English, as the desk is.
 *
 * A value with `other` is chosen by `Intl.PluralRules` and must be given `n`.
 */
export const ENGLISH = {
  /** Stands for `{place}` where the post has a title; else the site's name does. */
  quote: '“{title}”',
  replied: '{name} replied to your comment on {place}',
  replies: { one: '{n} reply to your comment on {place}', other: '{n} replies to your comment on {place}' },
  lead: '{name} replied on {place}:',
  leadUntitled: '{name} replied:',
  youWrote: 'You wrote: {text}',
  read: 'Read it in its thread',
  whyReply: 'You get this because you asked {site} to tell you of replies.',
  end: 'No more of these',
  data: 'What is kept of you',

  confirmSubject: 'Confirm your address for replies on {site}',
  confirmAsk: 'Somebody asked {site} to send replies to a comment to this address. If that was you, confirm it:',
  confirmLabel: 'Confirm this address',
  confirmElse:
    'If it was not you, do nothing: the address is deleted within {n} days, and you are not asked again in this month.',
  confirmTitle: 'Confirm your address?',
  confirmBody: 'You will get mail when somebody replies to a comment for which you asked for it.',
  confirmButton: 'Confirm',
  confirmIgnore: 'If you did not ask for this, close this page: the address is deleted by itself.',
  confirmedTitle: 'Your address is confirmed',
  confirmedBody:
    'From now on you get mail when somebody replies to a comment for which you asked for it. Each mail has a link that ends it.',

  endTitle: 'Which mail do you want to end?',
  endThread: 'Mail about {title} on {site}',
  endUntitled: 'Mail about this thread on {site}',
  endAll: 'All mail from here',
  endButton: 'Unsubscribe',
  endedTitle: 'You are unsubscribed',
  endedBody: 'You no longer get this: {what}.',
  endAllToo: 'End all mail from here',
  mistake: 'Was that a mistake?',
  again: 'Send me mail again',
  againTitle: 'You get mail again',
  againBody: 'What you ended with this link is taken back.',

  goneTitle: 'This link does not work',
  goneBody:
    'It is cut off, or too old: a link that confirms an address works for 7 days. Open it again from the mail itself. An address is asked again after 30 days, with the next comment that asks for replies.',
  goneData:
    'It is cut off, or too old: it works for {n} hours. Open it again from the mail itself, or ask for another.',

  dataSubject: 'What {site} keeps of you',
  dataAsk: 'Somebody asked {site} what it keeps of this address. If that was you, see it here:',
  dataLabel: 'See what is kept, or have it erased',
  dataElse: 'If it was not you, do nothing. The link works for {n} hours.',
  askedTitle: 'Look into your mail',
  askedBody:
    'A link is on its way to that address, if mail can go there. It works for {n} hours; more than one a day is not sent.',
  dataBody: 'This is about the comments that were written with the address to which this link was mailed.',
  exportTitle: 'Take it with you',
  exportBody: 'One file (JSON): your comments with their earlier texts, what was decided on them, and your address.',
  exportButton: 'Download',
  forgetTitle: 'Be forgotten',
  forgetBody:
    'Your comments here are erased, with name and text, and so is your address. In a thread with replies a mark stays where a comment stood.',
  sure: 'Erase all of it. I know that nobody can bring it back.',
  forgetButton: 'Erase',
  forgottenTitle: 'It is erased',
  forgottenBody: { one: '{n} comment is gone.', other: '{n} comments are gone.' },
};

export type Key = keyof typeof ENGLISH;
type Words = Record<Key, string | Partial<Record<Intl.LDMLPluralRule, string>>>;
type Values = Record<string, string | number>;

/** One language's words: `say` fills `{name}` with values as they are, `html` escapes what it is given and its own words. */
export type Speech = {
  lang: Language;
  dir: 'ltr' | 'rtl';
  say(key: Key, values?: Values): string;
  /** `raw` values are HTML already. */
  html(key: Key, values?: Values, raw?: Values): string;
};

const made = new Map<Language, Speech>();

const wordsOf = (lang: Language): Words =>
  lang === 'en' ? ENGLISH : JSON.parse(readFileSync(new URL(`./locales/${lang}.json`, import.meta.url), 'utf8'));

/** Read and made when a language is first spoken: all of them would be a tenth of a function's start. */
export function speech(lang: Language = 'en'): Speech {
  const known = made.get(lang);
  if (known) return known;
  const words = wordsOf(lang);
  const plural = new Intl.PluralRules(lang);
  const digits = new Intl.NumberFormat(lang);
  const textOf = (key: Key, n: unknown): string => {
    const entry = words[key];
    return typeof entry === 'string' ? entry : (entry[plural.select(Number(n))] ?? entry.other ?? '');
  };
  const fill = (text: string, values: Values): string =>
    text.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
      const value = values[name] ?? '';
      return typeof value === 'number' ? digits.format(value) : value;
    });
  const speaks: Speech = {
    lang,
    dir: lang === 'ar' ? 'rtl' : 'ltr',
    say: (key, values = {}) => fill(textOf(key, values.n), values),
    html: (key, values = {}, raw = {}) => {
      // A title runs in its own direction, whichever the sentence has.
      const safe = Object.entries(values).map(([name, value]) => [
        name,
        typeof value === 'string' ? `<bdi>${escapeHtml(value)}</bdi>` : value,
      ]);
      return fill(escapeHtml(textOf(key, values.n)), { ...Object.fromEntries(safe), ...raw });
    },
  };
  made.set(lang, speaks);
  return speaks;
}
