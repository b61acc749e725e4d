// The addresses of the gateway's nodes: one is in use, and a failure moves on to the next.

export class Nodes {
  #all: string[];
  #at = 0;

  // The page's own address always is the first.
  constructor(own: string, more: readonly string[] = []) {
    this.#all = [...new Set([own, ...more.map(normalise).filter((node) => node !== null)])];
  }

  get all(): readonly string[] {
    return this.#all;
  }

  get current(): string {
    return this.#all[this.#at] ?? '';
  }

  // A caller that failed at a node which others left already changes nothing.
  fail(node: string): void {
    if (node === this.current) this.#at = (this.#at + 1) % this.#all.length;
  }
}

// The origin of what somebody typed, or null.
export function normalise(text: string): string | null {
  const trimmed = text.trim();
  if (!trimmed) return null;
  try {
    const { protocol, origin } = new URL(trimmed.includes('://') ? trimmed : `https://${trimmed}`);
    return protocol === 'https:' || protocol === 'http:' ? origin : null;
  } catch {
    return null;
  }
}
