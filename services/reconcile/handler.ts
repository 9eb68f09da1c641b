import { STATUSES, type Comment } from '../../shared/comment.ts';
import type { Service } from '../../shared/ports.ts';
import { reviewOf } from '../../shared/review.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { commentOf, deskListing, OWED_LISTINGS, timeKey } from '../../shared/store/keys.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { authorNotify } from '../author-notify/handler.ts';
import { erase } from '../import/erase.ts';
import { settleOwed } from '../moderation/decide.ts';
import { sweepWorkOf } from '../moderation/sweep-work.ts';
import { askOutside, providersOf } from '../spam-check/second-opinion.ts';
import { plainText } from '../validate/markdown.ts';

/** A step that is under way needs no mending. */
const SETTLED_AFTER_MS = 30_000;
/** Published longer ago, and nobody told: then it was told when it was published. */
const NOTIFIED_WITHIN_MS = 15 * 60_000;
/** Looked at in one round, of each kind and site; the next round goes on. */
const ROUND = 200;
/** Providers may be slow, sweeps long, and Lambda ends a round after a minute. */
const REVISIT_MS = 20_000;
const SWEEP_MS = 15_000;
const DAY_MS = 86_400_000;

export type Mended = {
  owed: number;
  woken: number;
  unwatched: number;
  untold: number;
  revisited: number;
  erased: number;
  swept: number;
};

/**
 * Finds what no retry reached, mends it, counts it, and logs each: decisions whose consequences are owed, executions that
 * wait for what is decided, held comments that no execution waits for, published ones whose readers were not told, and sweeps
 * that a restart cut.
 * Erases what is older than the site's policy keeps it.
 */
export const reconcile: Service = (ports) => {
  const { table, clock, workflows, log } = ports;
  const store = storeOf(table, clock);
  const sites = sitesOf(table, clock);
  const sweeps = sweepWorkOf(ports);
  const tell = authorNotify(ports);
  const cursors = new Map<string, string>();

  /** The next page of a listing, round and round. */
  const round = async (listing: string): Promise<readonly Comment[]> => {
    const cursor = cursors.get(listing);
    const page = await table.query({ index: 'gsi2', pk: listing, limit: ROUND, ...(cursor && { cursor }) });
    if (page.cursor) cursors.set(listing, page.cursor);
    else cursors.delete(listing);
    return page.items.map(commentOf);
  };

  const due = async (
    kind: (typeof OWED_LISTINGS)[number] | 'WAKE' | 'REVISIT',
    before: number,
  ): Promise<readonly Comment[]> => {
    const { items } = await table.query({
      index: 'gsi3',
      pk: kind,
      to: String(before).padStart(13, '0'),
      limit: ROUND,
    });
    return items.map(commentOf);
  };

  /**
   * Asks the providers that did not answer once more, for a day. What they say stands with the judgement; where it would
   * have held a published comment, the comment goes to the queue and stays visible.
   */
  const revisit = async (comment: Comment): Promise<boolean> => {
    const judgement = (await store.judged([comment]))[0]?.judgement;
    if (!judgement?.degraded) return false;
    const { site, policy } = await sites.rules(comment.site);
    const text = await store.revision(comment.id, judgement.revision);
    if (!text) return false;
    const providers = providersOf(ports, site, policy.policy).filter(({ name }) => judgement.degraded?.includes(name));
    const { signals, degraded, unheard } = await askOutside(
      ports,
      providers,
      comment,
      plainText(text.body),
      judgement.score,
    );
    const waits = clock.now() - judgement.at < DAY_MS;
    if (waits && degraded.length === judgement.degraded.length) return false;
    const odds =
      Math.log(judgement.score / (1 - judgement.score)) + signals.reduce((sum, { weight }) => sum + weight, 0);
    const { degraded: asked, ...rest } = judgement;
    const others = rest.signals.filter(({ name }) => !asked.includes(name));
    const silent = [...(rest.unheard ?? []), ...unheard, ...(waits ? [] : degraded)];
    const next = {
      ...rest,
      score: 1 / (1 + Math.exp(-odds)),
      signals: [...signals, ...others],
      // Who answered is not asked again with those who did not.
      ...(waits && degraded.length > 0 && { degraded }),
      ...(silent.length > 0 && { unheard: silent }),
    };
    const worse = next.score > judgement.score && next.score >= policy.policy.holdAt;
    const doubtful = comment.status === 'published' && worse;
    const queued = { queued: true, heldAt: clock.now(), holdReason: 'second-opinion' };
    const kept = await store.rejudge(comment, next, doubtful ? queued : {});
    if (kept) log.info({ commentId: comment.id, doubtful, silent }, 'judged again, with what providers say now');
    return kept;
  };

  /** What was submitted before, whatever became of it; at most a round of each status. */
  const eraseBefore = async (site: string, beforeMs: number): Promise<number> => {
    let erased = 0;
    for (const status of STATUSES) {
      if (status === 'erased') continue;
      const { items } = await table.query({
        index: 'gsi2',
        pk: deskListing(site, status),
        to: timeKey(beforeMs, ''),
        limit: ROUND,
      });
      for (const comment of items.map(commentOf)) {
        if (comment.submittedAt >= beforeMs) continue;
        await erase(ports, comment.id);
        erased += 1;
      }
    }
    if (erased > 0) log.info({ site, erased }, 'erased: older than the policy keeps');
    return erased;
  };

  return async (): Promise<Mended> => {
    const now = clock.now();
    const before = now - SETTLED_AFTER_MS;
    const mended: Mended = { owed: 0, woken: 0, unwatched: 0, untold: 0, revisited: 0, erased: 0, swept: 0 };

    for (const comment of (await Promise.all(OWED_LISTINGS.map((listing) => due(listing, before)))).flat()) {
      await settleOwed(ports, comment);
      mended.owed += 1;
      log.warn(
        { commentId: comment.id, decisionId: comment.owed?.decisionId },
        'reconciled: a decision owed its consequences',
      );
    }

    for (const comment of await due('WAKE', before)) {
      if (comment.token !== undefined) await workflows.succeed(comment.token, {});
      await store.annotate(comment, { token: undefined } as object);
      mended.woken += 1;
      log.warn({ commentId: comment.id }, 'reconciled: an execution waited for what was decided');
    }

    for (const comment of await due('REVISIT', before)) {
      // The rest of this round has its work too.
      if (clock.now() - now > REVISIT_MS) break;
      if (await revisit(comment)) mended.revisited += 1;
    }

    for (const { id: site } of await sites.list()) {
      const { eraseAfterDays } = (await sites.rules(site)).policy.policy;
      if (eraseAfterDays !== null) mended.erased += await eraseBefore(site, now - eraseAfterDays * DAY_MS);

      for (const comment of await round(deskListing(site, 'held'))) {
        const waits = comment.status === 'held' || comment.pendingRevision !== null;
        // What came by import waits without reminders.
        if (!waits || comment.imported || comment.token || comment.heldVersion === undefined) continue;
        if ((comment.heldAt ?? 0) > before) continue;
        const { policy } = (await sites.rules(site)).policy;
        const started = await workflows.start('review', reviewOf(comment.id, comment.heldVersion, policy));
        if (started !== 'started') continue;
        mended.unwatched += 1;
        log.warn({ commentId: comment.id }, 'reconciled: a held comment that nobody waited for');
      }

      const told = (await sites.rules(site)).site.authors.some(({ notify }) => notify !== 'none');
      for (const comment of await store.newestPublished(site, ROUND)) {
        // Most comments have nobody to tell.
        if (!told && !comment.notifyReplies && comment.parentId === null) continue;
        const at = comment.publishedAt ?? now;
        if (comment.imported || at > before || at < now - NOTIFIED_WITHIN_MS) continue;
        const { items } = await table.query({ pk: `C#${comment.id}`, prefix: 'N#', limit: 1 });
        if (items.length > 0) continue;
        const { queued } = (await tell({ id: comment.id, version: comment.version })) as { queued: number };
        if (queued === 0) continue;
        mended.untold += 1;
        log.warn({ commentId: comment.id }, 'reconciled: published, and nobody was told');
      }
    }
    mended.swept = await sweeps.goOnWithAll(clock.now() + SWEEP_MS);
    return mended;
  };
};
