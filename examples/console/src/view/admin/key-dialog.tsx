// A key, shown this once.
import { useApp } from '../use-app';
import { Dialog } from '../dialog';
import { CopyButton } from './copy-button';

export function KeyDialog({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  const { client } = useApp();
  const address = `${client.nodes.current || location.origin}/console/#key=${secret}`;
  return (
    <Dialog title={`A key for ${name}`} onClose={onClose}>
      <p>Whoever has it signs in as {name}. It is shown this once; give it to them in a way that nobody else can read.</p>
      <pre class="secret" tabIndex={0} aria-label="Key"><code>{secret}</code></pre>
      <div class="form-deeds">
        <CopyButton text={secret} label="Copy the key" />
        <CopyButton text={address} label="Copy an address that signs in" />
      </div>
    </Dialog>
  );
}
