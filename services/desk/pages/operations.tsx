import { useEffect, useState } from 'preact/hooks';
import { Failed, Loading, useRead } from '../parts.tsx';
import { dateOnly, span, t, tMaybe } from '../words.ts';

type Day = { day: number; decided: number; actions: Record<string, number>; scored: number; agreed: number };
type Stats = {
  days: Day[];
  people: Record<string, number>;
  wait: { medianMs: number | null; p90Ms: number | null; count: number };
  counts: Record<string, number | null>;
  rates: Record<'hour' | 'day', Record<(typeof RATES)[number], number | null>>;
};
type Queues = {
  queues: { name: string; depth: number; inFlight: number; delayed: number; oldestMs?: number; dead: number }[];
};
const RATES = ['published', 'held', 'rejected', 'spam'] as const;
const AGAIN_MS = 5000;

export function Operations({ site, rules }: { site: string; rules: boolean }) {
  const [days, setDays] = useState(30);
  const { data, problem, again } = useRead<Stats>(`/v1/moderation/stats?site=${site}&days=${days}`);
  const queues = useRead<Queues>(rules ? '/v1/moderation/queues' : undefined);
  // What is stuck shows by itself: the queues are read again while somebody looks.
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && queues.again(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('operations')}</h1>
        <label>
          <span class="hidden">{t('period')}</span>
          <select value={days} onChange={(event) => setDays(Number(event.currentTarget.value))}>
            {[7, 30, 90].map((count) => (
              <option key={count} value={count}>
                {t('lastDays', { n: count })}
              </option>
            ))}
          </select>
        </label>
      </header>
      {problem && <Failed problem={problem} again={again} />}
      {((!data && !problem) || (rules && !queues.data && !queues.problem)) && <Loading />}
      {queues.data && (
        <section class="card">
          <h2>{t('queues')}</h2>
          <table>
            <thead>
              <tr>
                <th scope="col">{t('queueName')}</th>
                <th scope="col">{t('depth')}</th>
                <th scope="col">{t('inFlight')}</th>
                <th scope="col">{t('delayed')}</th>
                <th scope="col">{t('oldestAge')}</th>
                <th scope="col">{t('deadLetters')}</th>
              </tr>
            </thead>
            <tbody>
              {queues.data.queues.map((queue) => (
                <tr key={queue.name}>
                  <th scope="row">{queue.name}</th>
                  <td>{queue.depth}</td>
                  <td>{queue.inFlight}</td>
                  <td>{queue.delayed}</td>
                  <td>{queue.oldestMs === undefined ? '–' : span(queue.oldestMs)}</td>
                  <td>{queue.dead > 0 ? <a href="#/dead-letters">{queue.dead}</a> : 0}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {data && (
        <>
          <ul class="tiles">
            {Object.entries(data.counts).map(([status, count]) => (
              <li key={status} class="card">
                <p class="quiet">{tMaybe(status, status)}</p>
                <p class="figure">{count ?? '–'}</p>
              </li>
            ))}
            <li class="card">
              <p class="quiet">{t('medianWait')}</p>
              <p class="figure">{data.wait.medianMs === null ? '–' : span(data.wait.medianMs)}</p>
            </li>
            <li class="card">
              <p class="quiet">{t('agreement')}</p>
              <p class="figure">{agreementOf(data.days)}</p>
            </li>
          </ul>
          <section class="card">
            <h2>{t('rates')}</h2>
            <table>
              <thead>
                <tr>
                  <td />
                  {RATES.map((status) => (
                    <th key={status} scope="col">
                      {tMaybe(status, status)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {(['hour', 'day'] as const).map((span) => (
                  <tr key={span}>
                    <th scope="row">{t(span === 'hour' ? 'lastHour' : 'lastDay')}</th>
                    {RATES.map((status) => (
                      <td key={status}>{data.rates[span][status] ?? '–'}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
          <section class="card">
            <h2>{t('decisionsPerDay')}</h2>
            <Bars days={data.days} valueOf={(day) => day.decided} unit="" />
          </section>
          <section class="card">
            <h2>{t('agreementPerDay')}</h2>
            <p class="quiet">{t('agreementHint')}</p>
            <Bars
              days={data.days}
              valueOf={(day) => (day.scored === 0 ? 0 : Math.round((day.agreed / day.scored) * 100))}
              most={100}
              unit=" %"
            />
          </section>
          {Object.keys(data.people).length > 0 && (
            <section class="card">
              <h2>{t('whoDecided')}</h2>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t('user')}</th>
                    <th scope="col">{t('decisions')}</th>
                  </tr>
                </thead>
                <tbody>
                  {Object.entries(data.people).map(([name, count]) => (
                    <tr key={name}>
                      <th scope="row">{name}</th>
                      <td>{count}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )}
        </>
      )}
    </div>
  );
}

function agreementOf(days: readonly Day[]): string {
  const scored = days.reduce((sum, day) => sum + day.scored, 0);
  const agreed = days.reduce((sum, day) => sum + day.agreed, 0);
  return scored === 0 ? '–' : `${Math.round((agreed / scored) * 100)} %`;
}

/** Bars by day; those who cannot see them get the same as a table. */
function Bars({
  days,
  valueOf,
  most,
  unit,
}: {
  days: readonly Day[];
  valueOf: (day: Day) => number;
  most?: number;
  unit: string;
}) {
  const top = most ?? Math.max(1, ...days.map(valueOf));
  const width = 100 / days.length;
  return (
    <>
      <div class="plot">
        <span class="plot-top quiet">
          {top}
          {unit}
        </span>
        <svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
          <line x1="0" x2="100" y1="0.2" y2="0.2" class="rule" />
          <line x1="0" x2="100" y1="20" y2="20" class="rule" />
          <line x1="0" x2="100" y1="39.8" y2="39.8" class="rule" />
          {days.map((day, index) => {
            const height = (valueOf(day) / top) * 39.6;
            return (
              <rect
                key={day.day}
                x={index * width + width * 0.15}
                width={width * 0.7}
                y={39.8 - height}
                height={height}
              >
                <title>{`${dateOnly(day.day)}: ${valueOf(day)}${unit}`}</title>
              </rect>
            );
          })}
        </svg>
        <p class="plot-ends quiet">
          <span>{dateOnly(days[0]?.day ?? 0)}</span>
          <span>{dateOnly(days.at(-1)?.day ?? 0)}</span>
        </p>
      </div>
      <details>
        <summary>{t('asTable')}</summary>
        <table>
          <tbody>
            {days
              .filter((day) => day.decided > 0)
              .map((day) => (
                <tr key={day.day}>
                  <th scope="row">{dateOnly(day.day)}</th>
                  <td>
                    {valueOf(day)}
                    {unit}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </>
  );
}
