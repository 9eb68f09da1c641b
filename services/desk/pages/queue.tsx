import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { call, Problem } from '../api.ts';
import { commandOf, type Command, type Keys } from '../keys.ts';
import { Failed, Key, whyOf } from '../parts.tsx';
import { NO_FILTERS, type Batch, type Entry, type Filters, type Queue } from '../queue.ts';
import type { Action, Row, SiteName, Who } from '../types.ts';
import { t, tMaybe, type Word } from '../words.ts';
import { BanDialog } from './bans.tsx';
import { useClaim } from './claim.ts';
import { CommentDetail } from './detail.tsx';
import { FilterDialog, FILTER_WORDS } from './filters.tsx';
import { OfferBar, useOffer } from './offer.tsx';
import { Rows, type RowsHandle } from './rows.tsx';
import { likenessOf, SweepDialog } from './sweep.tsx';
import { Views } from './views.tsx';
import { useReasons, Why } from './why.tsx';

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
const TOAST_MS = 12_000;

/** Decisions that may suggest a rule. */
const REFUSALS: ReadonlySet<Action> = new Set(['reject', 'spam', 'remove']);

const NO_AUTHORS: SiteName['authors'] = [];

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

/** One function for as long as the page is there, which does what the newest one does: what was drawn with it can stay. */
function useSame<Given extends unknown[]>(does: (...given: Given) => void): (...given: Given) => void {
  const newest = useRef(does);
  newest.current = does;
  return useCallback((...given: Given) => newest.current(...given), []);
}

/** A value one frame later: that of the row shows first what was pressed, this one what follows. */
function useNextFrame<T>(value: T): [T, (value: T) => void] {
  const [shown, setShown] = useState(value);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const frame = requestAnimationFrame(() => {
      timer = setTimeout(() => setShown(() => value));
    });
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
  }, [value]);
  return [shown, setShown];
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
  const list = useRef<RowsHandle>(null);
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
  const [lateId, setLateId] = useNextFrame(activeId);
  const shown = queue.byId.get(lateId ?? '') ?? entry;
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

  const onKey = useSame((event: KeyboardEvent) => {
    const command = commandOf(event, keys);
    if (!command) return;
    event.preventDefault();
    run[command]();
  });
  useEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  const set = (some: Partial<Filters>) => onFilters({ ...filters, ...some });
  const showing = (Object.keys(FILTER_WORDS) as (keyof typeof FILTER_WORDS)[]).filter((name) => filters[name] !== '');

  const alike = likenessOf(filters);
  const empty = queue.known && !queue.error && queue.entries.length === 0;

  const openRow = useSame((index: number) => {
    setActive(index);
    setLateId(idNow());
    setOpen(true);
  });
  const toggleRow = useSame(toggle);
  const actOn = useSame((id: string, action: Action) => want([id], action));
  const undoRow = useSame(({ row, decisionId, action }: Entry) => {
    if (decisionId && action) void undo(batchOf(queue, row.id, decisionId, action));
  });
  const detailHands = {
    onRow: useSame((row: Row) => queue.refresh(row)),
    onFilter: useSame((some: Partial<Filters>) =>
      set({ ...NO_FILTERS, site: shown?.row.site ?? '', status: '', ...some }),
    ),
    onBack: useSame(() => setOpen(false)),
    onBan: useSame(() => setBanning(shown?.row)),
    onTrust: useSame((row: Row) => void trust(row)),
  };
  const site = shown?.row.site ?? '';
  const authors = sites.find(({ id }) => id === site)?.authors ?? NO_AUTHORS;
  const mayTrust = adminOf(site);
  // Drawn again when something of it changed, and not with every row that did.
  const detail = useMemo(
    () =>
      shown && (
        <CommentDetail
          key={shown.row.id}
          entry={shown}
          onAct={actOn}
          {...detailHands}
          mayTrust={mayTrust}
          keys={keys}
          authors={authors}
        />
      ),
    [shown, shown?.row, shown?.state, shown?.action, shown?.by, authors, mayTrust, keys],
  );

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
        {empty && (
          <div class="empty">
            <p>{t(filters.status === 'held' && showing.length === 0 && !filters.q ? 'emptyQueue' : 'emptyList')}</p>
            {filters.status === 'held' && <p class="quiet">{t('emptyQueueHint')}</p>}
          </div>
        )}
        <Rows
          ref={list}
          queue={queue}
          hidden={empty}
          rowPx={narrow ? ROW_PX_NARROW : ROW_PX}
          active={active}
          selected={selected}
          onOpen={openRow}
          onToggle={toggleRow}
          onAct={actOn}
          onUndo={undoRow}
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
        {detail || (queue.known && !queue.loading && <p class="quiet pick">{t('pickOne')}</p>)}
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
