// The script that the loader fetches when somebody wants to talk.
import { App } from './app';
import type { Command, Shell } from './shell';

declare const WIDGET_CSS: string;

function start(shell: Shell): void {
  shell.style(WIDGET_CSS);
  const app = new App(shell);
  const commands = shell.queue ?? [];
  shell.queue = null;
  shell.push = (...more: Command[]): number => {
    for (const command of more) app.run(command);
    return more.length;
  };
  shell.button.removeAttribute('aria-busy');
  shell.button.onclick = () => app.run(['toggle']);
  for (const command of commands) app.run(command);
  void app.resume();
}

if (window.holdline?.queue) start(window.holdline);
