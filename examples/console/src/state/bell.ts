// Draws attention while nobody looks: the number in the title, and, if this person has asked for it,
// a notification of the system and a sound.
import { effect, type ReadonlySignal } from '@preact/signals';
import { go } from './route';
import { settings } from './settings';

const TITLE = 'holdline console';
const QUIET_MS = 3000;

export interface Ring {
  conversation: string;
  title: string;
  text: string;
}

export class Bell {
  readonly #stop: () => void;
  #rangAt = 0;

  constructor(unread: ReadonlySignal<number>) {
    this.#stop = effect(() => {
      document.title = unread.value > 0 ? `(${unread.value}) ${TITLE}` : TITLE;
    });
  }

  stop(): void {
    this.#stop();
    document.title = TITLE;
  }

  ring({ conversation, title, text }: Ring): void {
    const { isNotifying, isSounding } = settings.value;
    if (document.visibilityState === 'visible' && document.hasFocus()) return;
    if (isSounding && Date.now() - this.#rangAt > QUIET_MS) {
      this.#rangAt = Date.now();
      playChime();
    }
    if (!isNotifying || !('Notification' in window) || Notification.permission !== 'granted') return;
    const notification = new Notification(title, { body: text.slice(0, 160), tag: conversation });
    notification.onclick = () => {
      window.focus();
      go({ conversation });
      notification.close();
    };
  }
}

// Two soft tones, without a file.
export function playChime(): void {
  const context = new AudioContext();
  [659.3, 880].forEach((frequency, i) => {
    const start = context.currentTime + i * 0.13;
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.frequency.value = frequency;
    volume.gain.setValueAtTime(0.0001, start);
    volume.gain.exponentialRampToValueAtTime(0.12, start + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.45);
    tone.connect(volume).connect(context.destination);
    tone.start(start);
    tone.stop(start + 0.5);
  });
  setTimeout(() => void context.close(), 1500);
}

// Asked only when somebody switches notifications on.
export async function askToNotify(): Promise<boolean> {
  return 'Notification' in window && (await Notification.requestPermission()) === 'granted';
}
