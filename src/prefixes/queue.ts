/** Work that is done one piece after another, in the order in which it came. */
import { orAbort } from '../abort.js';
import { throwIfAborted } from '../errors.js';

export class Queue {
  #last: Promise<unknown> = Promise.resolve();

  /**
   * Does the work when all that came before has ended. A signal that fires before that ends the wait at once, and the work
   * is never begun; from then on the work hears it itself.
   *
   * @throws AbortError; what the work throws
   */
  async run<Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Value> {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const turn = this.#last.then(() => {
      throwIfAborted(signal);
      begin();
      return work();
    });
    this.#last = turn.catch(() => undefined);
    await orAbort(Promise.race([begun, turn]), signal);
    return await turn;
  }
}
