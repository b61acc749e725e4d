// What is wrong with which field, out of a problem document: by JSON pointer (RFC 6901).
import { isProblem } from './problem';

export type Faults = ReadonlyMap<string, string>;

export const NO_FAULTS: Faults = new Map();

export function faultsOf(error: unknown): Faults {
  if (!isProblem(error)) return NO_FAULTS;
  const { errors = [], detail, title } = error.document;
  return new Map(errors.map((one) => [one.pointer, one.detail || detail || title]));
}

// Of the field itself, or of something inside it that has no field of its own.
export function faultAt(faults: Faults, pointer: string): string | undefined {
  const own = faults.get(pointer);
  if (own !== undefined) return own;
  for (const [at, words] of faults) if (at.startsWith(`${pointer}/`)) return words;
  return undefined;
}
