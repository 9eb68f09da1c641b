import type { Table } from '../ports.ts';
import type { Vault } from '../vault.ts';
import { deskListing, strip, timeKey } from './keys.ts';

const DAY_S = 86_400;

/** What could not be done, kept where it can be read and sent again. */
export type DeadLetter = {
  id: string;
  site?: string;
  commentId?: string;
  /** The queue to which a redrive sends it. */
  source: string;
  reason: string;
  attempts: number;
  firstAt: number;
  detail: string;
  /** The message as it was; sealed, since one put directly on the bus may carry an address. `messageOf` opens it. */
  body: string;
  sealed?: true;
  group?: string;
  seenAt?: number;
  redrivenAt?: number;
};

/** What a redrive sends. Letters from before they were sealed are as they are. */
export const messageOf = ({ body, sealed }: DeadLetter, vault: Pick<Vault, 'open'>): string =>
  sealed ? vault.open(body) : body;

/** Where letters of no known site are listed: admins see them under every site. */
export const NO_SITE = '-';

export type DeadLetters = ReturnType<typeof deadLettersOf>;

const key = (id: string) => ({ pk: `D#${id}`, sk: 'dead' });

const item = (letter: DeadLetter) => ({
  ...key(letter.id),
  ...letter,
  ...(letter.redrivenAt === undefined && {
    gsi2pk: `DL#${letter.site ?? NO_SITE}`,
    gsi2sk: timeKey(letter.firstAt, letter.id),
  }),
  // Unseen ones stay; the others go 14 days after somebody saw or redrove them.
  ...((letter.redrivenAt ?? letter.seenAt) !== undefined && {
    expiresAt: Math.floor((letter.redrivenAt ?? letter.seenAt ?? 0) / 1000) + 14 * DAY_S,
  }),
});

/** Lists the comment for moderators, who find it by no status of its own; `id` as every entry of a listing has it. */
const deadItem = ({ id, site, firstAt }: DeadLetter, commentId: string) => ({
  pk: `C#${commentId}`,
  sk: 'dead',
  id: commentId,
  deadLetterId: id,
  ...(site && { gsi2pk: deskListing(site, 'failed'), gsi2sk: timeKey(firstAt, commentId) }),
});

export function deadLettersOf(table: Table) {
  return {
    /** The id is the message's: a letter drained twice is one. */
    async put(letter: DeadLetter): Promise<boolean> {
      const result = await table.write([
        { put: item(letter), if: 'absent' },
        ...(letter.commentId ? [{ put: deadItem(letter, letter.commentId) }] : []),
      ]);
      return result.done;
    },

    async get(id: string): Promise<DeadLetter | undefined> {
      const found = await table.get(key(id));
      return found && strip<DeadLetter>(found);
    },

    /** Of one site, or of none (`NO_SITE`); oldest first. */
    async list(
      site: string,
      page: { limit: number; cursor?: string },
    ): Promise<{ letters: readonly DeadLetter[]; cursor?: string }> {
      const { items, cursor } = await table.query({ index: 'gsi2', pk: `DL#${site}`, ...page });
      return { letters: items.map((found) => strip<DeadLetter>(found)), ...(cursor && { cursor }) };
    },

    /** The dead letter in which a comment without a verdict stands. */
    async ofComment(commentId: string): Promise<string | undefined> {
      const found = await table.get({ pk: `C#${commentId}`, sk: 'dead' });
      return found && String(found.deadLetterId);
    },

    async markSeen(letter: DeadLetter, at: number): Promise<void> {
      if (letter.seenAt === undefined) await table.write([{ put: item({ ...letter, seenAt: at }) }]);
    },

    /** After the message was sent again: it leaves the list. */
    async markRedriven(letter: DeadLetter, at: number): Promise<void> {
      await table.write([
        { put: item({ ...letter, redrivenAt: at }) },
        ...(letter.commentId ? [{ delete: { pk: `C#${letter.commentId}`, sk: 'dead' } }] : []),
      ]);
    },
  };
}
