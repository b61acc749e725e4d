// The faults of the form around, for its fields.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { faultAt, NO_FAULTS, type Faults } from '../../api/faults';

export const FaultsContext = createContext<Faults>(NO_FAULTS);

export function useFault(pointer: string): string | undefined {
  return faultAt(useContext(FaultsContext), pointer);
}
