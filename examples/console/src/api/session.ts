// Who is signed in. With one node the gateway keeps the session in a cookie no script can read. With
// several, a cookie would hold at one of them only: the key stays in this tab and goes with each call.
import type { Client, Credentials } from './client';
import type { Agent } from './types';
import { isProblem } from './problem';

const KEPT = 'holdline.console.key';

export class Session implements Credentials {
  readonly #storage: Storage;
  readonly #isCarried: boolean;
  #token: string | null;

  // isCarried: several nodes are in use.
  constructor(storage: Storage, isCarried: boolean) {
    this.#storage = storage;
    this.#isCarried = isCarried;
    this.#token = isCarried ? storage.getItem(KEPT) : null;
  }

  get token(): string | null {
    return this.#token;
  }

  async signIn(client: Client, key: string): Promise<Agent> {
    if (!this.#isCarried) return client.call<Agent>('/v1/session', { method: 'POST', body: { key } });
    this.#token = key;
    try {
      const agent = await client.call<Agent>('/v1/agent');
      this.#storage.setItem(KEPT, key);
      return agent;
    } catch (error) {
      if (isProblem(error) && error.status === 401) this.#forget();
      throw error;
    }
  }

  // The agent of the session that is there, or the problem (401) that says there is none.
  resume(client: Client): Promise<Agent> {
    return client.call<Agent>(this.#isCarried && this.#token ? '/v1/agent' : '/v1/session');
  }

  async signOut(client: Client): Promise<void> {
    this.#forget();
    if (!this.#isCarried) await client.call('/v1/session', { method: 'DELETE', tries: 2 });
  }

  #forget(): void {
    this.#token = null;
    this.#storage.removeItem(KEPT);
  }
}
