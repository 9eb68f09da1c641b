import type { ComponentChildren, JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { call, Problem } from './api.ts';
import type { Signal } from './types.ts';
import { dateTime, span, t, type Word } from './words.ts';

/** Reads once, and again when `path` changes; what came too late for its path is dropped. */
export function useRead<T>(path: string | undefined): {
  data: T | undefined;
  problem: Problem | undefined;
  again: () => void;
} {
  const [state, setState] = useState<{ path?: string; data?: T; problem?: Problem }>({});
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (path === undefined) return undefined;
    const stop = new AbortController();
    call<T>('GET', path, { signal: stop.signal })
      .then((data) => setState({ path, data }))
      .catch((error: unknown) => {
        if (!stop.signal.aborted && error instanceof Problem) setState({ path, problem: error });
      });
    return () => stop.abort();
  }, [path, round]);
  const current = state.path === path ? state : {};
  return { data: current.data, problem: current.problem, again: () => setRound((value) => value + 1) };
}

export const whyOf = (problem: Problem): string =>
  problem.status === 0 ? t('offline') : [problem.message, problem.hint].filter(Boolean).join(' — ');

export function Failed({ problem, again }: { problem: Problem; again?: () => void }) {
  return (
    <div class="notice bad" role="alert">
      <p>{t('failedToLoad', { why: whyOf(problem) })}</p>
      {again && (
        <button type="button" onClick={again}>
          {t('again')}
        </button>
      )}
    </div>
  );
}

export const Loading = () => (
  <p class="quiet loading" role="status">
    {t('loading')}
  </p>
);

/** A moment ago, with the full date for those who point at it. */
export function Ago({ at, now, word = 'ago' }: { at: number; now: number; word?: Word }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {t(word, { ago: span(Math.max(1000, now - at)) })}
    </time>
  );
}

/** Signals as bars from the middle: to the right against the comment, to the left in favour. */
export function Signals({ signals }: { signals: readonly Signal[] }) {
  if (signals.length === 0) return <p class="quiet">{t('noSignals')}</p>;
  const most = Math.max(1, ...signals.map(({ weight }) => Math.abs(weight)));
  return (
    <ul class="signals">
      {signals.map((signal) => (
        <li key={`${signal.name} ${signal.words}`}>
          <span class="signal-words">{signal.words}</span>
          {/* What weighs nothing decides by itself, as a ban does, or only explains. */}
          <span class="signal-weight">
            {signal.weight !== 0 && (
              <>
                {signal.weight > 0 ? '+' : ''}
                {signal.weight.toFixed(1)}{' '}
                <span class="hidden">{t(signal.weight > 0 ? 'speaksAgainst' : 'speaksFor')}</span>
              </>
            )}
          </span>
          <span class="bar" aria-hidden="true">
            <span
              class={signal.weight > 0 ? 'fill against' : 'fill for'}
              style={{ width: `${(Math.abs(signal.weight) / most) * 50}%` }}
            />
          </span>
        </li>
      ))}
    </ul>
  );
}

/** A modal dialog by the browser's own means: focus stays within and returns after. */
export function Dialog({
  label,
  onClose,
  onKey,
  children,
  wide,
}: {
  label: string;
  onClose: () => void;
  onKey?: (event: KeyboardEvent) => void;
  children: ComponentChildren;
  wide?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? 'wide' : ''}
      aria-label={label}
      onKeyDown={onKey}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div class="dialog-inside">
        <header>
          <h2>{label}</h2>
          <button type="button" class="plain" onClick={onClose} aria-label={t('close')}>
            ×
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** What was sanitized by the server, and only that. */
export function Html({ html, class: name = 'prose' }: { html: string; class?: string }) {
  return <div class={name} dangerouslySetInnerHTML={{ __html: html }} />;
}

export const Key = ({ children }: { children: string }) => <kbd aria-hidden="true">{children}</kbd>;

/** Runs what changes something, and says how it went in the one place of the page for that: `done`, or what it answers. */
export function useChange(onDone: () => void): {
  change: (what: () => Promise<unknown>, done: string) => Promise<boolean>;
  status: JSX.Element;
} {
  const [said, setSaid] = useState('');
  const [fault, setFault] = useState('');
  const change = async (what: () => Promise<unknown>, done: string): Promise<boolean> => {
    setFault('');
    setSaid('');
    try {
      const answer = await what();
      setSaid(typeof answer === 'string' ? answer : done);
      onDone();
      return true;
    } catch (error) {
      const fields =
        error instanceof Problem ? error.errors.map((one) => `${one.pointer}: ${one.detail}`).join('; ') : '';
      setFault(fields || (error instanceof Problem ? whyOf(error) : String(error)));
      return false;
    }
  };
  const status = (
    <>
      <p class="said" role="status">
        {said}
      </p>
      <p class="fault" role="alert">
        {fault}
      </p>
    </>
  );
  return { change, status };
}

const SITE_PAGES = [
  { name: 'sites', word: 'siteSettings' },
  { name: 'threads', word: 'threads' },
  { name: 'webhooks', word: 'webhooks' },
  { name: 'start', word: 'addSite' },
] as const satisfies readonly { name: string; word: Word }[];
export const isSitePage = (name: string): boolean => SITE_PAGES.some((page) => page.name === name);

/** The pages about one site, beside each other. */
export function SiteTabs({ current }: { current: (typeof SITE_PAGES)[number]['name'] }) {
  return (
    <nav class="tabs" aria-label={t('sites')}>
      {SITE_PAGES.map(({ name, word }) => (
        <a key={name} href={`#/${name}`} aria-current={name === current ? 'page' : undefined}>
          {t(word)}
        </a>
      ))}
    </nav>
  );
}

/** What goes into the pages of a blog, to copy. */
export function Snippet({ site }: { site: string }) {
  const text = `<div id="comments"></div>\n<script async src="${location.origin}/embed.js"\n  data-site="${site}" data-thread="/posts/my-post"></script>`;
  return (
    <>
      <pre class="code snippet" tabIndex={0}>
        {text}
      </pre>
      <button type="button" onClick={() => void navigator.clipboard.writeText(text)}>
        {t('copy')}
      </button>
    </>
  );
}
