import { z } from 'zod';
import type { Language } from '../../shared/languages.ts';
import { parseJson } from '../../shared/strict-json.ts';
import type { Vault } from '../../shared/vault.ts';

/** What a link in a mail may do. The token is the permission: who holds the mail may act for its address. */
export type MailLink =
  | {
      kind: 'confirm';
      /** Keyed hash of the address. */ address: string;
      contact: string;
      /** Epoch ms. */ until: number;
    }
  | { kind: 'unsubscribe'; address: string; scope: Scope }
  /** Lets one moderator decide one comment, as it stood when it was mailed. */
  | { kind: 'decide'; address: string; comment: string; version: number; /** Epoch ms. */ until: number }
  /** Shows a person what one site keeps of them, and erases it. */
  | { kind: 'person'; address: string; contact: string; site: string; /** Epoch ms. */ until: number }
  /** Opens one author's session; `id` makes it work once. */
  | { kind: 'sign-in'; address: string; id: string; /** Epoch ms. */ until: number };

/**
 * What an unsubscription ends: mail about the thread of a comment, about what waits for review on a site, or an author's
 * digest of the news of a site; or all mail, which the page offers beside each of the others.
 */
export type Scope = { comment: string } | { digestOf: string } | { newsOf: string } | { all: true };

const Id = z.string().min(1).max(80);
const Payload = z.union([
  z.tuple([z.literal('c'), Id, Id, z.int()]),
  z.tuple([z.literal('s'), Id, Id, z.int()]),
  z.tuple([z.literal('d'), Id, Id, z.int(), z.int()]),
  z.tuple([z.literal('p'), Id, Id, Id, z.int()]),
  z.tuple([z.literal('u'), Id, z.literal('comment'), Id]),
  z.tuple([z.literal('u'), Id, z.literal('digest'), Id]),
  z.tuple([z.literal('u'), Id, z.literal('news'), Id]),
  z.tuple([z.literal('u'), Id, z.literal('all'), z.literal('')]),
]);

/** A signed, URL-safe token of at most 300 characters: a header line holds 998 (RFC 5322, 2.1.1). */
export function mailToken(vault: Vault, link: MailLink): string {
  const payload = Buffer.from(JSON.stringify(payloadOf(link))).toString('base64url');
  return `${payload}.${vault.sign('mail', payload)}`;
}

/** Undefined for what this instance did not sign, and for all but an unsubscription after its time. */
export function readMailToken(vault: Vault, token: string, now: number): MailLink | undefined {
  if (token.length > 600) return undefined;
  const [payload = '', signature = '', ...rest] = token.split('.');
  if (rest.length > 0 || !vault.verify('mail', payload, signature)) return undefined;
  const read = Payload.safeParse(parseJson(Buffer.from(payload, 'base64url').toString('utf8')));
  if (!read.success) return undefined;
  if (read.data[0] === 'd') {
    const [, address, comment, version, until] = read.data;
    return until > now ? { kind: 'decide', address, comment, version, until } : undefined;
  }
  if (read.data[0] === 'p') {
    const [, address, contact, site, until] = read.data;
    return until > now ? { kind: 'person', address, contact, site, until } : undefined;
  }
  const [kind, address, third, fourth] = read.data;
  if (kind === 's') return fourth > now ? { kind: 'sign-in', address, id: third, until: fourth } : undefined;
  if (kind === 'c') return fourth > now ? { kind: 'confirm', address, contact: third, until: fourth } : undefined;
  const scope = {
    comment: { comment: fourth },
    digest: { digestOf: fourth },
    news: { newsOf: fourth },
    all: { all: true as const },
  }[third];
  return { kind: 'unsubscribe', address, scope };
}

function payloadOf(link: MailLink): z.infer<typeof Payload> {
  if (link.kind === 'confirm') return ['c', link.address, link.contact, link.until];
  if (link.kind === 'decide') return ['d', link.address, link.comment, link.version, link.until];
  if (link.kind === 'person') return ['p', link.address, link.contact, link.site, link.until];
  if (link.kind === 'sign-in') return ['s', link.address, link.id, link.until];
  if ('comment' in link.scope) return ['u', link.address, 'comment', link.scope.comment];
  if ('all' in link.scope) return ['u', link.address, 'all', ''];
  return 'newsOf' in link.scope
    ? ['u', link.address, 'news', link.scope.newsOf]
    : ['u', link.address, 'digest', link.scope.digestOf];
}

/** Pages speak as the mail did that led to them; English needs no word for it. */
const inLanguage = (lang: Language | undefined) => (lang && lang !== 'en' ? `?lang=${lang}` : '');

export const confirmUrl = (publicUrl: string, token: string, lang?: Language) =>
  `${publicUrl}/v1/mail/confirm/${token}${inLanguage(lang)}`;
export const personUrl = (publicUrl: string, token: string, lang?: Language) =>
  `${publicUrl}/v1/mail/persons/${token}${inLanguage(lang)}`;
/** Where a person asks for that link. */
export const privacyUrl = (publicUrl: string, site: string, lang?: Language) =>
  `${publicUrl}/privacy?site=${encodeURIComponent(site)}${inLanguage(lang).replace('?', '&')}`;
export const decideUrl = (publicUrl: string, token: string) => `${publicUrl}/v1/moderation/mail/${token}`;
export const unsubscribeUrl = (publicUrl: string, token: string, lang?: Language) =>
  `${publicUrl}/v1/mail/unsubscribe/${token}${inLanguage(lang)}`;
/** In the fragment: it reaches no server, log or referrer. */
export const signInUrl = (publicUrl: string, token: string) => `${publicUrl}/author#in=${token}`;
