/** A number of places for many who wait: first come, first served, so that who needs much is not passed over. */
import { onAbort } from './abort.js';
import { AbortError, throwIfAborted } from './errors.js';

interface Waiter {
  readonly count: number;
  readonly enter: () => void;
}

export class Room {
  readonly capacity: number;
  #free: number;
  readonly #waiters: Waiter[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#free = capacity;
  }

  /**
   * Waits for so many places and takes them.
   *
   * @param count at most {@link capacity}
   * @returns gives them back; idempotent
   * @throws AbortError
   */
  async enter(count: number, signal?: AbortSignal): Promise<() => void> {
    throwIfAborted(signal);
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        count,
        enter: () => {
          takeBack();
          resolve();
        },
      };
      const takeBack = onAbort(signal, () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(new AbortError(signal));
        this.#admit();
      });
      this.#waiters.push(waiter);
      this.#admit();
    });
    let isInside = true;
    return () => {
      if (!isInside) return;
      isInside = false;
      this.#free += count;
      this.#admit();
    };
  }

  #admit(): void {
    for (let next = this.#waiters[0]; next !== undefined && next.count <= this.#free; next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#free -= next.count;
      next.enter();
    }
  }
}
