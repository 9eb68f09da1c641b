import type { Command } from '../keys.ts';
import type { Entry } from '../queue.ts';
import type { Action, Row } from '../types.ts';
import { t, tMaybe, type Word } from '../words.ts';

export function Outcome({ entry }: { entry: Entry }) {
  const { state, row, by, action } = entry;
  const status = tMaybe(row.status, row.status).toLocaleLowerCase();
  // Said at once, without weight and colour: those come with the server's answer.
  if (state === 'sending') return <span aria-busy="true">{tMaybe(`done_${action}`, t('sending'))}</span>;
  if (state === 'stale') return <>{by ? t('staleBy', { status, name: by }) : t('stale', { status })}</>;
  return <strong class={`status ${row.status}`}>{tMaybe(`done_${action}`, status)}</strong>;
}

/** Who writes, as far as the site knows. */
export function Standing({ row }: { row: Row }) {
  const { role, trusted, published, rejected, spam } = row.author;
  if (role) return <span class="badge role">{tMaybe(role, role)}</span>;
  if (trusted) return <span class="badge good">{t('trusted')}</span>;
  if (published + rejected + spam === 0) return <span class="badge">{t('newWriter')}</span>;
  return (
    <span class="badge" title={t('writerHistory')}>
      {t('historyShort', { published, bad: rejected + spam })}
    </span>
  );
}

/** What can be done from a status, the likeliest first. */
export function actionsOf(row: Row): readonly { action: Action; word: Word; command?: Command }[] {
  const waits = row.status === 'held' || row.pendingRevision !== null;
  if (waits) {
    return [
      { action: 'publish', word: 'publish', command: 'publish' },
      { action: 'reject', word: 'reject', command: 'reject' },
      { action: 'spam', word: 'markSpam', command: 'spam' },
    ];
  }
  if (row.status === 'published') {
    return [
      ...(row.reports > 0 ? [{ action: 'keep', word: 'keep', command: 'keep' } as const] : []),
      { action: 'remove', word: 'removeIt', command: 'reject' },
      { action: 'hold', word: 'hold', command: 'hold' },
    ];
  }
  if (row.status === 'rejected' || row.status === 'spam' || row.status === 'removed') {
    return [{ action: 'restore', word: 'restore', command: 'publish' }];
  }
  return [];
}
