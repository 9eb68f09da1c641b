type Child = Node | string | false | null | undefined;
type Props<Tag extends keyof HTMLElementTagNameMap> = Partial<Omit<HTMLElementTagNameMap[Tag], 'style' | 'part'>>;

/**
 * An element by `tag` or `tag.class more`, with properties (not attributes) and children. Text becomes text nodes,
 * never markup. Each class is a part too, so that a page can style all that we can.
 */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  what: Tag | `${Tag}.${string}`,
  props?: Props<Tag> | null,
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const [tag, name] = what.split('.') as [Tag, string?];
  const element = Object.assign(document.createElement(tag), props);
  if (name) element.className = element.part.value = name;
  element.append(...children.filter((child): child is Node | string => !!child));
  return element;
}

export function button(name: string, text: string, act: () => unknown): HTMLButtonElement {
  return h(`button.${name}`, { type: 'button', onclick: act }, text);
}

/** The one place where markup is parsed: html that the server's renderer has sanitised. */
export function fill(element: Element, html: string): void {
  element.innerHTML = html;
}

/** Makes `wanted` the children of `list`, and touches nothing when they are: a form in it keeps its focus. */
export function arrange(list: Element, wanted: readonly Element[]): void {
  const { children } = list;
  if (children.length !== wanted.length || wanted.some((element, at) => element !== children[at])) {
    list.replaceChildren(...wanted);
  }
}
