// Several tabs of one origin: one of them leads, that is, holds the link; the others hear of it
// what it hears. Web Locks decide who. Where there are none, who hears of no leader for a while
// leads, and of two that lead the one with the lower id goes on; until then no harm is done, for
// the gateway tells one of them that it was replaced.
import type { Chat } from './chat.js';
import { Timers } from './clock.js';
import { randomId } from './ids.js';

const BEAT_MS = 1500; // between two signs of life, where there are no locks
const QUIET_MS = 5000; // then there is no leader
const FIRST_MS = 400; // when a tab begins
const PATIENCE_MS = 8000; // with a leader that does not answer

// What tabs say to one another.
export const enum Word {
  Lead,
  Join,
  Pub,
  Typing,
  Read,
  Connect,
  Range,
  Found,
  Message,
  Event,
  Ok,
  No,
  Gone,
  Forget,
  Error,
}

const enum Timer {
  Patience,
  Beat,
}

export class Tabs {
  readonly _id = randomId();
  private _locks = globalThis.navigator && navigator.locks;
  _isLeading?: boolean;
  private _isWanted?: boolean;
  private _channel: BroadcastChannel | undefined;
  private _timers: Timers;
  private _leave: (() => void) | undefined; // gives the lock back
  private _giveUp: AbortController | undefined; // waits for the lock no longer

  // isAlone: storage is not shared, so every tab is a visitor of its own.
  constructor(private _name: string, private _isAlone: boolean, private _chat: Chat) {
    this._timers = new Timers(_chat._set._clock);
  }

  // From now on this tab leads, or follows.
  _join(): void {
    if (this._isWanted) return;
    this._isWanted = true;
    if (this._isAlone || !globalThis.BroadcastChannel) {
      this._begin();
      return;
    }
    this._channel = new BroadcastChannel(this._name);
    this._channel.onmessage = ({ data }) => {
      if (data.to && data.to !== this._id) return;
      if (data.k === Word.Lead) {
        this._timers._stop(Timer.Patience);
        if (!this._locks && !(this._isLeading && this._id < data.tab)) {
          this._end();
          this._candidate(QUIET_MS);
        }
      }
      this._chat._hear(data);
    };
    if (this._locks) this._lock(false);
    else this._candidate(FIRST_MS);
  }

  // Says something to the other tabs.
  _tell(message: any): void {
    if (this._channel) this._channel.postMessage({ ...message, tab: this._id });
  }

  // The leader should answer what it was just told, or it is taken for dead.
  _expect(): void {
    if (!this._channel || this._isLeading || this._timers._has(Timer.Patience)) return;
    this._timers._set(Timer.Patience, PATIENCE_MS, () => {
      if (this._locks) this._lock(true);
      else this._begin();
    });
  }

  private _lock(steal: boolean): void {
    if (this._giveUp) this._giveUp.abort();
    const giveUp = (this._giveUp = steal ? undefined : new AbortController());
    const options = giveUp ? { signal: giveUp.signal } : { steal };
    const held = this._locks.request(this._name, options, () => new Promise<void>((resolve) => {
      this._leave = resolve;
      this._begin();
    }));
    // Refused, or stolen: wait for the next chance.
    held.catch(() => {
      if (giveUp && giveUp.signal.aborted) return;
      this._leave = undefined;
      this._end();
      if (this._isWanted) this._lock(false);
    });
  }

  private _begin(): void {
    if (!this._isWanted) {
      if (this._leave) this._leave();
      return;
    }
    this._timers._stop(Timer.Patience);
    this._isLeading = true;
    this._chat._lead();
    if (this._channel && !this._locks) this._beat();
  }

  private _end(): void {
    const { _isLeading: did } = this;
    this._isLeading = false;
    if (did) this._chat._follow();
  }

  // Where there are no locks: leads if nobody else does by then.
  private _candidate(ms: number): void {
    this._timers._set(Timer.Beat, ms * (1 + Math.random() / 4), () => this._begin());
  }

  private _beat(): void {
    this._chat._announce();
    this._timers._set(Timer.Beat, BEAT_MS, () => this._beat());
  }

  // This tab goes, or sleeps: another may lead.
  _part(): void {
    if (!this._isWanted) return;
    this._isWanted = false;
    this._timers._clear();
    if (this._giveUp) this._giveUp.abort();
    if (this._leave) this._leave();
    this._leave = this._giveUp = undefined;
    this._isLeading = false;
    if (this._channel) this._channel.close();
    this._channel = undefined;
  }
}
