// The little the widget itself keeps, on the page's own origin and only once the visitor has begun.
// Storage may be blocked: then all of it lasts as long as the page.
export class Store {
  #prefix: string;
  #memory = new Map<string, string>();

  constructor(site: string) {
    this.#prefix = `holdline:${site}:`;
  }

  /** "local" is shared by the tabs, "session" belongs to one. */
  get(kind: 'local' | 'session', name: string): string | null {
    try {
      return areaOf(kind).getItem(this.#prefix + name);
    } catch {
      return this.#memory.get(name) ?? null;
    }
  }

  set(kind: 'local' | 'session', name: string, value: string | null): void {
    try {
      if (value === null) areaOf(kind).removeItem(this.#prefix + name);
      else areaOf(kind).setItem(this.#prefix + name, value);
    } catch {
      if (value === null) this.#memory.delete(name);
      else this.#memory.set(name, value);
    }
  }

  /** Runs when another tab has changed this. */
  watch(name: string, run: () => void): () => void {
    const listener = (event: StorageEvent): void => {
      if (event.key === this.#prefix + name) run();
    };
    addEventListener('storage', listener);
    return () => removeEventListener('storage', listener);
  }
}

const areaOf = (kind: 'local' | 'session'): Storage => (kind === 'local' ? localStorage : sessionStorage);
