import type { Ban, BanKind } from '../../shared/bans.ts';
import type { Comment } from '../../shared/comment.ts';
import type { Route } from '../../shared/http.ts';
import type { Policy } from '../../shared/policy.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { bansOn } from '../spam-check/bans.ts';
import { linksTo, termsIn } from '../spam-check/signals.ts';
import { plainText } from '../validate/markdown.ts';
import { fold } from '../validate/names.ts';
import { readAudit } from './audit-log.ts';
import { newestOf } from './newest.ts';
import { mustBe, type Moderator } from './moderator.ts';

/** A rule that recent rejections suggest, with what it would have done to the newest comments. */
export type Offer = {
  kind: Exclude<BanKind, 'writer'>;
  value: string;
  /** Recent rejections by moderators that are alike in this. A ban of a network or text is made from one of them. */
  alike: readonly string[];
  caught: number;
  rejected: number;
  wrong: number;
  published: number;
};

/** A comment as far as rules look at it; `words` only where they are asked for. */
type Subject = Pick<Comment, 'id' | 'status' | 'linkHosts' | 'fingerprint' | 'author'> & { text: string };

const ALIKE = 3;
const SINCE_MS = 7 * 86_400_000;
const DECISIONS = 200;
/** The newest comments that an offer is tried on. */
const TRIED = 3000;
/** Of what a rule catches, this much was rejected at least; a word catches nothing else. */
const PRECISION = 0.95;
/** A word that few published comments could have had says nothing by being in none. */
const PUBLISHED_FOR_WORDS = 300;
const WORD = /\p{L}{6,40}/gu;
const WORDS_TRIED = 40;
const OFFERED = 3;

const refused = ({ status }: Pick<Comment, 'status'>) => ['rejected', 'spam', 'removed'].includes(status);

type Likeness = Pick<Offer, 'kind' | 'value' | 'alike'>;

/** What at least three of some rejected comments have in common, the commonest first. */
export function likenesses(rejected: readonly Subject[]): Likeness[] {
  const found = new Map<string, Likeness>();
  const see = (kind: Offer['kind'], value: string | undefined, id: string) => {
    if (!value) return;
    const { alike } = found.get(`${kind} ${value}`) ?? { alike: [] };
    found.set(`${kind} ${value}`, { kind, value, alike: [...alike, id] });
  };
  for (const { id, linkHosts, fingerprint, author, text } of rejected) {
    for (const host of new Set(linkHosts)) see('host', host, id);
    see('text', fingerprint, id);
    see('network', author.network, id);
    for (const word of new Set(fold(text).match(WORD))) see('word', word, id);
  }
  return [...found.values()]
    .filter(({ alike }) => alike.length >= ALIKE)
    .sort((a, b) => b.alike.length - a.alike.length);
}

/** How often each likeness would have been right and wrong about some comments. */
export function tried(likely: readonly Likeness[], comments: readonly Subject[]): Offer[] {
  const rejected = comments.filter(refused).length;
  const published = comments.filter(({ status }) => status === 'published').length;
  const offers = likely.map((one) => ({ ...one, caught: 0, rejected, wrong: 0, published }));
  for (const comment of comments) {
    const side = refused(comment) ? 'caught' : comment.status === 'published' ? 'wrong' : undefined;
    if (!side) continue;
    const words = new Set(fold(comment.text).match(WORD));
    for (const offer of offers) if (has(comment, words, offer)) offer[side]++;
  }
  return offers;
}

function has(comment: Subject, words: ReadonlySet<string>, { kind, value }: Likeness): boolean {
  if (kind === 'host') return linksTo(comment.linkHosts, value);
  if (kind === 'text') return comment.fingerprint === value;
  return kind === 'network' ? comment.author.network === value : words.has(value);
}

/** Those worth a moderator's time: nearly never wrong, the surest kinds first, none that another one covers. */
export function worthOffering(offers: readonly Offer[]): Offer[] {
  const order: readonly Offer['kind'][] = ['text', 'host', 'network', 'word'];
  const sure = offers
    .filter(({ kind, caught, wrong, published }) =>
      kind === 'word' ? wrong === 0 && published >= PUBLISHED_FOR_WORDS : caught / (caught + wrong) >= PRECISION,
    )
    .toSorted(
      (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.caught - a.caught || b.value.length - a.value.length,
    );
  // The same rejections may share a text, a host and many words: the first of these rules will do.
  const covered = new Set<string>();
  const kept = sure.filter(({ alike }) => {
    const adds = alike.filter((id) => !covered.has(id)).length >= ALIKE;
    if (adds) for (const id of alike) covered.add(id);
    return adds;
  });
  return kept.slice(0, OFFERED);
}

/** Rules that a site's decisions suggest. */
export function offerRoutes(ports: Ports): Route<Moderator>[] {
  const { table, clock } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  /** The last answer of each site, good for as long as the same rejections stand. */
  const known = new Map<string, { of: string; offers: readonly Offer[] }>();

  /** What moderators rejected of late and still stands so. */
  const rejectedLately = async (site: string): Promise<Comment[]> => {
    const since = clock.now() - SINCE_MS;
    const { rows } = await readAudit(table, site, { since, order: 'descending', limit: DECISIONS });
    const ids = rows
      .filter(({ by, action }) => by.startsWith('user:') && ['reject', 'spam', 'remove'].includes(action))
      .flatMap(({ commentId }) => commentId ?? []);
    const heads: Comment[] = [];
    for (let start = 0; start < ids.length; start += 100) {
      for (const head of await store.getMany([...new Set(ids.slice(start, start + 100))])) {
        if (head && refused(head) && head.decidedBy?.startsWith('user:')) heads.push(head);
      }
    }
    return heads;
  };
  const withTexts = async (heads: readonly Comment[]): Promise<Subject[]> => {
    const subjects: Subject[] = [];
    for (let start = 0; start < heads.length; start += 100) {
      const some = heads.slice(start, start + 100);
      const texts = await store.revisions(some.map(({ id, revision }) => ({ id, revision })));
      subjects.push(...some.map((head, index) => ({ ...head, text: plainText(texts[index]?.body ?? '') })));
    }
    return subjects;
  };

  const offersOf = async (site: string): Promise<readonly Offer[]> => {
    const { bans, policy } = await sites.fresh(site);
    const recent = (await withTexts(await rejectedLately(site))).filter(
      (one) => !ruled(one, bans, policy.policy, clock.now()),
    );
    if (recent.length < ALIKE) return [];
    const of = recent.map(({ id }) => id).join();
    const before = known.get(site);
    if (before?.of === of) return before.offers;
    const all = likenesses(recent);
    const words = all.filter(({ kind }) => kind === 'word').slice(0, WORDS_TRIED);
    const likely = [...all.filter(({ kind }) => kind !== 'word'), ...words];
    if (likely.length === 0) return [];
    const comments: Subject[] = [];
    for await (const page of newestOf(ports, site, TRIED)) {
      comments.push(...(words.length > 0 ? await withTexts(page) : page.map((head) => ({ ...head, text: '' }))));
    }
    const offers = worthOffering(tried(likely, comments));
    known.set(site, { of, offers });
    return offers;
  };

  return [
    {
      method: 'GET',
      path: '/v1/moderation/sites/:site/offers',
      summary: 'Rules that the last rejections suggest, each with what it would have done; POST …/bans adds one',
      access: 'moderator',
      responses: {
        200: { description: '{offers: [{kind, value, alike, caught, rejected, wrong, published}]}' },
      },
      async handle({ caller, params }) {
        const site = params.site ?? '';
        mustBe(caller, 'moderator', site);
        return { status: 200, body: { offers: await offersOf(site) } };
      },
    },
  ];
}

/** Whether a ban or a list of the policy would have caught a comment already. */
function ruled(comment: Subject, bans: readonly Ban[], policy: Policy, nowMs: number): boolean {
  const { author, linkHosts, fingerprint, text } = comment;
  const subject = {
    writer: author.key,
    ...(author.network && { network: author.network }),
    name: author.name,
    text,
    hosts: linkHosts,
    fingerprint,
  };
  return (
    bansOn(subject, bans, nowMs).length > 0 ||
    termsIn(policy.blocklist, text, nowMs).length > 0 ||
    policy.linkHostBlocklist.some(({ host }) => linksTo(linkHosts, host))
  );
}
