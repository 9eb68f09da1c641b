import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { call, onSessionEnd, Problem, setCsrf } from './api.ts';
import { readKeys, writeKeys, type Keys } from './keys.ts';
import { DeadLetters } from './pages/dead-letters.tsx';
import { Audit } from './pages/audit.tsx';
import { Bans } from './pages/bans.tsx';
import { Operations } from './pages/operations.tsx';
import { People } from './pages/people.tsx';
import { PolicyPage } from './pages/policy.tsx';
import { ProofPage } from './pages/proof.tsx';
import { QueuePage } from './pages/queue.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { Sites } from './pages/sites.tsx';
import { Start } from './pages/start.tsx';
import { Story } from './pages/story.tsx';
import { Threads } from './pages/threads.tsx';
import { Webhooks } from './pages/webhooks.tsx';
import { Shortcuts } from './pages/shortcuts.tsx';
import { Dialog, isSitePage, Loading } from './parts.tsx';
import { NO_FILTERS, Queue, type Filters } from './queue.ts';
import type { DeskEvent, SiteName, Who } from './types.ts';
import { currentLanguage, LANGUAGES, setLanguage, t, type Language, type Word } from './words.ts';

const SESSIONS = '/v1/moderation/sessions';
const SITE = 'sluice-desk-site';
const POLL_MS = 2000;
const POLL_HIDDEN_MS = 15_000;

/** The page behind `#/name/argument`. Hashes need no help from whatever serves the files. */
type Place = { name: string; argument: string };

function placeOf(hash: string): Place {
  const [, name = '', argument = ''] = hash.replace(/^#/, '').split('/');
  return { name, argument: decodeURIComponent(argument) };
}

/** `link`: other pages lead there. */
const PAGES: readonly { name: string; word: Word; for?: 'admin' | 'link' }[] = [
  { name: '', word: 'queue' },
  { name: 'dead-letters', word: 'deadLetters' },
  { name: 'policy', word: 'policy' },
  { name: 'bans', word: 'bans' },
  { name: 'operations', word: 'operations' },
  { name: 'audit', word: 'audit', for: 'admin' },
  { name: 'sites', word: 'sites' },
  { name: 'people', word: 'people' },
  { name: 'proof', word: 'proof', for: 'link' },
];

export function App() {
  const [who, setWho] = useState<Who | 'unknown' | undefined>('unknown');
  const [again, setAgain] = useState<{ done: () => void } | undefined>();
  const [language, pickLanguage] = useState<Language>(currentLanguage());

  const learn = async (): Promise<void> => {
    const found = await call<Who>('GET', SESSIONS, { quiet: true });
    setCsrf(found.csrf);
    setWho(found);
  };

  useEffect(() => {
    onSessionEnd(() => new Promise<void>((done) => setAgain({ done })));
    learn().catch((error: unknown) => {
      setWho(undefined);
      if (error instanceof Problem && error.status !== 401) setTimeout(() => location.reload(), 5000);
    });
  }, []);

  const changeLanguage = (next: Language) => {
    setLanguage(next);
    pickLanguage(next);
  };

  if (who === 'unknown') {
    return (
      <main>
        <h1 class="hidden">{t('title')}</h1>
        <Loading />
      </main>
    );
  }
  if (!who) return <SignIn onDone={learn} language={language} onLanguage={changeLanguage} />;
  return (
    <>
      <Desk
        key={language}
        who={who}
        language={language}
        onLanguage={changeLanguage}
        onSignOut={async () => {
          await call('DELETE', SESSIONS).catch(() => undefined);
          setWho(undefined);
        }}
      />
      {again && (
        <Dialog label={t('signIn')} onClose={() => undefined}>
          <SignIn
            inside
            user={who.user}
            language={language}
            onLanguage={changeLanguage}
            onDone={async () => {
              await learn();
              again.done();
              setAgain(undefined);
            }}
          />
        </Dialog>
      )}
    </>
  );
}

function Desk({
  who,
  language,
  onLanguage,
  onSignOut,
}: {
  who: Who;
  language: Language;
  onLanguage: (language: Language) => void;
  onSignOut: () => void;
}) {
  const queue = useMemo(() => new Queue(who.user), [who.user]);
  const [place, setPlace] = useState(placeOf(location.hash));
  // A page that is opened again is about the same site.
  const [filters, setFilters] = useState<Filters>({ ...NO_FILTERS, site: sessionStorage.getItem(SITE) ?? '' });
  useEffect(() => sessionStorage.setItem(SITE, filters.site), [filters.site]);
  const [keys, setKeys] = useState<Keys>(readKeys);
  const [sheet, setSheet] = useState(false);
  const [offline, setOffline] = useState(false);
  const main = useRef<HTMLElement>(null);
  const [sites, setSites] = useState<readonly SiteName[]>([]);
  const [sitesKnown, setSitesKnown] = useState(false);
  const readSites = () => {
    call<{ sites: SiteName[] }>('GET', '/v1/moderation/sites')
      .then((found) => setSites(found.sites))
      .catch(() => undefined)
      .finally(() => setSitesKnown(true));
  };
  useEffect(readSites, [who.user]);
  const rules = who.roles.some(({ site, role }) => site === '*' && role === 'admin');
  const adminOf = (site: string) => who.roles.some((held) => held.role === 'admin' && ['*', site].includes(held.site));
  // Pages about one site need one, also while the queue shows all.
  const site = filters.site || sites[0]?.id || '';
  const pages = PAGES.filter((page) => page.for === undefined || (page.for === 'admin' && adminOf(site)));

  useEffect(() => {
    const onHash = () => {
      setPlace(placeOf(location.hash));
      main.current?.focus({ preventScroll: true });
    };
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, []);

  useFeed(queue, setOffline);

  const current = PAGES.find(({ name }) => name === (isSitePage(place.name) ? 'sites' : place.name)) ?? PAGES[0];
  useEffect(() => {
    document.title = `${t(place.name === 'comments' ? 'story' : (current?.word ?? 'queue'))} · ${t('title')}`;
  }, [place.name]);

  return (
    <div class="desk">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t('skip')}
      </a>
      <header class="top">
        <a class="brand" href="#/">
          Sluice
        </a>
        <nav aria-label={t('mainNav')}>
          {pages.map(({ name, word }) => (
            <a
              key={name}
              href={`#/${name}`}
              aria-current={place.name !== 'comments' && current?.name === name ? 'page' : undefined}
            >
              {t(word)}
            </a>
          ))}
        </nav>
        {/* As a whole: what comes later would move the rest. */}
        <div class="top-end" hidden={!sitesKnown}>
          {sites.length > 1 && (
            <select
              aria-label={t('site')}
              class="site"
              value={place.name === '' || place.name === 'dead-letters' ? filters.site : site}
              onChange={(event) => setFilters({ ...filters, site: event.currentTarget.value })}
            >
              {(place.name === '' || place.name === 'dead-letters') && <option value="">{t('allSites')}</option>}
              {sites.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </select>
          )}
          <button type="button" class="plain" onClick={() => setSheet(true)} aria-label={t('help')} title={t('help')}>
            ?
          </button>
          <label class="hidden" for="language">
            {t('language')}
          </label>
          <select
            id="language"
            value={language}
            onChange={(event) => onLanguage(event.currentTarget.value as Language)}
          >
            {LANGUAGES.map((tag) => (
              <option key={tag} value={tag}>
                {tag}
              </option>
            ))}
          </select>
          <span class="who">{who.user}</span>
          <button type="button" class="plain" onClick={onSignOut}>
            {t('signOut')}
          </button>
        </div>
      </header>
      <p class="offline" role="status" hidden={!offline}>
        {offline ? t('offline') : ''}
      </p>
      <main id="main" ref={main} tabIndex={-1}>
        {place.name === '' && (
          <QueuePage
            queue={queue}
            who={who}
            filters={filters}
            onFilters={setFilters}
            keys={keys}
            onHelp={() => setSheet(true)}
            sites={sites}
            adminOf={adminOf}
          />
        )}
        {place.name === 'comments' && <Story id={place.argument} />}
        {place.name === 'dead-letters' && <DeadLetters site={filters.site} />}
        {place.name === 'policy' && site && <PolicyPage key={site} site={site} admin={adminOf(site)} />}
        {place.name === 'bans' && site && <Bans key={site} site={site} who={who} admin={adminOf(site)} />}
        {place.name === 'operations' && site && <Operations site={site} rules={rules} />}
        {place.name === 'audit' && site && <Audit site={site} rules={rules} />}
        {place.name === 'sites' && site && <Sites site={site} onChanged={readSites} />}
        {place.name === 'threads' && site && (
          <Threads
            key={site}
            site={site}
            admin={adminOf(site)}
            authors={sites.find(({ id }) => id === site)?.authors ?? []}
          />
        )}
        {place.name === 'webhooks' && site && <Webhooks key={site} site={site} />}
        {place.name === 'start' && <Start sites={sites} onAdded={readSites} />}
        {place.name === 'proof' && site && <ProofPage key={site} site={site} admin={adminOf(site)} keys={keys} />}
        {place.name === 'people' && <People who={who} sites={sites} rules={rules} />}
      </main>
      {sheet && (
        <Shortcuts
          keys={keys}
          onKeys={(next) => {
            setKeys(next);
            writeKeys(next);
          }}
          onClose={() => setSheet(false)}
        />
      )}
    </div>
  );
}

type News = {
  events: DeskEvent[];
  cursor: string;
  reset: boolean;
  held: Record<string, { newest: string | null; total?: number }>;
};

/** Hears of changes as they happen where the server can tell them, and asks again and again where it cannot. */
function useFeed(queue: Queue, onOffline: (offline: boolean) => void): void {
  useEffect(() => {
    let stopped = false;
    let cursor = '';
    let timer: ReturnType<typeof setTimeout> | undefined;
    let source: EventSource | undefined;
    const path = () => `/v1/moderation/events${cursor && `?after=${encodeURIComponent(cursor)}`}`;
    const take = (news: News) => {
      onOffline(false);
      ({ cursor } = news);
      for (const event of news.events) queue.take(event);
      queue.takeHeld(news.held);
      if (news.reset) queue.missed();
      queue.expireClaims(Date.now());
    };
    const listen = () => {
      source = new EventSource(path());
      source.addEventListener('open', () => onOffline(false));
      source.addEventListener('message', ({ data }) => take(JSON.parse(data) as News));
      source.addEventListener('error', () => {
        // The browser tries again by itself, but not what the server refused.
        if (source?.readyState === EventSource.CLOSED) askAfter(POLL_MS);
        else onOffline(true);
      });
    };
    const ask = async () => {
      let live = false;
      try {
        const news = await call<News & { live: boolean }>('GET', path(), { quiet: true });
        take(news);
        ({ live } = news);
      } catch (error) {
        if (error instanceof Problem && error.passing) onOffline(true);
      }
      if (stopped) return;
      // A hidden page holds no connection: a browser has six of them for all its tabs.
      if (live && !document.hidden) listen();
      else askAfter(document.hidden ? POLL_HIDDEN_MS : POLL_MS);
    };
    const askAfter = (ms: number) => {
      source?.close();
      clearTimeout(timer);
      timer = setTimeout(ask, ms);
    };
    const onVisible = () => askAfter(document.hidden ? POLL_HIDDEN_MS : 0);
    // Leases of others end also while nothing is told.
    const leases = setInterval(() => queue.expireClaims(Date.now()), 5000);
    document.addEventListener('visibilitychange', onVisible);
    void ask();
    return () => {
      stopped = true;
      clearTimeout(timer);
      clearInterval(leases);
      source?.close();
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [queue]);
}
