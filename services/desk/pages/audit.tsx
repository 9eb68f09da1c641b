import { useEffect, useState } from 'preact/hooks';
import type { AuditRow } from '../../moderation/audit-log.ts';
import { call, Problem, query } from '../api.ts';
import { Failed, Loading } from '../parts.tsx';
import { dateTime, t, tMaybe } from '../words.ts';

type Page = { rows: AuditRow[]; nextCursor: string | null };

export function Audit({ site, rules }: { site: string; rules: boolean }) {
  const [scope, setScope] = useState(site);
  const [rows, setRows] = useState<AuditRow[] | undefined>();
  const [cursor, setCursor] = useState<string | null>(null);
  const [problem, setProblem] = useState<Problem | undefined>();

  const read = async (after?: string) => {
    try {
      const page = await call<Page>('GET', `/v1/moderation/audit${query({ site: scope, limit: 100, cursor: after })}`);
      setRows((shown) => (after ? [...(shown ?? []), ...page.rows] : page.rows));
      setCursor(page.nextCursor);
      setProblem(undefined);
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
    }
  };
  useEffect(() => setScope(site), [site]);
  useEffect(() => {
    setRows(undefined);
    void read();
  }, [scope]);

  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('audit')}</h1>
        <div class="decide">
          {rules && (
            <select aria-label={t('site')} value={scope} onChange={(event) => setScope(event.currentTarget.value)}>
              <option value={site}>{site}</option>
              <option value="*">{t('everySite')}</option>
            </select>
          )}
          <a
            class="button"
            href={`/v1/moderation/audit${query({ site: scope, limit: 1000, format: 'jsonl' })}`}
            download
          >
            {t('export')}
          </a>
        </div>
      </header>
      {problem && <Failed problem={problem} again={() => void read()} />}
      {!rows && !problem && <Loading />}
      {rows?.length === 0 && <p class="empty">{t('nothingHere')}</p>}
      {rows && rows.length > 0 && (
        <div class="scroll-x" tabIndex={0} role="region" aria-label={t('audit')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col">{t('user')}</th>
                <th scope="col">{t('what')}</th>
                <th scope="col">{t('about')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.id}>
                  <td class="nowrap">{dateTime(row.at)}</td>
                  <td>{row.by.replace(/^user:/, '')}</td>
                  <td>
                    {tMaybe(`done_${row.action}`, row.action)}
                    {row.reason && <span class="quiet"> · {tMaybe(`reason_${row.reason}`, row.reason)}</span>}
                  </td>
                  <td>
                    {row.commentId ? (
                      <a href={`#/comments/${encodeURIComponent(row.commentId)}`}>{row.commentId}</a>
                    ) : (
                      row.about
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {cursor && (
        <button type="button" onClick={() => void read(cursor)}>
          {t('loadMore')}
        </button>
      )}
    </div>
  );
}
