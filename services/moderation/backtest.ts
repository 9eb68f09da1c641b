import type { Comment, JudgedComment, Verdict } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { judge } from '../spam-check/judge.ts';
import { signalsOf, TEXT_SIGNALS, TRUSTED_WEIGHT, type WeighedSignal } from '../spam-check/signals.ts';
import { linksOf, plainText } from '../validate/markdown.ts';
import { newestOf } from './newest.ts';

/** What a draft would have decided, beside what the policy and then people decided. */
export type Backtest = {
  comments: number;
  changed: number;
  /** `publish>hold`: how many, by what was decided and would be. */
  changes: Record<string, number>;
  /** Comments that people decided, and how many of them each policy had on their side. A hold is on no side. */
  people: { decided: number; liveWrong: number; draftWrong: number; liveHeld: number; draftHeld: number };
  heldPerDay: { live: number; draft: number };
  days: number;
  /** How many came into the queue on each of the last 60 days that had comments, oldest first; `day` is midnight UTC. */
  perDay: readonly { day: number; live: number; draft: number }[];
  /** The newest that change, at most 100. */
  examples: readonly {
    id: string;
    author: string;
    excerpt: string;
    was: Verdict;
    would: Verdict;
    status: Comment['status'];
    /** The person who decided it. */
    by?: string;
    score: number;
  }[];
};

const EXAMPLES = 100;
const DAYS = 60;
const DAY_MS = 86_400_000;
/** Lists and links are read off the text again; everything else stands as it was weighed. */
const POLICY_SIGNALS = new Set(['blocklist-term', 'link-host-blocked']);

const sum = (signals: readonly { name: string; weight: number }[]) =>
  signals.filter(({ name }) => !TEXT_SIGNALS.has(name)).reduce((total, { weight }) => total + weight, 0);

/**
 * Judges one comment again under another policy, from the signals that were stored with it.
 *
 * The score stays what it was, but for blocklists: they are the policy's own.
 */
export function rejudge(comment: JudgedComment, body: string, policy: Policy, nowMs: number): Verdict | undefined {
  const { judgement, author } = comment;
  if (!judgement) return undefined;
  // A ban is no part of a policy.
  if (judgement.reason.startsWith('banned')) return judgement.verdict;
  const kept = judgement.signals
    .filter(({ name }) => !POLICY_SIGNALS.has(name))
    .map((signal): WeighedSignal => (signal.name === 'imitates' ? { ...signal, rule: 'hold' } : signal));
  const old = judgement.signals.filter(({ name }) => POLICY_SIGNALS.has(name));
  const links = linksOf(body, author.url);
  const trusted =
    policy.trustedWriters.includes(author.key) ||
    kept.some(({ name, weight }) => name === 'known-writer' && weight === TRUSTED_WEIGHT && !author.role);
  const listed = signalsOf(
    {
      text: plainText(body),
      body,
      author: { name: author.name, ...(author.url && { url: author.url }) },
      links,
      trusted,
      duplicates: { same: 0, otherThreads: 0 },
      velocity: { writerPerMinute: 0, lanePerMinute: 0 },
      nowMs,
    },
    policy,
  ).filter(({ name }) => POLICY_SIGNALS.has(name));
  return judge(
    {
      signals: [...kept, ...listed],
      // What the kept signals do not explain of the stored score stands for the rest: the sum comes out the same.
      modelLogOdds: logit(judgement.score) - sum(kept) - sum(old),
      toxicity: judgement.toxicity,
    },
    policy,
    {
      trusted,
      ...(author.role && { role: author.role }),
      firstComment: judgement.reason === 'first-comment' || kept.some(({ name }) => name === 'new-writer'),
      links: links.count,
      // How fast a thread went is not kept: one that was too hot is taken to be so again.
      ...(judgement.reason === 'heat' && { threadPerMinute: Infinity }),
      nowMs: judgement.at,
    },
  ).verdict;
}

/** Over those of the newest `last` comments of a site that were judged. */
export async function backtest(
  ports: Pick<Ports, 'table' | 'clock' | 'search'>,
  site: string,
  draft: Policy,
  last: number,
  onProgress: (done: number) => void,
): Promise<Backtest> {
  const { table, clock } = ports;
  const store = storeOf(table, clock);
  const result = {
    comments: 0,
    changed: 0,
    changes: {} as Record<string, number>,
    people: { decided: 0, liveWrong: 0, draftWrong: 0, liveHeld: 0, draftHeld: 0 },
    examples: [] as Backtest['examples'][number][],
  };
  const perDay = new Map<number, { day: number; live: number; draft: number }>();
  const threads = new Map<string, boolean>();
  const sites = sitesOf(table, clock);
  const premoderated = async (key: string): Promise<boolean> => {
    const known = threads.get(key) ?? (await sites.thread(site, key))?.premoderate ?? false;
    threads.set(key, known);
    return known;
  };
  let oldest = clock.now();
  let seen = 0;
  for await (const page of newestOf(ports, site, last)) {
    const heads = await store.judged(page);
    const texts = await store.revisions(
      heads.map(({ id, judgement, revision }) => ({ id, revision: judgement?.revision ?? revision })),
    );
    for (const [index, head] of heads.entries()) {
      const was = head.judgement?.verdict;
      const rules = (await premoderated(head.thread)) ? { ...draft, premoderate: true } : draft;
      const would = rejudge(head, texts[index]?.body ?? '', rules, clock.now());
      if (!was || !would) continue;
      result.comments++;
      oldest = Math.min(oldest, head.submittedAt);
      const day = Math.floor(head.submittedAt / DAY_MS) * DAY_MS;
      const { live, draft: ours } = perDay.get(day) ?? { live: 0, draft: 0 };
      perDay.set(day, { day, live: live + Number(was === 'hold'), draft: ours + Number(would === 'hold') });
      against(result.people, head, was, would);
      if (was === would) continue;
      result.changed++;
      result.changes[`${was}>${would}`] = (result.changes[`${was}>${would}`] ?? 0) + 1;
      if (result.examples.length < EXAMPLES) {
        result.examples.push(exampleOf(head, was, would));
      }
    }
    seen += heads.length;
    onProgress(seen);
  }
  const days = Math.max(1, (clock.now() - oldest) / DAY_MS);
  const all = [...perDay.values()].toSorted((one, other) => one.day - other.day);
  const mean = (of: 'live' | 'draft') => all.reduce((sum, day) => sum + day[of], 0) / days;
  return {
    ...result,
    days,
    heldPerDay: { live: mean('live'), draft: mean('draft') },
    perDay: all.slice(-DAYS),
  };
}

/** A comment that two policies decide differently, as the desk lists it. */
export function exampleOf(head: Comment, was: Verdict, would: Verdict): Backtest['examples'][number] {
  const { id, author, excerpt, status, decidedBy, judgement } = head;
  const by = decidedBy?.startsWith('user:') ? { by: decidedBy.slice('user:'.length) } : {};
  return { id, author: author.name, excerpt, was, would, status, ...by, score: judgement?.score ?? 0 };
}

/** What people decided is right here: a policy that did the opposite was wrong, one that held asked. */
export function against(
  people: Backtest['people'],
  { decidedBy, status }: Comment,
  was: Verdict,
  would: Verdict,
): void {
  if (!decidedBy?.startsWith('user:')) return;
  const right =
    status === 'published' ? 'publish' : ['rejected', 'spam', 'removed'].includes(status) ? 'reject' : undefined;
  if (!right) return;
  people.decided++;
  people.liveHeld += Number(was === 'hold');
  people.draftHeld += Number(would === 'hold');
  people.liveWrong += Number(was !== 'hold' && was !== right);
  people.draftWrong += Number(would !== 'hold' && would !== right);
}

/** Of probabilities that are 0 or 1 only by rounding. */
function logit(score: number): number {
  const bounded = Math.min(1 - 1e-9, Math.max(1e-9, score));
  return Math.log(bounded / (1 - bounded));
}
