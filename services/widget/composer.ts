import { type Answer, call } from './api.ts';
import { fill, h } from './dom.ts';
import { fieldOf, webAddress } from './format.ts';
import { keep, load } from './store.ts';
import type { Say } from './words.ts';

/** What a composer needs of the widget around it. */
export type Desk = {
  say: Say;
  server: string;
  /** `{server}/v1/sites/{site}` */
  site: string;
  /** `{server}/v1/sites/{site}/threads/{thread}/comments` */
  comments: string;
  /** Prefix of this thread's keys in localStorage. */
  key: string;
  announce(text: string): void;
  /** `Author <token>` once an author has signed in. */
  author(): { token: string; name: string } | undefined;
  signIn?: (done: () => void) => void;
  signOut(): void;
};

/** What is sent, and also what POST answers. */
export type Sent = { id: string; statusUrl: string; capability: string; editableUntil: string | number };
export type Writing = { name: string; body: string };

type Draft = { body: string; name?: string; sent?: [idempotencyKey: string, json: string] };
type Me = { name: string; email: string; url: string };

const LONGEST_WAIT_S = 60;
let serial = 0;

/**
 * A form for a new comment, a reply (`parentId`) or an edit (`edit`).
 *
 * Whatever happens on the way, the text stays: in the form, and until it is sent in localStorage.
 */
export function composer(
  desk: Desk,
  {
    parentId,
    label,
    edit,
    done,
    cancel,
  }: {
    parentId?: string;
    label?: string;
    edit?: { body: string; send(body: string): Promise<Answer<Partial<Sent>>> };
    done(sent: Sent, writing: Writing): void;
    cancel?: () => void;
  },
): { element: HTMLElement; focus(): void; stop(): void } {
  const { say } = desk;
  const prefix = `f${++serial}-`;
  const draftKey = `${desk.key}:draft:${parentId ?? ''}`;
  const me = load<Me>('sluice:me');
  let draft: Draft = (!edit && load<Draft>(draftKey)) || { body: edit?.body ?? '' };
  let shownAt = performance.now();
  let busy = false;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const errors: Record<string, HTMLElement> = {};
  const field = (name: string, text: string, control: HTMLInputElement | HTMLTextAreaElement, hint?: string) => {
    const id = prefix + name;
    control.id = id;
    control.name = name;
    control.setAttribute('part', 'input');
    const error = (errors[name] = h('p', { id: `${id}-e`, class: 'error', part: 'error' }));
    control.setAttribute('aria-describedby', `${id}-e${hint ? ` ${id}-h` : ''}`);
    return h(
      'div',
      { class: `field ${name}` },
      h('label', { for: id }, text),
      control,
      hint && h('p', { id: `${id}-h`, class: 'hint' }, hint),
      error,
    );
  };
  const check = (text: string, checked = false) => {
    const box = h('input', { type: 'checkbox', checked });
    return { box, row: h('label', { class: 'check' }, box, text) };
  };

  const body = h('textarea', { rows: 3, required: true, dir: 'auto' });
  const name = h('input', { autocomplete: 'name', required: true, maxlength: 80, dir: 'auto' });
  const email = h('input', { type: 'email', autocomplete: 'email', maxlength: 254 });
  const url = h('input', { inputmode: 'url', autocomplete: 'url', maxlength: 2000, spellcheck: 'false' });
  const trap = h('input', { tabindex: -1, autocomplete: 'off' });
  const notify = check(say('notify'));
  const remember = check(say('remember'), !!me);
  body.value = draft.body;
  name.value = draft.name ?? me?.name ?? '';
  email.value = me?.email ?? '';
  url.value = me?.url ?? '';

  const preview = h('div', { class: 'body preview', part: 'preview', dir: 'auto', hidden: true });
  const notice = h('p', { class: 'notice', role: 'status', part: 'notice' });
  const send = h('button', { class: 'primary', part: 'button send' }, say(edit ? 'save' : 'send'));
  const look = h('button', { type: 'button', part: 'button', onclick: togglePreview }, say('preview'));
  const who = h('p', { class: 'who' });
  const bodyField = field('body', label ?? say('body'), body);
  bodyField.append(preview);
  const person = h(
    'div',
    { class: 'person' },
    field('name', say('name'), name),
    field('email', say('email'), email, say('emailHint')),
    field('url', say('url'), url),
  );
  const form = h(
    'form',
    { class: 'composer', part: 'form', onsubmit: submit, oninput: changed, onfocusin: open, onkeydown: hurry },
    bodyField,
    h(
      'div',
      { class: 'rest' },
      !edit && person,
      !edit && h('div', { class: 'checks' }, notify.row, remember.row),
      !edit && h('div', { class: 'trap', 'aria-hidden': 'true' }, h('label', {}, say('trap'), trap)),
      notice,
      h(
        'div',
        { class: 'buttons' },
        send,
        look,
        cancel && h('button', { type: 'button', part: 'button', onclick: quit }, say('cancel')),
        !edit && who,
      ),
    ),
  );
  if (draft.body || parentId || edit) open();
  drawAuthor();

  function open() {
    if (form.classList.contains('open')) return;
    form.classList.add('open');
    shownAt = performance.now();
  }

  function hurry(event: Event) {
    const { key, ctrlKey, metaKey } = event as KeyboardEvent;
    if (key === 'Enter' && (ctrlKey || metaKey)) form.requestSubmit();
  }

  function drawAuthor() {
    const author = desk.author();
    person.hidden = !!author;
    name.required = !author;
    who.replaceChildren(
      ...(author
        ? [say('signedIn', { name: author.name }), ' ', link('signOut', desk.signOut)]
        : desk.signIn
          ? [link('signIn', () => desk.signIn?.(drawAuthor))]
          : []),
    );
  }

  function link(key: 'signIn' | 'signOut', act: () => void) {
    return h('button', { type: 'button', class: 'link', onclick: () => (act(), drawAuthor()) }, say(key));
  }

  function changed() {
    clearTimeout(timer);
    email.required = notify.box.checked;
    // A changed text is another request: under the old key the server would refuse it, rightly.
    draft = { body: body.value, name: name.value };
    store();
  }

  function store() {
    if (!edit) keep(draftKey, draft.body ? draft : undefined);
  }

  function quit() {
    clearTimeout(timer);
    draft = { body: '' };
    store();
    cancel?.();
  }

  async function togglePreview() {
    const showing = preview.hidden;
    if (showing && !body.value.trim()) return body.focus();
    if (showing) {
      const answer = await call<{ html: string }>(`${desk.site}/preview`, {
        method: 'POST',
        body: JSON.stringify({ body: body.value }),
      });
      if (!answer.ok) return explain(answer, false);
      fill(preview, answer.data.html);
    }
    preview.hidden = !showing;
    body.hidden = showing;
    look.textContent = say(showing ? 'write' : 'preview');
    if (!showing) body.focus();
  }

  function request(): string {
    const author = desk.author();
    const address = location.protocol.startsWith('http') && location.href.replace(/#.*/, '');
    return JSON.stringify({
      author: author
        ? { name: author.name }
        : {
            name: name.value.trim(),
            email: email.value.trim() || undefined,
            url: (webAddress(url.value) ?? url.value.trim()) || undefined,
          },
      body: body.value,
      parentId,
      notifyReplies: (!author && notify.box.checked) || undefined,
      page: address ? { url: address, title: document.title.slice(0, 500) } : undefined,
      form: { t: Math.round(performance.now() - shownAt), hp: trap.value },
    });
  }

  async function submit(event?: Event) {
    event?.preventDefault();
    clearTimeout(timer);
    if (busy) return;
    busy = true;
    send.textContent = say('sending');
    notice.textContent = '';
    for (const id in errors) fault(id, '');
    let answer: Answer<Partial<Sent>>;
    if (edit) answer = await edit.send(body.value);
    else {
      // Key and text are kept together: however often this is sent again, also after a reload, it is one comment.
      draft.sent ??= [hex(crypto.getRandomValues(new Uint8Array(16))), request()];
      store();
      const author = desk.author();
      answer = await call<Sent>(desk.comments, {
        method: 'POST',
        body: draft.sent[1],
        headers: { 'idempotency-key': draft.sent[0], ...(author && { authorization: `Author ${author.token}` }) },
      });
    }
    busy = false;
    send.textContent = say(edit ? 'save' : 'send');
    if (!answer.ok) return explain(answer);
    if (!edit) {
      const kept: Me = { name: name.value, email: email.value, url: url.value };
      keep('sluice:me', remember.box.checked ? kept : undefined);
    }
    const writing = { name: desk.author()?.name ?? name.value.trim(), body: body.value };
    draft = { body: '' };
    store();
    body.value = '';
    tries = 0;
    preview.hidden = !(body.hidden = false);
    look.textContent = say('preview');
    form.classList.remove('open');
    done(answer.data as Sent, writing);
  }

  function explain({ status, problem, retryAfter }: Answer<unknown>, sending = true) {
    if (sending && (status === 0 || status >= 500)) {
      const wait = Math.min(LONGEST_WAIT_S, 2 ** ++tries);
      timer = setTimeout(() => submit(), wait * 1000);
      notice.textContent = say('offline', { n: wait });
      return;
    }
    if (status === 429) {
      notice.textContent = say('slow', { n: retryAfter });
      return;
    }
    const rest: string[] = [];
    for (const { pointer, detail } of problem.errors ?? problem.fields ?? []) {
      const id = fieldOf(pointer);
      if (id) fault(id, detail);
      else rest.push(detail);
    }
    const first = form.querySelector<HTMLElement>('[aria-invalid]');
    first?.focus();
    if (!first || rest.length) {
      notice.textContent = [...rest, problem.detail ?? problem.title ?? say('refused'), problem.hint ?? ''].join(' ');
    }
    // Refused, so nothing was kept there: what is sent next is another request.
    if (sending) draft = { body: body.value, name: name.value };
  }

  function fault(id: string, text: string) {
    const control = form.elements.namedItem(id) as HTMLInputElement | null;
    errors[id]?.replaceChildren(text);
    if (text) control?.setAttribute('aria-invalid', 'true');
    else control?.removeAttribute('aria-invalid');
  }

  return {
    element: form,
    focus: () => body.focus(),
    stop: () => clearTimeout(timer),
  };
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
