/** Long computations in stretches: between them the event loop has its turn, so that timers, signals and streams are served. */
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from './errors.js';

/** Of one stretch. The event loop may stand for 50 ms at most, and a stretch ends only where its work can be parted. */
const STRETCH_MS = 10;

export class Turns {
  readonly #signal: AbortSignal | undefined;
  #since = performance.now();

  /** @param signal is heard between stretches */
  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  /** Whether the stretch has lasted long enough: then {@link give}. */
  get isDue(): boolean {
    return performance.now() - this.#since >= STRETCH_MS;
  }

  /** Gives the event loop its turn. @throws AbortError */
  async give(): Promise<void> {
    await setImmediate();
    throwIfAborted(this.#signal);
    this.#since = performance.now();
  }

  /** As `rows.map(work)`, with turns between rows. @throws AbortError */
  async map<Row, Result>(rows: Iterable<Row>, work: (row: Row, index: number) => Result): Promise<Result[]> {
    const results: Result[] = [];
    for (const row of rows) {
      if (this.isDue) await this.give();
      results.push(work(row, results.length));
    }
    return results;
  }
}
