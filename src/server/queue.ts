/** Who may answer now, who waits, and who is sent away. */
import { onAbort } from '../abort.js';
import { AbortError, ServerError, throwIfAborted } from '../errors.js';

interface Waiting {
  readonly begin: () => void;
}

/** Places for so many answers at once, and a line before them that is never longer than its bound. */
export class Queue {
  readonly #placeCount: number;
  readonly #maxLength: number;
  readonly #line = new Set<Waiting>();
  #takenCount = 0;

  /** @param maxLength answers that may wait */
  constructor(placeCount: number, maxLength: number) {
    this.#placeCount = placeCount;
    this.#maxLength = maxLength;
  }

  /** Answers under way. */
  get runningCount(): number {
    return this.#takenCount;
  }

  /** Answers that wait. */
  get waitingCount(): number {
    return this.#line.size;
  }

  /** Whether so many more can be taken, now or later. @throws ServerError ERR_BUSY */
  checkRoom(count: number): void {
    const free = this.#placeCount - this.#takenCount;
    if (this.#line.size + count - Math.max(0, free) <= this.#maxLength) return;
    throw new ServerError(
      'ERR_BUSY',
      `Expected at most ${this.#maxLength} answers that wait, received a request for ${count} more than ${this.#line.size} that do. Ask again in a few seconds.`,
    );
  }

  /**
   * Waits for a place and runs `work` in it; first come, first served.
   *
   * @throws AbortError as soon as the signal fires while it waits; what `work` throws
   */
  async run<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    throwIfAborted(signal);
    if (this.#takenCount >= this.#placeCount) await this.#turn(signal);
    else this.#takenCount++;
    try {
      return await work();
    } finally {
      const [next] = this.#line;
      if (next === undefined) this.#takenCount--;
      else next.begin(); // the place goes on to who waits longest
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const waiting = {
        begin: () => {
          this.#line.delete(waiting);
          takeBack();
          resolve();
        },
      };
      this.#line.add(waiting);
      const takeBack = onAbort(signal, () => {
        if (this.#line.delete(waiting)) reject(new AbortError(signal));
      });
    });
  }
}
