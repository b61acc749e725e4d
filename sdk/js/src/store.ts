// What outlives the page. The session is in Web Storage, written at once; the outbox is in
// IndexedDB, else in Web Storage, else in memory, and `_isDurable` says honestly if it is kept.
// Nothing is written before _open().
import { within } from './clock.js';
import type { Item } from './outbox.js';
import type { Clock, KeyValueStorage, Options } from './types.js';

const DATABASE = 'holdline';
const TABLE = 'outbox';
const PATIENCE_MS = 2000; // some browsers never answer

function memory(): KeyValueStorage {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) || null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

function find(wanted: Options['storage']): KeyValueStorage | undefined {
  if (typeof wanted === 'object') return wanted;
  try {
    const storage = wanted === 'memory' ? undefined : wanted === 'session' ? globalThis.sessionStorage : globalThis.localStorage;
    if (storage) storage.getItem('holdline'); // blocked storage throws here, if not before
    return storage;
  } catch (error) {
    return undefined;
  }
}

export class Store {
  _isShared: boolean; // among tabs
  _isDurable: boolean;
  private _storage: KeyValueStorage;
  private _database: Promise<IDBDatabase | null> | undefined;
  private _items = new Map<string, Item>(); // what could not be kept elsewhere

  constructor(wanted: Options['storage'], private _prefix: string, private _clock: Clock, private _degraded: () => void) {
    const storage = find(wanted);
    this._storage = storage || memory();
    this._isDurable = !!storage;
    this._isShared = !!storage && (wanted === 'local' || !wanted);
  }

  _read(name: string, storage = this._storage): any {
    try {
      return JSON.parse(storage.getItem(this._prefix + name)!);
    } catch (error) {
      return null;
    }
  }

  // What is this tab's alone, and survives its reload.
  _readOwn(): any {
    return this._isShared ? this._read('tab', globalThis.sessionStorage) : null;
  }

  _writeOwn(value: unknown): void {
    try {
      if (this._isShared) globalThis.sessionStorage[value ? 'setItem' : 'removeItem'](`${this._prefix}tab`, JSON.stringify(value));
    } catch (error) {
      // then the position of the leader counts
    }
  }

  _write(name: string, value: unknown): boolean {
    try {
      if (value === null) this._storage.removeItem(this._prefix + name);
      else this._storage.setItem(this._prefix + name, JSON.stringify(value));
      return true;
    } catch (error) {
      this._degrade();
      return false;
    }
  }

  private _degrade(): void {
    if (!this._isDurable) return;
    this._isDurable = false;
    this._degraded();
  }

  // -- the outbox ---------------------------------------------------------------------------

  private _open(): Promise<IDBDatabase | null> {
    if (!this._database) this._database = this._isShared ? this._openDatabase() : Promise.resolve(null);
    return this._database;
  }

  private _openDatabase(): Promise<IDBDatabase | null> {
    const opened = new Promise<IDBDatabase | null>((resolve) => {
      try {
        const request = globalThis.indexedDB.open(DATABASE, 1);
        request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(null);
      } catch (error) {
        resolve(null);
      }
    });
    return within(this._clock, PATIENCE_MS, opened);
  }

  // False: the database did not do it.
  private async _run(mode: 'readonly' | 'readwrite', work: (table: IDBObjectStore) => IDBRequest): Promise<any> {
    const database = await this._open();
    if (!database) return null;
    return new Promise<any>((resolve) => {
      try {
        const transaction = database.transaction(TABLE, mode);
        const request = work(transaction.objectStore(TABLE));
        transaction.oncomplete = () => resolve(request.result || true);
        transaction.onerror = transaction.onabort = () => resolve(null);
      } catch (error) {
        resolve(null);
      }
    });
  }

  // Resolves to where it is kept being safe over a reload.
  async _put(item: Item): Promise<boolean> {
    if (await this._run('readwrite', (table) => table.put(item, this._prefix + item.mid))) return this._isDurable;
    return this._rewrite((items) => items.set(item.mid, item)) && this._isDurable;
  }

  // The table in Web Storage; other tabs write it, too.
  private _rewrite(change: (items: Map<string, Item>) => void): boolean {
    this._refresh();
    change(this._items);
    return this._write('outbox', this._items.size ? [...this._items.values()] : null);
  }

  private _refresh(): void {
    if (!this._isDurable) return; // what is there is older than what we have
    this._items = new Map((this._read('outbox') || []).map((item: Item) => [item.mid, item]));
  }

  async _delete(mid: string): Promise<void> {
    this._refresh();
    if (this._items.has(mid)) this._rewrite((items) => items.delete(mid));
    await this._run('readwrite', (table) => table.delete(this._prefix + mid));
  }

  async _all(): Promise<Item[]> {
    this._refresh();
    const found = await this._run('readonly', (table) => table.getAll(this._keys()));
    return [...this._items.values(), ...(found || [])].sort((a, b) => a.n - b.n);
  }

  private _keys(): IDBKeyRange {
    return IDBKeyRange.bound(this._prefix, this._prefix + '\uffff');
  }

  async _wipe(): Promise<void> {
    for (const name of ['session', 'outbox', 'enquiries']) this._write(name, null);
    this._items.clear();
    this._writeOwn(null);
    await this._run('readwrite', (table) => table.delete(this._keys()));
  }
}
