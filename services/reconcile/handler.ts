import type { Comment } from '../../shared/comment.ts';
import type { Service } from '../../shared/ports.ts';
import { deskListing, strip } from '../../shared/store/keys.ts';
import { sitesOf } from '../../shared/store/sites.ts';
import { settleOwed } from '../moderation/decide.ts';

/** A step that is under way needs no mending. */
const SETTLED_AFTER_MS = 30_000;
/** Looked at in one round; the next one goes on. */
const ROUND = 200;

/**
 * Finds what no retry reached, mends it, and counts it: decisions whose consequences are owed, and held comments that no
 * `review` waits for.
 */
export const reconcile: Service = (ports) => {
  const { table, clock, workflows, log } = ports;
  const sites = sitesOf(table, clock);
  const cursors = new Map<string, string>();
  return async () => {
    const before = clock.now() - SETTLED_AFTER_MS;
    const mended = { owed: 0, unwatched: 0 };
    const { items } = await table.query({
      index: 'gsi3',
      pk: 'OWED',
      to: String(before).padStart(13, '0'),
      limit: ROUND,
    });
    for (const item of items) {
      const comment = strip<Comment>(item);
      await settleOwed(ports, comment);
      mended.owed += 1;
      log.warn(
        { commentId: comment.id, decisionId: comment.owed?.decisionId },
        'reconciled: a decision owed its consequences',
      );
    }
    for (const { id: site } of await sites.list()) {
      const cursor = cursors.get(site);
      const page = await table.query({
        index: 'gsi2',
        pk: deskListing(site, 'held'),
        limit: ROUND,
        ...(cursor && { cursor }),
      });
      if (page.cursor) cursors.set(site, page.cursor);
      else cursors.delete(site);
      for (const item of page.items) {
        const comment = strip<Comment>(item);
        // An imported comment has no `heldVersion` until it is held here: nobody is reminded of what came with a file.
        const waits = comment.status === 'held' || comment.pendingRevision !== null;
        if (!waits || comment.token || comment.heldVersion === undefined || (comment.heldAt ?? 0) > before) continue;
        const started = await workflows.start('review', {
          name: `${comment.id}-${comment.heldVersion}`,
          input: { id: comment.id, version: comment.heldVersion },
        });
        if (started === 'started') {
          mended.unwatched += 1;
          log.warn({ commentId: comment.id }, 'reconciled: a held comment that nobody waited for');
        }
      }
    }
    return mended;
  };
};
