import { useEffect, useRef, useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { Dialog } from '../parts.tsx';
import type { Filters } from '../queue.ts';
import type { Action } from '../types.ts';
import { t, tMaybe, type Word } from '../words.ts';

type Sweep = { id: string; total: number; done: number; unchanged: number; conflicts: number; state: string };

const POLL_MS = 300;
const ACTIONS: readonly { action: Action; word: Word }[] = [
  { action: 'publish', word: 'publish' },
  { action: 'reject', word: 'reject' },
  { action: 'spam', word: 'markSpam' },
  { action: 'remove', word: 'removeIt' },
];

/** What of the list makes its comments alike; a list without one of these is not swept. */
export function likenessOf(filters: Filters): Record<string, string> | undefined {
  const { site, status, q, author, thread, signal, network, linkHost, fingerprint } = filters;
  const alike = Object.entries({ q, author, thread, signal, network, linkHost, fingerprint }).filter(
    ([, value]) => value,
  );
  if (alike.length === 0 || !site) return undefined;
  return Object.fromEntries([['site', site], ...(status && status !== 'failed' ? [['status', status]] : []), ...alike]);
}

export function SweepDialog({
  query,
  total,
  onClose,
}: {
  query: Record<string, string>;
  total: number;
  onClose: (changed: boolean) => void;
}) {
  const [sweep, setSweep] = useState<Sweep | undefined>();
  const [fault, setFault] = useState('');
  const open = useRef(true);
  useEffect(
    () => () => {
      open.current = false;
    },
    [],
  );

  const follow = async (first: Sweep) => {
    let now = first;
    setSweep(now);
    while (open.current && (now.state === 'running' || now.state === 'undoing')) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      now = await call<Sweep>('GET', `/v1/moderation/sweeps/${now.id}`);
      setSweep(now);
    }
  };
  const doing = async (what: () => Promise<Sweep>) => {
    setFault('');
    try {
      await follow(await what());
    } catch (error) {
      setFault(error instanceof Problem ? error.message : String(error));
    }
  };
  const begin = (action: Action) =>
    doing(() => call<Sweep>('POST', '/v1/moderation/sweeps', { body: { query, action, expectTotal: total } }));
  const busy = sweep?.state === 'running' || sweep?.state === 'undoing';

  return (
    <Dialog label={t('sweepTitle', { n: total })} onClose={() => onClose(sweep !== undefined)}>
      <p>{t('sweepHint')}</p>
      <ul class="chips flat">
        {Object.entries(query).map(([name, value]) => (
          <li key={name} class="badge">
            {name}: {value.slice(0, 40)}
          </li>
        ))}
      </ul>
      {!sweep && (
        <div class="reasons">
          {ACTIONS.map(({ action, word }) => (
            <button key={action} type="button" onClick={() => void begin(action)}>
              {t(word)}
            </button>
          ))}
        </div>
      )}
      {sweep && (
        <>
          {busy && (
            <progress
              max={sweep.total}
              value={sweep.done + sweep.unchanged + sweep.conflicts}
              aria-label={t('sending')}
            />
          )}
          <p role="status">
            {sweep.state === 'undone'
              ? t('sweepUndone', { done: sweep.done })
              : t('sweepDone', { done: sweep.done, conflicts: sweep.conflicts + sweep.unchanged })}
          </p>
          <div class="decide">
            {sweep.state === 'done' && sweep.done > 0 && (
              <button
                type="button"
                onClick={() => void doing(() => call<Sweep>('POST', `/v1/moderation/sweeps/${sweep.id}/undo`))}
              >
                {t('undo')}
              </button>
            )}
            <button type="button" class="main" disabled={busy} onClick={() => onClose(true)}>
              {t('close')}
            </button>
          </div>
        </>
      )}
      <p class="fault" role="alert">
        {tMaybe(fault, fault)}
      </p>
    </Dialog>
  );
}
