import { useState } from 'preact/hooks';
import type { Ban } from '../../../shared/bans.ts';
import { call, Problem } from '../api.ts';
import { Dialog, Failed, Loading, useRead, whyOf } from '../parts.tsx';
import type { Row, Who } from '../types.ts';
import { dateOnly, t, type Word } from '../words.ts';

type Listed = Ban & { name?: string };
/** What of a comment can be banned; a host has a value, the rest is read off the comment by the server. */
type Subject = { kind: Ban['kind']; value?: string; label: string };

const DAY_MS = 86_400_000;
const KINDS: Record<Ban['kind'], Word> = {
  writer: 'banWriter',
  network: 'banNetwork',
  text: 'banText',
  host: 'banHost',
  word: 'banWord',
};

const faultOf = (error: unknown): string =>
  error instanceof Problem
    ? [whyOf(error), ...error.errors.map(({ pointer, detail }) => `${pointer.slice(1)}: ${detail}`)].join('; ')
    : String(error);

/** How, why and until when: what all bans are asked. */
function BanFields({ admin }: { admin: boolean }) {
  return (
    <>
      <label class="field">
        {t('banAction')}
        <select name="action">
          <option value="reject">{t('v_reject')}</option>
          <option value="hold">{t('v_hold')}</option>
        </select>
      </label>
      <label class="field">
        {t('banFor')}
        <select name="days">
          {[1, 7, 30].map((n) => (
            <option key={n} value={n} selected={n === 7}>
              {t('days', { n })}
            </option>
          ))}
          {admin && <option value="365">{t('days', { n: 365 })}</option>}
          {admin && <option value="">{t('banForever')}</option>}
        </select>
      </label>
      <label class="field">
        {t('banReason')}
        <input name="reason" required maxLength={200} />
        <small class="quiet">{t('banReasonHint')}</small>
      </label>
    </>
  );
}

/** Bans what the form names; throws what the server refuses. */
async function banBy(form: FormData, site: string, subject: Omit<Subject, 'label'>, comment?: string): Promise<void> {
  const days = Number(form.get('days'));
  await call('POST', '/v1/moderation/bans', {
    body: {
      site,
      kind: subject.kind,
      ...(subject.value !== undefined && { value: subject.value }),
      ...(comment !== undefined && { comment }),
      action: form.get('action'),
      reason: form.get('reason'),
      ...(days > 0 && { expiresAt: Date.now() + days * DAY_MS }),
    },
  });
}

/** Bans the writer, the network, the text or a link host of one comment. */
export function BanDialog({ row, admin, onClose }: { row: Row; admin: boolean; onClose: (said?: string) => void }) {
  const subjects: Subject[] = [
    { kind: 'writer', label: `${t('banWriter')}: ${row.author.name}` },
    ...(row.author.network ? [{ kind: 'network' as const, label: t('banNetwork') }] : []),
    ...(row.fingerprint ? [{ kind: 'text' as const, label: t('banText') }] : []),
    ...row.linkHosts.map((host) => ({ kind: 'host' as const, value: host, label: `${t('banHost')}: ${host}` })),
  ];
  const [fault, setFault] = useState('');
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const subject = subjects[Number(form.get('subject'))];
    if (!subject) return;
    try {
      await banBy(form, row.site, subject, row.id);
      onClose(t('banned', { what: subject.label }));
    } catch (error) {
      setFault(faultOf(error));
    }
  };
  return (
    <Dialog label={t('ban')} onClose={() => onClose()}>
      <form class="fields" onSubmit={submit}>
        <fieldset class="subjects">
          <legend>{t('banWhat')}</legend>
          {subjects.map(({ label }, index) => (
            <label key={label} class="check">
              <input type="radio" name="subject" value={index} defaultChecked={index === 0} autofocus={index === 0} />
              {label}
            </label>
          ))}
        </fieldset>
        <BanFields admin={admin} />
        <p class="fault wide" role="alert">
          {fault}
        </p>
        <button type="submit" class="main">
          {t('ban')}
        </button>
      </form>
    </Dialog>
  );
}

export function Bans({ site, who, admin }: { site: string; who: Who; admin: boolean }) {
  const { data, problem, again } = useRead<{ bans: Listed[] }>(`/v1/moderation/bans?site=${site}`);
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  const change = async (what: () => Promise<unknown>, done: string): Promise<boolean> => {
    setFault('');
    setSaid('');
    try {
      await what();
      setSaid(done);
      again();
      return true;
    } catch (error) {
      setFault(faultOf(error));
      return false;
    }
  };
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    const value = String(fields.get('value'));
    const kind = fields.get('kind') === 'word' ? 'word' : 'host';
    const done = t('banned', { what: `${t(KINDS[kind])}: ${value}` });
    if (await change(() => banBy(fields, site, { kind, value }), done)) form.reset();
  };
  const now = Date.now();
  return (
    <div class="page">
      <h1>{t('bans')}</h1>
      <p class="quiet">{t('bansHint')}</p>
      <p class="said" role="status">
        {said}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
      {problem && <Failed problem={problem} again={again} />}
      {!data && !problem && <Loading />}
      {data?.bans.length === 0 && <p class="quiet">{t('noBans')}</p>}
      <ul class="cards">
        {data?.bans.map((ban) => {
          const ended = ban.expiresAt !== undefined && ban.expiresAt <= now;
          const what = ban.kind === 'word' || ban.kind === 'host' ? ban.value : (ban.name ?? '');
          return (
            <li key={ban.id} class="card letter">
              <div>
                <h2>
                  {t(KINDS[ban.kind])}: <span dir="auto">{what || t('banNameless')}</span>{' '}
                  <span class="badge">
                    {ended ? t('banEnded') : t(ban.action === 'reject' ? 'v_reject' : 'v_hold')}
                  </span>
                </h2>
                <p dir="auto">{ban.reason}</p>
                <p class="quiet">
                  {t('byWhom', { name: ban.by })} ·{' '}
                  {ban.expiresAt === undefined ? t('banForever') : t('banUntil', { date: dateOnly(ban.expiresAt) })}
                  {ban.comment && (
                    <>
                      {' · '}
                      <a href={`#/comments/${encodeURIComponent(ban.comment)}`}>{t('story')}</a>
                    </>
                  )}
                </p>
              </div>
              {(admin || ban.by === who.user) && (
                <button
                  type="button"
                  aria-label={`${t('banLift')}: ${t(KINDS[ban.kind])} ${what}`}
                  onClick={() =>
                    void change(() => call('DELETE', `/v1/moderation/bans/${ban.id}?site=${site}`), t('banLifted'))
                  }
                >
                  {t('banLift')}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      <section class="card">
        <h2>{t('banAdd')}</h2>
        <p class="quiet">{t('banAddHint')}</p>
        <form class="fields" onSubmit={add}>
          <label class="field">
            {t('banWhat')}
            <select name="kind">
              <option value="host">{t('banHost')}</option>
              <option value="word">{t('banWord')}</option>
            </select>
          </label>
          <label class="field">
            {t('banValue')}
            <input name="value" required minLength={2} maxLength={200} autocomplete="off" />
          </label>
          <BanFields admin={admin} />
          <button type="submit" class="main">
            {t('ban')}
          </button>
        </form>
      </section>
    </div>
  );
}
