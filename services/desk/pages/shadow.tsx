import { useState } from 'preact/hooks';
import type { ShadowReport } from '../../moderation/shadows.ts';
import { call, Problem } from '../api.ts';
import { Failed, useRead, whyOf } from '../parts.tsx';
import { dateTime, t } from '../words.ts';
import { Comparison } from './backtest.tsx';
import type { Document } from './policy-fields.tsx';

/** A draft beside the live policy: begin it, see what it would have changed, make it live or end it. */
export function ShadowPart({
  path,
  draft,
  admin,
  onLive,
}: {
  path: string;
  draft: Document;
  admin: boolean;
  /** Saves a policy as the live one; false when it was refused. */
  onLive: (policy: Document) => Promise<boolean>;
}) {
  const { data, problem, again } = useRead<ShadowReport>(`${path}/shadow`);
  const [fault, setFault] = useState('');
  const act = async (what: () => Promise<unknown>) => {
    setFault('');
    try {
      await what();
      again();
    } catch (error) {
      setFault(error instanceof Problem ? whyOf(error) : String(error));
    }
  };
  const end = () => call('DELETE', `${path}/shadow`);
  const running = problem ? undefined : data;
  return (
    <section class="card">
      <h2>{t('shadow')}</h2>
      <p class="quiet">{t('shadowHint')}</p>
      {problem && problem.status !== 404 && <Failed problem={problem} again={again} />}
      <p class="fault" role="alert">
        {fault}
      </p>
      <div role="status">
        {running && (
          <p>
            {t('shadowSince', { name: running.by, date: dateTime(running.at) })}{' '}
            <strong>{t('shadowChanged', { n: running.changed, of: running.comments })}</strong>
          </p>
        )}
      </div>
      {running && running.changed > 0 && <Comparison people={running.people} examples={running.examples} />}
      <p class="decide">
        {admin && running && (
          <button
            type="button"
            class="main"
            onClick={() => void act(async () => (await onLive(running.policy)) && (await end()))}
          >
            {t('makeLive')}
          </button>
        )}
        {running && (
          <button type="button" onClick={again}>
            {t('refresh')}
          </button>
        )}
        {admin && running && (
          <button type="button" class="plain" onClick={() => void act(end)}>
            {t('shadowEnd')}
          </button>
        )}
        {admin && !running && (
          <button
            type="button"
            onClick={() => void act(() => call('PUT', `${path}/shadow`, { body: { policy: draft } }))}
          >
            {t('shadowStart')}
          </button>
        )}
      </p>
    </section>
  );
}
