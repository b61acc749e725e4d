// The snippet's script: draws the launcher button, keeps commands, and loads the rest when a visitor
// wants it. Stores nothing, and reads only whether the widget was used here before.
import type { Command, Shell } from './shell';

declare const LAUNCHER_CSS: string;

const HOVER_MS = 80;
const SVG = 'http://www.w3.org/2000/svg';

const set = (element: Element, values: Record<string, string>): void => {
  for (const name in values) element.setAttribute(name, values[name]!);
};

const opens = ([name]: Command): boolean => name === 'open' || name === 'toggle';

function start(script: HTMLScriptElement, queue: Command[]): void {
  const doc = document;
  const data = script.dataset;
  const base = data.base || new URL('.', script.src).href;
  const host = doc.createElement('div');
  const root = host.attachShadow({ mode: 'open' });
  const button = doc.createElement('button');
  const image = doc.createElementNS(SVG, 'svg');
  const path = doc.createElementNS(SVG, 'path');
  let loading: Promise<void> | null = null;
  let hover = 0;

  const style = (css: string): ((css: string) => void) => {
    const sheet = new CSSStyleSheet();
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    sheet.replaceSync(css);
    return (text) => sheet.replaceSync(text);
  };

  const load = (name: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const element = doc.createElement('script');
      element.src = base + name;
      element.nonce = script.nonce!;
      if (data.integrity && name === 'widget.js') {
        element.crossOrigin = '';
        element.integrity = data.integrity;
      }
      element.onload = () => resolve();
      element.onerror = reject;
      doc.head.append(element);
    });

  // The plain form of the page, if it has one, stands in for a widget that cannot be had.
  const showFallback = (isShown: boolean): void => {
    for (const element of doc.querySelectorAll<HTMLElement>('[data-holdline-fallback]')) {
      element.hidden = !isShown;
      if (isShown) element.scrollIntoView();
    }
  };

  const fetchWidget = (): void => {
    loading ??= load('widget.js').catch(() => {
      loading = null;
      shell.queue = shell.queue!.filter((command) => !opens(command));
      button.removeAttribute('aria-busy');
      button.title = 'The chat could not be loaded. Try again.';
      showFallback(true);
    });
  };

  const shell: Shell = {
    push(...commands) {
      shell.queue!.push(...commands);
      if (commands.some(opens)) {
        set(button, { 'aria-busy': 'true' });
        fetchWidget();
      }
      return 0;
    },
    queue: [], host, root, button, data, base, style, load,
  };

  host.id = 'holdline';
  style(LAUNCHER_CSS);
  set(button, { type: 'button', part: 'launcher', class: 'launcher', 'aria-expanded': 'false', 'aria-label': data.label || 'Chat' });
  set(image, { viewBox: '0 0 24 24', 'aria-hidden': 'true' });
  set(path, { d: 'M12 3C6.5 3 2 6.8 2 11.4c0 2.7 1.5 5.1 3.9 6.6-.2 1-.7 2.2-1.7 3.1 0 0 2.6-.1 4.7-1.7 1 .3 2 .4 3.1.4 5.5 0 10-3.8 10-8.4S17.5 3 12 3z' });
  image.append(path);
  button.append(image);
  button.onclick = () => shell.push(['open']);
  button.onpointerenter = () => {
    hover = setTimeout(fetchWidget, HOVER_MS);
  };
  button.onpointerleave = () => clearTimeout(hover);
  root.append(button);
  window.holdline = shell;

  const draw = (): void => {
    doc.body.append(host);
    showFallback(false);
    shell.push(...queue);
    try {
      if (localStorage[`holdline:${data.site || 'default'}:widget`]) fetchWidget();
    } catch {
      // storage is blocked: nothing can have been kept
    }
    dispatchEvent(new CustomEvent('holdline:ready', { detail: shell }));
  };
  if (doc.readyState === 'loading') addEventListener('DOMContentLoaded', draw);
  else draw();
}

const before = window.holdline as Shell | Command[] | undefined;
if (!before || Array.isArray(before)) start(document.currentScript as HTMLScriptElement, before || []);
