// What this person wants of this browser.
import { useState } from 'preact/hooks';
import { normalise } from '../api/nodes';
import { askToNotify, playChime } from '../state/bell';
import { signOut } from '../state/door';
import { change, settings, type Theme } from '../state/settings';
import { tell } from '../state/toasts';
import { Dialog } from './dialog';

const THEMES: [Theme, string][] = [['auto', 'As the system'], ['light', 'Light'], ['dark', 'Dark']];

export function SettingsDialog({ onClose }: { onClose: () => void }) {
  const { theme, isNotifying, isSounding } = settings.value;
  const toggleNotifying = async (): Promise<void> => {
    const isWanted = !isNotifying;
    const isAllowed = isWanted && (await askToNotify());
    if (isWanted && !isAllowed) tell('This browser does not allow notifications for this page.', 'bad');
    change({ isNotifying: isAllowed });
  };
  return (
    <Dialog title="Settings" onClose={onClose}>
      <fieldset class="segmented">
        <legend>Appearance</legend>
        {THEMES.map(([name, label]) => (
          <label key={name}><input type="radio" name="theme" checked={theme === name} onChange={() => change({ theme: name })} /><span>{label}</span></label>
        ))}
      </fieldset>
      <fieldset>
        <legend>When a visitor writes and this page is not in front</legend>
        <label class="check"><input type="checkbox" checked={isNotifying} onChange={() => void toggleNotifying()} />Show a notification</label>
        <label class="check"><input type="checkbox" checked={isSounding} onChange={() => (change({ isSounding: !isSounding }), !isSounding && playChime())} />Play a sound</label>
      </fieldset>
      <NodesField />
    </Dialog>
  );
}

function NodesField() {
  const [text, setText] = useState(settings.value.nodes.join('\n'));
  const save = (event: Event): void => {
    event.preventDefault();
    const lines = text.split(/\s+/).filter(Boolean);
    const nodes = lines.map(normalise);
    const wrong = lines.find((_, i) => nodes[i] === null);
    if (wrong) {
      tell(`This is not an address: ${wrong}`, 'bad');
      return;
    }
    change({ nodes: nodes.filter((node) => node !== null) });
    tell('Saved. Sign in again to use these nodes.', 'good');
    void signOut();
  };
  return (
    <form onSubmit={save} class="nodes">
      <label class="field">
        <span>Other nodes of this gateway, one address a line</span>
        <textarea rows={3} value={text} spellcheck={false} placeholder="https://chat-2.example.com" onInput={(event) => setText(event.currentTarget.value)} />
      </label>
      <p class="soft hint">When this node cannot be reached, the console goes on with the next. Your key is then kept in this tab, for a cookie holds at one node only.</p>
      <button type="submit">Save the nodes</button>
    </form>
  );
}
