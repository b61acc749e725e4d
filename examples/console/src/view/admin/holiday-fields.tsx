// Days on which an inbox is closed whatever the week says.
import { useState } from 'preact/hooks';
import { Icon } from '../icon';
import { Field } from './field';

export function HolidayFields({ holidays, onChange }: { holidays: string[]; onChange: (holidays: string[]) => void }) {
  const [date, setDate] = useState('');
  const add = (): void => {
    if (date && !holidays.includes(date)) onChange([...holidays, date].sort());
    setDate('');
  };
  return (
    <div class="holidays">
      <Field label="Closed on" at="/business_hours/holidays">
        {(control) => <span class="range"><input {...control} type="date" value={date} onInput={(event) => setDate(event.currentTarget.value)} /><button type="button" disabled={!date} onClick={add}>Add the day</button></span>}
      </Field>
      {holidays.length > 0 && (
        <ul class="dates">
          {holidays.map((day) => (
            <li key={day} class="chip tag">{day}<button type="button" class="small quiet" aria-label={`Open on ${day} again`} onClick={() => onChange(holidays.filter((one) => one !== day))}><Icon name="close" size={11} /></button></li>
          ))}
        </ul>
      )}
    </div>
  );
}
