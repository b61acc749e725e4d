// The open hours of one day of the week: none, one span, or several with a break between.
import type { Day, OpenRange } from '../../api/types';
import { Icon } from '../icon';
import { TextInput } from './inputs';

interface DayFieldsProps {
  day: Day;
  name: string;
  week: OpenRange[];
  onChange: (week: OpenRange[]) => void;
}

// "9:00" as it is stored.
const padded = (text: string): string => (/^\d:\d\d$/.test(text) ? `0${text}` : text);

export function DayFields({ day, name, week, onChange }: DayFieldsProps) {
  const own = week.map((range, index) => ({ range, index })).filter(({ range }) => range.day === day);
  const set = (index: number, part: Partial<OpenRange>): void => onChange(week.map((range, i) => (i === index ? { ...range, ...part } : range)));
  const add = (): void => onChange([...week, own.length ? { day, open: '18:00', close: '20:00' } : { day, open: '09:00', close: '17:00' }]);
  return (
    <li class="weekday">
      <b>{name}</b>
      <div class="ranges">
        {own.length === 0 && <span class="soft">Closed</span>}
        {own.map(({ range, index }) => (
          <span key={index} class="range">
            <TextInput class="clock-field" isLabelUnseen label={`${name}, opens`} at={`/business_hours/week/${index}/open`} value={range.open} onChange={(text) => set(index, { open: padded(text) })} />
            <span class="soft" aria-hidden="true">–</span>
            <TextInput class="clock-field" isLabelUnseen label={`${name}, closes`} at={`/business_hours/week/${index}/close`} value={range.close} onChange={(text) => set(index, { close: padded(text) })} />
            <button type="button" class="small quiet" aria-label={`Remove ${range.open} to ${range.close} on ${name}`} onClick={() => onChange(week.filter((_, i) => i !== index))}><Icon name="close" size={14} /></button>
          </span>
        ))}
      </div>
      <button type="button" class="small" aria-label={`Add hours on ${name}`} onClick={add}>Add</button>
    </li>
  );
}
