// Sites: which pages may talk to the gateway, and what is kept of it.
import { useState } from 'preact/hooks';
import type { Site } from '../../api/types';
import { useApp } from '../use-app';
import { DraftForm } from './draft-form';
import { Fold } from './fold';
import { CheckInput, NumberInput, ProseInput, TextInput } from './inputs';
import { useDraft } from './use-draft';

export function Sites() {
  const sites = useApp().people.sites.value;
  return (
    <section class="sites">
      <h2>{sites.length > 1 ? 'Sites' : 'Site'}</h2>
      <div class="folds">{sites.map((site) => <Fold key={site.id} title={site.name || site.id} words={wordsOf(site)}><SiteForm site={site} /></Fold>)}</div>
    </section>
  );
}

function wordsOf({ origins, retention_days }: Site): string {
  const kept = retention_days ? `kept for ${retention_days} days` : 'kept for ever';
  return `${origins.length === 1 ? '1 origin' : `${origins.length} origins`} · ${kept}`;
}

const linesOf = (text: string): string[] => text.split(/\s+/).filter(Boolean);

function SiteForm({ site }: { site: Site }) {
  const { people } = useApp();
  const draft = useDraft<Site>('site', site, (saved) => {
    people.sites.value = people.sites.value.map((one) => (one.id === saved.id ? saved : one));
  });
  const { name, origins, search_text, retention_days, etag } = draft.value;
  const [typed, setTyped] = useState({ etag, text: origins.join('\n') });
  const text = typed.etag === etag ? typed.text : origins.join('\n');
  return (
    <DraftForm label={`Site ${site.id}`} draft={draft}>
      <TextInput label="Name" at="/name" value={name} onChange={(words) => draft.set({ name: words })} isRequired />
      <ProseInput label="Allowed origins, one a line" hint="Pages from here may open the chat, such as https://shop.example" at="/origins" value={text}
        onChange={(next) => (setTyped({ etag, text: next }), draft.set({ origins: linesOf(next) }))} />
      <CheckInput label="Conversations may be searched by their text" value={search_text} onChange={(isOn) => draft.set({ search_text: isOn })} />
      <NumberInput label="Days until closed conversations are erased" at="/retention_days" placeholder="never" value={retention_days} onChange={(days) => draft.set({ retention_days: days })} />
    </DraftForm>
  );
}
