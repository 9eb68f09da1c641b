/** Keeps the page of a running execution up to date: asks each second, while somebody looks. */
const EVERY_MS = 1000;
const shown = document.querySelector('#execution');
let last = '';

async function look(): Promise<void> {
  if (!shown) return;
  let running = true;
  if (!document.hidden) {
    try {
      const answer = await fetch(`${location.pathname}/live`, { headers: { accept: 'application/json' } });
      if (answer.status === 401 || answer.status === 404) return;
      if (answer.ok) {
        const { html, running: goesOn } = (await answer.json()) as { html: string; running: boolean };
        running = goesOn;
        if (html !== last) show(html);
        last = html;
      }
    } catch {
      // The server restarts: the next second may find it again.
    }
  }
  if (running) setTimeout(() => void look(), EVERY_MS);
}

/** What was opened stays open, and what had scrolled stays where it was. */
function show(html: string): void {
  if (!shown) return;
  const open = new Set(
    [...shown.querySelectorAll<HTMLDetailsElement>('details[open]')].map(({ dataset }) => dataset.key),
  );
  const scrolled = shown.querySelector('.picture')?.scrollTop ?? 0;
  const focused = document.activeElement?.closest<HTMLElement>('details')?.dataset.key;
  // The server made and escaped it.
  shown.innerHTML = html;
  for (const details of shown.querySelectorAll('details')) {
    details.open = open.has(details.dataset.key);
    if (focused !== undefined && details.dataset.key === focused) details.querySelector('summary')?.focus();
  }
  shown.querySelector('.picture')?.scrollTo({ top: scrolled });
}

setTimeout(() => void look(), EVERY_MS);
