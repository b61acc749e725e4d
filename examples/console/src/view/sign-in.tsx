// The door: a key, or the house's own sign-in.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isOidcOffered, refusal, signIn } from '../state/door';
import { Icon, Mark } from './icon';

export function SignIn() {
  const [key, setKey] = useState('');
  const [isBusy, setBusy] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!key.trim()) return;
    setBusy(true);
    await signIn(key.trim());
    setBusy(false);
    input.current?.select();
  };
  return (
    <main class="door">
      <form class="door-card" onSubmit={(event) => void submit(event)}>
        <Mark size={44} />
        <h1>Sign in to holdline</h1>
        <p class="soft">Answer your visitors, from any node, without losing a word.</p>
        <label class="field">
          <span>API key</span>
          <input ref={input} type="password" name="key" autocomplete="current-password" spellcheck={false}
            placeholder="hlk_…" value={key} onInput={(event) => setKey(event.currentTarget.value)}
            aria-describedby={refusal.value ? 'refusal' : undefined} aria-invalid={refusal.value ? true : undefined} />
        </label>
        {refusal.value && <p class="refusal" id="refusal" role="alert"><Icon name="alert" size={16} />{refusal.value}</p>}
        <button type="submit" class="primary wide" disabled={isBusy}>{isBusy ? 'Signing in…' : 'Sign in'}</button>
        {isOidcOffered.value && (
          <a class="button wide" href={`/v1/session/oidc?return=${encodeURIComponent('/console/')}`}>Sign in with your organisation</a>
        )}
        <p class="soft hint">A key is made by <code>holdline key add</code>. It is sent to this gateway only.</p>
      </form>
    </main>
  );
}
