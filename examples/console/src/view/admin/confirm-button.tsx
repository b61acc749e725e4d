// A deed that is asked about once more, in place.
import { useState } from 'preact/hooks';

export function ConfirmButton({ label, question, onConfirm }: { label: string; question: string; onConfirm: () => void }) {
  const [isAsked, setAsked] = useState(false);
  return (
    <button type="button" class={isAsked ? 'dangerous' : ''} onBlur={() => setAsked(false)}
      onClick={() => (isAsked ? (setAsked(false), onConfirm()) : setAsked(true))}>
      {isAsked ? question : label}
    </button>
  );
}
