import { useEffect, useState } from 'preact/hooks';
import { call, query } from '../api.ts';
import { Failed, Loading, SiteTabs, useChange, useRead } from '../parts.tsx';
import { t, type Word } from '../words.ts';

type Thread = {
  key: string;
  title?: string;
  url?: string;
  closed?: boolean;
  premoderate?: boolean;
  authorId?: string;
  aliases?: string[];
};
type Page = { threads: Thread[]; nextCursor: string | null };
const PATH = '/v1/moderation/threads';

export function Threads({
  site,
  admin,
  authors,
}: {
  site: string;
  admin: boolean;
  authors: readonly { id: string; name: string }[];
}) {
  const [cursor, setCursor] = useState('');
  const { data, problem, again } = useRead<Page>(`${PATH}${query({ site, limit: 50, cursor })}`);
  const { change, status } = useChange(again);
  const set = (thread: Thread, some: Partial<Thread>) =>
    change(() => call('PUT', PATH, { body: { site, key: thread.key, ...some } }), t('saved'));
  return (
    <div class="page">
      <h1>{t('threads')}</h1>
      <SiteTabs current="threads" />
      {status}
      {problem && <Failed problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {data?.threads.length === 0 && <p class="empty">{t('nothingHere')}</p>}
      <ul class="cards">
        {data?.threads.map((thread) => (
          <li key={thread.key} class="card">
            <div class="thread-line">
              <span>
                <strong>{thread.title ?? thread.key}</strong> <code class="quiet">{thread.key}</code>{' '}
                {thread.aliases?.map((alias) => (
                  <code key={alias} class="quiet">
                    = {alias}{' '}
                  </code>
                ))}
              </span>
              <Toggle
                on={thread.closed ?? false}
                word="closed"
                disabled={!admin}
                onSet={(closed) => set(thread, { closed })}
              />
              <Toggle
                on={thread.premoderate ?? false}
                word="premoderated"
                disabled={!admin}
                onSet={(premoderate) => set(thread, { premoderate })}
              />
            </div>
            {admin && (
              <details>
                <summary aria-label={`${t('change')}: ${thread.title ?? thread.key}`}>{t('change')}</summary>
                <ThreadForm thread={thread} authors={authors} onSave={(some) => set(thread, some)} />
                <AliasForm
                  onAdd={(alias) =>
                    change(
                      () => call('POST', `${PATH}/aliases`, { body: { site, key: thread.key, alias } }),
                      t('aliasAdded', { alias }),
                    )
                  }
                />
              </details>
            )}
          </li>
        ))}
      </ul>
      {(cursor || data?.nextCursor) && (
        <p class="decide">
          {cursor && (
            <button type="button" onClick={() => setCursor('')}>
              {t('firstPage')}
            </button>
          )}
          {data?.nextCursor && (
            <button type="button" onClick={() => setCursor(data.nextCursor ?? '')}>
              {t('nextPage')}
            </button>
          )}
        </p>
      )}
    </div>
  );
}

/** Shows at once what was chosen, and what stands again when it was refused. */
function Toggle({
  on,
  word,
  disabled,
  onSet,
}: {
  on: boolean;
  word: Word;
  disabled: boolean;
  onSet: (on: boolean) => Promise<boolean>;
}) {
  const [wanted, setWanted] = useState(on);
  useEffect(() => setWanted(on), [on]);
  const choose = async (next: boolean) => {
    setWanted(next);
    if (!(await onSet(next))) setWanted(on);
  };
  return (
    <label class="check">
      <input
        type="checkbox"
        disabled={disabled}
        checked={wanted}
        onChange={(event) => void choose(event.currentTarget.checked)}
      />
      {t(word)}
    </label>
  );
}

function ThreadForm({
  thread,
  authors,
  onSave,
}: {
  thread: Thread;
  authors: readonly { id: string; name: string }[];
  onSave: (some: Partial<Thread>) => Promise<boolean>;
}) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const given = ['title', 'url', 'authorId'].map((name) => [name, String(form.get(name) ?? '').trim()]);
    void onSave(Object.fromEntries(given.filter(([, value]) => value !== '')));
  };
  return (
    <form class="fields" onSubmit={submit}>
      <label class="field">
        {t('threadTitle')}
        <input name="title" maxLength={500} defaultValue={thread.title} />
      </label>
      <label class="field">
        {t('threadUrl')}
        <input name="url" type="url" maxLength={2000} defaultValue={thread.url} />
      </label>
      {authors.length > 0 && (
        <label class="field">
          {t('threadAuthor')}
          <select name="authorId" defaultValue={thread.authorId}>
            <option value="">–</option>
            {authors.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <button type="submit">{t('save')}</button>
    </form>
  );
}

function AliasForm({ onAdd }: { onAdd: (alias: string) => Promise<boolean> }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    if (await onAdd(String(new FormData(form).get('alias')).trim())) form.reset();
  };
  return (
    <form class="fields" onSubmit={submit}>
      <label class="field wide">
        {t('alias')}
        <input name="alias" required maxLength={500} placeholder="/posts/another" />
        <small class="quiet">{t('aliasHint')}</small>
      </label>
      <button type="submit">{t('add')}</button>
    </form>
  );
}
