import type { Comment, Verdict } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { judge } from '../spam-check/judge.ts';
import { learn } from '../spam-check/learn.ts';
import { LESSONS, unlearnPerson, type SiteWeights } from '../spam-check/lesson.ts';
import { assess } from '../spam-check/model.ts';
import { signalsOf } from '../spam-check/signals.ts';
import { linksOf, plainText } from '../validate/markdown.ts';
import { newestOf } from './newest.ts';

/** An imported comment with its text and the verdict that the file gives it. */
export type Exhibit = { comment: Comment; body: string; refused: boolean };

/** How often a judge agreed with the file. A hold is on no side: a person would have been asked. */
export type Figures = {
  agreed: number;
  asked: number;
  /** Honest comments that would have been rejected. */
  wronglyRejected: number;
  /** Refused ones that would have been published. */
  missed: number;
  askedPerDay: number;
};

/** What Sluice would have done with the comments of an import, against what the file says became of them. */
export type Proof = {
  comments: number;
  /** The earlier part, which teaches, and the later one, which the figures are about. */
  trainedOn: number;
  reportedOn: number;
  /** Where the parts meet, milliseconds since the epoch. */
  since: number;
  days: number;
  /** As the judge is now. */
  before: Figures;
  /** Taught by the earlier part. */
  after: Figures;
  /** The strongest first, as the judge is now. */
  disagreements: readonly {
    id: string;
    author: string;
    excerpt: string;
    status: Comment['status'];
    would: Verdict;
    score: number;
    taught: { would: Verdict; score: number };
  }[];
};

/** Lessons of an import, so that all of them can be taken back together. */
export const IMPORT = 'import';
const TAUGHT_SHARE = 0.7;
const DISAGREEMENTS = 20;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** The newest imported comments of a site that the file published or refused, oldest first. */
export async function exhibitsOf(
  ports: Pick<Ports, 'table' | 'clock' | 'search'>,
  site: string,
  last: number,
): Promise<Exhibit[]> {
  const store = storeOf(ports.table, ports.clock);
  const found: Exhibit[] = [];
  for await (const page of newestOf(ports, site, last)) {
    const heads = page.filter(({ imported, status, author }) => imported && !author.role && status in REFUSED);
    const texts = await store.revisions(heads.map(({ id, revision }) => ({ id, revision })));
    for (const [index, comment] of heads.entries()) {
      const body = texts[index]?.body;
      if (body) found.push({ comment, body, refused: REFUSED[comment.status] ?? false });
    }
  }
  return found.toSorted((one, other) => one.comment.submittedAt - other.comment.submittedAt);
}

const REFUSED: Partial<Record<Comment['status'], boolean>> = {
  published: false,
  rejected: true,
  spam: true,
  removed: true,
};

/** The part that teaches: the earlier one. */
export const teaching = (exhibits: readonly Exhibit[]): readonly Exhibit[] =>
  exhibits.slice(0, Math.floor(exhibits.length * TAUGHT_SHARE));

/** A site's weights with what the file's verdicts teach; lessons of an import before are replaced. */
export function taughtBy(weights: SiteWeights, exhibits: readonly Exhibit[]): SiteWeights {
  const newest = (refused: boolean) => exhibits.filter((one) => one.refused === refused).slice(-LESSONS.spam);
  // Older ones would only be thrown away again.
  let taught = unlearnPerson(weights, IMPORT);
  for (const { comment, body, refused } of [...newest(true), ...newest(false)]) {
    taught = learn(taught, {
      // Sorts before every decision's id: where there is no more room, what a file says goes first.
      decisionId: `!${comment.submittedAt.toString(36).padStart(9, '0')}-${comment.contentHash}`,
      by: IMPORT,
      text: plainText(body),
      commentId: comment.id,
      author: comment.author.name,
      ...(comment.author.url && { link: comment.author.url }),
      axis: 'spam',
      label: refused ? 1 : 0,
    });
  }
  return taught;
}

/**
 * Judges the later part twice: as the judge is, and taught by the earlier part.
 *
 * Writers and near duplicates are known as they would have been then: by what the file says of the comments before.
 */
export async function prove(
  exhibits: readonly Exhibit[],
  policy: Policy,
  weights: SiteWeights,
  onProgress: (done: number) => void,
): Promise<Proof> {
  const early = teaching(exhibits);
  const late = exhibits.slice(early.length);
  const taught = taughtBy(weights, early);
  // Whether somebody is away now says nothing of then.
  const rules = { ...policy, holdUntil: null };
  const past = pastOf();
  for (const exhibit of early) past.add(exhibit);
  const since = late[0]?.comment.submittedAt ?? 0;
  const days = Math.max(1, ((late.at(-1)?.comment.submittedAt ?? 0) - since) / DAY_MS);
  const before = { agreed: 0, asked: 0, wronglyRejected: 0, missed: 0 };
  const after = { ...before };
  const disagreements: Proof['disagreements'][number][] = [];
  const own = unlearnPerson(weights, IMPORT);
  for (const [index, exhibit] of late.entries()) {
    const { comment, refused } = exhibit;
    const would = judgedThen(exhibit, rules, own, past);
    const then = judgedThen(exhibit, rules, taught, past);
    count(before, would.verdict, refused);
    count(after, then.verdict, refused);
    if (would.score >= 0.5 !== refused) {
      const { id, author, excerpt, status } = comment;
      disagreements.push({
        id,
        author: author.name,
        excerpt,
        status,
        would: would.verdict,
        score: would.score,
        taught: { would: then.verdict, score: then.score },
      });
    }
    past.add(exhibit);
    if (index % 50 === 49) {
      onProgress(early.length + index + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const strength = ({ score }: { score: number }) => Math.abs(score - 0.5);
  return {
    comments: exhibits.length,
    trainedOn: early.length,
    reportedOn: late.length,
    since,
    days,
    before: { ...before, askedPerDay: before.asked / days },
    after: { ...after, askedPerDay: after.asked / days },
    disagreements: disagreements.toSorted((a, b) => strength(b) - strength(a)).slice(0, DISAGREEMENTS),
  };
}

function count(figures: Omit<Figures, 'askedPerDay'>, verdict: Verdict, refused: boolean): void {
  if (verdict === 'hold') figures.asked++;
  else if ((verdict === 'reject') === refused) figures.agreed++;
  else if (refused) figures.missed++;
  else figures.wronglyRejected++;
}

type Past = ReturnType<typeof pastOf>;

/** What was known of writers and texts up to a moment. */
function pastOf() {
  const writers = new Map<string, { published: number; rejected: number; spam: number }>();
  const texts = new Map<string, { at: number; thread: string }[]>();
  return {
    add({ comment: { author, status, fingerprint, submittedAt, thread } }: Exhibit): void {
      const { published, rejected, spam } = this.of(author.key);
      writers.set(author.key, {
        published: published + Number(status === 'published'),
        rejected: rejected + Number(status === 'rejected'),
        spam: spam + Number(status === 'spam'),
      });
      if (fingerprint) texts.set(fingerprint, [...this.like(fingerprint, submittedAt), { at: submittedAt, thread }]);
    },
    of: (writer: string) => writers.get(writer) ?? { published: 0, rejected: 0, spam: 0 },
    /** Of the week before. */
    like: (fingerprint: string, at: number) => (texts.get(fingerprint) ?? []).filter((one) => one.at > at - WEEK_MS),
  };
}

function judgedThen({ comment, body }: Exhibit, policy: Policy, weights: SiteWeights, past: Past) {
  const { author, fingerprint, thread, submittedAt: nowMs } = comment;
  const text = plainText(body);
  const links = linksOf(body, author.url);
  const history = past.of(author.key);
  const alike = past.like(fingerprint, nowMs);
  const trusted =
    policy.trustedWriters.includes(author.key) ||
    (history.published >= policy.trustAfter && history.rejected + history.spam === 0);
  const opinion = assess({ text, author: author.name, ...(author.url && { link: author.url }) }, weights);
  return judge(
    {
      signals: signalsOf(
        {
          text,
          body,
          author: { name: author.name, ...(author.url && { url: author.url }) },
          links,
          ...comment.stripped,
          history,
          trusted,
          duplicates: { same: alike.length, otherThreads: alike.filter((one) => one.thread !== thread).length },
          velocity: { writerPerMinute: 0, lanePerMinute: 0 },
          nowMs,
        },
        policy,
      ),
      modelLogOdds: opinion.logOdds,
      toxicity: opinion.toxicity,
    },
    policy,
    { trusted, firstComment: history.published === 0, links: links.count, nowMs },
  );
}
