// What must survive a reload. The session (token, outbox) is what counts; the entries are only
// kept so that a reload need not fetch them again: without them position is 0 and all comes anew.

export class Store {
  isKept = true; // false: the browser refuses to store; say so

  constructor(name, storage) {
    this.name = name;
    this.storage = storage;
  }

  load() {
    const session = this.#read('session') ?? { token: null, c: null, nextSeq: 1, outbox: [] };
    const kept = this.#read('entries');
    const isMatching = kept && session.c && kept.c === session.c;
    return { ...session, ...(isMatching ? kept : { e: null, position: 0, entries: [] }) };
  }

  saveSession({ token, c, nextSeq, outbox, webSocketWorkedAt }) {
    this.isKept = this.#write('session', { token, c, nextSeq, outbox, webSocketWorkedAt });
    return this.isKept;
  }

  saveEntries({ c, e, position, entries }) {
    if (!this.#write('entries', { c, e, position, entries })) this.#remove('entries');
  }

  clear() {
    this.#remove('session');
    this.#remove('entries');
  }

  #read(part) {
    try {
      return JSON.parse(this.storage.getItem(`${this.name}.${part}`));
    } catch {
      return null;
    }
  }

  #write(part, value) {
    try {
      this.storage.setItem(`${this.name}.${part}`, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  }

  #remove(part) {
    try {
      this.storage.removeItem(`${this.name}.${part}`);
    } catch {
      this.isKept = false;
    }
  }
}
