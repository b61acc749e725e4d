// The Idempotency-Key of what is being made: the same while the same is asked for, however often and
// after whatever failure; a new one for anything else.

export class Once {
  #body = '';
  #key = '';

  keyFor(body: object): string {
    const text = JSON.stringify(body);
    if (!this.#key || text !== this.#body) this.#key = crypto.randomUUID();
    this.#body = text;
    return this.#key;
  }

  // It is made: the same asked for again is another.
  done(): void {
    this.#key = '';
  }
}
