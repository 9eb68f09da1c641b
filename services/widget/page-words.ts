import { readFileSync } from 'node:fs';
import type { FaultKind } from '../../shared/errors.ts';
import type { Language } from '../../shared/languages.ts';
import { type Clock, clock } from './format.ts';
import { ENGLISH, type Say, speaker, type Words } from './words.ts';

const FAULTS: Record<FaultKind, string> = {
  empty: 'Write something here.',
  long: 'This is too long: {n} at most.',
  characters: 'Something in it cannot be shown. Type it anew.',
  legible: 'Write a name that can be read out, each word in one alphabet.',
  email: 'This is no e-mail address.',
  url: 'This is no web address.',
  taken: 'This name is somebody else’s here. Choose another.',
  parent: 'That comment cannot be answered.',
};

/** What the pages without scripts say besides the widget's words: these stay on the server. */
export const PAGE_ENGLISH = {
  ...ENGLISH,
  write: 'Write a comment',
  feed: 'Atom feed',
  privacy: 'Privacy',
  again: 'Look again',
  trap: 'Leave this empty',
  needsEmail: 'Without an address nobody can tell you of replies.',
  broken: 'That did not work. Your text is kept; send it again in a moment.',
  faults: FAULTS,
};

export type PageWords = typeof PAGE_ENGLISH;

/** One language, as the pages without scripts speak it. */
export type PageSpeech = {
  lang: Language;
  dir: 'ltr' | 'rtl';
  say: Say<Exclude<keyof PageWords, 'reasons' | 'faults'>>;
  when: Clock;
  reason(code: string): string;
  fault(kind: FaultKind, most?: number): string;
};

const made = new Map<Language, PageSpeech>();

/** Made when a language is first spoken: Intl takes 10 ms, and most calls of the door write no page. */
export function pageSpeech(lang: Language = 'en'): PageSpeech {
  const known = made.get(lang);
  if (known) return known;
  const words: PageWords =
    lang === 'en' ? PAGE_ENGLISH : JSON.parse(readFileSync(new URL(`./words/${lang}.json`, import.meta.url), 'utf8'));
  const digits = new Intl.NumberFormat(lang);
  const speaks: PageSpeech = {
    lang,
    dir: lang === 'ar' ? 'rtl' : 'ltr',
    say: speaker(words, lang) as PageSpeech['say'],
    when: clock(lang),
    reason: (code) => words.reasons[code as keyof Words['reasons']] ?? code,
    fault: (kind, most = 0) => words.faults[kind].replace('{n}', digits.format(most)),
  };
  made.set(lang, speaks);
  return speaks;
}
