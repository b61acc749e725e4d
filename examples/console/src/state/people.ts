// Names and texts of the house: agents, inboxes, sites, canned replies, tags. Loaded at sign-in and again when
// the feed starts over.
import { computed, signal } from '@preact/signals';
import type { Client } from '../api/client';
import { directory } from '../api/directory';
import { isProblem } from '../api/problem';
import type { Agent, CannedReply, Inbox, Site, TagCount } from '../api/types';

export class People {
  readonly agents = signal<readonly Agent[]>([]);
  readonly inboxes = signal<readonly Inbox[]>([]);
  readonly sites = signal<readonly Site[]>([]);
  readonly cannedReplies = signal<readonly CannedReply[]>([]);
  readonly tags = signal<readonly TagCount[]>([]);
  readonly #client: Client;
  readonly #names = computed(() => new Map(this.agents.value.map(({ id, name }) => [id, name])));

  constructor(client: Client) {
    this.#client = client;
  }

  nameOf(id: string | null | undefined): string {
    return (id && this.#names.value.get(id)) || '';
  }

  inboxName(id: string | null): string {
    return this.inboxes.value.find((inbox) => inbox.id === id)?.name ?? '';
  }

  setOnline(id: string, online: boolean): void {
    this.agents.value = this.agents.value.map((agent) => (agent.id === id ? { ...agent, online } : agent));
  }

  async load(): Promise<void> {
    await Promise.all([
      this.#fill(this.agents, () => directory.agents(this.#client)),
      this.#fill(this.inboxes, () => directory.inboxes(this.#client)),
      this.#fill(this.cannedReplies, () => directory.cannedReplies(this.#client)),
      this.loadTags(),
    ]);
  }

  loadSites(): Promise<void> {
    return this.#fill(this.sites, () => directory.sites(this.#client));
  }

  loadTags(): Promise<void> {
    return this.#fill(this.tags, async () => (await directory.tags(this.#client)).data);
  }

  // What the role may not see stays empty; the console works without it.
  async #fill<T>(into: { value: T }, load: () => Promise<T>): Promise<void> {
    try {
      into.value = await load();
    } catch (error) {
      if (!isProblem(error)) throw error;
    }
  }
}
