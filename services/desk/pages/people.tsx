import { useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { Failed, Loading, useRead } from '../parts.tsx';
import type { Who } from '../types.ts';
import { dateOnly, t } from '../words.ts';

type User = { name: string; roles: Who['roles']; createdAt: number; disabled: boolean };

export function People({ who, sites }: { who: Who; sites: readonly { id: string; name: string }[] }) {
  const { data, problem, again } = useRead<{ users: User[] }>('/v1/moderation/users');
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  /** Says `done`, or what the change itself has to say. */
  const change = async (what: () => Promise<unknown>, done: string) => {
    setFault('');
    try {
      const said = await what();
      setSaid(typeof said === 'string' ? said : done);
      again();
    } catch (error) {
      setFault(error instanceof Problem ? [error.message, error.hint].filter(Boolean).join(' — ') : String(error));
    }
  };
  return (
    <div class="page">
      <h1>{t('people')}</h1>
      <p class="said" role="status">
        {said}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
      {problem && <Failed problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      <ul class="cards">
        {data?.users.map((user) => (
          <li key={user.name} class="card letter">
            <div>
              <h2>
                {user.name} {user.disabled && <span class="badge">{t('shutOut')}</span>}
              </h2>
              <p class="quiet">
                {user.roles
                  .map(({ site, role }) => `${t(`role_${role}`)}: ${site === '*' ? t('everySite') : site}`)
                  .join(' · ') || t('noRole')}{' '}
                · {dateOnly(user.createdAt)}
              </p>
            </div>
            {user.name !== who.user && (
              <button
                type="button"
                onClick={() =>
                  void change(
                    () =>
                      call('PATCH', `/v1/moderation/users/${encodeURIComponent(user.name)}`, {
                        body: { disabled: !user.disabled },
                      }),
                    user.name,
                  )
                }
              >
                {t(user.disabled ? 'letIn' : 'shutOutAct')}
              </button>
            )}
            <TakeBack
              sites={sites}
              onTake={(body) =>
                change(async () => {
                  const { undone, conflicts, lessons } = await call<TakenBack>(
                    'POST',
                    `/v1/moderation/users/${encodeURIComponent(user.name)}/undo`,
                    { body },
                  );
                  return t('tookBack', { undone, conflicts, lessons });
                }, user.name)
              }
            />
          </li>
        ))}
      </ul>
      <AddUser
        sites={sites}
        onAdd={(body, name) => change(() => call('POST', '/v1/moderation/users', { body }), t('userAdded', { name }))}
      />
      <OwnPassword
        onChange={(body) => change(() => call('PUT', '/v1/moderation/password', { body }), t('passwordChanged'))}
      />
    </div>
  );
}

type TakenBack = { undone: number; conflicts: number; lessons: number };

/** All that somebody decided at a site since a day, or only what it taught the judge. */
function TakeBack({
  sites,
  onTake,
}: {
  sites: readonly { id: string; name: string }[];
  onTake: (body: unknown) => Promise<void>;
}) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const since = new Date(`${String(data.get('since'))}T00:00`).toISOString();
    await onTake({ site: data.get('site'), since, lessonsOnly: data.has('lessonsOnly') });
  };
  return (
    <details>
      <summary>{t('takeBackAll')}</summary>
      <form class="fields" onSubmit={submit}>
        <label class="field">
          {t('site')}
          <select name="site">
            {sites.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          {t('since')}
          <input name="since" type="date" required />
        </label>
        <label>
          <input name="lessonsOnly" type="checkbox" /> {t('lessonsOnly')}
        </label>
        <button type="submit">{t('takeBackAct')}</button>
      </form>
    </details>
  );
}

function AddUser({
  sites,
  onAdd,
}: {
  sites: readonly { id: string; name: string }[];
  onAdd: (body: unknown, name: string) => Promise<void>;
}) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const name = String(data.get('name'));
    await onAdd(
      { name, password: data.get('password'), roles: [{ site: data.get('site'), role: data.get('role') }] },
      name,
    );
    form.reset();
  };
  return (
    <section class="card">
      <h2>{t('addUser')}</h2>
      <form class="fields" onSubmit={submit}>
        <label class="field">
          {t('user')}
          <input name="name" required pattern="[a-z0-9][a-z0-9._@\-]*" maxLength={63} autocomplete="off" />
        </label>
        <label class="field">
          {t('password')}
          <input name="password" type="password" required minLength={10} autocomplete="new-password" />
        </label>
        <label class="field">
          {t('role')}
          <select name="role">
            <option value="moderator">{t('role_moderator')}</option>
            <option value="admin">{t('role_admin')}</option>
          </select>
        </label>
        <label class="field">
          {t('site')}
          <select name="site">
            {sites.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
            <option value="*">{t('everySite')}</option>
          </select>
        </label>
        <button type="submit" class="main">
          {t('add')}
        </button>
      </form>
    </section>
  );
}

function OwnPassword({ onChange }: { onChange: (body: unknown) => Promise<void> }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    await onChange({ current: data.get('current'), next: data.get('next') });
    form.reset();
  };
  return (
    <section class="card">
      <h2>{t('ownPassword')}</h2>
      <form class="fields" onSubmit={submit}>
        <label class="field">
          {t('currentPassword')}
          <input name="current" type="password" required autocomplete="current-password" />
        </label>
        <label class="field">
          {t('newPassword')}
          <input name="next" type="password" required minLength={10} autocomplete="new-password" />
        </label>
        <button type="submit">{t('save')}</button>
      </form>
    </section>
  );
}
