// Time. Timers are named, so that setting one again replaces it; all of one owner end at once.
import type { Clock } from './types.js';

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class Timers {
  _running = new Map<string, unknown>();

  constructor(public _clock: Clock) {}

  _set(name: string, ms: number, run: () => void): void {
    this._stop(name);
    this._running.set(name, this._clock.setTimeout(() => {
      this._running.delete(name);
      run();
    }, ms));
  }

  _has(name: string): boolean {
    return this._running.has(name);
  }

  _stop(name: string): void {
    this._clock.clearTimeout(this._running.get(name));
    this._running.delete(name);
  }

  _clear(): void {
    for (const name of [...this._running.keys()]) this._stop(name);
  }
}

// Settles with the promise, or with null when it takes too long.
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve(null), ms);
    promise.then(resolve, reject).then(() => clock.clearTimeout(timer));
  });
}
