// All keyboard shortcuts.
import { Dialog } from './dialog';
import { SHORTCUTS } from './keys';

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {SHORTCUTS.map(({ keys, words }) => (
          <div key={words}><dt>{keys.map((key) => <kbd key={key}>{key}</kbd>)}</dt><dd>{words}</dd></div>
        ))}
      </dl>
    </Dialog>
  );
}
