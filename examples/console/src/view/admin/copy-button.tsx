// Puts a text on the clipboard, and says whether it is there.
import { tell } from '../../state/toasts';

export function CopyButton({ text, label }: { text: string; label: string }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text); // not there without HTTPS, except on this machine
      tell('Copied.', 'good');
    } catch {
      tell('This browser does not let the page copy. Select the text and copy it yourself.', 'bad');
    }
  };
  return <button type="button" onClick={() => void copy()}>{label}</button>;
}
