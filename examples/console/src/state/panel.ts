// Whether the details of a conversation are shown: beside it where there is room, which is remembered;
// over it where there is none, which ends with the conversation.
import { computed, signal } from '@preact/signals';
import { change, settings } from './settings';

const query = matchMedia('(min-width: 74.001rem)');
const hasRoom = signal(query.matches);
const isOver = signal(false);
query.addEventListener('change', () => (hasRoom.value = query.matches));

export const isPanelShown = computed(() => (hasRoom.value ? settings.value.isContextShown : isOver.value));

export function togglePanel(): void {
  if (hasRoom.value) change({ isContextShown: !settings.value.isContextShown });
  else isOver.value = !isOver.value;
}

export function leavePanel(): void {
  isOver.value = false;
}
