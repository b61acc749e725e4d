// Holdline-Position: the place in the log of the newest thing this console has written or seen. Sent
// as Holdline-Min-Position, it makes every node answer with at least that.

export class Place {
  #epoch = '';
  #position = -1;

  get text(): string | null {
    return this.#position < 0 ? null : `${this.#epoch}.${this.#position}`;
  }

  note(text: string | null): void {
    const match = /^(\d+)\.(\d+)$/.exec(text ?? '');
    if (!match) return;
    const [, epoch = '', digits = ''] = match;
    const position = Number(digits);
    if (epoch !== this.#epoch || position > this.#position) {
      this.#epoch = epoch;
      this.#position = position;
    }
  }

  // The log was restored: what was seen of the old one says nothing.
  forget(): void {
    this.#epoch = '';
    this.#position = -1;
  }
}
