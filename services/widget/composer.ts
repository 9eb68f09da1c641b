import { type Answer, call } from './api.ts';
import { button, fill, h } from './dom.ts';
import { fieldOf } from './format.ts';
import { keep, load } from './store.ts';
import type { Key, Say } from './words.ts';

/** What POST answers. */
export type Sent = {
  id: string;
  statusUrl: string;
  capability: string;
  editableUntil: string;
  nameCapability?: string;
};
export type Author = { token: string; name: string };

export type Done = (sent: Sent, name: string, body: string) => void;

export type More = {
  parentId?: string;
  cancel?: () => void;
  /** Sends the text instead of posting it as a comment. */
  send?: (body: string) => Promise<Answer<unknown>>;
  text?: string;
  /** A field before the text, which then may stay empty. */
  choice?: HTMLElement;
};

type Draft = { body: string; name: string; sent?: [idempotencyKey: string, body: object] };
type Person = { name: string; email: string; url: string };

const PERSON_KEY = 'sluice:me';

/**
 * Makes the composers of one thread: forms for a comment or, with `send`, for any other text (an edit, an appeal).
 * Whatever happens on the way, the text stays: in the form, and until it is sent in localStorage.
 *
 * @param siteUrl `{server}/v1/sites/{site}`
 * @param commentsUrl `{siteUrl}/threads/{thread}/comments`
 * @param key prefix of this thread's keys in localStorage
 * @param authorKey where an author's token is kept, once signed in
 * @param nameKey where that is kept which proves a name to be one's own
 */
export function composerFor(
  say: Say,
  siteUrl: string,
  commentsUrl: string,
  key: string,
  authorKey: string,
  nameKey: string,
  signIn: ((done: () => void) => void) | undefined,
) {
  return function composer(
    label: string,
    done: Done,
    { parentId, cancel, send, text = '', choice }: More = {},
  ): HTMLFormElement {
    const draftKey = `${key}:draft:${parentId ?? ''}`;
    const person = load<Person>(PERSON_KEY);
    let draft = (!send && load<Draft>(draftKey)) || { body: text, name: person?.name ?? '' };
    let shownAt = 0;
    let tries = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;

    const body = h('textarea', { required: !choice, dir: 'auto', value: draft.body });
    const name = h('input', { autocomplete: 'name', required: true, dir: 'auto', value: draft.name });
    const email = h('input', { type: 'email', autocomplete: 'email', value: person?.email ?? '' });
    const url = h('input', { inputMode: 'url', value: person?.url ?? '' });
    const notify = h('input', { type: 'checkbox' });
    const remember = h('input', { type: 'checkbox', checked: !!person });
    const keepName = h('input', { type: 'checkbox', checked: !!load(nameKey) });
    // People never see it, and programs fill it.
    const trap = h('input.hidden', { tabIndex: -1, autocomplete: 'off', ariaHidden: 'true' });
    const fields: Record<string, HTMLInputElement | HTMLTextAreaElement> = { body, name, email, url };

    const preview = h('div.body preview', { dir: 'auto', hidden: true });
    const notice = h('p.notice', { role: 'status' });
    const look = button('', say('preview'), togglePreview);
    const who = h('div');
    const personBox = h('div.person', null, field('name'), field('email', say('emailHint')), field('url'));
    const form = h(
      'form.composer',
      { onsubmit: submit, oninput: changed },
      choice,
      field('body'),
      preview,
      h(
        'div.rest',
        null,
        ...(send
          ? []
          : [
              personBox,
              h(
                'div',
                null,
                h('label', null, notify, say('notify')),
                h('label', null, remember, say('remember')),
                h('label', null, keepName, say('keepName')),
              ),
              trap,
            ]),
        notice,
        h(
          'div.buttons',
          null,
          h('button.primary', null, say('send')),
          !choice && look,
          cancel && button('', say('cancel'), () => (forget(), cancel())),
          !send && who,
        ),
      ),
    );
    form.addEventListener('focusin', open);
    if (draft.body || cancel) open();
    drawAuthor();
    return form;

    function field(id: string, hint?: string) {
      const control = fields[id] as HTMLInputElement;
      const note = h('p.small', null, hint);
      control.ariaDescribedByElements = [note];
      return h('div', null, h('label', null, id === 'body' ? label : say(id as Key), control), note);
    }

    function open() {
      form.classList.add('open');
      shownAt ||= performance.now();
    }

    function drawAuthor() {
      const author = load<Author>(authorKey);
      name.required = !(personBox.hidden = !!author);
      who.replaceChildren(
        author
          ? button('link', say('signOut', author), () => (keep(authorKey), drawAuthor()))
          : signIn
            ? button('link', say('signIn'), () => signIn(drawAuthor))
            : '',
      );
    }

    function changed() {
      clearTimeout(timer);
      email.required = notify.checked;
      // A changed text is another request: under the old key the server would refuse it, rightly.
      draft = { body: body.value, name: name.value };
      store();
    }

    function store() {
      if (!send) keep(draftKey, draft.body ? draft : undefined);
    }

    function forget() {
      body.value = '';
      changed();
    }

    async function togglePreview() {
      const showing = !!preview.hidden;
      if (showing) {
        if (!body.reportValidity()) return;
        const { ok, data, why } = await call<{ html: string }>(`${siteUrl}/preview`, 'POST', { body: body.value });
        if (!ok) return tell(why);
        fill(preview, data.html);
      }
      flip(showing);
      if (!showing) body.focus();
    }

    function tell(text: string) {
      notice.textContent = text;
    }

    function flip(showing: boolean) {
      preview.hidden = !showing;
      body.hidden = showing;
      look.textContent = say(showing ? 'edit' : 'preview');
    }

    function writer(): Person {
      return { name: name.value, email: email.value, url: url.value };
    }

    function request(author: Author | undefined): object {
      return {
        author: author ? { name: author.name } : writer(),
        body: body.value,
        parentId,
        notifyReplies: !author && notify.checked,
        keepName: keepName.checked,
        nameCapability: load(nameKey),
        page: { url: location.href, title: document.title.slice(0, 500) },
        form: { t: performance.now() - shownAt, hp: trap.value },
      };
    }

    async function submit(event?: Event) {
      event?.preventDefault();
      clearTimeout(timer);
      if (form.ariaBusy) return;
      form.ariaBusy = 'true';
      tell('');
      for (const id in fields) fault(id, id === 'email' ? say('emailHint') : '');
      const author = load<Author>(authorKey);
      let answer: Answer<unknown>;
      if (send) answer = await send(body.value);
      else {
        // Key and text are kept together: however often this is sent again, also after a reload, it is one comment.
        draft.sent ??= [randomKey(), request(author)];
        store();
        answer = await call(commentsUrl, 'POST', draft.sent[1], {
          'idempotency-key': draft.sent[0],
          ...(author && { authorization: `Author ${author.token}` }),
        });
      }
      form.ariaBusy = null;
      if (!answer.ok) return explain(answer);
      if (!send) {
        // What was kept is kept: without it the name would be nobody's to use.
        if (keepName.checked) keep(nameKey, (answer.data as Sent).nameCapability);
        keep(PERSON_KEY, remember.checked && writer());
      }
      const written = body.value;
      tries = 0;
      forget();
      flip(false);
      form.classList.remove('open');
      shownAt = 0;
      done(answer.data as Sent, author?.name ?? name.value, written);
    }

    function explain({ status, data, why, retryAfter }: Answer<unknown>) {
      if (!status || status >= 500) {
        // Longer each time, to a minute.
        const n = Math.min(60, 2 ** ++tries);
        timer = setTimeout(() => form.isConnected && submit(), n * 1000);
        return tell(say('offline', { n }));
      }
      if (status === 429) return tell(say('slow', { n: retryAfter }));
      // Refused, so nothing was kept there: what is sent next is another request.
      delete draft.sent;
      flip(false);
      const rest: string[] = [];
      for (const { pointer, detail } of data.errors ?? []) {
        const id = fieldOf(pointer);
        if (fields[id]) fault(id, detail, true);
        else rest.push(detail);
      }
      const wrong = form.querySelector<HTMLElement>('[aria-invalid=true]');
      wrong?.focus();
      tell(rest.join(' ') || (wrong ? '' : why));
    }

    function fault(id: string, words: string, wrong = false) {
      const control = fields[id] as HTMLInputElement;
      control.ariaInvalid = `${wrong}`;
      const [note] = control.ariaDescribedByElements as [Element];
      note.textContent = words;
      note.className = wrong ? 'error' : 'small';
    }
  };
}

function randomKey(): string {
  // randomUUID exists in secure contexts only, and a blog may still be plain http.
  return crypto.getRandomValues(new Uint32Array(4)).join('-');
}
