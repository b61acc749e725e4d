// What must be true of rivals for one conversation: exactly one has it, everybody else was told
// who, and the log says it once. `answers` are {agent, status, json}, `events` the feed's of that
// conversation. Returns what is wrong, or nothing.
export function findClaimFault(answers, events) {
  const winners = answers.filter((answer) => answer.status === 200);
  if (winners.length !== 1) return `${winners.length} agents were told that it is theirs`;
  const [winner] = winners;
  if (winner.json.assignee !== winner.agent) return `${winner.agent} won, and it is ${winner.json.assignee}'s`;
  for (const loser of answers.filter((answer) => answer !== winner)) {
    if (loser.status !== 412) return `${loser.agent} got ${loser.status}`;
    const { code, assignee, assignee_name: name } = loser.json;
    if (code !== 'precondition_failed' || assignee !== winner.agent || name !== winner.name)
      return `${loser.agent} was told ${code}, ${assignee}, ${name}`;
  }
  const claims = events.filter((event) => event.kind === 'claimed' || event.kind === 'transferred');
  if (claims.length !== 1) return `the feed has ${claims.length} claims`;
  if (claims[0].subject !== winner.agent) return `the feed says ${claims[0].subject}`;
  return undefined;
}
