import { call } from '../api.ts';
import { Failed, Loading, SiteTabs, Snippet, useChange, useRead } from '../parts.tsx';
import { t } from '../words.ts';

const NOTIFY = { each: 'notifyEach', digest: 'notifyDigest', held: 'notifyHeld', none: 'notifyNone' } as const;

type Author = { id: string; name: string; email?: string; notify: keyof typeof NOTIFY };
type Site = {
  id: string;
  name: string;
  origins: string[];
  threadParams: string[];
  authors: Author[];
  mine: 'admin' | 'moderator';
  moderatorEmails?: string[];
};

export function Sites({ site, onChanged }: { site: string; onChanged: () => void }) {
  const { data, problem, again } = useRead<{ sites: Site[] }>('/v1/moderation/sites');
  const { change, status } = useChange(() => {
    again();
    onChanged();
  });
  const shown = data?.sites.find(({ id }) => id === site);
  return (
    <div class="page">
      <h1>{t('sites')}</h1>
      <SiteTabs current="sites" />
      {status}
      {problem && <Failed problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {shown && <OneSite key={shown.id} site={shown} change={change} />}
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
    const listed = (field: string) => String(data.get(field)).split(/\s+/).filter(Boolean);
    const body = {
      name: data.get('name'),
      origins: listed('origins'),
      threadParams: listed('threadParams'),
      moderatorEmails: listed('moderatorEmails'),
    };
    await change(() => call('PATCH', path, { body }), t('saved'));
  };
  const addAuthor = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const email = String(data.get('email'));
    const body = { name: data.get('name'), notify: data.get('notify'), ...(email && { email }) };
    if (await change(() => call('PUT', `${path}/authors/${String(data.get('id'))}`, { body }), t('saved')))
      form.reset();
  };
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
          <label class="field wide">
            {t('threadParams')}
            <input name="threadParams" defaultValue={site.threadParams.join(' ')} disabled={!admin} />
            <small class="quiet">{t('threadParamsHint')}</small>
          </label>
          {admin && (
            <label class="field wide">
              {t('moderatorEmails')}
              <textarea name="moderatorEmails" rows={2} defaultValue={site.moderatorEmails?.join('\n')} />
              <small class="quiet">{t('moderatorEmailsHint')}</small>
            </label>
          )}
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
        <Snippet site={site.id} />
      </section>
      <section class="card">
        <h2>{t('authors')}</h2>
        <ul class="briefs">
          {site.authors.map((author) => (
            <li key={author.id}>
              <strong>{author.name}</strong> <code>{author.id}</code> <span class="quiet">{author.email}</span>{' '}
              <span class="quiet">
                {t('notify')}: {t(NOTIFY[author.notify])}
              </span>
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
            <label class="field">
              {t('notify')}
              <select name="notify">
                {Object.entries(NOTIFY).map(([value, words]) => (
                  <option key={value} value={value}>
                    {t(words)}
                  </option>
                ))}
              </select>
            </label>
            <button type="submit">{t('add')}</button>
          </form>
        )}
      </section>
      <p>
        <a href="#/proof">{t('proof')}</a>
      </p>
    </>
  );
}
