import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Comment, Judgement } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import { judgedOf } from '../../shared/judged.ts';
import { parse } from '../../shared/parse.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Key, Ports, Service, Table } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { heatKey } from '../../shared/store/keys.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { linksOf, plainText } from '../validate/markdown.ts';
import { imitates } from '../validate/names.ts';
import { bansOn, underBans } from './bans.ts';
import { judge } from './judge.ts';
import { lessonsOf } from './lessons.ts';
import type { CommentText } from './features.ts';
import { assess, shippedModel, type Assessment } from './model.ts';
import { askOutside, providersOf } from './second-opinion.ts';
import { recordShadow } from './shadow.ts';
import type { SiteWeights } from './lesson.ts';
import { signalsOf, type Evidence, type WeighedSignal } from './signals.ts';

const Input = z.object({ id: z.string(), version: z.number(), executionId: z.string() });

const DAY_S = 86_400;
/** Signals kept with a verdict; those beyond, and those lighter, moved nothing. Without a weight there is a rule. */
const MOST_SIGNALS = 10;
const LEAST_WEIGHT = 0.15;

/** Weighs one comment under its site's policy and keeps the judgement beside it. The verdict travels on, without its signals. */
export const spamCheck: Service = (ports) => spamCheckBy(ports, assess);

/** @param opinionOf the model's, wherever it is worked out: the same text and weights give the same opinion */
export function spamCheckBy(
  ports: Ports,
  opinionOf: (comment: CommentText, weights?: SiteWeights) => Assessment | Promise<Assessment>,
): ReturnType<Service> {
  const { table, clock, log } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  const lessons = lessonsOf(table, clock);
  return async (input) => {
    const { id, executionId } = parse(Input, input, 'Internal.Bug');
    const comment = await store.mustGet(id);
    const { version } = comment;
    if (!waitsForVerdict(comment)) return { id, version, next: 'done', reason: '', review: '' };
    const judgement = await store.keepJudgement(id, await judgeComment(comment, executionId));
    const { verdict, reason, lang } = judgement;
    log.info({ commentId: id, site: comment.site, executionId, verdict }, 'comment judged');
    return { id, version, next: verdict, reason, review: '', judged: { ...judgedOf(judgement), lang } };
  };

  async function judgeComment(comment: Comment, executionId: string): Promise<Judgement> {
    const { site, policy, bans, shadow } = await sites.rules(comment.site);
    const now = clock.now();
    const [text, history, thread, weights, tallies] = await Promise.all([
      store.revision(comment.id, comment.revision),
      store.writerHistory(comment.site, comment.author.key),
      sites.thread(comment.site, comment.thread, { stale: true }),
      lessons.of(comment.site),
      tally(table, comment, now, (policy.policy.heatPerMinute ?? shadow?.policy.heatPerMinute ?? null) !== null),
    ]);
    if (!text)
      throw new SluiceError('Store.Busy', `revision ${comment.revision} of ${comment.id} is not there`, {
        hint: 'tried again',
      });
    const plain = plainText(text.body);
    const links = linksOf(text.body, comment.author.url);
    const imitated = comment.author.role
      ? undefined
      : imitates(
          comment.author.name,
          site.authors.map(({ name }) => name),
        );
    const opinion = await opinionOf(
      { text: plain, author: comment.author.name, ...(comment.author.url && { link: comment.author.url }) },
      weights,
    );
    const evidence: Omit<Evidence, 'trusted'> = {
      text: plain,
      body: text.body,
      author: { name: comment.author.name, ...(comment.author.url && { url: comment.author.url }) },
      links,
      ...(comment.form && { form: comment.form }),
      ...comment.stripped,
      ...(history && { history }),
      ...(comment.author.role && { role: comment.author.role }),
      duplicates: tallies.duplicates,
      velocity: tallies.velocity,
      ...(imitated !== undefined && { imitates: imitated }),
      nowMs: now,
    };
    const banned = bansOn(
      {
        writer: comment.author.key,
        ...(comment.author.network && { network: comment.author.network }),
        name: comment.author.name,
        text: plain,
        hosts: links.hosts,
        fingerprint: comment.fingerprint,
      },
      bans,
      now,
    );
    const under = (rules: Policy, outside: readonly WeighedSignal[]) => {
      const trusted =
        rules.trustedWriters.includes(comment.author.key) ||
        ((history?.published ?? 0) >= rules.trustAfter && (history?.rejected ?? 0) + (history?.spam ?? 0) === 0);
      const outcome = judge(
        {
          signals: [...signalsOf({ ...evidence, trusted }, rules), ...outside],
          modelSignals: opinion.signals,
          modelLogOdds: opinion.logOdds,
          toxicity: opinion.toxicity,
        },
        thread?.premoderate ? { ...rules, premoderate: true } : rules,
        {
          trusted,
          ...(comment.author.role && { role: comment.author.role }),
          firstComment: (history?.published ?? 0) === 0,
          links: links.count,
          ...(tallies.threadPerMinute !== undefined && { threadPerMinute: tallies.threadPerMinute }),
          nowMs: now,
        },
      );
      return underBans(outcome, banned);
    };
    const alone = under(policy.policy, []);
    const page = comment.page ?? (thread?.url ? { url: thread.url, title: thread.title ?? '' } : undefined);
    const outside = await askOutside(
      ports,
      providersOf(ports, site, policy.policy),
      { ...comment, ...(page && { page }) },
      plain,
      alone.score,
    );
    const { verdict, score, signals, reasons } =
      outside.signals.length > 0 ? under(policy.policy, outside.signals) : alone;
    if (shadow) {
      const { verdict: would } = under(shadow.policy, outside.signals);
      await recordShadow(table, shadow.id, comment, { was: verdict, would, at: now }).catch((error: unknown) =>
        log.warn({ err: error, commentId: comment.id }, 'shadow verdict not kept'),
      );
    }
    return {
      verdict,
      score,
      toxicity: opinion.toxicity,
      lang: opinion.lang,
      signals: signals.filter(({ weight }) => weight === 0 || Math.abs(weight) >= LEAST_WEIGHT).slice(0, MOST_SIGNALS),
      // Whoever is banned is told why.
      reason: banned[0] && reasons[0] === 'banned' ? `banned: ${banned[0].reason}` : (reasons[0] ?? 'score'),
      policyVersion: policy.version,
      modelVersion: shippedModel().meta.version,
      executionId,
      revision: comment.revision,
      ...(outside.degraded.length > 0 && { degraded: outside.degraded }),
      ...(outside.unheard.length > 0 && { unheard: outside.unheard }),
      at: now,
    };
  }
}

function waitsForVerdict(comment: Comment): boolean {
  return (
    comment.status === 'received' || (comment.status === 'published' && comment.revision !== comment.publishedRevision)
  );
}

/** Threads told apart in one item of a text's tallies: it stays small, however many threads are flooded with the text. */
const THREAD_SLOTS = 64;

/** Counts of the last minutes and days. A retry may count once more: they are evidence, not accounts. */
async function tally(table: Table, comment: Comment, nowMs: number, heat: boolean) {
  const seconds = Math.floor(nowMs / 1000);
  const { site, author, thread, lane, fingerprint, pace } = comment;
  const here = `t${createHash('sha256').update(thread).digest().readUInt16BE(0) % THREAD_SLOTS}`;
  const count = async (key: Key, by: Record<string, number>, forSeconds: number) =>
    table.increment(key, by, { expiresAt: seconds + forSeconds });
  const perMinute = async (of: string) =>
    Number((await count({ pk: `V#${site}#${of}`, sk: `M#${Math.floor(seconds / 60)}` }, { n: 1 }, 120)).n);
  const [same, hot, writerPerMinute, lanePerMinute] = await Promise.all([
    fingerprint ? count({ pk: `F#${site}#${fingerprint}`, sk: 'seen' }, { n: 1, [here]: 1 }, 7 * DAY_S) : undefined,
    heat ? count(heatKey(site, thread, nowMs), { n: 1 }, 120) : undefined,
    // What came by our door was counted there.
    pace?.writer ?? (author.network ? 0 : perMinute(author.key)),
    pace?.lane ?? (author.network || !lane ? 0 : perMinute(lane)),
  ]);
  const all = Number(same?.n ?? 1);
  return {
    ...(hot && { threadPerMinute: Number(hot.n) }),
    velocity: { writerPerMinute, lanePerMinute },
    duplicates: { same: Math.max(0, all - 1), otherThreads: Math.max(0, all - Number(same?.[here] ?? 1)) },
  };
}
