// Time. Timers are named, so that setting one again replaces it; all of one owner end at once.
import type { Clock } from './types.js';

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

export class Timers {
  private _running: Record<string, unknown> = {};

  constructor(private _clock: Clock) {}

  _set(name: number | string, ms: number, run: () => void): void {
    this._stop(name);
    this._running[name] = this._clock.setTimeout(() => {
      delete this._running[name];
      run();
    }, ms);
  }

  _has(name: number | string): boolean {
    return name in this._running;
  }

  _stop(name: number | string): void {
    this._clock.clearTimeout(this._running[name]);
    delete this._running[name];
  }

  _clear(): void {
    for (const name in this._running) this._stop(name);
  }
}

// Settles with the promise, or with null when it takes too long.
export function within<T>(clock: Clock, ms: number, promise: Promise<T>): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => resolve(null), ms);
    promise.then(resolve, reject).then(() => clock.clearTimeout(timer));
  });
}
