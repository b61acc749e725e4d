// What an inbox promises: minutes until an answer, counted within its hours.
import type { Goals } from '../../api/types';
import { NumberInput } from './inputs';

export function GoalFields({ goals, onChange }: { goals: Goals; onChange: (goals: Goals) => void }) {
  return (
    <fieldset>
      <legend>Promised answers</legend>
      <div class="row">
        <NumberInput label="First answer, minutes" at="/sla/first_response_minutes" placeholder="none" value={goals.first_response_minutes}
          onChange={(minutes) => onChange({ ...goals, first_response_minutes: minutes })} />
        <NumberInput label="Each further answer, minutes" at="/sla/response_minutes" placeholder="none" value={goals.response_minutes}
          onChange={(minutes) => onChange({ ...goals, response_minutes: minutes })} />
      </div>
      <p class="soft hint">Only business hours are counted. The queue shows what is due.</p>
    </fieldset>
  );
}
