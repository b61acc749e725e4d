// The line that puts the chat of this gateway on a page.
import { useState } from 'preact/hooks';
import { useApp } from '../use-app';
import { CopyButton } from './copy-button';
import { SelectInput } from './inputs';

const quote = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

export function Snippet() {
  const { people, client } = useApp();
  const inboxes = people.inboxes.value;
  const [chosen, setChosen] = useState('');
  const inbox = inboxes.find(({ id }) => id === chosen) ?? inboxes.find(({ is_default }) => is_default) ?? inboxes[0];
  const address = client.nodes.current || location.origin;
  const whose = inbox && !inbox.is_default ? ` data-inbox="${quote(inbox.id)}"` : '';
  const text = `<script src="${address}/sdk/v1/loader.js" data-site="${quote(inbox?.site ?? 'default')}"${whose} async></script>`;
  return (
    <section class="snippet">
      <h2>Put the chat on your page</h2>
      <p class="soft">One line before <code>{'</body>'}</code>. The page’s origin must stand under “Site” below.</p>
      {inboxes.length > 1 && (
        <SelectInput label="What is written there goes to" at="/inbox" value={inbox?.id ?? ''} onChange={setChosen}
          options={inboxes.map(({ id, name, site }) => [id, `${name} (${site})`] as const)} />
      )}
      <pre class="secret" tabIndex={0} aria-label="Snippet"><code>{text}</code></pre>
      <div class="form-deeds"><CopyButton text={text} label="Copy the line" /></div>
    </section>
  );
}
