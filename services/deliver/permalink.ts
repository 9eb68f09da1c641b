import type { Comment } from '../../shared/comment.ts';

/** Where a reader finds the comment: on its page, else on the thread's own, which begins where the comment is on it. */
export function permalink(publicUrl: string, comment: Comment, threadUrl?: string): string {
  const own = `${publicUrl}/t/${encodeURIComponent(comment.site)}/${encodeURIComponent(comment.thread)}?around=${encodeURIComponent(comment.id)}`;
  const page = comment.page?.url ?? threadUrl;
  const url = page !== undefined && URL.canParse(page) ? new URL(page) : new URL(own);
  const safe = url.protocol === 'https:' || url.protocol === 'http:' ? url : new URL(own);
  safe.hash = `sluice-${comment.id}`;
  return safe.href;
}
