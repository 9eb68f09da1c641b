import type { Comment, Status } from '../../shared/comment.ts';
import { SluiceError } from '../../shared/errors.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';
import { deskListing, threadCountKey } from '../../shared/store/keys.ts';
import { sitesOf, type Thread } from '../../shared/store/sites.ts';

/** Those that no reader ever saw; the others are listed by their thread. A `received` one may come while the rest is read. */
const UNSEEN: readonly (Status | 'failed')[] = ['received', 'failed', 'held', 'rejected', 'spam', 'received'];

/**
 * From now on `alias` leads to a thread too: its new key after a move, or another thread, whose comments come over.
 *
 * The alias is known before the first comment moves, so that what is written meanwhile lands at the new place. Called again
 * after a crash, it goes on.
 *
 * @returns the thread, and how many comments moved
 */
export async function adopt(
  ports: Pick<Ports, 'table' | 'clock'>,
  { site, key, alias, by }: { site: string; key: string; alias: string; by: string },
): Promise<{ thread: Thread; moved: number }> {
  const { table, clock } = ports;
  const sites = sitesOf(table, clock);
  const store = storeOf(table, clock);
  const thread = await sites.thread(site, key);
  if (!thread) {
    throw new SluiceError('Request.NotFound', `no thread "${key.slice(0, 100)}" at ${site}`, {
      hint: 'a thread begins with its first comment',
    });
  }
  if (alias === thread.key) {
    throw new SluiceError('Request.Invalid', 'a thread is no alias of itself', {
      hint: 'name another key',
      fields: [{ pointer: '/alias', detail: 'the key of the thread' }],
    });
  }
  const other = await sites.thread(site, alias);
  const aliases = new Set([...(thread.aliases ?? []), alias, ...(other?.aliases ?? [])]);
  aliases.delete(thread.key);
  const next: Thread = { ...thread, aliases: [...aliases] };
  await sites.putThread(next);
  await sites.putAliases(next);

  const move = async ({ id }: Comment): Promise<void> => {
    await store.changeLatest(id, (comment) =>
      comment.site !== site || comment.thread !== alias
        ? undefined
        : {
            set: { thread: thread.key },
            by,
            action: 'move',
            also:
              comment.status === 'published'
                ? [
                    { add: threadCountKey(site, alias, comment.author.key), by: { published: -1 } },
                    { add: threadCountKey(site, thread.key, comment.author.key), by: { published: 1 } },
                  ]
                : [],
          },
    );
  };
  let moved = 0;
  for (const status of UNSEEN) {
    let cursor: string | undefined;
    do {
      const query = { index: 'gsi2', pk: deskListing(site, status), limit: 100 } as const;
      const page = await table.query({ ...query, ...(cursor && { cursor }) });
      for (const comment of await store.getMany(page.items.map(({ id }) => String(id)))) {
        if (comment?.thread !== alias) continue;
        await move(comment);
        moved++;
      }
      ({ cursor } = page);
    } while (cursor);
  }
  const levels: (string | null)[] = [null];
  for (let parent = levels.shift(); parent !== undefined; parent = levels.shift()) {
    // Always the first page: what was moved has left this listing.
    for (;;) {
      const { comments } = await store.level(site, alias, parent, { order: 'ascending', limit: 100 });
      if (comments.length === 0) break;
      for (const comment of comments) {
        await move(comment);
        moved++;
        levels.push(comment.id);
      }
    }
  }
  return { thread: next, moved };
}
