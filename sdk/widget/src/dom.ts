// Elements without a framework. Text only ever becomes text nodes, never markup.
type Child = Node | string | null | false | undefined;
type Props = Record<string, unknown>;

/** Properties: functions are event handlers (on…), true and false are boolean attributes. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (typeof value === 'function') (element as unknown as Props)[name] = value;
    else set(element, name, value);
  }
  put(element, ...children);
  return element;
}

/** Sets an attribute; true gives it no value, false and null take it away. */
export function set(element: Element, name: string, value: unknown): void {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? '' : value)) element.setAttribute(name, String(value === true ? '' : value));
}

export function put(parent: Element, ...children: Child[]): void {
  for (const child of children) if (child) parent.append(child);
}

/** Writes a text only if it is another one: screen readers announce every writing. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

const ICONS = {
  close: 'M6 6l12 12M18 6L6 18',
  down: 'M6 9l6 6 6-6',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  send: 'M4.5 12h13M11.5 5l7 7-7 7',
  clock: 'M12 7v5l3 2M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  checks: 'M2 12.5L6.5 17 15 8M11.5 16l1.5 1.5L22 8',
  alert: 'M12 8v5M12 16.5v.01M12 3.5a8.5 8.5 0 1 0 0 17a8.5 8.5 0 1 0 0-17',
  star: 'M12 3.5l2.6 5.5 5.9.8-4.3 4.2 1 6-5.2-2.9L6.8 20l1-6L3.5 9.8 9.4 9z',
  person: 'M12 12a4 4 0 1 0 0-8a4 4 0 1 0 0 8M4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6',
};
export type IconName = keyof typeof ICONS;

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name: IconName): SVGElement {
  const image = document.createElementNS(SVG, 'svg');
  const path = document.createElementNS(SVG, 'path');
  set(image, 'viewBox', '0 0 24 24');
  set(image, 'aria-hidden', 'true');
  set(image, 'class', `icon ${name}`);
  set(path, 'd', ICONS[name]);
  image.append(path);
  return image;
}

/** A button that shows an icon and says a text. */
export function iconButton(name: IconName, label: string, onclick: () => void, props: Props = {}): HTMLButtonElement {
  return el('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...props }, icon(name));
}
