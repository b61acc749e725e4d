// Typed events on top of EventTarget. A handler that throws harms nobody but itself.
import type { EventMap, EventName, Handler } from './types.js';

type Entry = [EventName, Handler<any>, boolean]; // isOnce

export class Emitter extends EventTarget {
  /** @internal */ _entries: Entry[] = []; // not private: a class that extends this has names of its own

  on<K extends EventName>(type: K, handler: Handler<K>): this {
    this._entries.push([type, handler, false]);
    return this;
  }

  once<K extends EventName>(type: K, handler: Handler<K>): this {
    this._entries.push([type, handler, true]);
    return this;
  }

  off<K extends EventName>(type: K, handler: Handler<K>): this {
    this._entries = this._entries.filter((e) => e[0] !== type || e[1] !== handler);
    return this;
  }

  /** @internal */
  _emit<K extends EventName>(type: K, detail: EventMap[K]): void {
    for (const [of, handler, isOnce] of [...this._entries]) {
      if (of !== type) continue;
      if (isOnce) this.off(type, handler);
      try {
        handler(detail);
      } catch (error) {
        Promise.reject(error); // reported as unhandled
      }
    }
    this.dispatchEvent(Object.assign(new Event(type), { detail }));
  }
}
