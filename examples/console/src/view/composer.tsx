// Where one answers: a reply or a note, with canned replies after "/".
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { CannedReply, Conversation } from '../api/types';
import { expand, fillBlanks, matching, typedShortcut } from '../state/canned';
import { deeds, send } from '../state/deeds';
import type { Draft } from '../state/drafts';
import { CannedList } from './canned-list';
import { Icon } from './icon';
import { useApp } from './use-app';
import { visitorName } from './words';

const LINES_PX = 220;

export function Composer({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { id, status, assignee } = conversation;
  const { isNote } = app.drafts.of(id);
  const isMine = assignee === app.me.value.id;
  if (conversation.erased) return <p class="composer-closed">The contents of this conversation were erased.</p>;
  if (status === 'closed' && !isNote) {
    return (
      <div class="composer-closed">
        <span>This conversation is closed. A new message of the visitor opens it again.</span>
        <button type="button" onClick={() => void deeds.change(app, id, { status: 'open' })}>Reopen to reply</button>
      </div>
    );
  }
  if (assignee && !isMine && !isNote) {
    return (
      <div class="composer-closed">
        <span dir="auto">{app.assigneeOf(conversation)} has this conversation.</span>
        <button type="button" onClick={() => app.drafts.set(id, { ...app.drafts.of(id), isNote: true })}><Icon name="note" size={16} />Note</button>
        <button type="button" onClick={() => void deeds.transfer(app, id, { agent: 'me' })}>Take over</button>
      </div>
    );
  }
  return <Writing conversation={conversation} />;
}

function Writing({ conversation }: { conversation: Conversation }) {
  const app = useApp();
  const { id, assignee } = conversation;
  const draft = app.drafts.of(id);
  const box = useRef<HTMLTextAreaElement>(null);
  const [isSending, setSending] = useState(false);
  const [caret, setCaret] = useState(0);
  const canned = useCanned(conversation, draft.text, caret, (text, at) => {
    set({ text });
    setTimeout(() => box.current?.setSelectionRange(at, at));
  });
  const set = (part: Partial<Draft>): void => app.drafts.set(id, { ...draft, ...part });
  useLayoutEffect(() => fitHeight(box.current), [draft.text]);
  const submit = async (): Promise<void> => {
    const text = draft.text.trim();
    if (!text || isSending) return;
    setSending(true);
    const isTaken = await send(app, conversation, { text, isNote: draft.isNote });
    setSending(false);
    if (!isTaken) return;
    app.drafts.set(id, { text: '', isNote: false });
    app.attention.type(false);
    box.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.isComposing || canned.onKey(event)) return;
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void submit();
  };
  const onInput = (event: { currentTarget: HTMLTextAreaElement }): void => {
    const { value, selectionStart } = event.currentTarget;
    set({ text: value });
    setCaret(selectionStart);
    if (!draft.isNote) app.attention.type(value !== '');
  };
  const label = draft.isNote ? 'Note, for the team only' : assignee ? 'Reply' : 'Reply; sending it claims the conversation';
  return (
    <form class={`composer ${draft.isNote ? 'note' : ''}`} onSubmit={(event) => (event.preventDefault(), void submit())}>
      {canned.list && <CannedList {...canned.list} />}
      <div class="composer-modes" role="group" aria-label="Kind">
        <button type="button" aria-pressed={!draft.isNote} onClick={() => set({ isNote: false })}>Reply</button>
        <button type="button" aria-pressed={draft.isNote} onClick={() => set({ isNote: true })}><Icon name="note" size={14} />Note</button>
        <span class="composer-hint">{draft.isNote ? 'The visitor never sees this' : <><kbd>/</kbd> canned reply · <kbd>Shift</kbd>+<kbd>Enter</kbd> new line</>}</span>
      </div>
      <div class="composer-line">
        <textarea ref={box} rows={1} dir="auto" aria-label={label} placeholder={label} value={draft.text} onInput={onInput} onKeyDown={onKeyDown}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)} onBlur={() => app.attention.type(false)}
          {...(canned.list ? { role: 'combobox', 'aria-expanded': true, 'aria-controls': 'canned', 'aria-activedescendant': `canned-${canned.list.at}` } : {})} />
        <button type="submit" class="primary send" aria-label={draft.isNote ? 'Add note' : 'Send'} title={draft.isNote ? 'Add note' : 'Send'} disabled={!draft.text.trim() || isSending}><Icon name="send" /></button>
      </div>
    </form>
  );
}

function fitHeight(box: HTMLTextAreaElement | null): void {
  if (!box) return;
  box.style.height = 'auto';
  box.style.height = `${Math.min(box.scrollHeight + 2, LINES_PX)}px`;
}

// The list of canned replies while a "/" is being typed.
function useCanned(conversation: Conversation, text: string, caret: number, onText: (text: string, caret: number) => void) {
  const app = useApp();
  const [chosen, setChosen] = useState(0);
  const [dismissed, setDismissed] = useState<string | null>(null);
  const typed = typedShortcut(text, caret);
  const replies = typed === null || typed === dismissed ? [] : matching(app.people.cannedReplies.value, typed);
  const at = Math.min(chosen, replies.length - 1);
  const blanks = { name: conversation.contact?.name || '', agent: app.me.value.name, reference: conversation.reference };
  const choose = (reply: CannedReply): void => {
    const next = expand(text, caret, typed ?? '', fillBlanks(reply.text, blanks));
    onText(next.text, next.caret);
    setChosen(0);
  };
  const onKey = (event: KeyboardEvent): boolean => {
    const reply = replies[at];
    if (!reply) return false;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') setChosen((at + (event.key === 'ArrowDown' ? 1 : -1) + replies.length) % replies.length);
    else if (event.key === 'Enter' || event.key === 'Tab') choose(reply);
    else if (event.key === 'Escape') setDismissed(typed);
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  const preview = (reply: CannedReply): string => fillBlanks(reply.text, { ...blanks, name: blanks.name || visitorName(conversation) });
  return { onKey, list: replies.length ? { replies, at, choose, preview } : null };
}
