// How the widget of an inbox looks and what it asks first.
import type { Asked, WidgetSettings } from '../../api/types';
import { ProseInput, SelectInput, TextInput } from './inputs';

const ASKED: readonly (readonly [Asked, string])[] = [['off', 'Not asked'], ['optional', 'Asked'], ['required', 'Must be given']];
const FIELDS = [['name', 'Name'], ['email', 'E-mail'], ['phone', 'Phone']] as const;
const STANDARD_ACCENT = '#0b6b60';

export function WidgetFields({ widget, onChange }: { widget: WidgetSettings; onChange: (widget: WidgetSettings) => void }) {
  const set = (part: Partial<WidgetSettings>): void => onChange({ ...widget, ...part });
  return (
    <fieldset>
      <legend>Widget</legend>
      <div class="row">
        <TextInput label="Title" at="/widget/title" value={widget.title ?? ''} onChange={(text) => set({ title: text || null })} />
        <div class="accent">
          <TextInput label="Accent" at="/widget/accent" placeholder={STANDARD_ACCENT} value={widget.accent ?? ''} onChange={(text) => set({ accent: text || null })} />
          <input type="color" aria-label="Pick the accent" value={/^#[0-9a-f]{6}$/i.test(widget.accent ?? '') ? (widget.accent ?? '') : STANDARD_ACCENT} onInput={(event) => set({ accent: event.currentTarget.value })} />
        </div>
      </div>
      <ProseInput label="Greeting" at="/widget/greeting" rows={2} value={widget.greeting ?? ''} onChange={(text) => set({ greeting: text || null })} />
      <div class="row">
        {FIELDS.map(([name, label]) => (
          <SelectInput key={name} label={label} at={`/widget/form/${name}`} value={widget.form[name]} options={ASKED} onChange={(asked) => set({ form: { ...widget.form, [name]: asked } })} />
        ))}
      </div>
    </fieldset>
  );
}
