import { call } from '../api.ts';
import { Failed, Loading, useChange, useRead } from '../parts.tsx';
import type { Who } from '../types.ts';
import { dateOnly, t } from '../words.ts';
import { Persons } from './persons.tsx';

type User = { name: string; roles: Who['roles']; createdAt: number; disabled: boolean };

/** Who works at the desk, for admins of all sites; one's own password, for everybody. */
export function People({
  who,
  sites,
  rules,
}: {
  who: Who;
  sites: readonly { id: string; name: string }[];
  rules: boolean;
}) {
  const { data, problem, again } = useRead<{ users: User[] }>(rules ? '/v1/moderation/users' : undefined);
  const { change, status } = useChange(again);
  return (
    <div class="page">
      <h1>{t('people')}</h1>
      {status}
      {problem && <Failed problem={problem} again={again} />}
      {rules && !data && !problem && <Loading />}
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
              {user.name !== who.user && (
                <details>
                  <summary aria-label={`${t('change')}: ${user.name}`}>{t('change')}</summary>
                  <RoleForm
                    user={user}
                    sites={sites}
                    onSave={(roles) => change(() => call('PATCH', pathOf(user), { body: { roles } }), t('saved'))}
                  />
                </details>
              )}
              <TakeBack
                sites={sites}
                onTake={(body) =>
                  change(async () => {
                    const path = `${pathOf(user)}/undo`;
                    const { undone, conflicts, lessons } = await call<TakenBack>('POST', path, { body });
                    return t('tookBack', { undone, conflicts, lessons });
                  }, user.name)
                }
              />
            </div>
            {user.name !== who.user && (
              <button
                type="button"
                onClick={() =>
                  void change(
                    () =>
                      call('PATCH', pathOf(user), {
                        body: { disabled: !user.disabled },
                      }),
                    user.name,
                  )
                }
              >
                {t(user.disabled ? 'letIn' : 'shutOutAct')}
              </button>
            )}
          </li>
        ))}
      </ul>
      {rules && (
        <>
          <AddUser
            sites={sites}
            onAdd={(body, name) =>
              change(() => call('POST', '/v1/moderation/users', { body }), t('userAdded', { name }))
            }
          />
          <Persons />
        </>
      )}
      <OwnPassword
        onChange={(body) => change(() => call('PUT', '/v1/moderation/password', { body }), t('passwordChanged'))}
      />
    </div>
  );
}

const pathOf = ({ name }: User) => `/v1/moderation/users/${encodeURIComponent(name)}`;

/** One role more, or none but that. */
function RoleForm({
  user,
  sites,
  onSave,
}: {
  user: User;
  sites: readonly { id: string; name: string }[];
  onSave: (roles: unknown) => Promise<boolean>;
}) {
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const role = { site: String(data.get('site')), role: String(data.get('role')) };
    const others = user.roles.filter(({ site }) => site !== role.site);
    void onSave(role.role === 'none' ? others : [...others, role]);
  };
  return (
    <form class="fields" onSubmit={submit}>
      <SiteField sites={sites} />
      <label class="field">
        {t('role')}
        <select name="role">
          <option value="moderator">{t('role_moderator')}</option>
          <option value="admin">{t('role_admin')}</option>
          <option value="none">{t('noRole')}</option>
        </select>
      </label>
      <button type="submit">{t('save')}</button>
    </form>
  );
}

type TakenBack = { undone: number; conflicts: number; lessons: number };

/** All that somebody decided at a site since a day, or only what it taught the judge. */
function TakeBack({
  sites,
  onTake,
}: {
  sites: readonly { id: string; name: string }[];
  onTake: (body: unknown) => Promise<boolean>;
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
        <SiteField sites={sites} all={false} />
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

function SiteField({ sites, all = true }: { sites: readonly { id: string; name: string }[]; all?: boolean }) {
  return (
    <label class="field">
      {t('site')}
      <select name="site">
        {sites.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        {all && <option value="*">{t('everySite')}</option>}
      </select>
    </label>
  );
}

function AddUser({
  sites,
  onAdd,
}: {
  sites: readonly { id: string; name: string }[];
  onAdd: (body: unknown, name: string) => Promise<boolean>;
}) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    const name = String(data.get('name'));
    const roles = [{ site: data.get('site'), role: data.get('role') }];
    if (await onAdd({ name, password: data.get('password'), roles }, name)) form.reset();
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
        <SiteField sites={sites} />
        <button type="submit" class="main">
          {t('add')}
        </button>
      </form>
    </section>
  );
}

function OwnPassword({ onChange }: { onChange: (body: unknown) => Promise<boolean> }) {
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = new FormData(form);
    if (await onChange({ current: data.get('current'), next: data.get('next') })) form.reset();
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
