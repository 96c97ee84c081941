/** Work that several want at the same moment: it is done once, for all of them. */
import { orAbort } from './abort.js';

interface UnderWay<Value> {
  readonly value: Promise<Value>;
  readonly controller: AbortController;
  waitingCount: number;
}

export class SharedWork<Value> {
  readonly #underWay = new Map<string, UnderWay<Value>>();

  /**
   * What the work under this key comes to. Who asks while it is under way waits for it; it goes on as long as one of those
   * who asked waits, and is ended when nobody does. Where it fails that another began, one's own is done.
   *
   * @param work ends when the signal fires; its value is the same for everybody
   * @throws AbortError as soon as one's own signal fires; what one's own work throws
   */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<Value>,
    signal: AbortSignal | undefined,
  ): Promise<Value> {
    for (;;) {
      const others = this.#underWay.get(key);
      const one = others ?? this.#begin(key, work);
      one.waitingCount++;
      try {
        return await orAbort(one.value, signal);
      } catch (error) {
        if (others === undefined || signal?.aborted) throw error;
      } finally {
        one.waitingCount--;
        if (one.waitingCount === 0) this.#end(key, one);
      }
    }
  }

  /** Ends all that is under way. */
  abort(): void {
    for (const { controller } of this.#underWay.values()) controller.abort();
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<Value>): UnderWay<Value> {
    const controller = new AbortController();
    const one: UnderWay<Value> = { value: work(controller.signal), controller, waitingCount: 0 };
    this.#underWay.set(key, one);
    const forget = () => {
      if (this.#underWay.get(key) === one) this.#underWay.delete(key);
    };
    one.value.then(forget, forget);
    return one;
  }

  /** Nobody waits any more: where it has not ended, it is ended, and whoever comes begins anew. */
  #end(key: string, one: UnderWay<Value>): void {
    if (this.#underWay.get(key) !== one) return;
    this.#underWay.delete(key);
    one.controller.abort();
  }
}
