import { useEffect, useState } from 'preact/hooks';
import { call, Problem, query } from '../api.ts';
import { Ago, Failed, Loading } from '../parts.tsx';
import type { DeadLetter } from '../types.ts';
import { t } from '../words.ts';

type Page = { deadLetters: DeadLetter[]; nextCursor: string | null };
const PATH = '/v1/moderation/dead-letters';

export function DeadLetters({ site }: { site: string }) {
  const [letters, setLetters] = useState<DeadLetter[] | undefined>();
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | undefined>();
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const now = Date.now();

  const read = async (after?: string): Promise<void> => {
    try {
      const page = await call<Page>('GET', `${PATH}${query({ site, limit: 50, cursor: after })}`);
      setLetters((shown) => (after ? [...(shown ?? []), ...page.deadLetters] : page.deadLetters));
      setCursor(page.nextCursor);
      setProblem(undefined);
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
    }
  };
  useEffect(() => {
    void read();
  }, [site]);

  const redrive = async (id: string) => {
    setBusy((ids) => new Set(ids).add(id));
    try {
      await call('POST', `${PATH}/${id}/redrive`);
      setLetters((shown) => shown?.filter((letter) => letter.id !== id));
      setSaid(t('redriven', { n: 1 }));
    } catch (error) {
      setSaid(t('notDone', { why: error instanceof Problem ? error.message : String(error) }));
    }
    setBusy((ids) => new Set([...ids].filter((other) => other !== id)));
  };

  const redriveAll = async () => {
    setBusy(new Set(['*']));
    try {
      const answer = await call<{ redriven: number; failed: { id: string; why: string }[] }>(
        'POST',
        `${PATH}/redrive`,
        {
          body: site ? { site } : {},
        },
      );
      const failed = answer.failed.length > 0 ? ` · ${t('redriveFailed', { n: answer.failed.length })}` : '';
      setSaid(t('redriven', { n: answer.redriven }) + failed);
      await read();
    } catch (error) {
      setSaid(t('notDone', { why: error instanceof Problem ? error.message : String(error) }));
    }
    setBusy(new Set());
  };

  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('deadLetters')}</h1>
        {letters && letters.length > 0 && (
          <button type="button" class="main" disabled={busy.size > 0} onClick={redriveAll}>
            {t('redriveAll')}
          </button>
        )}
      </header>
      <p class="quiet">{t('deadHint')}</p>
      <p role="status" class="said">
        {said}
      </p>
      {problem && <Failed problem={problem} again={() => void read()} />}
      {!letters && !problem && <Loading />}
      {letters?.length === 0 && (
        <div class="empty">
          <p>{t('noDead')}</p>
        </div>
      )}
      <ul class="cards">
        {letters?.map((letter) => (
          <li key={letter.id} class="card letter">
            <div>
              <p class="meta">
                <strong class="code">{letter.reason}</strong>
                <span>{t('fromQueue', { queue: letter.source })}</span>
                <span>{letter.site ?? t('noSite')}</span>
                <span>{t('attemptsN', { n: letter.attempts })}</span>
                <Ago at={letter.firstAt} now={now} />
              </p>
              <p class="detail-text">{letter.detail}</p>
              {/* What did not fit its schema was never stored: it has no story. */}
              {letter.commentId && letter.reason !== 'Comment.Malformed' && (
                <p>
                  <a href={`#/comments/${encodeURIComponent(letter.commentId)}`}>{t('story')}</a>
                </p>
              )}
            </div>
            <button
              type="button"
              disabled={busy.size > 0}
              aria-label={`${t('redrive')}: ${letter.reason}, ${letter.id}`}
              onClick={() => void redrive(letter.id)}
            >
              {t('redrive')}
            </button>
          </li>
        ))}
      </ul>
      {cursor && (
        <button type="button" onClick={() => void read(cursor)}>
          {t('loadMore')}
        </button>
      )}
    </div>
  );
}
