import type { ComponentChildren } from 'preact';
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
        <li key={signal.name}>
          <span class="signal-words">{signal.words}</span>
          <span class="signal-weight">
            {signal.weight > 0 ? '+' : ''}
            {signal.weight.toFixed(1)}{' '}
            <span class="hidden">{t(signal.weight > 0 ? 'speaksAgainst' : 'speaksFor')}</span>
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
