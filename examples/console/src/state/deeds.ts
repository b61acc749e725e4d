// What an agent does to a conversation. The view follows the gateway's word at once; a refusal is told,
// with who was first.
import { conversations, type Change } from '../api/conversations';
import { isProblem, wordsOf } from '../api/problem';
import type { Conversation } from '../api/types';
import type { App } from './app';
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
  claim: (app: App, id: string): Promise<boolean> =>
    run(app, id, () => conversations.claim(app.client, id), (winner) =>
      winner === 'You' ? 'It is yours already.' : `${winner || 'Somebody'} was faster and has this conversation.`),

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

  change: (app: App, id: string, change: Change): Promise<boolean> =>
    run(app, id, async () => conversations.change(app.client, await fresh(app, id), change), hasChanged),
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
