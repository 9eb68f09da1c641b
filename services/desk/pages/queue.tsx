import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { commandOf, type Command, type Keys } from '../keys.ts';
import { Ago, Dialog, Failed, Key, Loading, useRead, whyOf } from '../parts.tsx';
import { NO_FILTERS, type Batch, type Entry, type Filters, type Queue } from '../queue.ts';
import type { Action, Row, SiteName, Who } from '../types.ts';
import { t, tMaybe, type Word } from '../words.ts';
import { BanDialog } from './bans.tsx';
import { CommentDetail } from './detail.tsx';
import { FilterDialog, FILTER_WORDS } from './filters.tsx';
import { OfferBar, useOffer } from './offer.tsx';
import { likenessOf, SweepDialog } from './sweep.tsx';
import { Views } from './views.tsx';

const TABS: readonly { status: string; word: Word }[] = [
  { status: 'held', word: 'held' },
  { status: 'published', word: 'published' },
  { status: 'rejected', word: 'rejected' },
  { status: 'spam', word: 'spam' },
  { status: 'removed', word: 'removed' },
  { status: 'failed', word: 'failed' },
  { status: '', word: 'everything' },
];

/** Every row is as high as every other, so that the list needs no measuring and nothing shifts. */
const ROW_PX = 118;
const ROW_PX_NARROW = 164;
const OVERSCAN = 6;
const CLAIM_AFTER_MS = 600;
const CLAIM_AGAIN_MS = 40_000;
const TOAST_MS = 12_000;

/** Decisions that may suggest a rule. */
const REFUSALS: ReadonlySet<Action> = new Set(['reject', 'spam', 'remove']);

type Reasons = { ids: readonly string[]; action: Action };

/** State that can be read before it is drawn. */
function useNow<T>(initial: T): [T, (value: T) => void, { readonly current: T }] {
  const [value, setValue] = useState(initial);
  const now = useRef(initial);
  const set = useCallback((next: T) => {
    now.current = next;
    setValue(next as never);
  }, []);
  return [value, set, now];
}

export function QueuePage({
  queue,
  who,
  filters,
  onFilters,
  keys,
  onHelp,
  sites,
  adminOf,
}: {
  queue: Queue;
  who: Who;
  sites: readonly SiteName[];
  filters: Filters;
  onFilters: (filters: Filters) => void;
  keys: Keys;
  onHelp: () => void;
  adminOf: (site: string) => boolean;
}) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [active, setActive, activeNow] = useNow(0);
  const [open, setOpen] = useState(false);
  const [selected, setSelected, selectedNow] = useNow<ReadonlySet<string>>(new Set());
  const [reasons, setReasons] = useState<Reasons | undefined>();
  const [sweeping, setSweeping] = useState(false);
  const [banning, setBanning] = useState<Row | undefined>();
  const [rejections, setRejections] = useState<{ site?: string; count: number }>({ count: 0 });
  const [filtering, setFiltering] = useState(false);
  const [toast, setToast] = useState<{ text: string; batch?: Batch } | undefined>();
  const [narrow, setNarrow] = useState(() => matchMedia('(max-width: 900px)').matches);
  const searchBox = useRef<HTMLInputElement>(null);
  const list = useRef<ListHandle>(null);
  const anchor = useRef(0);

  useEffect(() => queue.subscribe(() => redraw(undefined)), [queue]);
  useEffect(() => {
    setSelected(new Set());
    setActive(0);
    void queue.read(filters).then(() => list.current?.toTop());
  }, [queue, filters]);
  useEffect(() => {
    const media = matchMedia('(max-width: 900px)');
    const onChange = () => setNarrow(media.matches);
    media.addEventListener('change', onChange);
    return () => media.removeEventListener('change', onChange);
  }, []);
  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => setToast(undefined), TOAST_MS);
    return () => clearTimeout(timer);
  }, [toast]);

  const entry = queue.entries[active];
  const idNow = () => queue.entries[activeNow.current]?.row.id;
  const activeId = entry?.row.id;
  const codes = useReasons(entry?.row.site);
  const offered = useOffer(rejections.site, rejections.count);
  useClaim(activeId, who.user, entry?.row.claimedBy, entry?.state === 'open');

  const go = useCallback(
    (index: number) => {
      const to = Math.max(0, Math.min(queue.entries.length - 1, index));
      setActive(to);
      list.current?.show(to);
    },
    [queue],
  );

  const act = async (ids: readonly string[], action: Action, more: { reason?: string; message?: string } = {}) => {
    const sent = queue.decide(ids, action, more);
    // The hand goes on at once; the answer comes to the row that it left.
    if (ids.includes(idNow() ?? '') && !narrow) go(queue.next(activeNow.current));
    setSelected(new Set([...selectedNow.current].filter((id) => !ids.includes(id))));
    const batch = await sent;
    if (REFUSALS.has(action) && batch.decisions.length > 0) {
      const site = queue.byId.get(ids[0] ?? '')?.row.site;
      setRejections(({ count }) => ({ count: count + 1, ...(site && { site }) }));
    }
    if (batch.decisions.length > 0) {
      const what = tMaybe(`done_${action}`, action);
      setToast({ text: batch.decisions.length > 1 ? t('doneN', { what, n: batch.decisions.length }) : what, batch });
    }
  };

  /** Rejecting and removing ask why. */
  const want = (ids: readonly string[], action: Action) => {
    if (ids.length === 0) return;
    if (action === 'reject' || action === 'remove') setReasons({ ids, action });
    else void act(ids, action);
  };

  const undo = async (batch?: Batch) => {
    const { undone, refused } = await queue.undo(batch);
    if (undone === 0 && refused.length === 0) return;
    setToast({ text: refused.length > 0 ? t('undoRefused', { why: refused[0] ?? '' }) : t('undone') });
  };

  const acceptOffer = async () => {
    const text = await offered.add();
    if (text) setToast({ text });
  };

  /** Puts a writer on the policy's list of the trusted, as a new version of it. */
  const trust = async ({ site, author }: Row) => {
    const path = `/v1/moderation/sites/${site}/policy`;
    type Version = { policy: { trustedWriters: string[] }; version: number };
    try {
      const { policy, version } = await call<Version>('GET', path);
      const trustedWriters = [...new Set([...policy.trustedWriters, author.key])];
      const headers = { 'if-match': `"${version}"` };
      await call('PUT', path, { body: { policy: { ...policy, trustedWriters } }, headers });
      setToast({ text: t('trustedNow', { name: author.name }) });
    } catch (error) {
      setToast({ text: t('notDone', { why: error instanceof Problem ? whyOf(error) : String(error) }) });
    }
  };

  const toggle = (index: number, range = false) => {
    const [from, to] = range ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index];
    const next = new Set(selectedNow.current);
    const on = !next.has(queue.entries[index]?.row.id ?? '');
    for (let at = from; at <= to; at++) {
      const id = queue.entries[at]?.row.id;
      if (id && on) next.add(id);
      else if (id) next.delete(id);
    }
    setSelected(next);
    anchor.current = index;
  };

  const run: Record<Command, () => void> = {
    next: () => go(activeNow.current + 1),
    previous: () => go(activeNow.current - 1),
    skip: () => go(queue.next(activeNow.current)),
    publish: () => want(targets(), 'publish'),
    reject: () => {
      const row = queue.entries[activeNow.current]?.row;
      want(targets(), row?.status === 'published' && row.pendingRevision === null ? 'remove' : 'reject');
    },
    spam: () => want(targets(), 'spam'),
    hold: () => want(targets(), 'hold'),
    keep: () => want(targets(), 'keep'),
    select: () => toggle(activeNow.current),
    undo: () => void undo(),
    accept: () => void acceptOffer(),
    story: () => {
      const id = idNow();
      if (id) location.hash = `#/comments/${encodeURIComponent(id)}`;
    },
    search: () => searchBox.current?.focus(),
    filters: () => setFiltering(true),
    help: onHelp,
  };
  // What is pressed counts for what is there now, not for what was last drawn: fast hands are ahead of the screen.
  const targets = (): readonly string[] => {
    const id = idNow();
    return selectedNow.current.size > 0 ? [...selectedNow.current] : id ? [id] : [];
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const command = commandOf(event, keys);
      if (!command) return;
      event.preventDefault();
      run[command]();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  });

  const set = (some: Partial<Filters>) => onFilters({ ...filters, ...some });
  const showing = (Object.keys(FILTER_WORDS) as (keyof typeof FILTER_WORDS)[]).filter((name) => filters[name] !== '');

  const alike = likenessOf(filters);

  return (
    <div class={`queue ${open ? 'open' : ''}`}>
      <section class="list-side" aria-label={t('comments')}>
        <h1 class="hidden">{t('queue')}</h1>
        <nav class="tabs" aria-label={t('statusTabs')}>
          {TABS.map(({ status, word }) => (
            <button
              key={word}
              type="button"
              aria-current={filters.status === status ? 'true' : undefined}
              onClick={() => set({ status })}
            >
              {t(word)}
            </button>
          ))}
        </nav>
        <div class="tools">
          <form
            role="search"
            onSubmit={(event) => {
              event.preventDefault();
              set({ q: searchBox.current?.value ?? '' });
              searchBox.current?.blur();
            }}
          >
            <label class="hidden" for="q">
              {t('search')}
            </label>
            <input
              id="q"
              ref={searchBox}
              type="search"
              placeholder={t('searchHint')}
              defaultValue={filters.q}
              onInput={(event) => event.currentTarget.value === '' && filters.q !== '' && set({ q: '' })}
            />
          </form>
          <button type="button" onClick={() => setFiltering(true)}>
            {t('filters')}
          </button>
          <Views filters={filters} onPick={onFilters} />
          <label class="hidden" for="sort">
            {t('sort')}
          </label>
          <select id="sort" value={filters.sort} onChange={(event) => set({ sort: event.currentTarget.value })}>
            <option value="">{t(filters.status === 'held' ? 'oldest' : 'newest')}</option>
            <option value={filters.status === 'held' ? 'newest' : 'oldest'}>
              {t(filters.status === 'held' ? 'newest' : 'oldest')}
            </option>
            <option value="risk">{t('risk')}</option>
            <option value="reports">{t('mostReported')}</option>
          </select>
        </div>
        {showing.length > 0 && (
          <p class="chips">
            {showing.map((name) => (
              <button key={name} type="button" class="chip" onClick={() => set({ [name]: '' })}>
                {t(FILTER_WORDS[name])}: {filters[name].slice(0, 40)} <span aria-hidden="true">×</span>
                <span class="hidden">{t('clearFilters')}</span>
              </button>
            ))}
          </p>
        )}
        <div class="count-line">
          <p role="status" class="quiet">
            {queue.total !== undefined && t('total', { n: queue.total })}
            {queue.partial && ` (${t('partialList')})`}
          </p>
          {alike && queue.total !== undefined && queue.total > 1 && (
            <button type="button" class="pill quiet-pill" onClick={() => setSweeping(true)}>
              {t('sweep', { n: queue.total })}
            </button>
          )}
          {queue.fresh > 0 && (
            <button type="button" class="pill" onClick={() => void queue.read(filters).then(() => go(0))}>
              {t('freshOnes', { n: queue.fresh })}
            </button>
          )}
          {queue.decided > 0 && queue.fresh === 0 && (
            <button type="button" class="pill quiet-pill" onClick={() => void queue.read(filters).then(() => go(0))}>
              {t('tidy', { n: queue.decided })}
            </button>
          )}
        </div>
        {queue.error && <Failed problem={queue.error} again={() => void queue.read(filters)} />}
        {!queue.error && !queue.loading && queue.entries.length === 0 && (
          <div class="empty">
            <p>{t(filters.status === 'held' && showing.length === 0 && !filters.q ? 'emptyQueue' : 'emptyList')}</p>
            {filters.status === 'held' && <p class="quiet">{t('emptyQueueHint')}</p>}
          </div>
        )}
        <List
          ref={list}
          queue={queue}
          rowPx={narrow ? ROW_PX_NARROW : ROW_PX}
          active={active}
          selected={selected}
          onOpen={(index) => {
            setActive(index);
            setOpen(true);
          }}
          onToggle={toggle}
          onAct={(id, action) => want([id], action)}
          onUndo={(one) => {
            const { decisionId, action } = one;
            if (decisionId && action) void undo(batchOf(queue, one.row.id, decisionId, action));
          }}
          me={who.user}
        />
        {selected.size > 0 && (
          <div class="bulk" role="group" aria-label={t('selected', { n: selected.size })}>
            <strong>{t('selected', { n: selected.size })}</strong>
            <button type="button" class="main" onClick={() => want([...selected], 'publish')}>
              {t('publish')}
            </button>
            <button type="button" onClick={() => want([...selected], 'reject')}>
              {t('reject')}
            </button>
            <button type="button" onClick={() => want([...selected], 'spam')}>
              {t('markSpam')}
            </button>
            <button
              type="button"
              class="plain"
              onClick={() => setSelected(new Set(queue.entries.map(({ row }) => row.id)))}
            >
              {t('selectAll')}
            </button>
            <button type="button" class="plain" onClick={() => setSelected(new Set())}>
              {t('selectNone')}
            </button>
          </div>
        )}
      </section>
      <section class="detail-side" aria-label={t('detail')}>
        {activeId && entry ? (
          <CommentDetail
            key={activeId}
            id={activeId}
            entry={entry}
            version={entry.row.version}
            onRow={(row) => queue.refresh(row)}
            onAct={(action) => want([activeId], action)}
            onFilter={(some) => set({ ...NO_FILTERS, site: entry.row.site, status: '', ...some })}
            authors={sites.find(({ id }) => id === entry.row.site)?.authors ?? []}
            onBack={() => setOpen(false)}
            onBan={() => setBanning(entry.row)}
            onTrust={adminOf(entry.row.site) ? () => void trust(entry.row) : undefined}
            keys={keys}
          />
        ) : (
          !queue.loading && <p class="quiet pick">{t('pickOne')}</p>
        )}
      </section>
      {filtering && (
        <FilterDialog
          filters={filters}
          onClose={() => setFiltering(false)}
          onPick={(next) => {
            setFiltering(false);
            onFilters(next);
          }}
        />
      )}
      {sweeping && alike && (
        <SweepDialog
          query={alike}
          total={queue.total ?? 0}
          onClose={(changed) => {
            setSweeping(false);
            if (changed) void queue.read(filters);
          }}
        />
      )}
      {banning && (
        <BanDialog
          row={banning}
          admin={adminOf(banning.site)}
          onClose={(said) => {
            setBanning(undefined);
            if (said) setToast({ text: said });
          }}
        />
      )}
      {reasons && (
        <Why
          action={reasons.action}
          codes={codes}
          onClose={() => setReasons(undefined)}
          onPick={(more) => {
            setReasons(undefined);
            void act(reasons.ids, reasons.action, more);
          }}
        />
      )}
      <div class="toasts" role="status">
        <OfferBar
          offered={offered}
          onAdd={() => void acceptOffer()}
          shortcut={keys.on ? keys.keys.accept : undefined}
        />
        {queue.progress && <p class="toast">{t('progress', queue.progress)}</p>}
        {toast && (
          <p class="toast">
            {toast.text}
            {toast.batch && queue.undoable.includes(toast.batch) && (
              <button type="button" onClick={() => void undo(toast.batch)}>
                {t('undo')} <Key>{keys.keys.undo}</Key>
              </button>
            )}
          </p>
        )}
      </div>
    </div>
  );
}

/** The batch that made a decision, or one of it alone. */
function batchOf(queue: Queue, id: string, decisionId: string, label: Action): Batch {
  return (
    queue.undoable.find(({ decisions }) => decisions.length === 1 && decisions[0]?.decisionId === decisionId) ?? {
      label,
      decisions: [{ id, decisionId }],
    }
  );
}

/** Tells others what one looks at, while one does. */
function useClaim(id: string | undefined, me: string, heldBy: string | undefined, isOpen: boolean): void {
  useEffect(() => {
    if (!id || !isOpen || (heldBy && heldBy !== me)) return undefined;
    let claimed = false;
    const claim = () => {
      if (document.hidden) return;
      claimed = true;
      call('POST', '/v1/moderation/claims', { body: { id }, quiet: true }).catch(() => undefined);
    };
    const first = setTimeout(claim, CLAIM_AFTER_MS);
    const again = setInterval(claim, CLAIM_AGAIN_MS);
    return () => {
      clearTimeout(first);
      clearInterval(again);
      if (claimed) {
        call('POST', '/v1/moderation/claims', { body: { id, release: true }, quiet: true }).catch(() => undefined);
      }
    };
  }, [id, isOpen]);
}

/** The reasons that a site's policy has, in its order; undefined until they are read. */
function useReasons(site: string | undefined): readonly string[] | undefined {
  const path = site === undefined ? undefined : `/v1/moderation/sites/${site}/policy`;
  const { data, problem } = useRead<{ policy: { reasons: string[] } }>(path);
  return data?.policy.reasons ?? (problem && FIRST_REASONS);
}
/** What every policy begins with. */
const FIRST_REASONS = ['abuse', 'off-topic', 'illegal', 'personal-data', 'duplicate', 'other'];

type ListHandle = { show(index: number): void; toTop(): void };

/** Draws the rows that are seen, the active one always: what has the focus does not go away. */
function List({
  ref,
  queue,
  rowPx,
  active,
  selected,
  onOpen,
  onToggle,
  onAct,
  onUndo,
  me,
}: {
  ref: { current: ListHandle | null };
  queue: Queue;
  rowPx: number;
  active: number;
  selected: ReadonlySet<string>;
  onOpen: (index: number) => void;
  onToggle: (index: number, range?: boolean) => void;
  onAct: (id: string, action: Action) => void;
  onUndo: (entry: Entry) => void;
  me: string;
}) {
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
  const style = (index: number) => ({ transform: `translateY(${index * rowPx}px)`, height: `${rowPx}px` });

  return (
    <ol
      ref={box}
      class="rows"
      aria-label={t('comments')}
      aria-busy={queue.loading}
      tabIndex={size === 0 ? undefined : -1}
    >
      <li role="presentation" aria-hidden="true" class="ruler" style={{ height: `${size * rowPx}px` }} />
      {shown.map((index) => {
        const entry = queue.entries[index];
        if (!entry) return <li key={`gap-${index}`} class="row gap" aria-hidden="true" style={style(index)} />;
        return (
          <RowItem
            key={entry.row.id}
            entry={entry}
            index={index}
            size={size}
            style={style(index)}
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

function RowItem({
  entry,
  index,
  size,
  style,
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
  style: Record<string, string>;
  active: boolean;
  selected: boolean;
  onOpen: (index: number) => void;
  onToggle: (index: number, range?: boolean) => void;
  onAct: (id: string, action: Action) => void;
  onUndo: (entry: Entry) => void;
  me: string;
}) {
  const { row, state } = entry;
  const now = Date.now();
  return (
    <li
      class={`row ${state} ${active ? 'active' : ''} ${selected ? 'selected' : ''}`}
      style={style}
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
            {entry.why && (
              <p class="fault" role="alert">
                {t('notDone', { why: tMaybe(entry.why, entry.why) })}
              </p>
            )}
            <Actions row={row} onAct={(action) => onAct(row.id, action)} />
          </>
        ) : (
          <p class={`outcome ${state}`} role={state === 'stale' ? 'alert' : undefined}>
            <Outcome entry={entry} />
            {state === 'done' && entry.decisionId && (
              <button type="button" class="plain" onClick={() => onUndo(entry)}>
                {t('undo')}
              </button>
            )}
          </p>
        )}
      </div>
    </li>
  );
}

export function Outcome({ entry }: { entry: Entry }) {
  const { state, row, by, action } = entry;
  const status = tMaybe(row.status, row.status).toLocaleLowerCase();
  if (state === 'sending') return <>{t('sending')}</>;
  if (state === 'stale') return <>{by ? t('staleBy', { status, name: by }) : t('stale', { status })}</>;
  return <strong class={`status ${row.status}`}>{tMaybe(`done_${action}`, status)}</strong>;
}

/** Who writes, as far as the site knows. */
export function Standing({ row }: { row: Row }) {
  const { role, trusted, published, rejected, spam } = row.author;
  if (role) return <span class="badge role">{tMaybe(role, role)}</span>;
  if (trusted) return <span class="badge good">{t('trusted')}</span>;
  if (published + rejected + spam === 0) return <span class="badge">{t('newWriter')}</span>;
  return (
    <span class="badge" title={t('writerHistory')}>
      {t('historyShort', { published, bad: rejected + spam })}
    </span>
  );
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

/** What can be done from a status, the likeliest first. */
export function actionsOf(row: Row): readonly { action: Action; word: Word; command?: Command }[] {
  const waits = row.status === 'held' || row.pendingRevision !== null;
  if (waits) {
    return [
      { action: 'publish', word: 'publish', command: 'publish' },
      { action: 'reject', word: 'reject', command: 'reject' },
      { action: 'spam', word: 'markSpam', command: 'spam' },
    ];
  }
  if (row.status === 'published') {
    return [
      ...(row.reports > 0 ? [{ action: 'keep', word: 'keep', command: 'keep' } as const] : []),
      { action: 'remove', word: 'removeIt', command: 'reject' },
      { action: 'hold', word: 'hold', command: 'hold' },
    ];
  }
  if (row.status === 'rejected' || row.status === 'spam' || row.status === 'removed') {
    return [{ action: 'restore', word: 'restore', command: 'publish' }];
  }
  return [];
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

/** Asks why: one digit, and the decision goes. */
function Why({
  action,
  codes,
  onPick,
  onClose,
}: {
  action: Action;
  codes: readonly string[] | undefined;
  onPick: (more: { reason: string; message?: string }) => void;
  onClose: () => void;
}) {
  const [message, setMessage] = useState('');
  const pick = (reason: string) => onPick({ reason, ...(message.trim() && { message: message.trim() }) });
  const onKey = (event: KeyboardEvent) => {
    if (event.target instanceof HTMLTextAreaElement) return;
    const reason = codes?.[Number(event.key) - 1];
    if (!reason) return;
    event.preventDefault();
    pick(reason);
  };
  return (
    <Dialog label={t(action === 'remove' ? 'whyRemove' : 'whyReject')} onClose={onClose} onKey={onKey}>
      <div class="reasons">
        {/* Until then nothing to press: a reason must not change under the hand. */}
        {!codes && <Loading />}
        {codes?.map((reason, index) => (
          <button key={reason} type="button" autofocus={index === 0} onClick={() => pick(reason)}>
            {index < 9 && <Key>{String(index + 1)}</Key>} {tMaybe(`reason_${reason}`, reason)}
          </button>
        ))}
        <label>
          {t('messageToWriter')}
          <textarea
            rows={2}
            maxLength={1000}
            value={message}
            onInput={(event) => setMessage(event.currentTarget.value)}
          />
        </label>
      </div>
    </Dialog>
  );
}
