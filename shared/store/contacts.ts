import type { Language } from '../languages.ts';
import type { Clock, Table, Write } from '../ports.ts';
import type { Vault } from '../vault.ts';
import { strip } from './keys.ts';

const DAY_S = 86_400;
/** Unconfirmed addresses go after a week; others 400 days after their last use. */
export const UNCONFIRMED_S = 7 * DAY_S;
export const CONFIRMED_S = 400 * DAY_S;
/** One confirmation mail an address within this, over all sites. */
export const CONFIRMATION_S = 30 * DAY_S;

/** Where a person's e-mail and network address live; everything else carries the id. */
export type Contact = {
  id: string;
  /** Sealed by the vault. */
  email?: string;
  emailHash?: string;
  client?: string;
  network?: string;
  /** In which the person is written to; English where it is missing. */
  lang?: Language;
};

export type Address = {
  emailHash: string;
  confirmedAt?: number;
  confirmationSentAt?: number;
  /** Bounced, complained, or asked for no mail at all. */
  suppressed?: string;
};

/** A notification that waits for its address to be confirmed. */
export type WaitingReply = { commentId: string; recipient: string; site: string };

const addressKey = (emailHash: string) => ({ pk: `E#${emailHash}`, sk: 'address' });

export type Contacts = ReturnType<typeof contactsOf>;

/** The id of what stands for these addresses, whether or not it is stored. */
export const contactIdOf = (vault: Vault, who: { email?: string | undefined; client?: string | undefined }): string =>
  `k_${vault.sign('contact', `${who.email?.trim().toLowerCase() ?? ''}\n${who.client ?? ''}`)}`;

/** In the place of a thread, what a site mails beside threads. No thread's key is empty, or has a space. */
export const REVIEW = '';
export const NEWS = ' news';

export function contactsOf(table: Table, vault: Vault, clock: Clock) {
  const seconds = () => Math.floor(clock.now() / 1000);
  const hashOf = (email: string) => vault.sign('contact', `email:${email.trim().toLowerCase()}`);

  const address = async (emailHash: string): Promise<Address | undefined> => {
    const item = await table.get(addressKey(emailHash));
    return item && strip<Address>(item);
  };

  return {
    hashOf,
    address,

    /**
     * Exchanges addresses for a contact id. The same addresses give the same id, so a repeat is no second record.
     *
     * @param network the client's prefix, as the door derives it
     */
    async exchange(who: {
      email?: string | undefined;
      client?: string | undefined;
      network?: string | undefined;
      lang?: Language | undefined;
    }): Promise<string> {
      const id = contactIdOf(vault, who);
      const key = { pk: `K#${id}`, sk: 'contact' };
      const emailHash = who.email ? hashOf(who.email) : undefined;
      const [known, confirmed] = await Promise.all([
        table.get(key, { stale: true }),
        emailHash ? address(emailHash).then((found) => found?.confirmedAt !== undefined) : false,
      ]);
      const now = seconds();
      const lang = who.lang ?? known?.lang;
      // A write a day keeps an address in use alive; a write a comment would buy nothing.
      if (known && (known.expiresAt ?? 0) > now + UNCONFIRMED_S - DAY_S && known.lang === lang) return id;
      const contact: Contact = {
        id,
        ...(who.email && emailHash && { email: vault.seal(who.email.trim()), emailHash }),
        ...(who.client && { client: vault.seal(who.client) }),
        ...(who.network && { network: who.network }),
        ...(lang !== undefined && { lang: lang as Language }),
      };
      await table.write([{ put: { ...key, ...contact, expiresAt: now + (confirmed ? CONFIRMED_S : UNCONFIRMED_S) } }]);
      return id;
    },

    async get(id: string): Promise<Contact | undefined> {
      const item = await table.get({ pk: `K#${id}`, sk: 'contact' });
      return item && strip<Contact>(item);
    },

    /** The address itself, and the language to write to it in; undefined once expired or forgotten. */
    async email(id: string): Promise<{ email: string; emailHash: string; lang?: Language } | undefined> {
      const contact = await this.get(id);
      if (!contact?.email || !contact.emailHash) return undefined;
      const { emailHash, lang } = contact;
      return { email: vault.open(contact.email), emailHash, ...(lang && { lang }) };
    },

    async confirm(emailHash: string, contactId: string): Promise<void> {
      const contact = await table.get({ pk: `K#${contactId}`, sk: 'contact' });
      const known = await address(emailHash);
      await table.write([
        { put: { ...addressKey(emailHash), ...known, emailHash, confirmedAt: clock.now() } },
        ...(contact ? [{ put: { ...contact, expiresAt: seconds() + CONFIRMED_S } }] : []),
      ]);
    },

    /** The claim of `claimConfirmation`, for callers that write more in the same moment. */
    confirmationClaim(emailHash: string): Write {
      return {
        put: { pk: `E#${emailHash}`, sk: 'confirmation', at: clock.now(), expiresAt: seconds() + CONFIRMATION_S },
        if: 'absent',
      };
    },

    /** True for the caller that may send the confirmation now: one in 30 days for an address, over all sites. */
    async claimConfirmation(emailHash: string): Promise<boolean> {
      return (await table.write([this.confirmationClaim(emailHash)])).done;
    },

    /** The write that remembers what an address will be told once it is confirmed; it goes with the unconfirmed address. */
    waitingWrite(emailHash: string, waiting: WaitingReply): Write {
      return {
        put: {
          pk: `E#${emailHash}`,
          sk: `waiting#${waiting.commentId}`,
          ...waiting,
          expiresAt: seconds() + UNCONFIRMED_S,
        },
      };
    },

    /** What waits for the confirmation of an address, at most 50, oldest first. */
    async waiting(emailHash: string): Promise<readonly WaitingReply[]> {
      const { items } = await table.query({ pk: `E#${emailHash}`, prefix: 'waiting#', limit: 50 });
      return items.map((item) => strip<WaitingReply>(item));
    },

    async doneWaiting(emailHash: string, commentId: string): Promise<void> {
      await table.write([{ delete: { pk: `E#${emailHash}`, sk: `waiting#${commentId}` } }]);
    },

    /** Why an address gets no mail about a thread, in words for moderators; undefined when it may. */
    async barred(emailHash: string, site: string, thread: string): Promise<string | undefined> {
      const why = (await address(emailHash))?.suppressed;
      if (why !== undefined) return `suppressed: ${why}`;
      return (await this.unsubscribed(emailHash, site, thread)) ? 'unsubscribed' : undefined;
    },

    async suppress(emailHash: string, why: string): Promise<void> {
      const known = await address(emailHash);
      await table.write([{ put: { ...addressKey(emailHash), ...known, emailHash, suppressed: why } }]);
    },

    /** Takes a `suppress` back. */
    async unsuppress(emailHash: string): Promise<void> {
      const known = await address(emailHash);
      if (known?.suppressed === undefined) return;
      const { suppressed: _why, ...rest } = known;
      await table.write([{ put: { ...addressKey(emailHash), ...rest } }]);
    },

    /** No more mail about `scope`: `all`, or `{site}#{thread}`; `REVIEW` and `NEWS` stand for a thread. */
    async unsubscribe(emailHash: string, scope: string): Promise<void> {
      await table.write([{ put: { pk: `E#${emailHash}`, sk: `out#${scope}`, at: clock.now() } }]);
    },

    /** Takes an `unsubscribe` back. */
    async resubscribe(emailHash: string, scope: string): Promise<void> {
      await table.write([{ delete: { pk: `E#${emailHash}`, sk: `out#${scope}` } }]);
    },

    async unsubscribed(emailHash: string, site: string, thread: string): Promise<boolean> {
      const found = await table.getMany([
        { pk: `E#${emailHash}`, sk: 'out#all' },
        { pk: `E#${emailHash}`, sk: `out#${site}#${thread}` },
      ]);
      return found.some((item) => item !== undefined);
    },

    async forget(id: string): Promise<void> {
      await table.write([{ delete: { pk: `K#${id}`, sk: 'contact' } }]);
    },
  };
}
