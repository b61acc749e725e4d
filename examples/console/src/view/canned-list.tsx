// The canned replies that fit what is typed.
import type { CannedReply } from '../api/types';

interface Props {
  replies: readonly CannedReply[];
  at: number;
  choose: (reply: CannedReply) => void;
  preview: (reply: CannedReply) => string;
}

export function CannedList({ replies, at, choose, preview }: Props) {
  return (
    <ul class="canned" id="canned" role="listbox" aria-label="Canned replies">
      {replies.map((reply, i) => (
        <li key={reply.id} id={`canned-${i}`} role="option" aria-selected={i === at} onPointerDown={(event) => (event.preventDefault(), choose(reply))}>
          <b dir="auto">/{reply.shortcut}</b>
          <span dir="auto">{preview(reply)}</span>
        </li>
      ))}
    </ul>
  );
}
