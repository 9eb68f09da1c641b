import { useEffect, useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { whyOf } from '../parts.tsx';
import { LANGUAGES, t, type Language } from '../words.ts';

export function SignIn({
  onDone,
  user: known = '',
  inside,
  language,
  onLanguage,
}: {
  onDone: () => Promise<void>;
  user?: string;
  /** Over the desk, after a session ended. */
  inside?: boolean;
  language: Language;
  onLanguage: (language: Language) => void;
}) {
  const [user, setUser] = useState(known);
  const [password, setPassword] = useState('');
  const [fault, setFault] = useState('');
  const [busy, setBusy] = useState(false);
  /** Where one signs in instead of here (AWS). */
  const [page, setPage] = useState<string | undefined>();

  useEffect(() => {
    call<{ by: 'password' } | { by: 'page'; url: string }>('GET', '/v1/moderation/sign-in', { quiet: true })
      .then((way) => setPage(way.by === 'page' ? way.url : undefined))
      // The form says itself what is wrong.
      .catch(() => undefined);
  }, []);

  const goThere = (url: string) => {
    if (!inside) return location.assign(url);
    // The work stays open in this tab, and goes on once somebody comes back to it, signed in.
    window.open(url, '_blank', 'noopener');
    addEventListener('focus', () => onDone().catch((error: Problem) => setFault(whyOf(error))), { once: true });
    return undefined;
  };

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setFault('');
    try {
      await call('POST', '/v1/moderation/sessions', { body: { user, password }, quiet: true });
      await onDone();
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem(0, {});
      setFault(
        problem.status === 401
          ? t('wrongPassword')
          : problem.status === 429
            ? t('locked', { n: Math.ceil((problem.retryAfter ?? 60) / 60) })
            : whyOf(problem),
      );
      setBusy(false);
    }
  };

  const form = page ? (
    <div class="sign-in">
      {inside && <p>{t('signInAgain')}</p>}
      <p class="fault" role="alert">
        {fault}
      </p>
      <button type="button" class="main" onClick={() => goThere(page)}>
        {t('signIn')}
      </button>
    </div>
  ) : (
    <form class="sign-in" onSubmit={submit}>
      {inside && <p>{t('signInAgain')}</p>}
      <label>
        {t('user')}
        <input
          name="user"
          autocomplete="username"
          autocapitalize="none"
          required
          value={user}
          onInput={(event) => setUser(event.currentTarget.value)}
        />
      </label>
      <label>
        {t('password')}
        <input
          name="password"
          type="password"
          autocomplete="current-password"
          required
          value={password}
          onInput={(event) => setPassword(event.currentTarget.value)}
        />
      </label>
      <p class="fault" role="alert">
        {fault}
      </p>
      <button type="submit" class="main" disabled={busy}>
        {t('signIn')}
      </button>
    </form>
  );
  if (inside) return form;
  return (
    <main class="door">
      <div class="door-card">
        <img src={new URL('../icon.svg', import.meta.url).href} alt="" width="44" height="44" />
        <h1>{t('title')}</h1>
        {form}
        <p class="languages">
          {LANGUAGES.map((tag) => (
            <button
              key={tag}
              type="button"
              class="plain"
              aria-pressed={tag === language}
              onClick={() => onLanguage(tag)}
            >
              {new Intl.DisplayNames(tag, { type: 'language' }).of(tag)}
            </button>
          ))}
        </p>
      </div>
    </main>
  );
}
