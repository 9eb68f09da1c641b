type Child = Node | string | false | null | undefined;
type Props = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

/** An element. Text becomes text nodes, never markup; a function under `onclick` and its like becomes a listener. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

type Policy = { createHTML(html: string): string };
// A page may demand Trusted Types; then only this named policy lets the server's sanitised html through.
const policy = (
  globalThis as { trustedTypes?: { createPolicy(name: string, policy: Policy): Policy } }
).trustedTypes?.createPolicy('sluice', { createHTML: (html) => html });

/** The one place where markup is parsed: html that the server's renderer has sanitised. */
export function fill(element: Element, html: string): void {
  element.innerHTML = policy ? policy.createHTML(html) : html;
}

/** Puts `wanted` into `list` in order, moves nothing that stands right, and removes the rest. */
export function arrange(list: Element, wanted: readonly Element[]): void {
  let at = list.firstElementChild;
  for (const element of wanted) {
    if (element === at) at = at.nextElementSibling;
    else list.insertBefore(element, at);
  }
  while (at) {
    const gone = at;
    at = at.nextElementSibling;
    gone.remove();
  }
}
