// The controls that the forms are made of. An empty text or number is null.
import { Field } from './field';

interface Common<T> {
  label: string;
  at: string;
  hint?: string;
  class?: string;
  isLabelUnseen?: boolean;
  value: T;
  onChange: (value: T) => void;
}

type TextProps = Common<string> & { type?: string; placeholder?: string; list?: string; isRequired?: boolean };

export function TextInput({ value, onChange, type = 'text', placeholder, list, isRequired, ...field }: TextProps) {
  return (
    <Field {...field}>
      {(control) => <input {...control} type={type} dir="auto" value={value} placeholder={placeholder} list={list} required={isRequired} autocomplete="off" onInput={(event) => onChange(event.currentTarget.value)} />}
    </Field>
  );
}

export function ProseInput({ value, onChange, rows = 3, ...field }: Common<string> & { rows?: number }) {
  return (
    <Field {...field}>
      {(control) => <textarea {...control} rows={rows} dir="auto" value={value} onInput={(event) => onChange(event.currentTarget.value)} />}
    </Field>
  );
}

export function NumberInput({ value, onChange, placeholder, ...field }: Common<number | null> & { placeholder?: string }) {
  return (
    <Field {...field}>
      {(control) => <input {...control} type="number" inputMode="numeric" value={value ?? ''} placeholder={placeholder} onInput={(event) => onChange(event.currentTarget.value === '' ? null : Number(event.currentTarget.value))} />}
    </Field>
  );
}

export function SelectInput<T extends string>({ value, onChange, options, ...field }: Common<T> & { options: readonly (readonly [T, string])[] }) {
  return (
    <Field {...field}>
      {(control) => (
        <select {...control} value={value} onChange={(event) => onChange(event.currentTarget.value as T)}>
          {options.map(([name, words]) => <option key={name} value={name} selected={name === value}>{words}</option>)}
        </select>
      )}
    </Field>
  );
}

export function CheckInput({ label, value, onChange }: { label: string; value: boolean; onChange: (value: boolean) => void }) {
  return <label class="check"><input type="checkbox" checked={value} onChange={(event) => onChange(event.currentTarget.checked)} />{label}</label>;
}
