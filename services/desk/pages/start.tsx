import { useEffect, useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { SiteTabs, Snippet, useChange } from '../parts.tsx';
import type { Detail, SiteName } from '../types.ts';
import { t, tMaybe } from '../words.ts';

const LOOK_MS = 250;
/** A comment that took longer is looked for at the operations page. */
const LONGEST_MS = 60_000;

/** From the demo to one's own blog: the site, what goes into its pages, who writes there, and a comment on its way. */
export function Start({ sites, onAdded }: { sites: readonly SiteName[]; onAdded: () => void }) {
  const [site, setSite] = useState('');
  const { change, status } = useChange(onAdded);
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const id = String(data.get('id'));
    const origins = String(data.get('origins')).split(/\s+/).filter(Boolean);
    const body = { id, name: data.get('name'), origins };
    if (
      await change(
        () => call('POST', '/v1/moderation/sites', { body }),
        t('siteAdded', { name: String(data.get('name')) }),
      )
    )
      setSite(id);
  };
  const addAuthor = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const email = String(data.get('email'));
    const body = { name: data.get('name'), ...(email && { email }) };
    const path = `/v1/moderation/sites/${site}/authors/${String(data.get('id'))}`;
    if (await change(() => call('PUT', path, { body }), t('saved'))) form.reset();
  };
  const authors = sites.find(({ id }) => id === site)?.authors ?? [];
  return (
    <div class="page">
      <h1>{t('addSite')}</h1>
      <SiteTabs current="start" />
      <p class="quiet">{t('startHint')}</p>
      {status}
      <ol class="steps">
        <li class="card">
          <h2>{t('startSite')}</h2>
          {site ? (
            <p>
              <strong>{site}</strong> ✓{' '}
              <button type="button" class="plain" onClick={() => setSite('')}>
                {t('startOther')}
              </button>
            </p>
          ) : (
            <form class="fields" onSubmit={add}>
              <label class="field">
                {t('siteId')}
                <input name="id" required pattern="[a-z0-9][a-z0-9.\-]{0,62}" placeholder="blog.example" />
              </label>
              <label class="field">
                {t('siteName')}
                <input name="name" required maxLength={120} />
              </label>
              <label class="field wide">
                {t('origins')}
                <input name="origins" placeholder="https://blog.example" />
                <small class="quiet">{t('originsHint')}</small>
              </label>
              <button type="submit" class="main">
                {t('add')}
              </button>
              {sites.length > 0 && (
                <label class="field">
                  {t('startExisting')}
                  <select value="" onChange={(event) => setSite(event.currentTarget.value)}>
                    <option value="">–</option>
                    {sites.map(({ id, name }) => (
                      <option key={id} value={id}>
                        {name}
                      </option>
                    ))}
                  </select>
                </label>
              )}
            </form>
          )}
        </li>
        {site && (
          <>
            <li class="card">
              <h2>{t('snippet')}</h2>
              <p class="quiet">{t('snippetHint')}</p>
              <Snippet site={site} />
            </li>
            <li class="card">
              <h2>{t('startAuthors')}</h2>
              <p class="quiet">{t('startAuthorsHint')}</p>
              {authors.length > 0 && <p>{authors.map(({ name }) => name).join(', ')} ✓</p>}
              <form class="fields" onSubmit={addAuthor}>
                <label class="field">
                  {t('authorId')}
                  <input name="id" required pattern="[A-Za-z0-9_\-]{1,64}" />
                </label>
                <label class="field">
                  {t('authorName')}
                  <input name="name" required maxLength={80} />
                </label>
                <label class="field">
                  {t('authorEmail')}
                  <input name="email" type="email" />
                </label>
                <button type="submit">{t('add')}</button>
              </form>
            </li>
            <li class="card">
              <h2>{t('startTest')}</h2>
              <p class="quiet">{t('startTestHint')}</p>
              <TestComment key={site} site={site} />
            </li>
          </>
        )}
      </ol>
    </div>
  );
}

/** Sends a comment as a reader would, and follows it until it is decided. */
function TestComment({ site }: { site: string }) {
  const [id, setId] = useState('');
  const [detail, setDetail] = useState<Detail | undefined>();
  const [fault, setFault] = useState('');
  const decided = detail !== undefined && detail.status !== 'received';
  useEffect(() => {
    if (!id || decided) return undefined;
    const until = Date.now() + LONGEST_MS;
    const timer = setInterval(() => {
      if (Date.now() > until) setId('');
      call<Detail>('GET', `/v1/moderation/comments/${id}`)
        .then(setDetail)
        .catch(() => undefined);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [id, decided]);

  const send = async () => {
    setFault('');
    setDetail(undefined);
    try {
      const body = { author: { name: t('testName') }, body: t('testBody') };
      const sent = await call<{ id: string }>('POST', `/v1/sites/${site}/threads/sluice-test/comments`, { body });
      setId(sent.id);
    } catch (error) {
      setFault(error instanceof Problem ? [error.message, error.hint].filter(Boolean).join(' — ') : String(error));
    }
  };
  const states = detail?.trace.flatMap((trace) => trace.states) ?? [];
  return (
    <>
      <button type="button" class="main" disabled={id !== '' && !decided} onClick={() => void send()}>
        {t('testSend')}
      </button>
      <p class="fault" role="alert">
        {fault}
      </p>
      <ol class="states follow" aria-live="polite">
        {id && <li>{t('testTaken')}</li>}
        {detail && <li>{t('testStored')}</li>}
        {states.map((state, place) => (
          <li key={place} class={state.code ? 'troubled' : ''}>
            <strong>{state.name}</strong> {state.ms} ms
          </li>
        ))}
        {decided && (
          <li>
            <span class={`status ${detail.status}`}>{tMaybe(detail.status, detail.status)}</span>{' '}
            <a href={`#/comments/${encodeURIComponent(id)}`}>{t('story')}</a>{' '}
            <a href={`/t/${encodeURIComponent(site)}/sluice-test`}>{t('onPage')}</a>
          </li>
        )}
      </ol>
    </>
  );
}
