import type { Clock, Item, Key, Table } from '../ports.ts';
import type { Vault } from '../vault.ts';

/** A kept name is free again this long after its last use. */
export const NAME_S = 400 * 86_400;
/** Until a comment of the keeper is published: whoever only takes names keeps none. */
export const NEW_NAME_S = 7 * 86_400;
/** A use within a day of the last one is not written down. */
const USE_S = 86_400;

export type NameClaim = Item & { comment: string };

/** Names that writers keep at a site, by what looks like them. The table holds keyed hashes, and no name. */
export function namesOf(table: Table, vault: Vault, clock: Clock) {
  const keyOf = (site: string, skeleton: string): Key => ({
    pk: `NAME#${site}#${vault.sign('writer', `name\n${site}\n${skeleton}`)}`,
    sk: 'claim',
  });
  const textOf = (site: string, comment: string) => `name\n${site}\n${comment}`;
  const isOver = (claim: Item | undefined) => (claim?.expiresAt ?? 0) * 1000 <= clock.now();

  return {
    /** The claim on a name, also one that is over: the table deletes late. */
    async get(site: string, skeleton: string): Promise<NameClaim | undefined> {
      return (await table.get(keyOf(site, skeleton), { stale: true })) as NameClaim | undefined;
    },

    /** Whether another may write under a name: nobody keeps it, or this is its capability, or the comment that took it. */
    isFree(claim: NameClaim | undefined, site: string, capability: string | undefined, comment?: string): boolean {
      if (!claim || isOver(claim) || claim.comment === comment) return true;
      return capability !== undefined && vault.verify('capability', textOf(site, claim.comment), capability);
    },

    /**
     * Keeps a name by a comment, or keeps it longer; `claim` is what `get` read, and is free to the caller.
     *
     * @param known the writer has a published comment here
     * @returns the capability, the same for a repeat; undefined when another was faster
     */
    async keep(
      { site, skeleton, comment, known }: { site: string; skeleton: string; comment: string; known: boolean },
      claim: NameClaim | undefined,
    ): Promise<string | undefined> {
      const now = Math.floor(clock.now() / 1000);
      const by = claim && !isOver(claim) ? claim.comment : comment;
      const expiresAt = Math.max(now + (known ? NAME_S : NEW_NAME_S), by === claim?.comment ? claim.expiresAt! : 0);
      if (by !== claim?.comment || expiresAt - claim.expiresAt! > USE_S) {
        const { done } = await table.write([
          {
            put: { ...keyOf(site, skeleton), comment: by, expiresAt, version: (claim?.version ?? 0) + 1 },
            if: claim ? { version: claim.version! } : 'absent',
          },
        ]);
        if (!done && (await table.get(keyOf(site, skeleton)))?.comment !== by) return undefined;
      }
      return vault.sign('capability', textOf(site, by));
    },

    /** Frees a name that one of these comments took. */
    async free(site: string, skeleton: string, comments: ReadonlySet<string>): Promise<void> {
      const claim = await table.get(keyOf(site, skeleton));
      if (claim && comments.has(String(claim.comment))) await table.write([{ delete: keyOf(site, skeleton) }]);
    },
  };
}
