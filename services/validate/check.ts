import type { FaultKind, FieldFault } from '../../shared/errors.ts';
import type { Policy } from '../../shared/policy.ts';
import { BIDI, CONTROL, IDLE_JOINER, INVISIBLE } from './characters.ts';
import { mixesScripts } from './names.ts';

/** What a writer hands in. An optional field that is empty counts as absent: forms send those. */
export type Draft = {
  author: { name: string; email?: string | undefined; url?: string | undefined };
  body: string;
  page?: { url: string; title: string } | undefined;
  parentId?: string | undefined;
};

/** A draft as it is stored and judged. */
export type CheckedDraft = {
  author: { name: string; email?: string; url?: string };
  /** NFC, `\n` line ends, without bidi controls and characters that do not show. */
  body: string;
  page?: { url: string; title: string };
  parentId?: string;
  /** Bidi overrides, embeddings and isolates taken out: they are how text shows as another text. */
  bidi: number;
  /** Characters without width taken out: they are how words slip past a blocklist. */
  hidden: number;
};

export type Checked = { ok: true; draft: CheckedDraft } | { ok: false; faults: readonly FieldFault[] };

const MAX_EMAIL = 254; // RFC 5321, section 4.5.3.1.3, less the brackets
const MAX_URL = 2000;
const MAX_TITLE = 500;

/**
 * Whether a site takes a draft, and the draft in its normal form; or all that is wrong with it at once.
 *
 * What its writer can mend is a fault and says how; what no writer typed (bidi controls, zero-width characters, line ends)
 * is mended here. Idempotent but for the counts.
 *
 * @param site origins that `page.url` must lie on; an empty list takes any (the door gives none)
 */
export function checkDraft(draft: Draft, policy: Policy, site: { origins: readonly string[] }): Checked {
  const faults: FieldFault[] = [];
  const body = checkBody(draft.body, policy, faults);
  const name = checkName(draft.author.name, policy, faults);
  const email = checkEmail(draft.author.email, faults);
  const url = checkAuthorUrl(draft.author.url, faults);
  const page = checkPage(draft.page, site.origins, faults);
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    draft: {
      author: { name, ...(email && { email }), ...(url && { url }) },
      body: body.text,
      ...(page && { page }),
      ...(draft.parentId && { parentId: draft.parentId }),
      bidi: body.bidi,
      hidden: body.hidden,
    },
  };
}

function checkBody(
  given: string,
  policy: Policy,
  faults: FieldFault[],
): { text: string; bidi: number; hidden: number } {
  const limit = policy.bodyBytes;
  const fault = (kind: FaultKind, detail: string) => {
    faults.push({ pointer: '/body', detail, kind, ...(kind === 'long' && { most: limit }) });
    return { text: '', bidi: 0, hidden: 0 };
  };
  // Normalizing 10 MB would be work for nothing; line ends may halve a text, nothing shortens it more.
  if (given.length > limit * 2 + 1000) return fault('long', tooLong(given, limit));
  if (!given.isWellFormed())
    return fault('characters', 'has half of a character (a lone surrogate); send well-formed Unicode');
  let text = given.replace(/\r\n?|[\u2028\u2029]/g, '\n').normalize('NFC');
  const control = firstMatch(text, CONTROL);
  if (control)
    return fault('characters', `has the control character ${codeOf(control)}; only line feed and tab are taken`);
  let bidi = 0;
  let hidden = 0;
  if (/[^\n -~]/.test(text)) {
    text = text
      .replace(BIDI, () => (bidi++, ''))
      // Soft hyphens come along when honest people paste from pages.
      .replace(INVISIBLE, (character) => (character === '\u00AD' || hidden++, ''))
      .replace(IDLE_JOINER, () => (hidden++, ''));
    if (/\p{M}{9}/u.test(text)) return fault('characters', 'stacks more than 8 accents on one character; use fewer');
    text = text.normalize('NFC');
  }
  text = text.replace(/^(?:[^\S\n]*\n)+/, '').trimEnd();
  if (!/[^\s\p{M}\p{C}\u2800]/u.test(text)) return fault('empty', 'is empty; write something');
  if (Buffer.byteLength(text) > limit) return fault('long', tooLong(text, limit));
  return { text, bidi, hidden };
}

function tooLong(text: string, limit: number): string {
  return `has ${Buffer.byteLength(text)} bytes in UTF-8; shorten it to ${limit}`;
}

function checkName(given: string, policy: Policy, faults: FieldFault[]): string {
  const limit = policy.nameCharacters;
  const fault = (kind: FaultKind, detail: string) => {
    faults.push({ pointer: '/author/name', detail, kind, ...(kind === 'long' && { most: limit }) });
    return '';
  };
  if (given.length > limit * 32) return fault('long', `is longer than ${limit} characters; shorten it`);
  if (!given.isWellFormed())
    return fault('characters', 'has half of a character (a lone surrogate); send well-formed Unicode');
  if (/[\n\r\u2028\u2029]/.test(given.trim())) return fault('characters', 'has a line break; write it on one line');
  const name = given
    .replace(/\s+/g, ' ')
    .normalize('NFC')
    .replace(INVISIBLE, '')
    .replace(IDLE_JOINER, '')
    .replace(/\s+/g, ' ')
    .trim()
    .normalize('NFC');
  const control = firstMatch(name, CONTROL);
  if (control) return fault('characters', `has the control character ${codeOf(control)}; take it out`);
  const bidi = firstMatch(name, BIDI);
  if (bidi) return fault('characters', `has ${codeOf(bidi)}, which changes the direction of writing; take it out`);
  if (name === '') return fault('empty', 'is empty; write a name, a pseudonym will do');
  if (!/[\p{L}\p{N}]/u.test(name))
    return fault('legible', 'has neither a letter nor a digit; write one that can be read out');
  if (/\p{M}{5}/u.test(name)) return fault('characters', 'stacks more than 4 accents on one character; use fewer');
  if (mixesScripts(name))
    return fault('legible', 'mixes alphabets that look alike within one word; write each word in one of them');
  const length = lengthOf(name);
  if (length > limit) return fault('long', `has ${length} characters; shorten it to ${limit}`);
  return name;
}

/** Bounded labels and no nesting, so that it fails as fast as it matches. Quoted local parts are not worth their trouble. */
const EMAIL =
  /^[^\s@"(),:;<>[\]\\\p{C}]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]{0,61}[\p{L}\p{M}\p{N}])?\.){1,10}(?:\p{L}[\p{L}\p{M}]{1,62}|xn--[a-z0-9-]{1,59})$/iu;

function checkEmail(given: string | undefined, faults: FieldFault[]): string | undefined {
  const email = given?.trim().normalize('NFC');
  if (!email) return undefined;
  const local = email.slice(0, email.lastIndexOf('@'));
  const dots = local.startsWith('.') || local.endsWith('.') || local.includes('..');
  if (email.length > MAX_EMAIL || dots || !EMAIL.test(email)) {
    const detail = email.length > MAX_EMAIL ? `is longer than ${MAX_EMAIL} characters` : 'is not an e-mail address';
    faults.push({
      pointer: '/author/email',
      detail: `${detail}; write one like name@example.com, or leave it out`,
      kind: 'email',
    });
    return undefined;
  }
  return local + email.slice(local.length).toLowerCase();
}

function checkAuthorUrl(given: string | undefined, faults: FieldFault[]): string | undefined {
  const written = given?.trim();
  if (!written) return undefined;
  const url = webUrl(/^[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+(?:[/?#]|$)/u.test(written) ? `https://${written}` : written);
  if (typeof url !== 'string') return url.href;
  faults.push({
    pointer: '/author/url',
    detail: `${url}; write one like https://example.com, or leave it out`,
    kind: 'url',
  });
  return undefined;
}

function checkPage(
  page: Draft['page'],
  origins: readonly string[],
  faults: FieldFault[],
): { url: string; title: string } | undefined {
  if (!page) return undefined;
  const url = webUrl(page.url);
  if (typeof url === 'string') {
    faults.push({ pointer: '/page/url', detail: `${url}; send the address of the post` });
    return undefined;
  }
  if (origins.length > 0 && !origins.some((origin) => sameOrigin(origin, url))) {
    const detail = `lies on ${url.origin}, which is not an origin of this site; add it to the site or send the post's own`;
    faults.push({ pointer: '/page/url', detail });
    return undefined;
  }
  url.hash = ''; // A place on the page is not the post's address, and permalinks add their own.
  const title = page.title
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .replace(CONTROL, '')
    .replace(BIDI, '')
    .replace(INVISIBLE, '')
    .normalize('NFC')
    .trim();
  return { url: url.href, title: title.slice(0, MAX_TITLE).toWellFormed() };
}

function sameOrigin(origin: string, url: URL): boolean {
  return origin === url.origin || (URL.canParse(origin) && new URL(origin).origin === url.origin);
}

/** The URL, or what is wrong with it. */
function webUrl(written: string): URL | string {
  if (written.length > MAX_URL) return `is longer than ${MAX_URL} characters`;
  // The URL parser drops tabs and line breaks in silence, and takes backslashes for slashes.
  if (/[\s\\\p{Cc}\p{Cs}]/u.test(written)) return 'has white space, a backslash or a control character in it';
  const url = URL.parse(written);
  if (!url) return 'is not a web address';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'begins neither with https:// nor with http://';
  if (url.username || url.password) return 'carries a user name or password';
  if (url.href.length > MAX_URL) return `is longer than ${MAX_URL} characters`;
  return url;
}

// Made when a name first needs it: it takes 5 ms, and most names are ASCII.
let graphemes: Intl.Segmenter | undefined;

/** Characters as readers count them. */
function lengthOf(text: string): number {
  // oxlint-disable-next-line no-control-regex
  if (/^[\0-\x7F]*$/.test(text)) return text.length;
  let length = 0;
  graphemes ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  for (const _ of graphemes.segment(text)) length++;
  return length;
}

function firstMatch(text: string, pattern: RegExp): string | undefined {
  const at = text.search(pattern);
  return at < 0 ? undefined : text[at];
}

function codeOf(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
}
