import type { Comment, Verdict } from '../../shared/comment.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { commentOf, deskListing } from '../../shared/store/keys.ts';
import { judge } from '../spam-check/judge.ts';
import { learn } from '../spam-check/learn.ts';
import { LESSONS, personHash, unlearnPerson, type SiteWeights } from '../spam-check/lesson.ts';
import { assess } from '../spam-check/model.ts';
import { signalsOf } from '../spam-check/signals.ts';
import { linksOf, plainText } from '../validate/markdown.ts';

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
  /** Of the earlier part, those that a site's weights have room for: the newest of both kinds. */
  lessons: number;
  /** Where the parts meet, milliseconds since the epoch. */
  since: number;
  days: number;
  /** As the judge is now. */
  before: Figures;
  /** Taught by the earlier part. */
  after: Figures;
  /** As the judge is now, those first whose score is farthest from what the file says. Without names and words: a result is kept for a while, and these may go. */
  disagreements: readonly {
    id: string;
    status: Comment['status'];
    would: Verdict;
    score: number;
    taught: { would: Verdict; score: number };
  }[];
};

/** As it is answered: with what the store has now of those who wrote. */
export type NamedProof = Omit<Proof, 'disagreements'> & {
  disagreements: readonly (Proof['disagreements'][number] & { author: string; excerpt: string })[];
};

/** Lessons of an import, so that all of them can be taken back together. */
export const IMPORT = 'import';
const TAUGHT_SHARE = 0.7;
const DISAGREEMENTS = 20;
/** Comments that are judged before others come to their turn. */
const TOGETHER = 10;
const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Heads that are looked at for one proof: a site may have far more comments of its own than imported ones. */
const MOST_HEADS = 200_000;
const PAGE = 100;

/** The newest imported comments of a site that the file published or refused, oldest first; at most `last`. */
export async function exhibitsOf(
  { table, clock }: Pick<Ports, 'table' | 'clock'>,
  site: string,
  last: number,
): Promise<Exhibit[]> {
  const store = storeOf(table, clock);
  const found: Exhibit[] = [];
  let heads: Comment[] = [];
  const take = async () => {
    const texts = await store.revisions(heads.map(({ id, revision }) => ({ id, revision })));
    for (const [index, comment] of heads.entries()) {
      const body = texts[index]?.body;
      if (body) found.push({ comment, body, refused: REFUSED[comment.status] ?? false });
    }
    heads = [];
  };
  let seen = 0;
  for await (const head of newestDecided({ table }, site)) {
    if (++seen > MOST_HEADS) break;
    if (!head.imported || head.author.role || !(head.status in REFUSED)) continue;
    heads.push(head);
    if (found.length + heads.length < last && heads.length < PAGE) continue;
    await take();
    if (found.length >= last) break;
  }
  await take();
  return found.toSorted((one, other) => one.comment.submittedAt - other.comment.submittedAt);
}

/** What stands in the listings of these statuses, newest first over all of them. Others come to their turn between the pages. */
async function* newestDecided({ table }: Pick<Ports, 'table'>, site: string): AsyncGenerator<Comment> {
  const listing = async function* (status: string) {
    let cursor: string | undefined;
    do {
      const page = await table.query({
        index: 'gsi2',
        pk: deskListing(site, status),
        order: 'descending',
        limit: PAGE,
        ...(cursor && { cursor }),
      });
      yield* page.items.map(commentOf);
      cursor = page.cursor;
      await new Promise((resolve) => setImmediate(resolve));
    } while (cursor);
  };
  const listings = Object.keys(REFUSED).map((status) => listing(status));
  const heads = await Promise.all(listings.map((one) => one.next()));
  for (;;) {
    let newest = -1;
    for (const [index, { done, value }] of heads.entries()) {
      if (done) continue;
      const best = heads[newest];
      if (!best || best.done || value.submittedAt > best.value.submittedAt) newest = index;
    }
    const head = heads[newest];
    if (!head || head.done) return;
    yield head.value;
    heads[newest] = await listings[newest]!.next();
  }
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

/**
 * A site's weights with what the file's verdicts teach, and how many of them do; lessons of an import before are replaced.
 * Others come to their turn meanwhile.
 */
export async function taughtBy(
  weights: SiteWeights,
  exhibits: readonly Exhibit[],
): Promise<{ weights: SiteWeights; lessons: number }> {
  const newest = (refused: boolean) => exhibits.filter((one) => one.refused === refused).slice(-LESSONS.spam);
  // Older ones would only be thrown away again.
  let taught = unlearnPerson(weights, IMPORT);
  for (const [index, { comment, body, refused }] of [...newest(true), ...newest(false)].entries()) {
    if (index % TOGETHER === 0) await new Promise((resolve) => setImmediate(resolve));
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
  const by = personHash(IMPORT);
  return { weights: taught, lessons: taught.lessons.filter((lesson) => lesson.by === by).length };
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
  const { weights: taught, lessons } = await taughtBy(weights, early);
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
    if (differs(would, refused)) {
      const { id, status } = comment;
      disagreements.push({
        id,
        status,
        would: would.verdict,
        score: would.score,
        taught: { would: then.verdict, score: then.score },
      });
    }
    past.add(exhibit);
    if (index % TOGETHER === TOGETHER - 1) {
      onProgress(early.length + index + 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const strength = ({ score, status }: { score: number; status: Comment['status'] }) =>
    REFUSED[status] ? 1 - score : score;
  return {
    comments: exhibits.length,
    trainedOn: early.length,
    reportedOn: late.length,
    lessons,
    since,
    days,
    before: { ...before, askedPerDay: before.asked / days },
    after: { ...after, askedPerDay: after.asked / days },
    disagreements: disagreements.toSorted((a, b) => strength(b) - strength(a)).slice(0, DISAGREEMENTS),
  };
}

/** By the verdict, or where a person would have been asked, by the side on which the score lies. */
const differs = ({ verdict, score }: { verdict: Verdict; score: number }, refused: boolean) =>
  verdict === 'hold' ? score >= 0.5 !== refused : (verdict === 'reject') !== refused;

function count(figures: Omit<Figures, 'askedPerDay'>, verdict: Verdict, refused: boolean): void {
  if (verdict === 'hold') figures.asked++;
  else if ((verdict === 'reject') === refused) figures.agreed++;
  else if (refused) figures.missed++;
  else figures.wronglyRejected++;
}

/** The result with names and excerpts, without what was erased since. */
export async function named({ table, clock }: Pick<Ports, 'table' | 'clock'>, proof: Proof): Promise<NamedProof> {
  const heads = await storeOf(table, clock).getMany(proof.disagreements.map(({ id }) => id));
  const disagreements = proof.disagreements.flatMap((one, index) => {
    const head = heads[index];
    return head && head.status !== 'erased' ? [{ ...one, author: head.author.name, excerpt: head.excerpt }] : [];
  });
  return { ...proof, disagreements };
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
