// When an inbox is open: always, or by day of the week in its time zone, but for holidays.
import { useId } from 'preact/hooks';
import type { BusinessHours, Day } from '../../api/types';
import { DayFields } from './day-fields';
import { HolidayFields } from './holiday-fields';
import { CheckInput, TextInput } from './inputs';

const DAYS: readonly (readonly [Day, string])[] = [
  ['mon', 'Monday'], ['tue', 'Tuesday'], ['wed', 'Wednesday'], ['thu', 'Thursday'], ['fri', 'Friday'], ['sat', 'Saturday'], ['sun', 'Sunday'],
];
const ZONES = Intl.supportedValuesOf('timeZone');

function usualHours(): BusinessHours {
  const week = DAYS.slice(0, 5).map(([day]) => ({ day, open: '09:00', close: '17:00' }));
  return { time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC', week, holidays: [] };
}

export function HoursFields({ hours, onChange }: { hours: BusinessHours | null; onChange: (hours: BusinessHours | null) => void }) {
  const zones = useId();
  return (
    <fieldset>
      <legend>Business hours</legend>
      <CheckInput label="Always open" value={hours === null} onChange={(isAlways) => onChange(isAlways ? null : usualHours())} />
      {hours && (
        <>
          <TextInput label="Time zone" at="/business_hours/time_zone" list={zones} value={hours.time_zone} onChange={(zone) => onChange({ ...hours, time_zone: zone })} />
          <datalist id={zones}>{ZONES.map((zone) => <option key={zone} value={zone} />)}</datalist>
          <ul class="week">
            {DAYS.map(([day, name]) => <DayFields key={day} day={day} name={name} week={hours.week} onChange={(week) => onChange({ ...hours, week })} />)}
          </ul>
          <HolidayFields holidays={hours.holidays} onChange={(holidays) => onChange({ ...hours, holidays })} />
        </>
      )}
    </fieldset>
  );
}
