/** From a producer that pushes to a consumer that asks: events wait in line, none is lost, the producer never waits. */
export class EventStream<Event> {
  readonly #waiting: Event[] = [];
  #wake: (() => void) | undefined;
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;

  push(event: Event): void {
    this.#waiting.push(event);
    this.#wake?.();
  }

  /** No more events; with an error, the consumer gets it behind the last one. */
  end(failure?: { readonly error: unknown }): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake?.();
  }

  async *events(): AsyncGenerator<Event, void, void> {
    while (true) {
      for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) yield event;
      if (this.#isEnded) break;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
