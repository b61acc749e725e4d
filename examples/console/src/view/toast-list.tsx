// What was just done, or went wrong.
import { dismiss, toasts } from '../state/toasts';
import { Icon } from './icon';

export function ToastList() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, kind, words }) => (
        <div key={id} class={`toast ${kind}`}>
          <Icon name={kind === 'bad' ? 'alert' : kind === 'good' ? 'check' : 'bolt'} />
          <span dir="auto">{words}</span>
          <button type="button" class="quiet small" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
