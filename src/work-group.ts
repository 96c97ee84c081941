/** Work that ends together. */
import { followAbort } from './abort.js';

/** Work side by side: when one piece fails the others are aborted, and nothing outlives the group. */
export class WorkGroup {
  readonly #controller = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #outer: AbortSignal;
  #failure: { readonly error: unknown } | undefined;
  readonly #takeBack: () => void;

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    this.#takeBack = followAbort(outer, this.#controller);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Starts a piece of work; its promise may be awaited late or never. */
  start<Value>(work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const running = work(this.signal).catch((error: unknown) => {
      this.fail(error);
      throw error;
    });
    const ended = running.then(
      () => undefined,
      () => undefined,
    );
    this.#running.add(ended);
    void ended.then(() => this.#running.delete(ended));
    return running;
  }

  /** Makes the group fail, as a piece that throws does. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#controller.abort(error);
  }

  /** Hears what a caller's function gave back: where it is a promise that fails, so does the group. It is not waited for. */
  watch(told: unknown): void {
    if (told instanceof Promise) told.catch((error: unknown) => this.fail(error));
  }

  /** The value of one piece; when the group failed, the first failure, which the others' abort must not hide. */
  async result<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work;
    } catch (error) {
      throw this.#failure === undefined ? error : this.#failure.error;
    }
  }

  /** Aborts what still runs and waits for its end. */
  async close(): Promise<void> {
    this.#takeBack();
    if (this.#running.size > 0) this.#controller.abort(this.#outer.reason);
    await Promise.all(this.#running);
  }
}
