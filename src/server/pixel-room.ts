/** How many pixels of all requests lie decoded in memory at one time: who needs more than there is room for waits. */
import { onAbort } from '../abort.js';
import { AbortError, throwIfAborted } from '../errors.js';

interface Waiting {
  readonly count: number;
  readonly begin: () => void;
}

export class PixelRoom {
  #free: number;
  readonly #line = new Set<Waiting>();

  /** @param count of pixels; nobody may ask for more */
  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Waits for room; first come, first served. All that a request needs is asked for at once: who held some of it and waited
   * for the rest could wait for ever. Who needs none waits for nobody.
   *
   * @returns what gives it back, idempotent
   * @throws AbortError as soon as the signal fires while it waits
   */
  async take(count: number, signal: AbortSignal): Promise<() => void> {
    throwIfAborted(signal);
    if (count === 0) return () => undefined;
    if (this.#line.size > 0 || count > this.#free) await this.#turn(count, signal);
    else this.#free -= count;
    let held = count;
    return () => {
      this.#free += held;
      held = 0;
      this.#callNext();
    };
  }

  async #turn(count: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const waiting = {
        count,
        begin: () => {
          takeBack();
          resolve();
        },
      };
      this.#line.add(waiting);
      const takeBack = onAbort(signal, () => {
        if (!this.#line.delete(waiting)) return;
        reject(new AbortError(signal));
        this.#callNext(); // it may have stood before one who needs less
      });
    });
  }

  #callNext(): void {
    for (const waiting of this.#line) {
      if (waiting.count > this.#free) return;
      this.#line.delete(waiting);
      this.#free -= waiting.count;
      waiting.begin();
    }
  }
}
