// A form whose refusal is shown at the fields it is about; the first of them gets the focus.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { faultsOf, NO_FAULTS } from '../../api/faults';
import { wordsOf } from '../../api/problem';
import { FaultsContext } from './faults-context';

interface ObjectFormProps {
  label: string;
  action: string;
  canSave: boolean;
  onSave: () => Promise<void>; // may throw a problem
  children: ComponentChildren;
  deeds?: ComponentChildren;
  class?: string;
}

export function ObjectForm({ label, action, canSave, onSave, children, deeds, class: style = '' }: ObjectFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => {
    if (error) form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [error]);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (isBusy || !canSave) return;
    setBusy(true);
    setError(null);
    try {
      await onSave();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <FaultsContext.Provider value={error ? faultsOf(error) : NO_FAULTS}>
      <form ref={form} class={`object-form ${style}`} aria-label={label} noValidate onSubmit={(event) => void save(event)}>
        {children}
        <div role="alert" class="form-alert">{error ? wordsOf(error) : ''}</div>
        <div class="form-deeds">
          <button type="submit" class="primary" disabled={isBusy || !canSave}>{action}</button>
          {deeds}
        </div>
      </form>
    </FaultsContext.Provider>
  );
}
