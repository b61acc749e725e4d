// What visitors agree to before they write.
import type { Consent } from '../../api/types';
import { CheckInput, ProseInput, TextInput } from './inputs';

const USUAL: Consent = { text: 'I agree that what I write here is stored to answer me.', policy_url: null, required: true };

export function ConsentFields({ consent, onChange }: { consent: Consent | null; onChange: (consent: Consent | null) => void }) {
  return (
    <fieldset>
      <legend>Consent</legend>
      <CheckInput label="Ask for consent first" value={consent !== null} onChange={(isAsked) => onChange(isAsked ? USUAL : null)} />
      {consent && (
        <>
          <ProseInput label="Text of the consent" at="/widget/consent/text" rows={2} value={consent.text} onChange={(text) => onChange({ ...consent, text })} />
          <TextInput label="Address of the privacy policy" at="/widget/consent/policy_url" type="url" placeholder="https://" value={consent.policy_url ?? ''} onChange={(url) => onChange({ ...consent, policy_url: url || null })} />
          <CheckInput label="Nobody can write without it" value={consent.required} onChange={(required) => onChange({ ...consent, required })} />
        </>
      )}
    </fieldset>
  );
}
