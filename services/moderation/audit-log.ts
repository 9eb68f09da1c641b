import type { Ports, Query, Write } from '../../shared/ports.ts';
import { strip, timeKey } from '../../shared/store/keys.ts';

/** One row of the audit log: append only, nothing here changes or deletes one. */
export type AuditRow = {
  id: string;
  /** `*` for what concerns every site. */
  site: string;
  at: number;
  by: string;
  action: string;
  /** What else it was about, in words for admins: a user's name, a thread's key. Never a reader's text. */
  about?: string;
  commentId?: string;
  version?: number;
  from?: string;
  to?: string;
  reason?: string;
  undoes?: string;
  /** What the judge had said, for its agreement with moderators over time. */
  verdict?: string;
  score?: number;
  waitedMs?: number;
};

const logOf = (site: string) => `A#${site}`;

/** Goes into the write of what it tells of: nothing happens unlogged, nothing is logged that did not happen. */
export function auditWrite(row: AuditRow): Write {
  return { put: { pk: logOf(row.site), sk: timeKey(row.at, row.id), ...row }, if: 'absent' };
}

/** For what has no conditional write of its own. */
export async function audit(
  { table, clock, ids }: Pick<Ports, 'table' | 'clock' | 'ids'>,
  row: Omit<AuditRow, 'id' | 'at'>,
): Promise<void> {
  await table.write([auditWrite({ ...row, id: ids.next(), at: clock.now() })]);
}

/** By time; `since` and `until` in milliseconds, inclusive. */
export async function readAudit(
  table: Ports['table'],
  site: string,
  page: { since?: number; until?: number; order: 'ascending' | 'descending'; limit: number; cursor?: string },
): Promise<{ rows: readonly AuditRow[]; cursor?: string }> {
  const query: Query = {
    pk: logOf(site),
    order: page.order,
    limit: page.limit,
    from: timeKey(page.since ?? 0, ''),
    to: timeKey((page.until ?? 9_999_999_999_998) + 1, ''),
    ...(page.cursor !== undefined && { cursor: page.cursor }),
  };
  const { items, cursor } = await table.query(query);
  return { rows: items.map((item) => strip<AuditRow>(item)), ...(cursor && { cursor }) };
}
