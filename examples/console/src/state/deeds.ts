// What an agent does to a conversation. The view follows the gateway's word at once; a refusal is told,
// with who was first.
import { conversations, type Change } from '../api/conversations';
import { isProblem, wordsOf } from '../api/problem';
import type { Conversation } from '../api/types';
import type { App } from './app';
import { go, route } from './route';
import { tell } from './toasts';

// Runs a change; on a lost race the conversation is read anew. True when it was done.
async function run(app: App, id: string, change: () => Promise<Conversation>, lost: (words: string) => string): Promise<boolean> {
  try {
    app.records.put([await change()]);
    return true;
  } catch (error) {
    const isLost = isProblem(error, 'precondition_failed');
    const winner = isLost ? winnerOf(app, error.document.assignee, error.document.assignee_name) : '';
    tell(isLost ? lost(winner) : wordsOf(error), isLost ? 'info' : 'bad');
    await app.records.load(id).catch(() => {});
    return false;
  }
}

function winnerOf(app: App, id: string | null | undefined, name: string | undefined | null): string {
  if (!id) return '';
  return id === app.me.value.id ? 'You' : name || app.nameOfAgent(id);
}

const hasChanged = (): string => 'The conversation has changed meanwhile; this is how it is now.';

// With the newest etag: what the list knows may be older than the last change of state.
async function fresh(app: App, id: string): Promise<Conversation> {
  const known = app.records.get(id);
  return known?.etag ? known : app.records.load(id);
}

export const deeds = {
  // What leaves the unassigned is followed to where it is now.
  claim: async (app: App, id: string): Promise<boolean> => {
    const lost = (winner: string): string =>
      winner === 'You' ? 'It is yours already.' : `${winner || 'Somebody'} was faster and has this conversation.`;
    const isMine = await run(app, id, () => conversations.claim(app.client, id), lost);
    if (isMine && route.value.view === 'unassigned' && route.value.conversation === id) go({ view: 'mine' });
    return isMine;
  },

  transfer: (app: App, id: string, to: { agent: string } | { inbox: string }): Promise<boolean> =>
    run(app, id, async () => conversations.transfer(app.client, await fresh(app, id), to), hasChanged),

  release: (app: App, id: string): Promise<boolean> =>
    run(app, id, async () => conversations.release(app.client, await fresh(app, id)), hasChanged),

  // Adding or removing one tag holds for whatever tags there are: tried again on what it is now.
  retag: (app: App, id: string, edit: (tags: readonly string[]) => string[]): Promise<boolean> =>
    run(app, id, async () => {
      const change = async (known: Conversation): Promise<Conversation> =>
        conversations.change(app.client, known, { tags: edit(known.tags) });
      try {
        return await change(await fresh(app, id));
      } catch (error) {
        if (!isProblem(error, 'precondition_failed')) throw error;
        return change(await app.records.load(id));
      }
    }, hasChanged),

  // An etag that is older than what this agent has seen is no reason to refuse them.
  change: (app: App, id: string, change: Change): Promise<boolean> =>
    run(app, id, async () => {
      const known = await fresh(app, id);
      try {
        return await conversations.change(app.client, known, change);
      } catch (error) {
        const now = isProblem(error, 'precondition_failed') ? await app.records.load(id) : null;
        const isSeen = now?.assignee === known.assignee && now.status === known.status && now.head <= app.transcript(id).last;
        if (!now || !isSeen) throw error;
        return conversations.change(app.client, now, change);
      }
    }, hasChanged),
};

export interface Reply {
  text: string;
  isNote: boolean;
}

// Sends what was written. An answer to what nobody has claims it first: two never answer at once.
export async function send(app: App, conversation: Conversation, { text, isNote }: Reply): Promise<boolean> {
  const isMine = conversation.assignee === app.me.value.id;
  if (!isNote && !isMine && !(await deeds.claim(app, conversation.id))) return false;
  const seen = app.transcript(conversation.id).last;
  app.outbox.add(conversation.id, isNote ? { text, visibility: 'internal' } : { text, visibility: 'public', if_seen: seen });
  return true;
}
