/**
 * Whether the evaluator thread is inside onnxruntime. A process that ends while it is inside aborts, so the main thread's
 * exit handler sets STOPPING and waits for BUSY to fall.
 */
import { loadBinding } from '../native/binding.js';
import type { Provider } from './provider.js';
import { BUSY, STOPPING } from './worker-messages.js';

/** Nothing ends a wait for another thread that is inside. */
const WAIT_MS = 50;

export class Presence {
  readonly #state: Int32Array;

  /** @param state shared with the main thread: see {@link BUSY} */
  constructor(state: SharedArrayBuffer) {
    this.#state = new Int32Array(state);
  }

  /**
   * Marks the thread as inside; false: the process is ending, and nothing may be entered any more. A device is entered by
   * one thread of the process at a time, for the others it waits: two sessions that run at once on WebGPU crash.
   *
   * @throws EngineError ERR_ADDON_NOT_FOUND, ERR_ADDON_INVALID for a device without the addon, which keeps that order
   */
  enter(provider: Provider): boolean {
    Atomics.store(this.#state, BUSY, 1);
    try {
      if (provider !== 'cpu' && !this.#takeTurn()) {
        this.leave('cpu');
        return false;
      }
    } catch (error) {
      this.leave('cpu');
      throw error;
    }
    if (Atomics.load(this.#state, STOPPING) === 0) return true;
    this.leave(provider);
    return false;
  }

  /** In short waits: between two of them the thread can be ended, and sees that the process is ending. */
  #takeTurn(): boolean {
    const binding = loadBinding();
    // A function: V8 looks where one begins whether the thread is to end, and in a loop but seldom.
    const isInside = () => binding.enterDevice(WAIT_MS);
    while (!isInside()) {
      if (Atomics.load(this.#state, STOPPING) !== 0) return false;
    }
    return true;
  }

  leave(provider: Provider): void {
    if (provider !== 'cpu') loadBinding().leaveDevice();
    Atomics.store(this.#state, BUSY, 0);
    Atomics.notify(this.#state, BUSY);
  }
}
