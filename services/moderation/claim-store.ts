import type { Ports } from '../../shared/ports.ts';
import { strip } from '../../shared/store/keys.ts';

/** A lease on what one looks at. */
export const CLAIM_MS = 60_000;

export type Claim = { commentId: string; user: string; at: number; until: number; version: number };

export const claimKey = (commentId: string) => ({ pk: `C#${commentId}`, sk: 'claim' });

/**
 * Takes or renews a lease, unless somebody else holds one.
 *
 * @returns the lease that stands now, whoever has it
 */
export async function claim(
  { table, clock }: Pick<Ports, 'table' | 'clock'>,
  commentId: string,
  user: string,
): Promise<Claim> {
  for (let race = 0; race < 4; race++) {
    const now = clock.now();
    const item = await table.get(claimKey(commentId));
    const held = item && strip<Claim>(item);
    if (held && held.user !== user && held.until > now) return held;
    const next: Claim = { commentId, user, at: now, until: now + CLAIM_MS, version: (held?.version ?? 0) + 1 };
    const result = await table.write([
      {
        // Outlives the lease, so that whether it has ended is read from `until` alone.
        put: { ...claimKey(commentId), ...next, expiresAt: Math.ceil(next.until / 1000) + 3600 },
        if: held ? { version: held.version } : 'absent',
      },
    ]);
    if (result.done) return next;
  }
  return { commentId, user: '', at: 0, until: 0, version: 0 };
}

/** Nothing happens to somebody else's lease. */
export async function release({ table }: Pick<Ports, 'table'>, commentId: string, user: string): Promise<void> {
  const item = await table.get(claimKey(commentId));
  const held = item && strip<Claim>(item);
  if (held?.user === user) await table.write([{ delete: claimKey(commentId), if: { version: held.version } }]);
}
