import { z } from 'zod';
import { SiteId } from '../../shared/events.ts';
import type { Route } from '../../shared/http.ts';
import type { Ports } from '../../shared/ports.ts';
import { deadLettersOf, NO_SITE } from '../../shared/store/dead-letters.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { readAudit, type AuditRow } from './audit-log.ts';
import { defined, Moment } from './comments.ts';
import { mustBe, mustRule, type Moderator } from './moderator.ts';

const AuditQuery = z.strictObject({
  site: z.union([z.literal('*'), SiteId]),
  since: Moment.optional(),
  until: Moment.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(2000).optional(),
  format: z.enum(['json', 'jsonl']).default('json'),
});
const StatsQuery = z.strictObject({ site: SiteId, days: z.coerce.number().int().min(1).max(365).default(30) });

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const STATS_ROWS = 50_000;
const MOST_LETTERS = 1000;

export type DayStats = {
  /** Midnight UTC. */
  day: number;
  decided: number;
  actions: Record<string, number>;
  /** Of the decisions on a score: those on the side where the score stood. */
  scored: number;
  agreed: number;
};

/** What was decided a day, and how often the judge's score was on the moderators' side. */
export function statsOf(rows: readonly AuditRow[], nowMs: number, days: number) {
  const first = Math.floor(nowMs / DAY_MS) * DAY_MS - (days - 1) * DAY_MS;
  const byDay: DayStats[] = Array.from({ length: days }, (_, index) => ({
    day: first + index * DAY_MS,
    decided: 0,
    actions: {},
    scored: 0,
    agreed: 0,
  }));
  const waits: number[] = [];
  const people: Record<string, number> = {};
  for (const row of rows) {
    const day = byDay[Math.floor((row.at - first) / DAY_MS)];
    if (!day || !row.commentId) continue;
    day.decided++;
    day.actions[row.action] = (day.actions[row.action] ?? 0) + 1;
    people[row.by.replace(/^user:/, '')] = (people[row.by.replace(/^user:/, '')] ?? 0) + 1;
    if (row.waitedMs !== undefined) waits.push(row.waitedMs);
    const side = { publish: false, restore: false, reject: true, spam: true, remove: true }[row.action];
    if (side !== undefined && row.score !== undefined) {
      day.scored++;
      day.agreed += Number(row.score >= 0.5 === side);
    }
  }
  waits.sort((a, b) => a - b);
  const at = (share: number) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? null;
  return { days: byDay, people, wait: { medianMs: at(0.5), p90Ms: at(0.9), count: waits.length } };
}

export function operationRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock, queues, search } = ports;
  const sites = sitesOf(table, clock);
  const letters = deadLettersOf(table);
  return [
    {
      method: 'GET',
      path: '/v1/moderation/queues',
      summary:
        'What waits in each queue, for how long, and what stands in the dead letters for it (at most 1,000 a site)',
      access: 'admin',
      responses: { 200: { description: '{queues: [{name, depth, inFlight, delayed, oldestMs?, dead}]}' } },
      async handle({ caller }) {
        mustRule(caller);
        const now = clock.now();
        const dead = new Map<string, number>();
        for (const site of [NO_SITE, ...(await sites.list()).map(({ id }) => id)]) {
          for (const { source } of (await letters.list(site, { limit: MOST_LETTERS })).letters) {
            dead.set(source, (dead.get(source) ?? 0) + 1);
          }
        }
        const all = await Promise.all(
          Object.entries(queues).map(async ([name, queue]) => {
            const oldestAt = await queue.oldestAt?.();
            return {
              name,
              ...(await queue.attributes()),
              ...(oldestAt !== undefined && { oldestMs: Math.max(0, now - oldestAt) }),
              dead: dead.get(name) ?? 0,
            };
          }),
        );
        return { status: 200, body: { queues: all } };
      },
    },
    {
      method: 'GET',
      path: '/v1/moderation/stats',
      summary: 'What was decided a day, how long comments waited, and how often the judge agreed',
      access: 'moderator',
      query: StatsQuery,
      responses: { 200: { description: '{days, people, wait, counts, rates: {hour, day}}' } },
      async handle({ caller, query }) {
        const { site, days }: z.infer<typeof StatsQuery> = query;
        mustBe(caller, 'moderator', site);
        await sites.rules(site);
        const now = clock.now();
        const rows: AuditRow[] = [];
        let cursor: string | undefined;
        do {
          const page = await readAudit(table, site, {
            since: now - days * DAY_MS,
            order: 'descending',
            limit: 1000,
            ...(cursor && { cursor }),
          });
          rows.push(...page.rows);
          ({ cursor } = page);
        } while (cursor && rows.length < STATS_ROWS);
        const statuses = ['held', 'published', 'rejected', 'spam', 'removed', 'failed'];
        const counts = await Promise.all(
          statuses.map(async (status) => [status, (await search.comments({ site, status, limit: 1 })).total] as const),
        );
        const rateOf = async (since: number) => {
          const part = async (status: string) =>
            [status, (await search.comments({ site, status, since, limit: 1 })).total ?? null] as const;
          return Object.fromEntries(await Promise.all(['published', 'held', 'rejected', 'spam'].map(part)));
        };
        const body = {
          ...statsOf(rows, now, days),
          counts: Object.fromEntries(counts),
          rates: { hour: await rateOf(now - HOUR_MS), day: await rateOf(now - DAY_MS) },
          partial: cursor !== undefined,
        };
        return { status: 200, body };
      },
    },
    {
      method: 'GET',
      path: '/v1/moderation/audit',
      summary: 'Who did what, newest first; `*` for what concerns every site; `format=jsonl` to keep it',
      access: 'admin',
      query: AuditQuery,
      responses: { 200: { description: '{rows, nextCursor}, or a row a line' } },
      async handle({ caller, query }) {
        const { site, format, ...page }: z.infer<typeof AuditQuery> = query;
        if (site === '*') mustRule(caller);
        else mustBe(caller, 'admin', site);
        const { rows, cursor } = await readAudit(table, site, { ...defined(page), order: 'descending' });
        if (format === 'json') return { status: 200, body: { rows, nextCursor: cursor ?? null } };
        return {
          status: 200,
          raw: { type: 'application/x-ndjson', text: rows.map((row) => `${JSON.stringify(row)}\n`).join('') },
          headers: {
            'content-disposition': 'attachment; filename="audit.jsonl"',
            ...(cursor && { link: `<?site=${site}&format=jsonl&cursor=${encodeURIComponent(cursor)}>; rel="next"` }),
          },
        };
      },
    },
  ];
}
