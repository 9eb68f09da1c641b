import type { Comment, Status } from '../../shared/comment.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { strip, threadKey, writerKey } from '../../shared/store/keys.ts';
import { sitesOf, type Thread } from '../../shared/store/sites.ts';
import { claimKey, type Claim } from './claim-store.ts';

/** A comment as the desk lists it. */
export type Row = {
  id: string;
  version: number;
  status: Status | 'failed';
  site: string;
  thread: { key: string; title: string; url: string; closed: boolean };
  parent?: { id: string; author: string; excerpt: string };
  author: {
    name: string;
    key: string;
    role?: string;
    url?: string;
    network?: string;
    trusted: boolean;
    published: number;
    rejected: number;
    spam: number;
    firstSeen: number;
  };
  html: string;
  excerpt: string;
  lang: string;
  score?: number;
  toxicity?: number;
  top: readonly { name: string; weight: number; words: string }[];
  submittedAt: number;
  heldSince?: number;
  dueAt?: number;
  holdReason?: string;
  reason?: string;
  revision: number;
  publishedRevision: number | null;
  /** An edit that waits under the published text; `html` is then the edit. */
  pendingRevision: number | null;
  reports: number;
  appeal?: { text: string; at: number };
  /** How many others of the last week have the same fingerprint. */
  similar: number;
  fingerprint: string;
  linkHosts: readonly string[];
  claimedBy?: string;
  decidedBy?: string;
  decisionId?: string;
};

type Needs = Pick<Ports, 'table' | 'clock'>;

/** The text that a moderator judges: the newest, but for what was removed or stands published. */
export function shownRevision(comment: Comment): number {
  if (comment.pendingRevision !== null) return comment.pendingRevision;
  if (comment.status === 'published' || comment.status === 'removed') {
    return comment.publishedRevision ?? comment.revision;
  }
  return comment.revision;
}

/** One comment as a row. */
export async function row(ports: Needs, comment: Comment): Promise<Row> {
  const [only] = await rows(ports, [comment]);
  return only as Row;
}

/**
 * Comments of one or more sites as rows, in their order (at most 100).
 *
 * Reads each kind of record once for the whole page, however many rows.
 */
export async function rows(ports: Needs, comments: readonly Comment[]): Promise<readonly Row[]> {
  const { table, clock } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  const parentIds = [...new Set(comments.map(({ parentId }) => parentId).filter((id) => id !== null))];
  const keyed = async <T>(keys: readonly { pk: string; sk: string }[]): Promise<Map<string, T>> => {
    const unique = [...new Map(keys.map((key) => [key.pk, key])).values()];
    const items = unique.length > 0 ? await table.getMany(unique) : [];
    return new Map(items.flatMap((item) => (item ? [[item.pk, strip<T>(item)] as const] : [])));
  };
  const [texts, threads, writers, parents, claims, dead, likes, policies, whole] = await Promise.all([
    store.revisions(comments.map((comment) => ({ id: comment.id, revision: shownRevision(comment) }))),
    keyed<Thread>(comments.map(({ site, thread }) => threadKey(site, thread))),
    keyed<Record<string, unknown>>(comments.map(({ site, author }) => writerKey(site, author.key))),
    store.getMany(parentIds),
    keyed<Claim>(comments.map(({ id }) => claimKey(id))),
    keyed<{ deadLetterId: string }>(
      comments.filter(({ status }) => status === 'received').map(({ id }) => ({ pk: `C#${id}`, sk: 'dead' })),
    ),
    keyed<{ n?: number }>(comments.filter(({ fingerprint }) => fingerprint !== '').map(likenessKey)),
    Promise.all(
      [...new Set(comments.map(({ site }) => site))].map(
        async (site) => [site, (await sites.rules(site)).policy] as const,
      ),
    ),
    store.judged(comments),
  ]);
  const parentOf = new Map(parents.flatMap((parent) => (parent ? [[parent.id, parent] as const] : [])));
  const policyOf = new Map(policies);

  return comments.map((comment, index): Row => {
    const thread = threads.get(threadKey(comment.site, comment.thread).pk);
    const writer = writers.get(writerKey(comment.site, comment.author.key).pk) ?? {};
    const count = (name: string) => Math.max(0, Number(writer[name] ?? 0));
    const policy = policyOf.get(comment.site)?.policy;
    const parent = comment.parentId === null ? undefined : parentOf.get(comment.parentId);
    const claim = claims.get(claimKey(comment.id).pk);
    const published = count('published');
    const bad = count('rejected') + count('spam');
    const { role, url, network } = comment.author;
    const judgement = whole[index]?.judgement;
    return {
      id: comment.id,
      version: comment.version,
      status: dead.has(`C#${comment.id}`) ? 'failed' : comment.status,
      site: comment.site,
      thread: {
        key: comment.thread,
        title: thread?.title ?? comment.page?.title ?? comment.thread,
        url: thread?.url ?? comment.page?.url ?? '',
        closed: thread?.closed ?? false,
      },
      ...(parent && { parent: { id: parent.id, author: parent.author.name, excerpt: parent.excerpt } }),
      author: {
        name: comment.author.name,
        key: comment.author.key,
        ...(role && { role }),
        ...(url && { url }),
        ...(network && { network }),
        trusted:
          role !== undefined ||
          (policy?.trustedWriters.includes(comment.author.key) ?? false) ||
          (bad === 0 && published >= (policy?.trustAfter ?? Infinity)),
        published,
        rejected: count('rejected'),
        spam: count('spam'),
        firstSeen: Number(writer.firstAt ?? comment.submittedAt),
      },
      html: texts[index]?.html ?? '',
      excerpt: comment.excerpt,
      lang: comment.lang,
      ...(judgement && { score: judgement.score, toxicity: judgement.toxicity }),
      top: (judgement?.signals ?? []).slice(0, 3),
      submittedAt: comment.submittedAt,
      ...(comment.heldAt !== undefined && { heldSince: comment.heldAt }),
      ...(comment.dueAt !== undefined && { dueAt: comment.dueAt }),
      ...(comment.holdReason !== undefined && { holdReason: comment.holdReason }),
      ...(comment.reason !== undefined && { reason: comment.reason }),
      revision: comment.revision,
      publishedRevision: comment.publishedRevision,
      pendingRevision: comment.pendingRevision,
      reports: comment.reports,
      ...(comment.appeal && { appeal: comment.appeal }),
      similar: Math.max(0, Number(likes.get(likenessKey(comment).pk)?.n ?? 1) - 1),
      fingerprint: comment.fingerprint,
      linkHosts: comment.linkHosts,
      ...(claim && claim.until > clock.now() && { claimedBy: claim.user }),
      ...(comment.decidedBy !== undefined && { decidedBy: comment.decidedBy.replace(/^user:/, '') }),
      ...(comment.decisionId !== undefined && { decisionId: comment.decisionId }),
    };
  });
}

/** Where the judge counts the same text within a week. */
const likenessKey = ({ site, fingerprint }: Comment) => ({ pk: `F#${site}#${fingerprint}`, sk: 'seen' });
