import { useEffect, useMemo, useState } from 'preact/hooks';
import { call, callFull, Problem } from '../api.ts';
import { Failed, Loading, useRead } from '../parts.tsx';
import { dateTime, t } from '../words.ts';
import { BacktestPart } from './backtest.tsx';
import { FieldInput, GROUPS, withField, type Document } from './policy-fields.tsx';
import { ShadowPart } from './shadow.tsx';

type Version = { policy: Document; version: number; by: string; at: number };

export function PolicyPage({ site, admin }: { site: string; admin: boolean }) {
  const path = `/v1/moderation/sites/${site}/policy`;
  const [live, setLive] = useState<Version | undefined>();
  const [draft, setDraft] = useState<Document | undefined>();
  const [asJson, setAsJson] = useState<string | undefined>();
  const [problem, setProblem] = useState<Problem | undefined>();
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  const [saving, setSaving] = useState(false);
  /** Another document is in the form: fields that keep what was typed begin anew. */
  const [round, setRound] = useState(0);
  const take = (policy: Document) => {
    setDraft(policy);
    setAsJson(undefined);
    setRound((value) => value + 1);
  };

  const read = async () => {
    try {
      const { body } = await callFull<Version>('GET', path);
      setLive(body);
      take(body.policy);
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
    setDraft(withField(draft, name, value));
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
  const save = async (policy: Document): Promise<boolean> => {
    setSaving(true);
    setFault('');
    setSaid('');
    try {
      const headers = { 'if-match': `"${live.version}"` };
      const saved = await call<Version>('PUT', path, { body: { policy }, headers });
      setLive(saved);
      take(saved.policy);
      setSaid(t('policySaved', { n: saved.version }));
      return true;
    } catch (error) {
      const failed = error instanceof Problem ? error : new Problem(0, { detail: String(error) });
      const fields = failed.errors.map(({ pointer, detail }) => `${pointer.replace('/policy/', '')}: ${detail}`);
      setFault(
        failed.status === 412 ? t('policyNewer', { why: failed.message }) : [failed.message, ...fields].join('; '),
      );
      return false;
    } finally {
      setSaving(false);
    }
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
                  <FieldInput key={`${field.name} ${round}`} field={field} draft={draft} onSet={set} />
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
                <button
                  type="button"
                  class="main"
                  disabled={saving || fault.startsWith('Unexpected')}
                  onClick={() => void save(draft)}
                >
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
      <ShadowPart path={path} draft={draft} admin={admin} onLive={save} />
      <Versions
        path={path}
        live={live}
        onTake={(policy) => {
          take(policy);
          setSaid('');
        }}
      />
    </div>
  );
}

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
