// Signing in and out: which App there is, if any.
import { signal } from '@preact/signals';
import { Client } from '../api/client';
import { Nodes } from '../api/nodes';
import { isProblem, wordsOf } from '../api/problem';
import { Session } from '../api/session';
import type { Agent } from '../api/types';
import { App } from './app';
import { takeKey } from './route';
import { settings } from './settings';

export type DoorState = 'opening' | 'closed' | 'open';

export const door = signal<DoorState>('opening');
export const app = signal<App | null>(null);
export const isOidcOffered = signal(false);
export const refusal = signal<string | null>(null);

let client: Client;
let session: Session;

function makeClient(): void {
  const nodes = new Nodes(location.origin, settings.value.nodes);
  session = new Session(sessionStorage, nodes.all.length > 1);
  client = new Client({ nodes, credentials: session, onSignedOut: () => close('Your session has ended. Sign in to go on; nothing you wrote is lost.') });
}

function enter(agent: Agent): void {
  refusal.value = null;
  app.value = new App(client, agent);
  door.value = 'open';
  app.value.start();
}

function close(why: string | null): void {
  if (door.value !== 'open') return;
  app.value?.stop();
  app.value = null;
  refusal.value = why;
  door.value = 'closed';
}

// At the start of the page: the key in its address, or the session that is there.
export async function openDoor(): Promise<void> {
  makeClient();
  const key = takeKey();
  return key ? signIn(key) : resume();
}

async function resume(): Promise<void> {
  try {
    enter(await session.resume(client));
  } catch (error) {
    door.value = 'closed';
    if (isProblem(error) && error.status === 401) isOidcOffered.value = error.document.oidc === true;
    else refusal.value = wordsOf(error);
  }
}

export async function signIn(key: string): Promise<void> {
  try {
    enter(await session.signIn(client, key));
  } catch (error) {
    door.value = 'closed';
    refusal.value = isProblem(error) && error.status === 401 ? 'This key is not known here, or was revoked.' : wordsOf(error);
  }
}

export async function signOut(): Promise<void> {
  close(null);
  await session.signOut(client).catch(() => {});
  makeClient(); // other nodes may have been chosen
  await resume();
}
