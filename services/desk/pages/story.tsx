import { useEffect, useState } from 'preact/hooks';
import { Ago, Failed, Html, Loading, Signals, useRead } from '../parts.tsx';
import type { Detail, Trace } from '../types.ts';
import { dateTime, t, tMaybe } from '../words.ts';

type Moment = { at: number; key: string; kind: string; title: string; body?: preact.ComponentChildren };

/** Everything that happened to one comment, in the order in which it happened. */
export function Story({ id }: { id: string }) {
  const { data, problem, again } = useRead<Detail>(`/v1/moderation/comments/${encodeURIComponent(id)}`);
  if (problem) return <Failed problem={problem} again={again} />;
  if (!data) return <Loading />;
  const now = Date.now();
  return (
    <div class="page story">
      <header class="page-head">
        <h1>{t('storyOf', { name: data.author.name })}</h1>
        <span class={`status ${data.status}`}>{tMaybe(data.status, data.status)}</span>
      </header>
      <p class="quiet">
        <a href="#/">{t('queue')}</a> · {data.thread.title} · <code>{data.id}</code>
      </p>
      {data.deadLetter && (
        <p class="notice bad">
          {t('deadLetterHere', { why: data.deadLetter.reason })} <a href="#/dead-letters">{t('deadLetters')}</a>
        </p>
      )}
      <blockquote class="story-text">
        <Html html={data.html} />
      </blockquote>
      <ol class="timeline">
        {momentsOf(data).map((moment) => (
          <li key={moment.key} class={moment.kind}>
            <p class="when">
              <time dateTime={new Date(moment.at).toISOString()}>{dateTime(moment.at)}</time>
              <span class="quiet">
                <Ago at={moment.at} now={now} />
              </span>
            </p>
            <div>
              <h2>{moment.title}</h2>
              {moment.body}
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

function momentsOf(detail: Detail): Moment[] {
  const moments: Moment[] = [{ at: detail.submittedAt, key: 'submitted', kind: 'event', title: t('submitted') }];
  const judged = detail.judgement;
  if (judged && !detail.log.some(({ judgement }) => judgement)) {
    moments.push({
      at: judged.at,
      key: 'judged',
      kind: 'event',
      title: judgedWords(judged),
      body: <Signals signals={detail.signals} />,
    });
  }
  for (const [index, row] of detail.log.entries()) {
    const { judgement, trace } = row;
    if (trace) {
      moments.push({
        at: trace.startedAt,
        key: `trace-${index}`,
        kind: 'run',
        title: t('run', { workflow: trace.workflow, n: trace.attempt + 1 }),
        body: (
          <>
            <ul class="states">
              {trace.states.map((state, place) => (
                <li key={place} class={state.code ? 'troubled' : ''}>
                  <strong>{state.name}</strong> <span>{state.ms} ms</span>
                  {state.retries > 0 && <span>{t('retriesN', { n: state.retries })}</span>}
                  {state.code && <code>{state.code}</code>}
                </li>
              ))}
            </ul>
            <Drawn trace={trace} />
          </>
        ),
      });
    }
    if (row.from === row.to && trace && !judgement && !row.decisionId) continue;
    const about = [row.reason && tMaybe(`reason_${row.reason}`, tMaybe(`h_${row.reason}`, row.reason)), row.note]
      .filter(Boolean)
      .join(' — ');
    moments.push({
      at: row.at,
      key: `log-${index}`,
      kind: row.decisionId ? 'decision' : 'event',
      title: `${tMaybe(`done_${row.action}`, row.action === 'undo' ? t('undone') : row.action)} ${t('byWhom', { name: row.by })}`,
      body: (
        <>
          <p class="quiet">
            {tMaybe(row.from, row.from)} › {tMaybe(row.to, row.to)}
            {about && ` · ${about}`}
          </p>
          {judgement && (
            <>
              <p>{judgedWords(judgement)}</p>
              <Signals signals={judgement.signals} />
            </>
          )}
        </>
      ),
    });
  }
  for (const told of detail.notifications) {
    const [kind = '', who = ''] = told.recipient.split(':');
    moments.push({
      at: told.at,
      key: `told-${told.recipient}`,
      kind: told.state === 'sent' ? 'mail' : 'mail troubled',
      title: `${tMaybe(`to_${told.kind}`, kind)}${kind === 'author' ? ` ${who}` : ''}: ${tMaybe(`mail_${told.state}`, told.state)}`,
      body: <p class="quiet">{[told.why, told.said].filter(Boolean).join(' — ')}</p>,
    });
  }
  // What nobody asked for leaves no record: said here, since its absence is asked about.
  const publishedAt = detail.log.find(({ to }) => to === 'published')?.at;
  const kinds = new Set(detail.notifications.map(({ kind }) => kind));
  if (publishedAt !== undefined) {
    const untold = [
      ...(detail.parent && !kinds.has('reply') ? [t('untoldReply', { name: detail.parent.author })] : []),
      ...(kinds.has('author') ? [] : [t('untoldAuthor')]),
    ];
    for (const title of untold) moments.push({ at: publishedAt, key: title, kind: 'mail untold', title });
  }
  for (const note of detail.notes) {
    moments.push({
      at: note.at,
      key: note.id,
      kind: 'note',
      title: t('byWhom', { name: note.by }),
      body: <p>{note.text}</p>,
    });
  }
  return moments.sort((a, b) => a.at - b.at);
}

/** The run over its workflow, for who wants to see it. */
function Drawn({ trace }: { trace: Trace }) {
  const [open, setOpen] = useState(false);
  const [svg, setSvg] = useState('');
  useEffect(() => {
    if (open) void import('./run-drawing.ts').then(({ drawRun }) => setSvg(drawRun(trace)));
  }, [open, trace]);
  if (trace.workflow !== 'moderation') return null;
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('drawn')}</summary>
      {svg && (
        <div class="scroll-x" tabIndex={0} role="region" aria-label={t('drawn')}>
          <Html class="picture" html={svg} />
        </div>
      )}
    </details>
  );
}

function judgedWords(judgement: {
  verdict: string;
  score: number;
  policyVersion: number;
  modelVersion: string;
}): string {
  return t('judged', {
    verdict: tMaybe(`v_${judgement.verdict}`, judgement.verdict),
    n: Math.round(judgement.score * 100),
    policy: judgement.policyVersion,
    model: judgement.modelVersion,
  });
}
