import type { Reply } from '../../shared/http.ts';
import type { Language } from '../../shared/languages.ts';
import { DEFAULT_POLICY, type Policy } from '../../shared/policy.ts';
import { CONFIRMATION_S, CONFIRMED_S, UNCONFIRMED_S } from '../../shared/store/contacts.ts';
import { NAME_S } from '../../shared/store/names.ts';
import { REPORTER_S } from '../../shared/store/reporters.ts';
import type { Rules, Site } from '../../shared/store/sites.ts';
import { page } from '../deliver/page.ts';
import { escapeHtml } from '../deliver/render.ts';
import { AUTHOR_TOKEN_DAYS } from './authors.ts';
import { type ENGLISH, privacyWords } from './privacy-words.ts';
import { KEY_S } from './submit.ts';

const DAY_S = 86_400;

/** The times that the words leave blank: those of the code that deletes. */
function timesOf(lang: Language, { editMinutes, eraseAfterDays }: Policy): Record<string, string> {
  const unit = (name: 'day' | 'hour' | 'minute') => {
    const format = new Intl.NumberFormat(lang, { style: 'unit', unit: name, unitDisplay: 'long' });
    return (n: number) => format.format(n);
  };
  const [days, hours, minutes] = [unit('day'), unit('hour'), unit('minute')];
  return {
    short: days(UNCONFIRMED_S / DAY_S),
    long: days(CONFIRMED_S / DAY_S),
    name: days(NAME_S / DAY_S),
    month: days(CONFIRMATION_S / DAY_S),
    reports: days(REPORTER_S / DAY_S),
    twice: days(KEY_S / DAY_S),
    erase: days(eraseAfterDays ?? 0),
    token: days(AUTHOR_TOKEN_DAYS),
    pace: hours(2),
    session: hours(12),
    edit: minutes(editMinutes),
  };
}

function table({ rows, kept, erased }: typeof ENGLISH, policy: Policy, times: Record<string, string>): string {
  const items = Object.entries(rows).map(([name, [what, where, howLong]]) => {
    const ends = name === 'comment' && policy.eraseAfterDays !== null ? erased : howLong;
    const told = ends.replaceAll(/\{(\w+)\}/g, (_all, time: string) => times[time] ?? '');
    return `<dt><strong>${escapeHtml(what)}</strong></dt><dd>${escapeHtml(where)}<br><strong>${escapeHtml(kept)}</strong> ${escapeHtml(told)}</dd>`;
  });
  return `<dl class="long">${items.join('')}</dl>`;
}

const askFor = ({ ask, address, mail }: typeof ENGLISH, { id, name }: Site, lang: Language) => `<p>${escapeHtml(
  ask,
).replace('{site}', () => `<bdi>${escapeHtml(name)}</bdi>`)}</p>
<form method="post" action="/v1/mail/persons"><input type="hidden" name="site" value="${escapeHtml(id)}"><input type="hidden" name="lang" value="${lang}">
<label>${escapeHtml(address)}<input type="email" name="email" required maxlength="254" autocomplete="email"></label>
<button>${escapeHtml(mail)}</button></form>`;

/** What is stored, where and how long, for readers: by the policy of a site, or by the one that a new site has. */
export function privacyPage(rules?: Pick<Rules, 'site' | 'policy'>, lang: Language = 'en'): Reply {
  const policy = rules?.policy.policy ?? DEFAULT_POLICY;
  const words = privacyWords(lang);
  const { title, intro, yours, yoursBody, elsewhere, others, othersBody } = words;
  const answer = page(200, {
    title,
    wide: true,
    lang,
    dir: lang === 'ar' ? 'rtl' : 'ltr',
    body: `<p>${escapeHtml(intro)}</p>
${table(words, policy, timesOf(lang, policy))}
<h2 id="yours">${escapeHtml(yours)}</h2>
<p>${escapeHtml(yoursBody)}</p>
${rules ? askFor(words, rules.site, lang) : `<p>${escapeHtml(elsewhere)}</p>`}
<h2>${escapeHtml(others)}</h2>
<p>${escapeHtml(othersBody)}</p>`,
  });
  return { ...answer, headers: { ...answer.headers, vary: 'accept-language' } };
}
