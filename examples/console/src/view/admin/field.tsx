// A labelled control with its hint and its fault, tied to it for screen readers.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { useFault } from './faults-context';

export interface Control {
  id: string;
  'aria-invalid': 'true' | undefined;
  'aria-describedby': string | undefined;
}

interface FieldProps {
  label: string;
  at: string; // JSON pointer of the member
  hint?: string | undefined;
  class?: string;
  isLabelUnseen?: boolean;
  children: (control: Control) => ComponentChildren;
}

export function Field({ label, at, hint, class: style = '', isLabelUnseen = false, children }: FieldProps) {
  const id = useId();
  const fault = useFault(at);
  const described = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(' ') || undefined;
  return (
    <div class={`field ${style}`} data-at={at}>
      <label for={id} class={isLabelUnseen ? 'unseen' : ''}>{label}</label>
      {children({ id, 'aria-invalid': fault ? 'true' : undefined, 'aria-describedby': described })}
      {hint && <small id={`${id}-hint`} class="soft">{hint}</small>}
      {fault && <small id={`${id}-fault`} class="fault">{fault}</small>}
    </div>
  );
}
