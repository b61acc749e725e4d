// Typed events on top of EventTarget. A handler that throws harms nobody but itself.
import type { EventMap, EventName, Handler } from './types.js';

export class HoldlineEvent<K extends EventName = EventName> extends Event {
  readonly detail: EventMap[K];

  constructor(type: K, detail: EventMap[K]) {
    super(type);
    this.detail = detail;
  }
}

interface Entry {
  _type: EventName;
  _handler: Handler<any>;
  _isOnce: boolean;
}

export class Emitter extends EventTarget {
  private _entries: Entry[] = [];

  on<K extends EventName>(type: K, handler: Handler<K>): this {
    this._entries.push({ _type: type, _handler: handler, _isOnce: false });
    return this;
  }

  once<K extends EventName>(type: K, handler: Handler<K>): this {
    this._entries.push({ _type: type, _handler: handler, _isOnce: true });
    return this;
  }

  off<K extends EventName>(type: K, handler: Handler<K>): this {
    this._entries = this._entries.filter((e) => e._type !== type || e._handler !== handler);
    return this;
  }

  /** @internal */
  _emit<K extends EventName>(type: K, detail: EventMap[K]): void {
    for (const entry of this._entries.filter((e) => e._type === type)) {
      if (entry._isOnce) this._entries = this._entries.filter((e) => e !== entry);
      try {
        entry._handler(detail);
      } catch (error) {
        Promise.reject(error); // reported as unhandled
      }
    }
    this.dispatchEvent(new HoldlineEvent(type, detail));
  }
}
