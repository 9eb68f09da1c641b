import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Ago } from '../parts.tsx';
import type { Entry, Queue } from '../queue.ts';
import type { Action, Row } from '../types.ts';
import { t, tMaybe } from '../words.ts';
import { actionsOf, Outcome, Standing } from './standing.tsx';

const OVERSCAN = 6;

/** What is done with a row; the same functions from drawing to drawing. */
type Hands = {
  onOpen: (index: number) => void;
  onToggle: (index: number, range?: boolean) => void;
  onAct: (id: string, action: Action) => void;
  onUndo: (entry: Entry) => void;
  me: string;
};

export type RowsHandle = { show(index: number): void; toTop(): void };

/** Draws the rows that are seen, the active one always: what has the focus does not go away. */
export function Rows({
  ref,
  queue,
  hidden,
  rowPx,
  active,
  selected,
  onOpen,
  onToggle,
  onAct,
  onUndo,
  me,
}: {
  ref: { current: RowsHandle | null };
  queue: Queue;
  hidden: boolean;
  rowPx: number;
  active: number;
  selected: ReadonlySet<string>;
} & Hands) {
  const box = useRef<HTMLOListElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });

  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    let frame = 0;
    const look = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    };
    look();
    element.addEventListener('scroll', look, { passive: true });
    const watch = new ResizeObserver(look);
    watch.observe(element);
    return () => {
      cancelAnimationFrame(frame);
      element.removeEventListener('scroll', look);
      watch.disconnect();
    };
  }, []);

  ref.current = useMemo(
    () => ({
      toTop: () => box.current?.scrollTo({ top: 0 }),
      show(index) {
        const element = box.current;
        if (!element) return;
        const top = index * rowPx;
        if (top < element.scrollTop) element.scrollTo({ top });
        else if (top + rowPx > element.scrollTop + element.clientHeight) {
          element.scrollTo({ top: top + rowPx - element.clientHeight });
        }
        // After the frame that draws it, and after a dialog has given the focus back.
        requestAnimationFrame(() =>
          setTimeout(() =>
            element.querySelector<HTMLElement>(`[data-index="${index}"] .row-open`)?.focus({ preventScroll: true }),
          ),
        );
      },
    }),
    [rowPx],
  );

  const known = queue.entries.length;
  const size = queue.more ? Math.max(queue.total ?? known, known) : known;
  const first = Math.max(0, Math.floor(view.top / rowPx) - OVERSCAN);
  const last = Math.min(size - 1, Math.ceil((view.top + view.height) / rowPx) + OVERSCAN);
  useEffect(() => {
    if (last >= known - OVERSCAN && queue.more) void queue.want(last + 50);
  }, [last, known, queue.more]);

  const shown = Array.from({ length: Math.max(0, last - first + 1) }, (_, offset) => first + offset);
  if (active < known && !shown.includes(active)) shown.push(active);

  return (
    <ol
      ref={box}
      class="rows"
      hidden={hidden}
      aria-label={t('comments')}
      aria-busy={queue.loading}
      tabIndex={size === 0 ? undefined : -1}
    >
      <li role="presentation" aria-hidden="true" class="ruler" style={{ height: `${size * rowPx}px` }} />
      {shown.map((index) => {
        const entry = queue.entries[index];
        if (!entry) return <li key={`gap-${index}`} class="row gap" aria-hidden="true" style={styleOf(index, rowPx)} />;
        return (
          <RowItem
            key={entry.row.id}
            entry={entry}
            index={index}
            size={size}
            rowPx={rowPx}
            active={index === active}
            selected={selected.has(entry.row.id)}
            onOpen={onOpen}
            onToggle={onToggle}
            onAct={onAct}
            onUndo={onUndo}
            me={me}
          />
        );
      })}
    </ol>
  );
}

const styleOf = (index: number, rowPx: number) => ({
  transform: `translateY(${index * rowPx}px)`,
  height: `${rowPx}px`,
});

/** Drawn again only when something of it changed: a key that is pressed touches two rows of twenty. */
function RowItem({
  entry,
  index,
  size,
  rowPx,
  active,
  selected,
  onOpen,
  onToggle,
  onAct,
  onUndo,
  me,
}: {
  entry: Entry;
  index: number;
  size: number;
  rowPx: number;
  active: boolean;
  selected: boolean;
} & Hands) {
  const { row, state, action, by, why, decisionId } = entry;
  const minute = Math.floor(Date.now() / 60_000);
  return useMemo(() => {
    const now = Date.now();
    return (
      <li
        class={`row ${state} ${active ? 'active' : ''} ${selected ? 'selected' : ''}`}
        style={styleOf(index, rowPx)}
        data-index={index}
        data-id={row.id}
        aria-setsize={size}
        aria-posinset={index + 1}
        aria-current={active ? 'true' : undefined}
      >
        <span class="pick-box">
          <input
            type="checkbox"
            checked={selected}
            aria-label={t('select', { name: row.author.name })}
            onClick={(event) => onToggle(index, event.shiftKey)}
          />
        </span>
        <div class="row-body">
          <p class="meta">
            <button
              type="button"
              class="row-open"
              aria-label={t('openComment', { name: row.author.name })}
              onClick={() => onOpen(index)}
            >
              {row.author.name}
            </button>
            <Standing row={row} />
            <span class="where" title={row.thread.title}>
              {row.thread.title}
            </span>
            {row.parent && <span class="where">{t('replyTo', { name: row.parent.author })}</span>}
            {row.status === 'held' ? (
              <Ago at={row.heldSince ?? row.submittedAt} now={now} word="waitsSince" />
            ) : (
              <Ago at={row.submittedAt} now={now} />
            )}
          </p>
          <p class="excerpt" lang={row.lang || undefined} dir="auto">
            {row.excerpt}
          </p>
          <Marks row={row} me={me} />
        </div>
        <div class="row-end">
          {state === 'open' || state === 'failed' ? (
            <>
              {why && (
                <p class="fault" role="alert">
                  {t('notDone', { why: tMaybe(why, why) })}
                </p>
              )}
              <Actions row={row} onAct={(action) => onAct(row.id, action)} />
            </>
          ) : (
            <p class={`outcome ${state}`} role={state === 'stale' ? 'alert' : undefined}>
              <Outcome entry={entry} />
              {/* In its place before it can be pressed: the word beside it does not move. */}
              {(state === 'sending' || (state === 'done' && decisionId)) && (
                <button
                  type="button"
                  class={`plain ${state === 'sending' ? 'unseen' : ''}`}
                  onClick={() => onUndo(entry)}
                >
                  {t('undo')}
                </button>
              )}
            </p>
          )}
        </div>
      </li>
    );
  }, [row, state, action, by, why, decisionId, index, size, rowPx, active, selected, me, minute]);
}

function Marks({ row, me }: { row: Row; me: string }) {
  return (
    <p class="marks">
      {row.score !== undefined && (
        <span class={`mark ${row.score >= 0.8 ? 'bad' : ''}`}>
          {t('spamScore', { n: Math.round(row.score * 100) })}
        </span>
      )}
      {row.pendingRevision !== null && <span class="mark warn">{t('edit')}</span>}
      {row.appeal && <span class="mark warn">{t('appeal')}</span>}
      {row.reports > 0 && <span class="mark bad">{t('reportsN', { n: row.reports })}</span>}
      {row.similar > 0 && <span class="mark">{t('similarN', { n: row.similar })}</span>}
      {row.claimedBy && row.claimedBy !== me && (
        <span class="mark claimed">{t('claimedBy', { name: row.claimedBy })}</span>
      )}
      {row.top
        .filter(({ name, weight }) => weight > 0 || name.startsWith('banned'))
        .slice(0, 2)
        .map(({ name, words }) => (
          <span key={`${name} ${words}`} class="mark signal" title={words}>
            {words}
          </span>
        ))}
    </p>
  );
}

function Actions({ row, onAct }: { row: Row; onAct: (action: Action) => void }) {
  return (
    <span class="actions">
      {actionsOf(row).map(({ action, word }, index) => (
        <button
          key={action}
          type="button"
          class={index === 0 ? 'main' : ''}
          tabIndex={0}
          aria-label={`${t(word)}: ${row.author.name}`}
          onClick={() => onAct(action)}
        >
          {t(word)}
        </button>
      ))}
    </span>
  );
}
