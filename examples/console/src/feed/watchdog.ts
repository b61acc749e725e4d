// Ends what shows no sign of life for too long: its signal aborts when the time is over, or when the
// outer one does.

export class Watchdog {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  #timer: ReturnType<typeof setTimeout> | undefined;
  isHungry = false;

  constructor(outer: AbortSignal, ms: number) {
    this.#outer = outer;
    if (outer.aborted) this.#controller.abort();
    else outer.addEventListener('abort', this.#abort, { once: true });
    this.feed(ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  feed(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.isHungry = true;
      this.#controller.abort();
    }, ms);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#outer.removeEventListener('abort', this.#abort);
  }

  #abort = (): void => this.#controller.abort();
}
