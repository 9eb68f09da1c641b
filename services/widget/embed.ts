import { call } from './api.ts';
import { h } from './dom.ts';
import sheetText from './embed.css?inline';
import { isLight } from './format.ts';
import { mount } from './widget.ts';
import { ENGLISH, choose } from './words.ts';

const TAG = 'sluice-comments';

const script =
  (document.currentScript as HTMLScriptElement | null) ??
  document.querySelector<HTMLScriptElement>('script[src*="/embed.js"]');

const sheet = new CSSStyleSheet();
sheet.replaceSync(sheetText);

class SluiceComments extends HTMLElement {
  static observedAttributes = ['site', 'thread', 'lang', 'server'];
  #running: AbortController | undefined;

  connectedCallback() {
    this.disconnectedCallback();
    this.#running = new AbortController();
    void this.#start(this.shadowRoot ?? this.attachShadow({ mode: 'open' }), this.#running.signal);
  }

  disconnectedCallback() {
    this.#running?.abort();
  }

  /** A page that navigates by script changes `thread`: what is shown follows. */
  attributeChangedCallback() {
    if (this.#running && this.isConnected) this.connectedCallback();
  }

  async #start(shadow: ShadowRoot, signal: AbortSignal) {
    const server = (this.getAttribute('server') ?? new URL(script?.src ?? location.href).origin).replace(/\/$/, '');
    let lang = choose([(this.closest('[lang]') as HTMLElement | null)?.lang, navigator.language], LANGUAGES);
    const root = h('section.root reserve', { ariaBusy: 'true' });
    shadow.adoptedStyleSheets = [sheet];
    shadow.replaceChildren(root);

    // The page's own text tells whether it is dark, by whatever means it became so; a transition tells when.
    const tone = () => root.classList.toggle('dark', isLight(getComputedStyle(this).color));
    tone();
    this.addEventListener('transitionend', tone, { signal });
    this.addEventListener('sluice-load', () => release(this, root), { signal, once: true });

    let words = ENGLISH;
    if (lang !== 'en') {
      const { ok, data } = await call<typeof ENGLISH>(`${server}/embed/${lang}.json`);
      if (ok) words = { ...ENGLISH, ...data };
      else lang = 'en';
    }
    if (signal.aborted) return;
    // Of the words that came: where they did not, English is read as English.
    Object.assign(root, { lang, dir: lang === 'ar' ? 'rtl' : 'ltr', ariaLabel: words.comments });
    mount(root, this, server, lang, words, signal);
  }
}

/** Gives back the room kept for a thread that turned out short, once nobody sees the page move. */
function release(host: Element, root: Element) {
  new IntersectionObserver(([entry]) => entry?.isIntersecting || root.classList.remove('reserve')).observe(host);
}

if (!customElements.get(TAG)) customElements.define(TAG, SluiceComments);

if (script?.dataset.site && document.body?.contains(script)) {
  const element = document.createElement(TAG);
  for (const name in script.dataset) element.setAttribute(name, script.dataset[name] ?? '');
  script.after(element);
}
