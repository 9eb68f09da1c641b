import type { Comment } from '../../shared/comment.ts';
import type { Ports } from '../../shared/ports.ts';
import { storeOf } from '../../shared/store/comments.ts';

const PAGE = 100;

/** A site's newest comments in pages of at most 100, newest first. Other requests come in between the pages. */
export async function* newestOf(
  { table, clock, search }: Pick<Ports, 'table' | 'clock' | 'search'>,
  site: string,
  last: number,
): AsyncGenerator<readonly Comment[]> {
  const store = storeOf(table, clock);
  let cursor: string | undefined;
  for (let seen = 0; seen < last; seen += PAGE) {
    const limit = Math.min(PAGE, last - seen);
    const page = await search.comments({ site, sort: 'newest', limit, ...(cursor && { cursor }) });
    yield (await store.getMany(page.ids)).filter((head) => head !== undefined);
    cursor = page.nextCursor;
    if (!cursor) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
