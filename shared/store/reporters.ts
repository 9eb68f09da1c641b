import type { Comment } from '../comment.ts';
import type { Item, Key, Table, Write } from '../ports.ts';

/** What moderators thought of a reader's reports at a site, by the keyed hash of who reports. */
const recordKey = (site: string, reporter: string): Key => ({ pk: `REPORTER#${site}#${reporter}`, sk: 'record' });
const reportPrefix = (revision: number): string => `Z#${revision}#`;

/** Forgotten half a year after the last answer. */
export const REPORTER_S = 180 * 86_400;
/** Of one decision; beyond them reporters are neither right nor wrong. A write takes 100 items. */
const MOST_ANSWERED = 40;

/** One report of one revision. */
type Report = Item & { weight?: number; answered?: string; found?: 'right' | 'wrong' };

/**
 * How much a reader's word counts, 0..1: 1 for whoever was never wrong, a half after two wrong reports, a quarter after
 * six; reports that were right win it back.
 */
export const weightOf = ({ right = 0, wrong = 0 }: { right?: number; wrong?: number }): number =>
  (2 + Math.max(0, right)) / (2 + Math.max(0, right) + Math.max(0, wrong));

export function reportersOf(table: Table) {
  const reportsOf = async (id: string, revision: number): Promise<readonly Report[]> =>
    (await table.query({ pk: `C#${id}`, prefix: reportPrefix(revision), limit: 1000 })).items;

  const count = (site: string, { sk }: Report, by: Record<string, number>, nowMs: number): Write => ({
    add: recordKey(site, sk.split('#').slice(2).join('#')),
    by,
    expiresAt: Math.floor(nowMs / 1000) + REPORTER_S,
  });

  return {
    /** Keeps a report, once a reporter and revision. @returns how many there are, and what they weigh together */
    async take(
      { id, site }: Pick<Comment, 'id' | 'site'>,
      revision: number,
      { reporter, ...said }: { reporter: string; reason: string; note?: string },
    ): Promise<{ reports: number; weight: number }> {
      const record = (await table.get(recordKey(site, reporter))) as { right?: number; wrong?: number } | undefined;
      const put = {
        pk: `C#${id}`,
        sk: `${reportPrefix(revision)}${reporter}`,
        ...said,
        weight: weightOf(record ?? {}),
      };
      await table.write([{ put, if: 'absent' }]);
      const reports = await reportsOf(id, revision);
      return { reports: reports.length, weight: reports.reduce((sum, report) => sum + (report.weight ?? 1), 0) };
    },

    /** The writes by which a decision says that those who reported a comment were right, or wrong. */
    async answer(comment: Comment, found: 'right' | 'wrong', decisionId: string, nowMs: number): Promise<Write[]> {
      if (comment.reports === 0 || comment.publishedRevision === null) return [];
      const open = (await reportsOf(comment.id, comment.publishedRevision)).filter(({ answered }) => !answered);
      return open
        .slice(0, MOST_ANSWERED)
        .flatMap((report) => [
          { put: { ...report, answered: decisionId, found } },
          count(comment.site, report, { [found]: 1 }, nowMs),
        ]);
    },

    /** The writes that take such an answer back. */
    async unanswer({ id, site, publishedRevision }: Comment, decisionId: string, nowMs: number): Promise<Write[]> {
      if (publishedRevision === null) return [];
      const given = (await reportsOf(id, publishedRevision)).filter(({ answered }) => answered === decisionId);
      return given.flatMap(({ answered: _answered, found = 'wrong', ...report }) => [
        { put: report },
        count(site, report, { [found]: -1 }, nowMs),
      ]);
    },
  };
}
