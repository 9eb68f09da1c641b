import type { Acting } from './routes.ts';

/** How often a page that waits for its link asks whether it was opened in another tab. */
const ASK_MS = 3000;
const SIGNED_IN = 'sluice-author-signed-in';

type Child = Node | string;
const query = new URLSearchParams(location.search);
const wanted = { site: query.get('site') ?? undefined, author: query.get('author'), origin: query.get('origin') };
const view = document.querySelector('#view') as HTMLElement;
const status = document.querySelector('#status') as HTMLElement;
const channel = new BroadcastChannel(SIGNED_IN);
let waiting: ReturnType<typeof setInterval> | undefined;

// Out of the address before anything else: no history, no copied link keeps it.
const link = /^#in=([\w.-]+)$/.exec(location.hash)?.[1];
if (link) history.replaceState(null, '', location.pathname);

channel.addEventListener('message', () => void show());
if (link) confirmLink(link);
else void show();

/** A link alone does nothing: scanners of mail open links, and press no buttons. */
function confirmLink(token: string): void {
  const enter = button('Sign in', async () => {
    await call('POST', '/v1/authors/sessions', { token });
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has one origin
    channel.postMessage('in');
    await show();
    say('You are signed in. If you came from a blog, go back to its window.');
  });
  view.replaceChildren(p('Sign in with the link from your mail?'), enter);
}

/** As whom one may comment; nobody: the form. */
async function show(): Promise<void> {
  const search = wanted.site === undefined ? '' : `?${new URLSearchParams({ site: wanted.site })}`;
  let authors: Acting[] = [];
  try {
    ({ authors } = await call<{ authors: Acting[] }>('GET', `/v1/authors/sessions${search}`));
  } catch (error) {
    say(wordsOf(error));
  }
  if (authors.length === 0) {
    if (!view.querySelector('form')) askForLink();
    return;
  }
  clearInterval(waiting);
  say('');
  const sorted = authors.toSorted((a, b) => Number(b.id === wanted.author) - Number(a.id === wanted.author));
  const list = document.createElement('ul');
  for (const author of sorted) list.append(itemOf(author));
  const out = button(
    'Sign out',
    async () => {
      await call('DELETE', '/v1/authors/sessions');
      view.replaceChildren();
      await show();
    },
    'quiet',
  );
  const from = wanted.origin && window.opener ? [p(`For the comments at ${wanted.origin}.`)] : [];
  view.replaceChildren(...from, list, out);
}

function itemOf(author: Acting): HTMLLIElement {
  const item = document.createElement('li');
  const end = button(
    'End it in every browser',
    async () => {
      const { site, id } = author;
      await call('POST', '/v1/authors/revocations', { site, author: id });
      say(`${author.name} is signed out of the comments everywhere.`);
    },
    'quiet',
  );
  const hand = button(`Comment as ${author.name}`, () => handOver(author));
  const note = document.createElement('small');
  note.textContent = author.as === 'author' ? author.siteName : `${author.siteName}, as its moderator`;
  item.append(p(author.name, ' ', note), ...(wanted.origin && window.opener ? [hand] : []), end);
  return item;
}

/** The token goes to the window that opened this one, at the origin that the server let in, and nowhere else. */
async function handOver({ site, id }: Acting): Promise<void> {
  const { origin } = wanted;
  if (!origin || !window.opener) return;
  const body = { site, author: id, origin };
  const { token, name } = await call<{ token: string; name: string }>('POST', '/v1/authors/tokens', body);
  (window.opener as Window).postMessage({ type: 'sluice-author', site, token, name }, origin);
  say('Done. This window can be closed.');
  close();
}

function askForLink(): void {
  const input = document.createElement('input');
  Object.assign(input, { type: 'email', name: 'email', id: 'email', required: true, autocomplete: 'email' });
  const label = document.createElement('label');
  label.htmlFor = 'email';
  label.textContent = 'Your e-mail address, as the blog knows it';
  const form = document.createElement('form');
  const send = document.createElement('button');
  send.textContent = 'Mail me a link';
  form.append(label, input, send);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void act(send, async () => {
      const { site } = wanted;
      const answer = await call<{ minutes: number }>('POST', '/v1/authors/links', {
        email: input.value,
        ...(site && { site }),
      });
      say(
        `If this address is an author's, a link is on its way. It works once, for ${answer.minutes} minutes. Open it in this browser; this window notices.`,
      );
      clearInterval(waiting);
      waiting = setInterval(() => document.visibilityState === 'visible' && void show(), ASK_MS);
    });
  });
  view.replaceChildren(form);
  input.focus();
}

// Small things

/** Throws the server's words for a refusal. */
async function call<T>(method: string, url: string, body?: unknown): Promise<T> {
  const response = await fetch(url, {
    method,
    credentials: 'same-origin',
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const data = (await response.json().catch(() => ({}))) as T & { detail?: string; hint?: string };
  if (response.ok) return data;
  throw new Error(`${data.detail ?? `The server answered ${response.status}`}. ${data.hint ?? ''}`);
}

async function act(element: HTMLButtonElement, work: () => Promise<void>): Promise<void> {
  element.disabled = true;
  try {
    await work();
  } catch (error) {
    say(wordsOf(error));
  } finally {
    element.disabled = false;
  }
}

function button(text: string, work: () => Promise<void>, className = ''): HTMLButtonElement {
  const element = document.createElement('button');
  Object.assign(element, { type: 'button', textContent: text, className });
  element.addEventListener('click', () => void act(element, work));
  return element;
}

function p(...children: Child[]): HTMLParagraphElement {
  const element = document.createElement('p');
  element.append(...children);
  return element;
}

function say(text: string): void {
  status.textContent = text;
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : 'That did not work.');
