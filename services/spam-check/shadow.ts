import type { Comment, Verdict } from '../../shared/comment.ts';
import type { Table } from '../../shared/ports.ts';
import { strip, timeKey } from '../../shared/store/keys.ts';

/** Where a draft would have decided otherwise. */
export type ShadowDifference = { commentId: string; at: number; was: Verdict; would: Verdict };

/** Differences are kept a month; the counts as long as the draft. */
const KEPT_S = 30 * 86_400;

const logOf = (site: string, draft: string) => `SHADOW#${site}#${draft}`;
const countKey = (site: string, draft: string) => ({ pk: logOf(site, draft), sk: 'count' });

/** Counts one comment under a draft: one write, two where the verdicts differ. A retry may count once more. */
export async function recordShadow(
  table: Table,
  draft: string,
  { id, site }: Pick<Comment, 'id' | 'site'>,
  { was, would, at }: Omit<ShadowDifference, 'commentId'>,
): Promise<void> {
  const differs = was !== would;
  const row: ShadowDifference = { commentId: id, at, was, would };
  await Promise.all([
    table.increment(countKey(site, draft), { comments: 1, [`${was}>${would}`]: 1 }),
    ...(differs
      ? [
          table.write([
            {
              put: {
                pk: logOf(site, draft),
                sk: `D#${timeKey(at, id)}`,
                ...row,
                expiresAt: Math.floor(at / 1000) + KEPT_S,
              },
            },
          ]),
        ]
      : []),
  ]);
}

/** How often each pair of verdicts came, and the newest that differ. */
export async function readShadow(
  table: Table,
  site: string,
  draft: string,
  newest: number,
): Promise<{ comments: number; pairs: Record<string, number>; differing: readonly ShadowDifference[] }> {
  const [counted, { items }] = await Promise.all([
    table.get(countKey(site, draft)),
    table.query({ pk: logOf(site, draft), prefix: 'D#', order: 'descending', limit: newest }),
  ]);
  const { comments = 0, ...pairs } = counted ? strip<Record<string, number>>(counted) : {};
  return { comments, pairs, differing: items.map((item) => strip<ShadowDifference>(item)) };
}
