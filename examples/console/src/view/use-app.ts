// The signed-in agent's App, for whatever is drawn inside the shell.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { App } from '../state/app';

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('drawn outside of the shell');
  return app;
}
