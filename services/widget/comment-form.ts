import { escape } from './page-frame.ts';
import type { PageSpeech } from './page-words.ts';

/** What somebody typed, and is shown again when it could not be taken. */
export type Draft = { name: string; email: string; url: string; body: string; notify: boolean };

/** A form for a comment that needs no script. `faults` by field. */
export type CommentForm = {
  /** Where it posts. */
  action: string;
  /** Goes with it as it is: when the form was shown. */
  shown: string;
  /** The name of the one who is answered, and the address of the thread without the form. */
  reply?: { name: string; cancel: string };
  draft?: Draft;
  faults?: Readonly<Partial<Record<string, string>>>;
  /** What is wrong with none of the fields. */
  notice?: string;
  /** The renderer's own HTML. */
  preview?: string;
};

const NO_DRAFT: Draft = { name: '', email: '', url: '', body: '', notify: false };

/** The browser itself asks for what is missing; what it cannot know, the server says beside the field. */
export function renderCommentForm(form: CommentForm, { say }: PageSpeech): string {
  const { action, shown, reply, draft = NO_DRAFT, faults = {}, notice, preview } = form;
  // Whoever asked for a form, or has something to mend, is led there.
  const first = Object.keys(faults)[0] ?? (preview === undefined && !notice && reply ? 'body' : '');
  const attributes = (name: string, hint?: string) =>
    [
      `name="${name}"`,
      faults[name] && 'aria-invalid="true"',
      (faults[name] || hint) && `aria-describedby="${name}-note"`,
      first === name && 'autofocus',
    ]
      .filter(Boolean)
      .join(' ');
  const note = (name: string, hint?: string) =>
    faults[name]
      ? `<p class="error" id="${name}-note">${escape(faults[name])}</p>`
      : hint
        ? `<p class="quiet" id="${name}-note">${escape(hint)}</p>`
        : '';
  const input = (name: 'name' | 'email' | 'url', more: string, hint?: string) =>
    `<div><label>${escape(say(name))}<input ${attributes(name, hint)} value="${escape(draft[name])}" ${more}></label>${note(name, hint)}</div>`;
  const label = reply
    ? escape(say('replyTo', { name: '\0' })).replace('\0', () => `<bdi>${escape(reply.name)}</bdi>`)
    : escape(say('body'));
  return `<form id="write" method="post" action="${escape(action)}">
${notice ? `<p class="state error" role="alert">${escape(notice)}</p>` : ''}
${preview === undefined ? '' : `<section class="preview body" dir="auto" tabindex="-1" autofocus aria-label="${escape(say('preview'))}">${preview}</section>`}
<div class="text"><label>${label}<textarea ${attributes('body')} required dir="auto" rows="5">\n${escape(draft.body)}</textarea></label>${note('body')}</div>
<div class="person">${input('name', 'required autocomplete="name" dir="auto"')}${input('email', 'type="email" autocomplete="email"', say('emailHint'))}${input('url', 'inputmode="url" autocomplete="url"')}</div>
<label><input type="checkbox" name="notify" value="yes"${draft.notify ? ' checked' : ''}>${escape(say('notify'))}</label>
<label class="unseen" aria-hidden="true">${escape(say('trap'))}<input name="trap" tabindex="-1" autocomplete="off"></label>
<input type="hidden" name="shown" value="${escape(shown)}">
<div class="buttons"><button class="first">${escape(say('send'))}</button><button name="preview" value="yes">${escape(say('preview'))}</button>${
    reply ? `<a href="${escape(reply.cancel)}">${escape(say('cancel'))}</a>` : ''
  }</div>
</form>`;
}
