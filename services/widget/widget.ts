import { type Answer, call } from './api.ts';
import { type More, type Sent, composerFor } from './composer.ts';
import { arrange, button, fill, h } from './dom.ts';
import { clock, webAddress } from './format.ts';
import { keep, load } from './store.ts';
import {
  type Comment,
  type Mine,
  type Page,
  append,
  arrivals,
  find,
  isOpen,
  mayEdit,
  merge,
  nextAskMs,
  worthKeeping,
} from './thread.ts';
import { type Key, type Words, speaker } from './words.ts';

type Entry = { item: HTMLElement; extra: HTMLElement; replies: HTMLElement; more: HTMLElement; drawn?: string };

const HASH = '#sluice-';
const SURE_MS = 8000;

/**
 * Shows one thread in `root` until `signal` aborts.
 *
 * @param host the element whose attributes say which thread, and that fires our events
 * @param server origin, without a slash at the end
 */
export function mount(
  root: HTMLElement,
  host: HTMLElement,
  server: string,
  lang: string,
  words: Words,
  signal: AbortSignal,
): void {
  const say = speaker(words, lang);
  const when = clock(lang);
  const site = host.getAttribute('site') ?? '';
  const thread = host.getAttribute('thread') ?? location.pathname;
  const author = host.getAttribute('author');
  const pollMs = 1000 * Number(host.getAttribute('poll') ?? 30);
  const siteUrl = `${server}/v1/sites/${site}`;
  const commentsUrl = `${siteUrl}/threads/${encodeURIComponent(thread)}/comments`;
  const key = `sluice:${site}:${thread}`;
  // Apart from the threads' own: a thread may be called "author".
  const authorKey = `sluice-author:${site}`;
  const nameKey = `sluice-name:${site}`;
  const composer = composerFor(say, siteUrl, commentsUrl, key, authorKey, nameKey, author ? signIn : undefined);

  let order = host.getAttribute('order') ?? 'oldest';
  let comments: Comment[] = [];
  let mine: Mine[] = [];
  let cursor: string | null | undefined;
  let total = 0;
  /** How many the reader knows of; what goes beyond is news. */
  let known = 0;
  let closed = false;
  let depth = 0;
  /** The list starts in the middle, at a permalink. */
  let partial = false;
  const entries = new Map<string, Entry>();

  const heading = h('h2', { tabIndex: -1 });
  const live: HTMLElement = h('p.hidden', { role: 'status' });
  const orderButton = button('link', '', () => turn(order === 'newest' ? 'oldest' : 'newest'));
  const freshButton = button('primary fresh', '', showFresh);
  const freshBar = h('div.bar', null, freshButton);
  const formBox = h('div');
  const notice = h('p.notice');
  const form = composer(say('body'), take);
  const mineList = h('ol');
  const list = h('ol');
  const allButton = button('wide', say('all'), start);
  const moreButton = button('wide', '', loadMore);
  const empty = h('p.small', null, say('empty'));

  addEventListener('hashchange', goToHash, { signal });
  // What is written in another tab is one's own here too: kept under one key, neither may forget the other's.
  addEventListener('storage', (event) => event.key === key && (follow(), draw()), { signal });
  document.addEventListener('visibilitychange', look, { signal });
  later(poll, pollMs);
  follow();
  void start().then(goToHash);

  // Reading

  // Pages of 20 comments, and of 100 at most, as the API has them.

  /** Undefined when it did not work: who asked is told, by the button that was pressed. `asker` false: nobody did. */
  async function read(query: Record<string, string | number>, asker?: HTMLElement | false): Promise<Page | undefined> {
    const search = new URLSearchParams({ order, limit: 20, ...query } as never);
    root.ariaBusy = `${asker !== false}`;
    const { ok, data } = await call<Page>(`${commentsUrl}?${search}`);
    root.ariaBusy = 'false';
    if (ok) return data;
    if (asker !== false) announce(say('failed'), asker);
    return undefined;
  }

  /** Takes over a page; `merge` keeps what the reader has unfolded. */
  function show({ comments: page, nextCursor, total: count, thread }: Page, middle: boolean) {
    comments = merge(comments, page);
    cursor = nextCursor;
    known = total = count;
    rule(thread);
    partial = middle;
    if (!list.isConnected) {
      const top = h('div.top', null, heading, orderButton);
      root.replaceChildren(top, live, formBox, mineList, freshBar, allButton, list, empty, moreButton);
      emit('load', { total });
    }
    draw();
  }

  async function start(): Promise<void> {
    const page = await read({});
    if (signal.aborted) return;
    if (page) return show(page, false);
    root.replaceChildren(button('wide', say('failed'), start));
  }

  function turn(to: string) {
    order = to;
    comments = [];
    return start();
  }

  async function loadMore() {
    const data = await read({ cursor: cursor ?? '' }, moreButton);
    if (!data) return;
    cursor = data.nextCursor;
    comments = append(comments, data.comments);
    draw();
    focus(data.comments[0]?.id);
  }

  async function loadReplies(parent: Comment, more: HTMLElement) {
    const data = await read({ parent: parent.id, order: 'oldest', cursor: parent.repliesCursor ?? '' }, more);
    if (!data) return;
    const at = parent.replies.length;
    parent.replies = append(parent.replies, data.comments);
    parent.repliesCursor = data.nextCursor;
    draw();
    focus(parent.replies[at]?.id);
  }

  async function goToHash() {
    const id = location.hash.split(HASH)[1];
    if (!id) return;
    if (!entries.get(id)?.item.isConnected) {
      const data = await read({ around: id });
      if (!data || !find(data.comments, id)) return announce(say('missing'), notice);
      show(data, true);
    }
    highlight([id]);
  }

  function highlight(ids: string[]) {
    for (const [id, { item }] of entries) item.classList.toggle('hit', ids.includes(id));
    focus(ids[0], 'center');
  }

  /** The cheapest read: one comment with `total`, mostly a 304. Nothing is inserted: a button says what is new. */
  async function look() {
    if (document.hidden || !list.isConnected) return;
    const data = await read({ order: 'newest', limit: 1 }, false);
    if (!data) return;
    ({ total } = data);
    rule(data.thread);
    known = Math.min(known, total);
    drawFresh();
    for (const time of root.querySelectorAll('time')) time.textContent = when(time.dateTime, Date.now()).text;
  }

  async function poll() {
    await look();
    later(poll, pollMs);
  }

  async function showFresh() {
    const before = entries.size;
    const wanted = comments.length + arrivals(total, known, mine);
    // What is new stands at the end, which may be pages away: the newest first, then.
    if (cursor || partial || wanted > 100) order = 'newest';
    const data = await read({ limit: Math.min(100, Math.max(20, wanted)) }, freshButton);
    if (!data) return;
    show(data, false);
    highlight([...entries.keys()].slice(before));
  }

  // Drawing

  function draw() {
    formBox.replaceChildren(notice, closed ? '' : form);
    const loose = mine.filter(({ id, parentId }) => !find(comments, id) && !find(comments, parentId));
    arrange(mineList, loose.map(drawComment));
    arrange(list, comments.map(drawComment));
    orderButton.hidden = !comments.length;
    orderButton.textContent = say(order === 'newest' ? 'oldest' : 'newest');
    empty.hidden = !!(comments.length || closed || loose.length);
    moreButton.hidden = !cursor;
    moreButton.textContent = say('more');
    allButton.hidden = !partial;
    drawFresh();
  }

  /** Closed; or at night, away, in a heated hour: said before one writes, and gone when it is over. */
  function rule(thread: Page['thread']) {
    ({ closed } = thread);
    depth = thread.replyDepth;
    notice.textContent = closed ? say('closed') : thread.holds ? say('holds') : '';
  }

  function drawFresh() {
    heading.textContent = total ? say('count', { n: total }) : say('comments');
    const n = arrivals(total, known, mine);
    const text = say('fresh', { n });
    if (n && text !== freshButton.textContent) announce(text);
    freshButton.textContent = text;
    freshBar.hidden = !n;
  }

  function drawComment(comment: Comment): HTMLElement {
    const { id, replies, repliesCursor, ...rest } = comment;
    let entry = entries.get(id);
    if (!entry) {
      entry = {
        item: h('li.comment', { tabIndex: -1 }),
        extra: h('div'),
        replies: h('ol'),
        more: button('link more', '', () => loadReplies(find(comments, id) ?? comment, entry!.more)),
      };
      entry.item.append(entry.extra, entry.replies, entry.more);
      entries.set(id, entry);
    }
    const own = mine.find((one) => one.id === id);
    const drawn = JSON.stringify([rest, own, closed, own && mayEdit(own, Date.now())]);
    if (drawn !== entry.drawn) {
      const old = entry.drawn ? entry.item.firstElementChild : null;
      const focused = old?.matches(':focus-within');
      old?.remove();
      entry.item.prepend(drawArticle(comment, own, entry.extra));
      entry.drawn = drawn;
      if (focused) entry.item.focus();
    }
    const pending = mine.filter((one) => one.parentId === id && !find(replies, one.id));
    arrange(entry.replies, [...replies, ...pending].map(drawComment));
    entry.more.hidden = !repliesCursor;
    entry.more.textContent = say('moreReplies', { n: Math.max(1, comment.replyCount - replies.length) });
    return entry.item;
  }

  function drawArticle(comment: Comment, own: Mine | undefined, extra: HTMLElement): HTMLElement {
    const { id, author, html, editedAt, createdAt } = comment;
    const { name, role } = author;
    const state = own?.status === 'deleted' ? 'deleted' : comment.state;
    if (state !== 'published') return h('article', null, h('p.gone', null, say(state)));
    const href = webAddress(author.url);
    const { text, exact, iso } = when(createdAt, Date.now());
    const body = h('div.body', { dir: 'auto' });
    if (html) fill(body, html);
    else body.append(h('p.plain', null, own?.body));
    const actions = h('div.actions');
    const action = (word: Key, act: (opener: HTMLElement) => unknown) => {
      const opener = button('link', say(word), () => act(opener));
      actions.append(opener);
    };
    if (html && !closed) action('reply', (opener) => reply(comment, extra, opener));
    if (!own) action('report', (opener) => report(id, extra, opener));
    const alive = own && (isOpen(own) || own.status === 'published');
    if (alive && mayEdit(own, Date.now())) {
      action('edit', (opener) =>
        write(extra, opener, say('edit'), (_sent, _name, body) => revised(own, body), {
          text: own.body,
          send: (body) => act(own, 'PATCH', '', { body }),
        }),
      );
      action('delete', (opener) => remove(own, opener));
    }
    if (own?.appeal) {
      action('appeal', (opener) =>
        write(extra, opener, say('appealWhy'), () => changed(own, { status: 'waiting', appeal: false }), {
          send: (text) => act(own, 'POST', '/appeal', { text }),
        }),
      );
    }
    if (own && !alive) action('dismiss', () => changed(own));
    return h(
      'article',
      { ariaLabel: say('by', { name }) },
      h(
        'header',
        null,
        h(`span.face ${role ?? ''}`, { ariaHidden: 'true' }, [...name][0]?.toUpperCase()),
        href
          ? h('a.name', { href, rel: 'nofollow ugc', target: '_blank', dir: 'auto' }, name)
          : h('span.name', { dir: 'auto' }, name),
        role && h(`span.badge ${role}`, null, say(role)),
        h(
          'a.small',
          { href: location.href.split('#')[0] + HASH + id },
          h('time', { dateTime: iso, title: exact }, text),
        ),
        !!editedAt && h('span.small', null, say('edited')),
      ),
      body,
      own && (!html || !alive || own.revised) && h(`p.state ${own.status}`, null, stateOf(own)),
      actions,
    );
  }

  function stateOf({ status, reason, revised }: Mine): string {
    const why = reason && ` ${say('reason')}: ${words.reasons[reason as keyof Words['reasons']] ?? reason}`;
    return say(revised ? 'revised' : status) + (why ?? '');
  }

  // Writing

  /** Opens a composer under a comment; it closes itself when done, and gives the focus back. */
  function write(
    extra: HTMLElement,
    opener: HTMLElement,
    label: string,
    done: (sent: Sent, name: string, body: string) => void,
    more: More,
  ) {
    const cancel = () => {
      extra.replaceChildren();
      // The comment may have been drawn anew meanwhile, its buttons with it.
      (opener.isConnected ? opener : (extra.parentElement as HTMLElement)).focus();
    };
    const form = composer(label, (...sent) => (cancel(), done(...sent)), { cancel, ...more });
    extra.replaceChildren(form);
    form.querySelector<HTMLElement>('select,textarea')?.focus();
  }

  function reply({ id, parentId, depth: at, author: { name } }: Comment, extra: HTMLElement, opener: HTMLElement) {
    // At the deepest level an answer goes beside, not below: the server would refuse it.
    const to = (at >= depth && parentId) || id;
    write(extra, opener, say('replyTo', { name }), (sent, name, body) => take(sent, name, body, to), { parentId: to });
  }

  /** Remembers a comment that the server has taken, and follows it. */
  function take(sent: Sent, name: string, body: string, parentId?: string) {
    const { id } = sent;
    const one: Mine = {
      ...sent,
      body,
      status: 'received',
      state: 'published',
      parentId: parentId ?? null,
      depth: 0,
      author: { name },
      html: '',
      createdAt: Date.now(),
      replyCount: 0,
      replies: [],
    };
    mine = [...mine.filter((other) => other.id !== id), one];
    changed(one, {});
    focus(id);
    emit('submit', { id });
  }

  /** One's own comment has changed, or without `news` is dismissed. */
  function changed(one: Mine, news?: Partial<Mine>) {
    if (news) {
      Object.assign(one, news);
      announce(stateOf(one));
      ask(one);
    } else {
      mine = mine.filter((other) => other !== one);
      heading.focus();
    }
    keep(key, mine);
    if (list.isConnected) draw();
  }

  function follow() {
    mine = (load<Mine[]>(key) ?? []).filter((one) => worthKeeping(one, Date.now()));
    mine.forEach((one) => ask(one));
  }

  /** Asks what became of a comment until that is settled. */
  function ask(one: Mine, asked = 0) {
    const again = async () => {
      const { ok, status, data } = await call<Pick<Mine, 'status' | 'reason' | 'appeal'>>(one.statusUrl);
      if (signal.aborted || !mine.includes(one)) return;
      if (status === 404) return changed(one);
      const news = ok && data.status !== one.status;
      if (ok) Object.assign(one, { reason: '', appeal: false }, data);
      if (one.status === 'published') await adopt(one);
      keep(key, mine);
      draw();
      if (news) announce(stateOf(one));
      ask(one, asked + 1);
    };
    // An edit that a person must see first may take days: it is no longer asked for, the next visit shows it.
    if (isOpen(one) || (one.revised && asked < 13)) later(again, nextAskMs(one, asked));
  }

  /** Fetches a published comment of one's own and shows it where it stands, without counting it as news. */
  async function adopt(one: Mine) {
    const data = await read({ around: one.id }, false);
    const found = data && find(data.comments, one.id);
    if (!found) return;
    const before = find(comments, one.id);
    if (one.revised && (before ?? one).editedAt === found.editedAt) return;
    if (!one.html && !before) {
      known++;
      ({ total } = data);
    }
    if (before) Object.assign(before, found, { replies: before.replies });
    Object.assign(one, found, { revised: false });
  }

  function revised(one: Mine, body: string) {
    changed(one, { body, revised: one.status === 'published' });
  }

  /** A call with the capability: the one place where it leaves this browser, and never in a URL. */
  function act({ id, capability }: Mine, method: string, path: string, body?: object): Promise<Answer<unknown>> {
    const authorization = `Bearer ${capability}`;
    return call(`${server}/v1/comments/${id}${path}`, method, body, { authorization });
  }

  /** The first press asks, the second deletes. */
  async function remove(one: Mine, opener: HTMLElement) {
    const sure = say('deleteAsk');
    if (opener.textContent === sure) {
      const { ok, why } = await act(one, 'DELETE', '');
      if (ok) changed(one, { status: 'deleted' });
      else announce(why, opener);
    } else {
      announce(sure, opener);
      // Nobody deletes by a second press that is no answer any more.
      later(() => (opener.textContent = say('delete')), SURE_MS);
    }
  }

  function report(id: string, extra: HTMLElement, opener: HTMLElement) {
    const options = Object.entries(words.reasons).map(([value, text]) => h('option', { value }, text));
    const reason = h('select', null, ...options);
    write(extra, opener, say('note'), () => (opener.textContent = say('thanks')), {
      choice: h('label', null, say('reason'), reason),
      send: (note) => call(`${server}/v1/comments/${id}/reports`, 'POST', { reason: reason.value, note }),
    });
  }

  // Authors

  /** The sign-in page tells its opener, by postMessage, a capability that the author may revoke. */
  function signIn(done: () => void) {
    const query = new URLSearchParams({ site, author: author ?? '', origin: location.origin });
    const listen = ({ data, origin }: MessageEvent) => {
      if (origin !== server || data.type !== 'sluice-author' || data.site !== site) return;
      removeEventListener('message', listen);
      keep(authorKey, { token: data.token, name: data.name });
      done();
    };
    addEventListener('message', listen, { signal });
    open(`${server}/author?${query}`, '', 'popup,width=480');
  }

  // Small things

  function focus(id: string | undefined, block: ScrollLogicalPosition = 'nearest') {
    const item = entries.get(id ?? '')?.item;
    item?.focus({ preventScroll: true });
    item?.scrollIntoView({ block });
  }

  function emit(event: string, detail: unknown) {
    host.dispatchEvent(new CustomEvent(`sluice-${event}`, { detail, bubbles: true }));
  }

  /** To screen readers, and to the eye at `place` where nothing else tells it. */
  function announce(text: string, place = live) {
    live.textContent = place.textContent = text;
  }

  function later(act: () => unknown, ms: number) {
    setTimeout(() => signal.aborted || act(), ms);
  }
}
