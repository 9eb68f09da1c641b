import { useState } from 'preact/hooks';
import { call } from '../api.ts';
import { useChange } from '../parts.tsx';
import { t } from '../words.ts';

type Counted = { comments: number; contacts: number; sites: string[] };
const PATH = '/v1/moderation/persons';

/** What a person may ask by law: what is stored on them, and to be forgotten. Counted before it is done. */
export function Persons() {
  const [found, setFound] = useState<(Counted & { email: string }) | undefined>();
  const { change, status } = useChange(() => undefined);
  const look = async (event: SubmitEvent) => {
    event.preventDefault();
    const email = String(new FormData(event.currentTarget as HTMLFormElement).get('email')).trim();
    setFound(undefined);
    await change(async () => {
      const counted = await call<Counted>('POST', `${PATH}/forget`, { body: { email, dryRun: true } });
      setFound({ ...counted, email });
    }, '');
  };
  const save = (email: string) =>
    change(async () => {
      const all = await call<object>('POST', `${PATH}/export`, { body: { email } });
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([JSON.stringify(all, null, 2)], { type: 'application/json' }));
      link.download = 'person.json';
      link.click();
      URL.revokeObjectURL(link.href);
    }, t('saved'));
  const forget = (email: string) =>
    change(
      async () => {
        await call('POST', `${PATH}/forget`, { body: { email } });
        setFound(undefined);
      },
      t('forgotten', { n: found?.comments ?? 0 }),
    );
  return (
    <section class="card">
      <h2>{t('persons')}</h2>
      <p class="quiet">{t('personsHint')}</p>
      {status}
      <form class="fields" onSubmit={look}>
        <label class="field">
          {t('personEmail')}
          <input name="email" type="email" required maxLength={254} autocomplete="off" />
        </label>
        <button type="submit">{t('personLook')}</button>
      </form>
      {found && (
        <div class="notice">
          <p>
            {t('personFound', { n: found.comments, contacts: found.contacts })}
            {found.sites.length > 0 && ` (${found.sites.join(', ')})`}
          </p>
          <p class="decide">
            <button type="button" onClick={() => void save(found.email)}>
              {t('personExport')}
            </button>
            <button type="button" class="danger" onClick={() => void forget(found.email)}>
              {t('personForget')}
            </button>
          </p>
        </div>
      )}
    </section>
  );
}
