// The people who answer.
import type { Agent } from '../../api/types';
import { useApp } from '../use-app';
import { ColleagueForm } from './colleague-form';
import { Fold } from './fold';
import { NewColleague } from './new-colleague';

export function Colleagues({ canWrite }: { canWrite: boolean }) {
  const agents = useApp().people.agents.value;
  return (
    <section class="colleagues">
      <h2>People</h2>
      {canWrite ? (
        <>
          <div class="folds">{agents.map((agent) => <Fold key={agent.id} title={agent.name} words={wordsOf(agent)}><ColleagueForm agent={agent} /></Fold>)}</div>
          <Fold title="New colleague"><NewColleague /></Fold>
        </>
      ) : (
        <ul class="cards">{agents.map((agent) => <li key={agent.id}><b dir="auto">{agent.name}</b><span class="soft">{wordsOf(agent)}</span></li>)}</ul>
      )}
    </section>
  );
}

function wordsOf({ role, online, active }: Agent): string {
  return `${role}${online ? ' · online' : ''}${active === false ? ' · not active' : ''}`;
}
