import { useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { Failed, Loading, useRead } from '../parts.tsx';
import { t } from '../words.ts';

type Author = { id: string; name: string; email?: string; notify: string };
type Site = { id: string; name: string; origins: string[]; authors: Author[]; mine: 'admin' | 'moderator' };
type Thread = { key: string; title?: string; closed?: boolean; premoderate?: boolean };

export function Sites({ site, rules, onAdded }: { site: string; rules: boolean; onAdded: () => void }) {
  const { data, problem, again } = useRead<{ sites: Site[] }>('/v1/moderation/sites');
  const [fault, setFault] = useState('');
  const [said, setSaid] = useState('');
  const change = async (what: () => Promise<unknown>, done: string): Promise<boolean> => {
    setFault('');
    try {
      await what();
      setSaid(done);
      again();
      onAdded();
      return true;
    } catch (error) {
      const fields =
        error instanceof Problem ? error.errors.map((one) => `${one.pointer}: ${one.detail}`).join('; ') : '';
      setFault(fields || (error instanceof Problem ? error.message : String(error)));
      return false;
    }
  };
  const shown = data?.sites.find(({ id }) => id === site);
  return (
    <div class="page">
      <h1>{t('sites')}</h1>
      <p class="said" role="status">
        {said}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
      {problem && <Failed problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {shown && <OneSite key={shown.id} site={shown} change={change} />}
      {rules && <AddSite change={change} />}
    </div>
  );
}

type Change = (what: () => Promise<unknown>, done: string) => Promise<boolean>;

function OneSite({ site, change }: { site: Site; change: Change }) {
  const path = `/v1/moderation/sites/${site.id}`;
  const admin = site.mine === 'admin';
  const saveSite = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const origins = String(data.get('origins')).split(/\s+/).filter(Boolean);
    await change(() => call('PATCH', path, { body: { name: data.get('name'), origins } }), t('saved'));
  };
  const addAuthor = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const email = String(data.get('email'));
    const body = { name: data.get('name'), ...(email && { email }) };
    if (await change(() => call('PUT', `${path}/authors/${String(data.get('id'))}`, { body }), t('saved')))
      form.reset();
  };
  const snippet = `<div id="comments"></div>\n<script async src="${location.origin}/embed.js"\n  data-site="${site.id}" data-thread="/posts/my-post"></script>`;
  return (
    <>
      <section class="card">
        <h2>{site.name}</h2>
        <form class="fields" onSubmit={saveSite}>
          <label class="field">
            {t('siteName')}
            <input name="name" required maxLength={120} defaultValue={site.name} disabled={!admin} />
          </label>
          <label class="field wide">
            {t('origins')}
            <textarea name="origins" rows={2} defaultValue={site.origins.join('\n')} disabled={!admin} />
            <small class="quiet">{t('originsHint')}</small>
          </label>
          {admin && (
            <button type="submit" class="main">
              {t('save')}
            </button>
          )}
        </form>
      </section>
      <section class="card">
        <h2>{t('snippet')}</h2>
        <p class="quiet">{t('snippetHint')}</p>
        <pre class="code snippet" tabIndex={0}>
          {snippet}
        </pre>
        <button type="button" onClick={() => void navigator.clipboard.writeText(snippet)}>
          {t('copy')}
        </button>
      </section>
      <section class="card">
        <h2>{t('authors')}</h2>
        <ul class="briefs">
          {site.authors.map((author) => (
            <li key={author.id}>
              <strong>{author.name}</strong> <code>{author.id}</code> <span class="quiet">{author.email}</span>
              {admin && (
                <button
                  type="button"
                  class="plain"
                  aria-label={`${t('remove')}: ${author.name}`}
                  onClick={() => void change(() => call('DELETE', `${path}/authors/${author.id}`), t('saved'))}
                >
                  {t('remove')}
                </button>
              )}
            </li>
          ))}
        </ul>
        {admin && (
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
        )}
      </section>
      <p>
        <a href="#/proof">{t('proof')}</a>
      </p>
      <Threads site={site.id} admin={admin} change={change} />
    </>
  );
}

function Threads({ site, admin, change }: { site: string; admin: boolean; change: Change }) {
  const { data, again } = useRead<{ threads: Thread[] }>(`/v1/moderation/threads?site=${site}&limit=100`);
  if (!data || data.threads.length === 0) return null;
  const set = async (thread: Thread, some: Partial<Thread>) => {
    await change(() => call('PUT', '/v1/moderation/threads', { body: { site, key: thread.key, ...some } }), t('saved'));
    again();
  };
  return (
    <section class="card">
      <h2>{t('threads')}</h2>
      <ul class="threads">
        {data.threads.map((thread) => (
          <li key={thread.key}>
            <span>
              {thread.title ?? thread.key} <code class="quiet">{thread.key}</code>
            </span>
            <label class="check">
              <input
                type="checkbox"
                disabled={!admin}
                checked={thread.closed ?? false}
                onChange={(event) => void set(thread, { closed: event.currentTarget.checked })}
              />
              {t('closed')}
            </label>
            <label class="check">
              <input
                type="checkbox"
                disabled={!admin}
                checked={thread.premoderate ?? false}
                onChange={(event) => void set(thread, { premoderate: event.currentTarget.checked })}
              />
              {t('premoderated')}
            </label>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AddSite({ change }: { change: Change }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const origins = String(data.get('origins')).split(/\s+/).filter(Boolean);
    const body = { id: data.get('id'), name: data.get('name'), origins };
    if (
      await change(
        () => call('POST', '/v1/moderation/sites', { body }),
        t('siteAdded', { name: String(data.get('name')) }),
      )
    )
      form.reset();
  };
  return (
    <section class="card">
      <h2>{t('addSite')}</h2>
      <p class="quiet">{t('addSiteHint')}</p>
      <form class="fields" onSubmit={submit}>
        <label class="field">
          {t('siteId')}
          <input name="id" required pattern="[a-z0-9][a-z0-9.\-]{0,62}" placeholder="blog.example" />
        </label>
        <label class="field">
          {t('siteName')}
          <input name="name" required maxLength={120} />
        </label>
        <label class="field">
          {t('origins')}
          <input name="origins" placeholder="https://blog.example" />
        </label>
        <button type="submit" class="main">
          {t('add')}
        </button>
      </form>
    </section>
  );
}
