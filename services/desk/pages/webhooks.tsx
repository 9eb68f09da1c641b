import { useState } from 'preact/hooks';
import type { Webhook } from '../../../shared/store/webhooks.ts';
import { call } from '../api.ts';
import { Ago, Failed, Loading, SiteTabs, useChange, useRead } from '../parts.tsx';
import { t } from '../words.ts';

type Shown = Omit<Webhook, 'secret'> & {
  last: { at: number; ok: boolean; words: string; failures: number } | null;
};

/** Whom a site tells what happened: added, tried and taken away; what failed for good stands in the dead letters. */
export function Webhooks({ site }: { site: string }) {
  const path = `/v1/moderation/sites/${site}/webhooks`;
  const { data, problem, again } = useRead<{ webhooks: Shown[]; events: string[] }>(path);
  const { change, status } = useChange(again);
  const [secret, setSecret] = useState('');
  const show = async (at: string, body?: object) =>
    setSecret((await call<{ secret: string }>('POST', at, { body })).secret);
  const now = Date.now();
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    const body = { url: given.get('url'), format: given.get('format'), events: given.getAll('events') };
    const added = await change(() => show(path, body), t('saved'));
    if (added) form.reset();
  };
  const tryOut = async (id: string) => {
    await call('POST', `${path}/${id}/test`);
    // How it went is known a moment later.
    setTimeout(again, 1500);
  };
  return (
    <div class="page">
      <h1>{t('webhooks')}</h1>
      <SiteTabs current="webhooks" />
      <p class="quiet">
        {t('webhooksHint')} <a href="#/dead-letters">{t('deadLetters')}</a>
      </p>
      {status}
      {problem && <Failed problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {secret && (
        <div class="notice">
          <p>{t('webhookSecret')}</p>
          <pre class="code snippet" tabIndex={0}>
            {secret}
          </pre>
          <button type="button" onClick={() => void navigator.clipboard.writeText(secret)}>
            {t('copy')}
          </button>
        </div>
      )}
      {data?.webhooks.length === 0 && <p class="empty">{t('nothingHere')}</p>}
      <ul class="cards">
        {data?.webhooks.map((hook) => (
          <li key={hook.id} class="card letter">
            <div>
              <p class="meta">
                <strong>{hook.url}</strong>
                <span>{hook.format}</span>
                {!hook.enabled && <span class="badge">{t('off')}</span>}
              </p>
              <p class="quiet">{hook.events.join(', ')}</p>
              {hook.why && <p class="fault">{hook.why}</p>}
              <p class={hook.last && !hook.last.ok ? 'fault' : 'quiet'}>
                {hook.last ? (
                  <>
                    {t(hook.last.ok ? 'lastDelivered' : 'lastFailed', { words: hook.last.words })}{' '}
                    <Ago at={hook.last.at} now={now} />
                    {hook.last.failures > 1 && ` · ${t('failuresN', { n: hook.last.failures })}`}
                  </>
                ) : (
                  t('neverDelivered')
                )}
              </p>
            </div>
            <span class="actions">
              <button
                type="button"
                aria-label={`${t('tryOut')}: ${hook.url}`}
                onClick={() => void change(() => tryOut(hook.id), t('testSent'))}
              >
                {t('tryOut')}
              </button>
              <button
                type="button"
                aria-label={`${t('newSecret')}: ${hook.url}`}
                title={t('newSecretHint')}
                onClick={() => void change(() => show(`${path}/${hook.id}/secret`), t('saved'))}
              >
                {t('newSecret')}
              </button>
              <button
                type="button"
                aria-label={`${t(hook.enabled ? 'turnOff' : 'turnOn')}: ${hook.url}`}
                onClick={() =>
                  void change(
                    () => call('PATCH', `${path}/${hook.id}`, { body: { enabled: !hook.enabled } }),
                    t('saved'),
                  )
                }
              >
                {t(hook.enabled ? 'turnOff' : 'turnOn')}
              </button>
              <button
                type="button"
                aria-label={`${t('remove')}: ${hook.url}`}
                onClick={() => void change(() => call('DELETE', `${path}/${hook.id}`), t('saved'))}
              >
                {t('remove')}
              </button>
            </span>
          </li>
        ))}
      </ul>
      {data && (
        <section class="card">
          <h2>{t('addWebhook')}</h2>
          <form class="fields" onSubmit={add}>
            <label class="field wide">
              {t('webhookUrl')}
              <input name="url" type="url" required pattern="https://.+" placeholder="https://hooks.example/sluice" />
            </label>
            <label class="field">
              {t('webhookFormat')}
              <select name="format">
                <option value="standard">Standard Webhooks</option>
                <option value="slack">Slack</option>
              </select>
            </label>
            <fieldset class="field wide checks">
              <legend>{t('webhookEvents')}</legend>
              {data.events.map((name, index) => (
                <label key={name} class="check">
                  <input type="checkbox" name="events" value={name} defaultChecked={index < 2} /> {name}
                </label>
              ))}
            </fieldset>
            <button type="submit" class="main">
              {t('add')}
            </button>
          </form>
        </section>
      )}
    </div>
  );
}
