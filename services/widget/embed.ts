import { h } from './dom.ts';
import sheetText from './embed.css?inline';
import { type Options, followTone, mount } from './widget.ts';
import { ENGLISH, type Words, choose, speaker } from './words.ts';
import { call } from './api.ts';

const TAG = 'sluice-comments';
const script =
  (document.currentScript as HTMLScriptElement | null) ??
  document.querySelector<HTMLScriptElement>('script[src*="/embed.js"]');
const home = script?.src ? new URL(script.src).origin : location.origin;
const RTL = ['ar', 'fa', 'he', 'ur'];
const POLL_SECONDS = 30;

const sheet = new CSSStyleSheet();
sheet.replaceSync(sheetText);

class SluiceComments extends HTMLElement {
  static observedAttributes = ['site', 'thread', 'lang', 'server'];
  #stop: (() => void) | undefined;

  connectedCallback() {
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    shadow.adoptedStyleSheets = [sheet];
    void this.#start(shadow);
  }

  disconnectedCallback() {
    this.#stop?.();
    this.#stop = undefined;
  }

  /** A page that navigates by script changes `thread`: what is shown follows. */
  attributeChangedCallback(_name: string, before: string | null, after: string | null) {
    if (this.#stop && before !== after) this.connectedCallback();
  }

  async #start(shadow: ShadowRoot) {
    this.#stop?.();
    const lang = choose(
      [this.lang, this.closest('[lang]')?.getAttribute('lang'), document.documentElement.lang, navigator.language],
      LANGUAGES,
    );
    const server = (this.getAttribute('server') ?? home).replace(/\/+$/, '');
    const root = h('section', { class: 'root reserve', 'aria-busy': 'true', lang, dir: RTL.includes(lang) ? 'rtl' : 'ltr' });
    for (let row = 0; row < 3; row++) root.append(h('div', { class: 'ghost', 'aria-hidden': 'true' }));
    shadow.replaceChildren(root);
    followTone(this, root);

    const dark = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => followTone(this, root);
    dark.addEventListener('change', follow);
    // The page may switch themes by a class; colours that fade are read once they have settled.
    const watcher = new MutationObserver(() => setTimeout(follow, 300));
    for (const element of [document.documentElement, document.body]) {
      watcher.observe(element, { attributeFilter: ['class', 'data-theme', 'style'] });
    }
    let going = true;
    let unmount = () => {};
    this.#stop = () => {
      going = false;
      dark.removeEventListener('change', follow);
      watcher.disconnect();
      unmount();
    };

    let words: Words = ENGLISH;
    let spoken = lang;
    if (lang !== 'en') {
      const answer = await call<Words>(`${server}/embed/${lang}.json`);
      if (answer.ok) words = { ...ENGLISH, ...answer.data };
      else spoken = 'en';
    }
    if (!going) return;
    const say = speaker(words, spoken);
    root.setAttribute('aria-label', say('comments'));
    const options: Options = {
      site: this.getAttribute('site') ?? '',
      thread: this.getAttribute('thread') || location.pathname,
      server,
      order: this.getAttribute('order') === 'newest' ? 'newest' : 'oldest',
      author: this.getAttribute('author'),
      pollMs: (Number(this.getAttribute('poll')) || POLL_SECONDS) * 1000,
      lang: spoken,
      words,
      say,
      emit: (event, detail) => this.dispatchEvent(new CustomEvent(`sluice-${event}`, { detail, bubbles: true })),
    };
    unmount = mount(root, options);
    this.addEventListener('sluice-load', () => this.#release(root), { once: true });
  }

  /** Gives back the room kept for a thread that turned out short, once nobody sees the page move. */
  #release(root: HTMLElement) {
    new IntersectionObserver(([entry], observer) => {
      if (entry?.isIntersecting) return;
      root.classList.remove('reserve');
      observer.disconnect();
    }).observe(this);
  }
}

if (!customElements.get(TAG)) customElements.define(TAG, SluiceComments);

if (script?.dataset.site && document.body?.contains(script)) {
  const element = document.createElement(TAG);
  for (const [name, value] of Object.entries(script.dataset)) element.setAttribute(name, value ?? '');
  script.after(element);
}
