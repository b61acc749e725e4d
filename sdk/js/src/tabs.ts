// Several tabs of one origin: one of them leads, that is, holds the link; the others hear of it
// what it hears. Web Locks decide who; where there are none, a lease in Web Storage does. Two
// that lead at once do no harm: the gateway tells one of them that it was replaced.
import { Timers } from './clock.js';
import { randomId } from './ids.js';
import type { Clock } from './types.js';

const LEASE_MS = 1500; // between two signs of life
const LEASE_LOST = 4; // so many of them missing
const PATIENCE_MS = 8000; // with a leader that does not answer

export interface TabsUser {
  _lead(): void;
  _follow(): void; // led until now, and must not any more
  _hear(message: any): void;
  _readLease(): any;
  _writeLease(lease: any): void;
}

export class Tabs {
  readonly _id = randomId();
  _isLeading = false;
  private _isWanted = false;
  private _channel: BroadcastChannel | undefined;
  private _timers: Timers;
  private _leave: (() => void) | undefined; // gives the lock back
  private _giveUp: AbortController | undefined; // waits for the lock no longer
  private _seen = '';
  private _missed = 0;

  // isAlone: storage is not shared, so every tab is a visitor of its own.
  constructor(private _name: string, private _isAlone: boolean, clock: Clock, private _user: TabsUser) {
    this._timers = new Timers(clock);
  }

  // From now on this tab leads, or follows.
  _join(): void {
    if (this._isWanted) return;
    this._isWanted = true;
    if (this._isAlone || typeof BroadcastChannel === 'undefined') {
      this._isAlone = true;
      this._begin();
      return;
    }
    this._channel = new BroadcastChannel(this._name);
    this._channel.onmessage = ({ data }) => {
      if (data.to && data.to !== this._id) return;
      if (data.k === 'lead') this._timers._stop('patience');
      this._user._hear(data);
    };
    if (globalThis.navigator && navigator.locks) this._lock(false);
    else this._lease();
  }

  // Says something to the other tabs.
  _tell(message: any): void {
    if (this._channel) this._channel.postMessage({ ...message, tab: this._id });
  }

  // The leader should answer what it was just told, or it is taken for dead.
  _expect(): void {
    if (!this._channel || this._isLeading || this._timers._has('patience')) return;
    this._timers._set('patience', PATIENCE_MS, () => {
      if (globalThis.navigator && navigator.locks) this._lock(true);
      else this._takeLease();
    });
  }

  private _lock(steal: boolean): void {
    if (this._giveUp) this._giveUp.abort();
    const giveUp = (this._giveUp = steal ? undefined : new AbortController());
    const options = giveUp ? { signal: giveUp.signal } : { steal };
    const held = navigator.locks.request(this._name, options, () => new Promise<void>((resolve) => {
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
    this._timers._stop('patience');
    this._isLeading = true;
    this._user._lead();
  }

  private _end(): void {
    const { _isLeading: did } = this;
    this._isLeading = false;
    if (did) this._user._follow();
  }

  // A lease whose number does not rise any more is nobody's. No clock is compared with another's.
  private _lease(): void {
    this._timers._set('lease', LEASE_MS * (1 + Math.random() / 4), () => this._lease());
    const lease = this._user._readLease();
    if (lease && lease.id === this._id) {
      this._user._writeLease({ id: this._id, n: lease.n + 1 });
      if (!this._isLeading) this._begin();
      return;
    }
    this._end();
    const seen = JSON.stringify(lease);
    this._missed = seen === this._seen ? this._missed + 1 : 0;
    this._seen = seen;
    if (!lease || this._missed >= LEASE_LOST) this._takeLease();
  }

  // It is ours if it still is when we look again.
  private _takeLease(): void {
    this._user._writeLease({ id: this._id, n: 0 });
    this._timers._set('lease', LEASE_MS / 5, () => this._lease());
  }

  // This tab goes, or sleeps: another may lead.
  _part(): void {
    if (!this._isWanted) return;
    this._isWanted = false;
    this._timers._clear();
    if (this._isLeading && this._channel && !this._leave) this._user._writeLease(null);
    if (this._giveUp) this._giveUp.abort();
    if (this._leave) this._leave();
    this._leave = this._giveUp = undefined;
    this._isLeading = false;
    if (this._channel) this._channel.close();
    this._channel = undefined;
  }
}
