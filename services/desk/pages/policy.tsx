import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Backtest } from '../../moderation/backtest.ts';
import { call, callFull, Problem } from '../api.ts';
import { Failed, Loading, useRead } from '../parts.tsx';
import { dateTime, t, tMaybe, type Word } from '../words.ts';

type Document = Record<string, unknown>;
type Version = { policy: Document; version: number; by: string; at: number };
type Kind = 'number' | 'percent' | 'check' | 'maybe' | 'lines' | 'choice';
type Field = { name: string; kind: Kind; word: Word; choices?: readonly string[] };

const GROUPS: readonly { word: Word; fields: readonly Field[] }[] = [
  {
    word: 'groupJudge',
    fields: [
      { name: 'holdAt', kind: 'percent', word: 'p_holdAt' },
      { name: 'rejectAt', kind: 'percent', word: 'p_rejectAt' },
      { name: 'toxicityHoldAt', kind: 'percent', word: 'p_toxicityHoldAt' },
      { name: 'linksBeforeHold', kind: 'number', word: 'p_linksBeforeHold' },
      { name: 'holdFirst', kind: 'check', word: 'p_holdFirst' },
      { name: 'premoderate', kind: 'check', word: 'p_premoderate' },
      { name: 'trustAfter', kind: 'number', word: 'p_trustAfter' },
    ],
  },
  {
    word: 'groupLists',
    fields: [
      { name: 'blocklist', kind: 'lines', word: 'p_blocklist' },
      { name: 'linkHostBlocklist', kind: 'lines', word: 'p_linkHostBlocklist' },
    ],
  },
  {
    word: 'groupQueue',
    fields: [
      { name: 'reportersToQueue', kind: 'number', word: 'p_reportersToQueue' },
      { name: 'reportsHide', kind: 'check', word: 'p_reportsHide' },
      { name: 'appeals', kind: 'number', word: 'p_appeals' },
      { name: 'reminderHours', kind: 'number', word: 'p_reminderHours' },
      { name: 'escalationHours', kind: 'number', word: 'p_escalationHours' },
      { name: 'defaultAfterHours', kind: 'maybe', word: 'p_defaultAfterHours' },
      { name: 'defaultAction', kind: 'choice', word: 'p_defaultAction', choices: ['publish', 'reject'] },
    ],
  },
  {
    word: 'groupWriters',
    fields: [
      { name: 'bodyBytes', kind: 'number', word: 'p_bodyBytes' },
      { name: 'replyDepth', kind: 'number', word: 'p_replyDepth' },
      { name: 'editMinutes', kind: 'number', word: 'p_editMinutes' },
      { name: 'clientPerMinute', kind: 'number', word: 'p_clientPerMinute' },
      { name: 'clientPerHour', kind: 'number', word: 'p_clientPerHour' },
      { name: 'closeAfterDays', kind: 'maybe', word: 'p_closeAfterDays' },
      { name: 'undoSeconds', kind: 'number', word: 'p_undoSeconds' },
    ],
  },
];

type Listed = { term?: string; host?: string; action?: string; expiresAt?: number };

/** One entry a line; `!` in front rejects instead of holding. An expiry set in the JSON stays with its entry. */
function linesOf(list: readonly Listed[]): string {
  return list.map(({ term, host, action }) => `${action === 'reject' ? '!' : ''}${term ?? host ?? ''}`).join('\n');
}

function listOf(text: string, key: 'term' | 'host', before: readonly Listed[]): Listed[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '!')
    .map((line) => {
      const value = line.replace(/^!/, '').trim();
      const expiresAt = before.find((one) => one[key] === value)?.expiresAt;
      return {
        [key]: value,
        action: line.startsWith('!') ? 'reject' : 'hold',
        ...(expiresAt !== undefined && { expiresAt }),
      };
    });
}

export function PolicyPage({ site, admin }: { site: string; admin: boolean }) {
  const path = `/v1/moderation/sites/${site}/policy`;
  const [live, setLive] = useState<Version | undefined>();
  const [draft, setDraft] = useState<Document | undefined>();
  const [asJson, setAsJson] = useState<string | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  const [saving, setSaving] = useState(false);

  const read = async () => {
    try {
      const { body } = await callFull<Version>('GET', path);
      setLive(body);
      setDraft(body.policy);
      setAsJson(undefined);
      setProblem(undefined);
    } catch (error) {
      if (error instanceof Problem) setProblem(error);
    }
  };
  useEffect(() => {
    setLive(undefined);
    setSaid('');
    setFault('');
    void read();
  }, [site]);

  const changes = useMemo(() => (live && draft ? changesBetween(live.policy, draft) : []), [live, draft]);
  if (problem) return <Failed problem={problem} again={() => void read()} />;
  if (!live || !draft) return <Loading />;

  const set = (name: string, value: unknown) => {
    setDraft({ ...draft, [name]: value });
    setSaid('');
  };
  const typeJson = (text: string) => {
    setAsJson(text);
    try {
      setDraft(JSON.parse(text) as Document);
      setFault('');
    } catch (error) {
      setFault(String(error).replace('SyntaxError: ', ''));
    }
  };
  const save = async () => {
    setSaving(true);
    setFault('');
    try {
      const saved = await call<Version>('PUT', path, {
        body: { policy: draft },
        headers: { 'if-match': `"${live.version}"` },
      });
      setLive(saved);
      setDraft(saved.policy);
      setAsJson(undefined);
      setSaid(t('policySaved', { n: saved.version }));
    } catch (error) {
      const failed = error instanceof Problem ? error : new Problem(0, { detail: String(error) });
      setFault(failed.status === 412 ? t('policyNewer', { why: failed.message }) : failed.message);
    }
    setSaving(false);
  };

  return (
    <div class="page">
      <header class="page-head">
        <h1>{t('policy')}</h1>
        <p class="quiet">
          {live.version === 0
            ? t('policyDefaults')
            : t('policyVersion', { n: live.version, name: live.by, date: dateTime(live.at) })}
        </p>
      </header>
      <fieldset class="policy" disabled={!admin}>
        <legend class="hidden">{t('policy')}</legend>
        <div class="tabs in-page">
          <button type="button" aria-pressed={asJson === undefined} onClick={() => setAsJson(undefined)}>
            {t('asForm')}
          </button>
          <button
            type="button"
            aria-pressed={asJson !== undefined}
            onClick={() => setAsJson(JSON.stringify(draft, null, 2))}
          >
            JSON
          </button>
        </div>
        {asJson === undefined ? (
          GROUPS.map((group) => (
            <section key={group.word} class="card">
              <h2>{t(group.word)}</h2>
              <div class="fields">
                {group.fields.map((field) => (
                  <FieldInput key={field.name} field={field} draft={draft} onSet={set} />
                ))}
              </div>
            </section>
          ))
        ) : (
          <label class="field">
            <span class="hidden">JSON</span>
            <textarea
              class="code"
              rows={24}
              spellcheck={false}
              value={asJson}
              onInput={(event) => typeJson(event.currentTarget.value)}
            />
          </label>
        )}
      </fieldset>
      <div class="save-line">
        <p class="fault" role="alert">
          {fault}
        </p>
        <p class="said" role="status">
          {said}
        </p>
        {changes.length > 0 && (
          <>
            <Differences changes={changes} />
            <div class="decide">
              {admin && (
                <button type="button" class="main" disabled={saving || fault.startsWith('Unexpected')} onClick={save}>
                  {t('save')}
                </button>
              )}
              <button type="button" class="plain" onClick={() => void read()}>
                {t('discard')}
              </button>
            </div>
          </>
        )}
      </div>
      <BacktestPart site={site} draft={draft} />
      <Versions
        path={path}
        live={live}
        onTake={(policy) => {
          setDraft(policy);
          setAsJson(undefined);
          setSaid('');
        }}
      />
    </div>
  );
}

const numeric = (text: string, scale = 1) => (text === '' ? undefined : Number(text) / scale);

function FieldInput({
  field,
  draft,
  onSet,
}: {
  field: Field;
  draft: Document;
  onSet: (name: string, value: unknown) => void;
}) {
  const { name, kind, word } = field;
  const value = draft[name];
  if (kind === 'check') {
    return (
      <label class="check">
        <input
          type="checkbox"
          checked={value === true}
          onChange={(event) => onSet(name, event.currentTarget.checked)}
        />
        {t(word)}
      </label>
    );
  }
  if (kind === 'lines') {
    const list = (Array.isArray(value) ? value : []) as Listed[];
    return (
      <label class="field wide">
        {t(word)}
        <textarea
          rows={4}
          defaultValue={linesOf(list)}
          onInput={(event) =>
            onSet(name, listOf(event.currentTarget.value, name === 'blocklist' ? 'term' : 'host', list))
          }
        />
        <small class="quiet">{t('linesHint')}</small>
      </label>
    );
  }
  if (kind === 'choice') {
    return (
      <label class="field">
        {t(word)}
        <select value={String(value)} onChange={(event) => onSet(name, event.currentTarget.value)}>
          {field.choices?.map((choice) => (
            <option key={choice} value={choice}>
              {tMaybe(choice, choice)}
            </option>
          ))}
        </select>
      </label>
    );
  }
  const percent = kind === 'percent';
  return (
    <label class="field">
      {t(word)}
      <input
        type="number"
        min="0"
        max={percent ? 100 : undefined}
        step="any"
        placeholder={kind === 'maybe' ? t('never') : undefined}
        value={value === null || value === undefined ? '' : percent ? round(Number(value) * 100) : Number(value)}
        onInput={(event) => {
          const typed = numeric(event.currentTarget.value, percent ? 100 : 1);
          if (typed !== undefined || kind === 'maybe') onSet(name, typed ?? null);
        }}
      />
    </label>
  );
}

const round = (value: number) => Math.round(value * 100) / 100;

type Difference = { name: string; before: string; after: string };

export function changesBetween(before: Document, after: Document): Difference[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => {
    const [old, next] = [JSON.stringify(before[name]) ?? '', JSON.stringify(after[name]) ?? ''];
    return old === next ? [] : [{ name, before: old, after: next }];
  });
}

function Differences({ changes }: { changes: readonly Difference[] }) {
  return (
    <ul class="differences" aria-label={t('whatChanged')}>
      {changes.map(({ name, before, after }) => (
        <li key={name}>
          <code>{name}</code> <del>{before.slice(0, 300)}</del> <ins>{after.slice(0, 300)}</ins>
        </li>
      ))}
    </ul>
  );
}

const POLL_MS = 400;

function BacktestPart({ site, draft }: { site: string; draft: Document }) {
  const [last, setLast] = useState(1000);
  const [state, setState] = useState<{ result?: Backtest; done?: number; of?: number; fault?: string } | undefined>();

  const run = async () => {
    setState({ done: 0, of: last });
    try {
      const body = { policy: draft, last };
      type Answer = Backtest | { progress: string; done: number; of: number };
      let answer = await call<Answer>('POST', `/v1/moderation/sites/${site}/policy/backtest`, { body });
      while ('progress' in answer) {
        setState({ done: answer.done, of: answer.of });
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        answer = await call<Answer>('GET', answer.progress);
      }
      setState({ result: answer });
    } catch (error) {
      setState({ fault: error instanceof Problem ? error.message : String(error) });
    }
  };

  const result = state?.result;
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
      <div role="status">
        {result && (
          <>
            <p>
              <strong>{t('backtestChanged', { n: result.changed, of: result.comments })}</strong>
            </p>
            <table>
              <thead>
                <tr>
                  <td />
                  <th scope="col">{t('live')}</th>
                  <th scope="col">{t('draft')}</th>
                </tr>
              </thead>
              <tbody>
                <tr>
                  <th scope="row">{t('heldPerDay')}</th>
                  <td>{result.heldPerDay.live.toFixed(1)}</td>
                  <td>{result.heldPerDay.draft.toFixed(1)}</td>
                </tr>
                <tr>
                  <th scope="row">{t('againstPeople', { n: result.people.decided })}</th>
                  <td>{result.people.liveWrong}</td>
                  <td>{result.people.draftWrong}</td>
                </tr>
                <tr>
                  <th scope="row">{t('askedPeople')}</th>
                  <td>{result.people.liveHeld}</td>
                  <td>{result.people.draftHeld}</td>
                </tr>
              </tbody>
            </table>
            <ul class="briefs">
              {result.examples.map((one) => (
                <li key={one.id}>
                  <span class="status">
                    {t(`v_${one.was}`)} › {t(`v_${one.would}`)}
                  </span>{' '}
                  <a href={`#/comments/${encodeURIComponent(one.id)}`}>{one.author}</a>{' '}
                  <span dir="auto">{one.excerpt}</span>
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}

function Versions({ path, live, onTake }: { path: string; live: Version; onTake: (policy: Document) => void }) {
  const { data } = useRead<{ versions: Version[] }>(`${path}/versions`);
  const [shown, setShown] = useState<readonly Version[]>([]);
  useEffect(() => {
    const known = data?.versions ?? [];
    setShown(known.some(({ version }) => version === live.version) || live.version === 0 ? known : [live, ...known]);
  }, [data, live]);
  if (shown.length === 0) return null;
  return (
    <section class="card">
      <h2>{t('versions')}</h2>
      <ol class="versions">
        {shown.map((version, index) => (
          <li key={version.version}>
            <p>
              <strong>{version.version}</strong> {version.by} · {dateTime(version.at)}
              {version.version !== live.version && (
                <button type="button" class="plain" onClick={() => onTake(version.policy)}>
                  {t('takeVersion')}
                </button>
              )}
            </p>
            <Differences
              changes={changesBetween(shown[index + 1]?.policy ?? {}, version.policy).slice(
                0,
                shown[index + 1] ? 50 : 0,
              )}
            />
          </li>
        ))}
      </ol>
    </section>
  );
}
