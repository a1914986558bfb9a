type Child = Node | string | undefined | false;

interface Props {
  readonly class?: string;
  readonly title?: string;
  readonly role?: string;
  readonly id?: string;
  readonly tabIndex?: number;
  readonly disabled?: boolean;
  readonly aria?: Readonly<Record<string, string | number | boolean>>;
  readonly on?: { readonly [K in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[K]) => void };
}

/** The one way in which elements are made: strings become text, never markup, whatever their origin. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { aria = {}, on = {}, class: className, ...props }: Props = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== undefined) element.className = className;
  Object.assign(element, props);
  if (props.role !== undefined) element.setAttribute("role", props.role);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, String(value));
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener as EventListener);
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}

export function button(label: string, onClick: () => void, props: Props = {}): HTMLButtonElement {
  const made = el("button", { ...props, on: { click: onClick } }, label);
  made.type = "button";
  return made;
}

/** A button with a picture only, as in the editor's own toolbars. Its name is read by screen readers, and shown to the mouse and the focus. */
export function iconButton(icon: string, label: string, onClick: () => void, props: Props = {}): HTMLButtonElement {
  const made = button("", onClick, {
    ...props,
    class: ["icon-button", props.class].filter(Boolean).join(" "),
    title: [label, props.title].filter(Boolean).join(": "),
    aria: { ...props.aria, label },
  });
  setIcon(made, icon);
  return made;
}

/** Changes what an icon button shows. */
export function setIcon(made: HTMLButtonElement, icon: string): void {
  made.replaceChildren(el("span", { class: `icon ${icon}`, aria: { hidden: true } }));
}

/** Changes what an icon button is called. */
export function setLabel(made: HTMLButtonElement, label: string): void {
  made.title = label;
  made.setAttribute("aria-label", label);
}

/** Returns a visitor's text with invisible and bidirectional control characters made visible. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => {
    if (char === "\n" || char === "\t") return char;
    return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
