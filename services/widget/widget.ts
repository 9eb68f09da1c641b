import { type Answer, call } from './api.ts';
import { type Desk, type Sent, type Writing, composer } from './composer.ts';
import { arrange, fill, h } from './dom.ts';
import { isLight, webAddress, when } from './format.ts';
import { keep, load } from './store.ts';
import {
  type Comment,
  type Mine,
  type Page,
  append,
  arrivals,
  find,
  isOpen,
  merge,
  nextAskMs,
  worthKeeping,
} from './thread.ts';
import type { Key, Say, Words } from './words.ts';

export type Options = {
  site: string;
  thread: string;
  /** Origin of the server, without a slash at the end. */
  server: string;
  order: 'oldest' | 'newest';
  /** Id of the post's author: offers the sign-in. */
  author: string | null;
  pollMs: number;
  lang: string;
  words: Words;
  say: Say;
  emit(event: string, detail: unknown): void;
};

type Entry = { item: HTMLLIElement; replies: HTMLElement; more: HTMLButtonElement; extra: HTMLElement; drawn: string };

const PAGE = 20;
const FULL_PAGE = 100;
const DEFAULT_DEPTH = 5;
const SLOWEST_POLL_MS = 300_000;
const HASH = '#sluice-';

/** Shows one thread in `root` until the function that it returns is called. */
export function mount(root: HTMLElement, options: Options): () => void {
  const { say, lang, words, site, server, emit } = options;
  const siteUrl = `${server}/v1/sites/${encodeURIComponent(site)}`;
  const threadUrl = `${siteUrl}/threads/${encodeURIComponent(options.thread)}`;
  const commentsUrl = `${threadUrl}/comments`;
  const key = `sluice:${site}:${options.thread}`;
  const authorKey = `sluice:${site}:author`;
  const stopping = new AbortController();
  const { signal } = stopping;

  let comments: Comment[] = [];
  let mine = (load<Mine[]>(`${key}:mine`) ?? []).filter((one) => worthKeeping(one, Date.now()));
  let order = options.order;
  let cursor: string | null = null;
  /** How many the reader knows of; what goes beyond is news. */
  let known = 0;
  let total = 0;
  let closed = false;
  let depth = DEFAULT_DEPTH;
  /** The list starts in the middle, at a permalink. */
  let partial = false;
  let pollWait = options.pollMs;
  const entries = new Map<string, Entry>();
  const reported = new Set<string>();
  const timers = new Set<ReturnType<typeof setTimeout>>();
  /** What the pending comment became, once the thread has it. */
  const arrived = new Map<string, Comment>();

  const heading = h('h2', { part: 'heading' });
  const live = h('p', { class: 'hidden', role: 'status' });
  const orderBox = h(
    'select',
    { 'aria-label': say('order'), part: 'order', onchange: reorder },
    ...(['oldest', 'newest'] as const).map((value) =>
      h('option', { value, selected: value === order }, say(value)),
    ),
  );
  const freshButton = button('primary fresh', '', showFresh);
  const freshBar = h('div', { class: 'bar', hidden: true }, freshButton);
  const formBox = h('div');
  const mineList = h('ol', { class: 'list mine' });
  const list = h('ol', { class: 'list', part: 'list' });
  const allButton = button('wide', say('all'), () => start());
  const moreButton = button('wide', say('more'), loadMore);
  const empty = h('p', { class: 'empty' }, say('empty'));
  const foot = h('p', { class: 'foot' }, h('a', { href: `${threadUrl}/feed.atom`, part: 'feed' }, say('feed')));

  const desk: Desk = {
    say,
    server,
    site: siteUrl,
    comments: commentsUrl,
    key,
    announce,
    author: () => load(authorKey),
    signOut: () => keep(authorKey, undefined),
    ...(options.author !== null && { signIn }),
  };
  const form = composer(desk, { done: (sent, writing) => sentOne(sent, writing, null, 0) });

  addEventListener('hashchange', () => goToHash(), { signal });
  document.addEventListener('visibilitychange', () => !document.hidden && poll(), { signal });
  later(poll, pollWait);
  for (const one of mine) if (isOpen(one) || one.revised) ask(one);
  void start();

  return () => {
    stopping.abort();
    form.stop();
    for (const timer of timers) clearTimeout(timer);
  };

  // Reading

  function read(query: Record<string, string | number>): Promise<Answer<Page>> {
    return call<Page>(`${commentsUrl}?${new URLSearchParams({ order, limit: `${PAGE}`, ...query } as never)}`);
  }

  async function start(): Promise<void> {
    const answer = await read({});
    if (signal.aborted) return;
    if (!answer.ok) {
      root.setAttribute('aria-busy', 'false');
      const { detail } = answer.problem;
      return root.replaceChildren(
        h('p', { class: 'notice', role: 'alert' }, say('failed'), ' ', detail ?? ''),
        button('wide', say('again'), () => start()),
      );
    }
    take(answer.data);
    comments = answer.data.comments;
    known = total;
    partial = false;
    if (!root.contains(list)) {
      root.replaceChildren(
        h('div', { class: 'top' }, heading, orderBox),
        live,
        formBox,
        mineList,
        freshBar,
        allButton,
        list,
        empty,
        moreButton,
        foot,
      );
      root.setAttribute('aria-busy', 'false');
      emit('load', { total });
    }
    draw();
    await goToHash();
  }

  function take(page: Page) {
    total = page.total;
    cursor = page.nextCursor;
    closed = page.thread.closed;
    depth = page.thread.replyDepth ?? DEFAULT_DEPTH;
  }

  async function loadMore() {
    const answer = await read({ cursor: cursor ?? '' });
    if (!answer.ok) return announce(say('failed'));
    const [first] = answer.data.comments;
    cursor = answer.data.nextCursor;
    comments = append(comments, answer.data.comments);
    draw();
    focus(first?.id);
  }

  async function loadReplies(parent: Comment) {
    const answer = await read({ parent: parent.id, order: 'oldest', cursor: parent.repliesCursor ?? '' });
    if (!answer.ok) return announce(say('failed'));
    const before = parent.replies.length;
    parent.replies = append(parent.replies, answer.data.comments);
    parent.repliesCursor = answer.data.nextCursor;
    draw();
    focus(parent.replies[before]?.id);
  }

  function reorder() {
    order = orderBox.value as typeof order;
    void start();
  }

  async function goToHash() {
    if (!location.hash.startsWith(HASH)) return;
    const id = decodeURIComponent(location.hash.slice(HASH.length));
    if (!entries.get(id)?.item.isConnected) {
      const answer = await read({ around: id });
      if (!answer.ok || !find(answer.data.comments, id)) return announce(say('missing'));
      take(answer.data);
      comments = answer.data.comments;
      partial = true;
      draw();
    }
    root.querySelector('.hit')?.classList.remove('hit');
    entries.get(id)?.item.classList.add('hit');
    focus(id, 'center');
  }

  /** The cheapest read: one comment with `total`, mostly a 304. Nothing is inserted: a button says what is new. */
  async function poll() {
    let answer: Answer<Page> | undefined;
    if (!document.hidden && root.contains(list)) {
      answer = await read({ order: 'newest', limit: 1 });
      if (signal.aborted) return;
      if (answer.ok) {
        ({ total } = answer.data);
        known = Math.min(known, total);
        drawFresh();
        for (const time of root.querySelectorAll('time')) time.textContent = when(time.dateTime, lang, Date.now()).text;
      }
    }
    pollWait = !answer || answer.ok ? options.pollMs : Math.min(SLOWEST_POLL_MS, pollWait * 2);
    later(poll, pollWait);
  }

  async function showFresh() {
    const before = new Set(entries.keys());
    const wanted = comments.length + arrivals(total, known, mine);
    let fresh: Comment[] = [];
    let next: string | null = '';
    // Bounded by what is shown: at most a page more than was there.
    while (next !== null && fresh.length < wanted) {
      const limit = Math.min(FULL_PAGE, Math.max(PAGE, wanted));
      const answer: Answer<Page> = await read(next ? { limit, cursor: next } : { limit });
      if (!answer.ok) return announce(say('failed'));
      take(answer.data);
      fresh = append(fresh, answer.data.comments);
      next = cursor;
    }
    known = total;
    partial = false;
    comments = merge(comments, fresh);
    draw();
    const added = [...entries].filter(([id, { item }]) => !before.has(id) && item.isConnected);
    for (const [, { item }] of added) item.classList.add('hit');
    focus(added[0]?.[0], 'center');
  }

  // Drawing

  function draw() {
    if (closed) formBox.replaceChildren(h('p', { class: 'notice' }, say('closed')));
    else if (!formBox.contains(form.element)) formBox.replaceChildren(form.element);
    const shown = (one: Mine) => find(comments, one.id);
    arrange(
      mineList,
      mine.filter((one) => !shown(one) && !(one.parentId && find(comments, one.parentId))).map(drawMine),
    );
    arrange(list, comments.map(drawComment));
    orderBox.hidden = empty.hidden = !!comments.length;
    orderBox.hidden = !orderBox.hidden;
    moreButton.hidden = cursor === null;
    allButton.hidden = !partial;
    drawFresh();
  }

  function drawFresh() {
    heading.textContent = total ? say('count', { n: total }) : say('comments');
    const n = arrivals(total, known, mine);
    const text = n ? say('fresh', { n }) : '';
    freshBar.hidden = !n;
    if (text && text !== freshButton.textContent) announce(text);
    freshButton.textContent = text;
  }

  function drawMine(one: Mine): HTMLElement {
    return drawComment(
      arrived.get(one.id) ?? {
        ...one,
        state: 'published',
        author: { name: one.name },
        html: '',
        createdAt: one.at,
        replyCount: 0,
        replies: [],
      },
    );
  }

  function drawComment(comment: Comment): HTMLElement {
    const { id } = comment;
    let entry = entries.get(id);
    if (!entry) {
      const more = button('link more', '', () => loadReplies(find(comments, id) ?? comment));
      const replies = h('ol', { class: 'list' });
      const extra = h('div');
      const item = h('li', { tabindex: -1, part: 'comment' }, extra, replies, more);
      entry = { item, replies, more, extra, drawn: '' };
      entries.set(id, entry);
    }
    const own = mine.find((one) => one.id === id);
    const look = JSON.stringify([{ ...comment, replies: 0, repliesCursor: 0 }, own, closed, own && mayEdit(own)]);
    if (look !== entry.drawn) {
      const hadFocus = entry.drawn && entry.item.querySelector('article')?.matches(':focus-within');
      entry.item.querySelector('article')?.remove();
      entry.item.prepend(article(comment, own, entry.extra));
      entry.drawn = look;
      if (hadFocus) entry.item.focus();
    }
    const pending = mine.filter((one) => one.parentId === id && !find(comment.replies, one.id));
    arrange(entry.replies, [...comment.replies.map(drawComment), ...pending.map(drawMine)]);
    entry.replies.hidden = !entry.replies.firstChild;
    entry.more.hidden = !comment.repliesCursor;
    entry.more.textContent = say('moreReplies', { n: Math.max(1, comment.replyCount - comment.replies.length) });
    return entry.item;
  }

  function article(comment: Comment, own: Mine | undefined, extra: HTMLElement): HTMLElement {
    const { id, author, html } = comment;
    const gone = own?.status === 'deleted' ? 'deleted' : comment.state;
    if (gone !== 'published') return h('article', { class: 'gone', part: 'tombstone' }, h('p', {}, say(gone)));
    const { role } = author;
    const href = webAddress(author.url);
    const time = when(comment.createdAt, lang, Date.now());
    const body = h('div', { class: 'body', part: 'body', dir: 'auto' });
    if (html) fill(body, html);
    else {
      body.textContent = own?.body ?? '';
      body.classList.add('plain');
    }
    const state = own && (isOpen(own) || own.status !== 'published' || own.revised || !html);
    const actions: (HTMLElement | false | undefined)[] = own
      ? [
          (isOpen(own) || own.status === 'published') &&
            mayEdit(own) &&
            action('edit', (opener) => editor(own, extra, opener)),
          (isOpen(own) || own.status === 'published') &&
            mayEdit(own) &&
            action('delete', (opener) => confirmDelete(own, extra, opener)),
          own.status === 'rejected' &&
            !own.appealed &&
            own.reason !== 'spam' &&
            action('appeal', (opener) => appeal(own, extra, opener)),
          (own.status === 'rejected' || own.status === 'removed') && action('dismiss', () => forget(own)),
        ]
      : [!reported.has(id) && action('report', (opener) => report(comment, extra, opener))];
    if (!closed && html) actions.unshift(action('reply', (opener) => reply(comment, extra, opener)));
    return h(
      'article',
      { 'aria-label': say('by', { name: author.name }), ...(own && state && { class: 'pending' }) },
      h(
        'header',
        {},
        h('span', { class: role ? 'face staff' : 'face', 'aria-hidden': 'true', part: 'avatar' }, initial(author.name)),
        h(
          'span',
          { class: 'name', part: 'name', dir: 'auto' },
          href ? h('a', { href, rel: 'nofollow ugc noopener', target: '_blank' }, author.name) : author.name,
        ),
        role && h('span', { class: 'badge', part: `badge ${role}` }, say(role)),
        h(
          'a',
          { class: 'when', href: location.href.split('#')[0] + HASH + id },
          h('time', { datetime: time.iso, title: time.exact, part: 'time' }, time.text),
        ),
        !!comment.editedAt && h('span', { class: 'when' }, say('edited')),
      ),
      body,
      state && h('p', { class: `state ${own.status}`, part: 'state' }, stateOf(own)),
      h('div', { class: 'actions' }, ...actions),
    );
  }

  function stateOf(own: Mine): string {
    const { status, reason } = own;
    const text = say(own.revised ? 'revised' : own.appealed && status === 'waiting' ? 'appealed' : status);
    return reason && !isOpen(own)
      ? `${text} ${say('reason')}: ${words.reasons[reason as keyof Words['reasons']] ?? reason}`
      : text;
  }

  function action(name: Key, act: (opener: HTMLElement) => void): HTMLElement {
    const element: HTMLElement = button('link', say(name), () => act(element));
    return element;
  }

  // Writing

  function reply(comment: Comment, extra: HTMLElement, opener: HTMLElement) {
    // At the deepest level an answer goes beside, not below: the server would refuse it.
    const deep = comment.depth >= depth && comment.parentId;
    const parentId = deep || comment.id;
    const shut = () => close(extra, opener);
    const { element, focus: focusForm } = composer(desk, {
      parentId,
      label: say('replyTo', { name: comment.author.name }),
      done: (sent, writing) => {
        shut();
        sentOne(sent, writing, parentId, comment.depth + (deep ? 0 : 1));
      },
      cancel: shut,
    });
    extra.replaceChildren(element);
    focusForm();
  }

  function sentOne(sent: Sent, { name, body }: Writing, parentId: string | null, depth: number) {
    const { id, capability, editableUntil } = sent;
    const statusUrl = new URL(sent.statusUrl, server).href;
    const one: Mine = {
      id,
      statusUrl,
      capability,
      editableUntil,
      parentId,
      depth,
      name,
      body,
      at: Date.now(),
      status: 'received',
    };
    mine = [...mine.filter((other) => other.id !== id), one];
    remember();
    announce(say('received'));
    focus(id);
    emit('submit', { id });
    ask(one);
  }

  /** Asks what became of a comment until that is settled. */
  function ask(one: Mine, asked = 0) {
    later(
      async () => {
        if (!mine.includes(one)) return;
        const { ok, status, data } = await call<{ status: Mine['status']; reason?: string }>(one.statusUrl);
        if (signal.aborted) return;
        if (status === 404) return forget(one);
        if (ok && (data.status !== one.status || data.reason !== one.reason)) {
          Object.assign(one, { reason: undefined }, data);
          announce(stateOf(one));
          if (one.status !== 'received') emit('status', { id: one.id, ...data });
        }
        if (one.status === 'published') await adopt(one);
        remember();
        // An edit that a person must see first may take days: it is no longer asked for, the next visit shows it.
        if (isOpen(one) || (one.revised && asked < 12)) ask(one, asked + 1);
      },
      document.hidden ? 5000 : nextAskMs(one.revised ? 'received' : one.status, asked),
    );
  }

  /** Fetches a published comment of one's own and shows it where it stands, without counting it as news. */
  async function adopt(one: Mine) {
    const { ok, data } = await read({ around: one.id });
    const found = ok && find(data.comments, one.id);
    if (!found) return;
    const before = find(comments, one.id) ?? arrived.get(one.id);
    if (!before) known++;
    else if (before.editedAt === found.editedAt && one.revised) return;
    delete one.revised;
    ({ total } = data);
    arrived.set(one.id, found);
    if (before) Object.assign(before, { html: found.html, editedAt: found.editedAt });
    const parent = find(comments, one.parentId);
    if (parent && !before) parent.replies = append(parent.replies, [found]);
  }

  function editor(one: Mine, extra: HTMLElement, opener: HTMLElement) {
    const shut = () => close(extra, opener);
    const { element, focus: focusForm } = composer(desk, {
      label: say('edit'),
      edit: {
        body: one.body,
        send: (body) => own(one, 'PATCH', '', { body }),
      },
      done: (_sent, { body }) => {
        shut();
        one.body = body;
        if (one.status === 'published') one.revised = true;
        remember();
        announce(say('revised'));
        ask(one);
      },
      cancel: shut,
    });
    extra.replaceChildren(element);
    focusForm();
  }

  /** A call with the capability: the one place where it leaves this browser, and never in a URL. */
  function own(one: Mine, method: string, path: string, body?: unknown): Promise<Answer<Partial<Sent>>> {
    return call(`${server}/v1/comments/${one.id}${path}`, {
      method,
      headers: { authorization: `Bearer ${one.capability}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }

  function confirmDelete(one: Mine, extra: HTMLElement, opener: HTMLElement) {
    panel(extra, opener, 'delete', [h('p', {}, say('deleteAsk'))], async () => {
      const answer = await own(one, 'DELETE', '');
      if (answer.ok) {
        one.status = 'deleted';
        remember();
        focus(one.id);
      }
      return answer;
    });
  }

  function appeal(one: Mine, extra: HTMLElement, opener: HTMLElement) {
    const text = h('textarea', { rows: 3, required: true, part: 'input' });
    panel(extra, opener, 'send', [h('label', {}, say('appealWhy'), text)], async () => {
      const answer = await own(one, 'POST', '/appeal', { text: text.value });
      if (answer.ok) {
        one.appealed = true;
        one.status = 'waiting';
        remember();
        announce(say('appealed'));
        ask(one);
      }
      return answer;
    });
  }

  function report({ id }: Comment, extra: HTMLElement, opener: HTMLElement) {
    const reason = h(
      'select',
      { part: 'input' },
      ...Object.entries(words.reasons).map(([value, text]) => h('option', { value }, text)),
    );
    const note = h('input', { maxlength: 1000, part: 'input' });
    const fields = [h('label', {}, say('reason'), reason), h('label', {}, say('note'), note)];
    panel(extra, opener, 'report', fields, async () => {
      const answer = await call(`${server}/v1/comments/${id}/reports`, {
        method: 'POST',
        body: JSON.stringify({ reason: reason.value, note: note.value.trim() || undefined }),
      });
      if (answer.ok) {
        reported.add(id);
        opener.replaceWith(h('span', { role: 'status', tabindex: -1 }, say('thanks')));
        announce(say('thanks'));
      }
      return answer;
    });
  }

  /** A small form under a comment, for what is asked before it is done. */
  function panel(
    extra: HTMLElement,
    opener: HTMLElement,
    verb: Key,
    fields: HTMLElement[],
    act: () => Promise<Answer<unknown>>,
  ) {
    const notice = h('p', { class: 'notice', role: 'status' });
    const submit = async (event: Event) => {
      event.preventDefault();
      const { ok, problem } = await act();
      if (ok) close(extra, opener);
      else notice.textContent = problem.detail ?? problem.title ?? say('refused');
    };
    extra.replaceChildren(
      h(
        'form',
        { class: 'panel', part: 'form', onsubmit: submit },
        ...fields,
        notice,
        h(
          'div',
          { class: 'buttons' },
          h('button', { class: 'primary', part: 'button send' }, say(verb)),
          button('', say('cancel'), () => close(extra, opener)),
        ),
      ),
    );
    extra.querySelector<HTMLElement>('input,select,textarea,button')?.focus();
  }

  function close(extra: HTMLElement, opener: HTMLElement) {
    extra.replaceChildren();
    if (opener.isConnected) opener.focus();
    else extra.closest('li')?.focus();
  }

  function forget(one: Mine) {
    mine = mine.filter((other) => other !== one);
    remember();
    heading.focus();
  }

  function remember() {
    keep(`${key}:mine`, mine.length ? mine : undefined);
    if (root.contains(list)) draw();
  }

  // Authors

  /** The sign-in page tells its opener, by postMessage, a capability that the author may revoke. */
  function signIn(done: () => void) {
    const query = new URLSearchParams({ site, author: options.author ?? '', origin: location.origin });
    const popup = open(`${server}/author?${query}`, 'sluice-author', 'popup,width=480,height=640');
    const listening = new AbortController();
    addEventListener(
      'message',
      ({ data, origin, source }) => {
        if (origin !== new URL(server).origin || source !== popup) return;
        if (data?.type !== 'sluice-author' || data.site !== site || typeof data.token !== 'string') return;
        listening.abort();
        keep(authorKey, { token: data.token, name: String(data.name) });
        done();
      },
      { signal: AbortSignal.any([listening.signal, signal]) },
    );
  }

  // Small things

  function button(name: string, text: string, act: () => unknown): HTMLButtonElement {
    return h('button', { type: 'button', class: name, part: `button ${name}`, onclick: () => void act() }, text);
  }

  function focus(id: string | undefined, block: ScrollLogicalPosition = 'nearest') {
    const item = id && entries.get(id)?.item;
    if (!item) return;
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block });
  }

  function mayEdit(one: Mine) {
    return Date.now() < new Date(one.editableUntil).getTime();
  }

  function announce(text: string) {
    live.textContent = text;
  }

  function later(act: () => unknown, ms: number) {
    if (signal.aborted) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void act();
    }, ms);
    timers.add(timer);
  }
}

/** Follows the page: its text colour says whether it is dark, by whatever means it became so. */
export function followTone(host: HTMLElement, root: HTMLElement): void {
  root.classList.toggle('dark', isLight(getComputedStyle(host).color));
}

function initial(name: string): string {
  return [...name.trim()][0]?.toUpperCase() ?? '';
}
