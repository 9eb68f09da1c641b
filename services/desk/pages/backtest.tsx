import { useState } from 'preact/hooks';
import type { Backtest } from '../../moderation/backtest.ts';
import { call, Problem } from '../api.ts';
import { dateOnly, t, tMaybe } from '../words.ts';
import type { Document } from './policy-fields.tsx';

/** Calls a job and asks for its progress, which the server answers after a moment's work, until there is a result. */
export async function callJob<T extends object>(
  path: string,
  body: unknown,
  onProgress: (done: number, of: number) => void,
): Promise<T> {
  type Answer = T | { progress: string; done: number; of: number };
  let answer = await call<Answer>('POST', path, { body });
  while ('progress' in answer) {
    onProgress(answer.done, answer.of);
    answer = await call<Answer>('GET', answer.progress);
  }
  return answer;
}

export function BacktestPart({ site, draft }: { site: string; draft: Document }) {
  const [last, setLast] = useState(1000);
  const [state, setState] = useState<{ result?: Backtest; done?: number; of?: number; fault?: string } | undefined>();
  const run = async () => {
    setState({ done: 0, of: last });
    try {
      const path = `/v1/moderation/sites/${site}/policy/backtest`;
      const result = await callJob<Backtest>(path, { policy: draft, last }, (done, of) => setState({ done, of }));
      setState({ result });
    } catch (error) {
      setState({ fault: error instanceof Problem ? error.message : String(error) });
    }
  };
  return (
    <section class="card">
      <h2>{t('backtest')}</h2>
      <p class="quiet">{t('backtestHint')}</p>
      <div class="inline">
        <label class="hidden" for="last">
          {t('backtestLast')}
        </label>
        <select id="last" value={last} onChange={(event) => setLast(Number(event.currentTarget.value))}>
          {[100, 1000, 10_000].map((count) => (
            <option key={count} value={count}>
              {t('lastN', { n: count })}
            </option>
          ))}
        </select>
        <button type="button" onClick={run} disabled={state?.of !== undefined}>
          {t('runBacktest')}
        </button>
        {state?.of !== undefined && (
          <progress max={state.of} value={state.done} aria-label={t('backtest')}>
            {state.done}
          </progress>
        )}
      </div>
      <p class="fault" role="alert">
        {state?.fault ?? ''}
      </p>
      <p role="status">
        {state?.result && (
          <strong>{t('backtestChanged', { n: state.result.changed, of: state.result.comments })}</strong>
        )}
      </p>
      {state?.result && <Comparison {...state.result} />}
    </section>
  );
}

type Compared = Pick<Backtest, 'people' | 'examples'> & Partial<Pick<Backtest, 'heldPerDay' | 'perDay'>>;

/** Two policies side by side: in figures, day by day, and on the comments that they decide differently. */
export function Comparison({ people, examples, heldPerDay, perDay }: Compared) {
  return (
    <>
      <table>
        <thead>
          <tr>
            <td />
            <th scope="col">{t('live')}</th>
            <th scope="col">{t('draft')}</th>
          </tr>
        </thead>
        <tbody>
          {heldPerDay && (
            <tr>
              <th scope="row">{t('heldPerDay')}</th>
              <td>{heldPerDay.live.toFixed(1)}</td>
              <td>{heldPerDay.draft.toFixed(1)}</td>
            </tr>
          )}
          <tr>
            <th scope="row">{t('againstPeople', { n: people.decided })}</th>
            <td>{people.liveWrong}</td>
            <td>{people.draftWrong}</td>
          </tr>
          <tr>
            <th scope="row">{t('askedPeople')}</th>
            <td>{people.liveHeld}</td>
            <td>{people.draftHeld}</td>
          </tr>
        </tbody>
      </table>
      {perDay && perDay.length > 1 && <QueuePerDay perDay={perDay} />}
      {examples.length > 0 && (
        <div class="scroll-x" tabIndex={0} role="region" aria-label={t('whatChanged')}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('detail')}</th>
                <th scope="col">{t('live')}</th>
                <th scope="col">{t('draft')}</th>
                <th scope="col">{t('peopleSay')}</th>
              </tr>
            </thead>
            <tbody>
              {examples.map((one) => (
                <tr key={one.id}>
                  <th scope="row">
                    <a href={`#/comments/${encodeURIComponent(one.id)}`}>{one.author}</a>{' '}
                    <span dir="auto">{one.excerpt}</span>
                  </th>
                  <td>{t(`v_${one.was}`)}</td>
                  <td>{t(`v_${one.would}`)}</td>
                  <td>{one.by ? `${tMaybe(one.status, one.status)}, ${one.by}` : '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

/** How many came into the queue on each day: two bars side by side, and the same as a table. */
function QueuePerDay({ perDay }: { perDay: Backtest['perDay'] }) {
  const top = Math.max(1, ...perDay.flatMap(({ live, draft }) => [live, draft]));
  const width = 100 / perDay.length;
  const bar = (held: number, x: number, of: 'live' | 'draft') => (
    <rect class={of} x={x} width={width * 0.36} y={39.8 - (held / top) * 39.6} height={(held / top) * 39.6} />
  );
  return (
    <div>
      <h3>{t('queuePerDay')}</h3>
      <p class="legend quiet">
        <span class="swatch live" aria-hidden="true" /> {t('live')} <span class="swatch draft" aria-hidden="true" />{' '}
        {t('draft')}
      </p>
      <div class="plot">
        <span class="plot-top quiet">{top}</span>
        <svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
          <line x1="0" x2="100" y1="0.2" y2="0.2" class="rule" />
          <line x1="0" x2="100" y1="39.8" y2="39.8" class="rule" />
          {perDay.map(({ day, live, draft }, index) => (
            <g key={day}>
              {bar(live, index * width + width * 0.1, 'live')}
              {bar(draft, index * width + width * 0.5, 'draft')}
            </g>
          ))}
        </svg>
        <p class="plot-ends quiet">
          <span>{dateOnly(perDay[0]?.day ?? 0)}</span>
          <span>{dateOnly(perDay.at(-1)?.day ?? 0)}</span>
        </p>
      </div>
      <details>
        <summary>{t('asTable')}</summary>
        <table>
          <thead>
            <tr>
              <td />
              <th scope="col">{t('live')}</th>
              <th scope="col">{t('draft')}</th>
            </tr>
          </thead>
          <tbody>
            {perDay.map(({ day, live, draft }) => (
              <tr key={day}>
                <th scope="row">{dateOnly(day)}</th>
                <td>{live}</td>
                <td>{draft}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </div>
  );
}
