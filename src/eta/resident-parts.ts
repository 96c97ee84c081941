/** Parts that are in memory while they are used: loaded for whoever needs them, let go when nobody did for a while. */
import { orAbort } from '../abort.js';
import { UsageError } from '../errors.js';

interface Disposable {
  dispose(): Promise<void>;
}

export interface ResidentOptions<Parts> {
  /** Loads them; ends with an AbortError when the signal fires. */
  load(signal: AbortSignal): Promise<Parts>;
  /** Milliseconds without a user after which they are let go. @default never */
  readonly idleUnloadMs?: number | undefined;
}

/** One load, and what came of it. */
interface Holding<Parts> {
  readonly parts: Promise<Parts>;
  readonly controller: AbortController;
  /** Once it has ended well. */
  loaded: Parts | undefined;
}

/** The one place that owns loaded parts; requests borrow them. */
export class ResidentParts<Parts extends Disposable> {
  readonly #options: ResidentOptions<Parts>;
  #holding: Holding<Parts> | undefined;
  /** The end of the last that were let go, which never rejects: two copies must not lie in memory at once. */
  #freed: Promise<void> = Promise.resolve();
  #isDisposed = false;
  #userCount = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ResidentOptions<Parts>) {
    this.#options = options;
  }

  /** Whether they are in memory, ready to use. */
  get isLoaded(): boolean {
    return this.#holding?.loaded !== undefined;
  }

  /**
   * Gives `work` the parts, loaded where they are not, and keeps them until it has ended. Who comes while they are being
   * let go waits for that, and for the load; a load that nobody waits for any more is ended. One that fails, fails for
   * those who waited; the next tries again.
   *
   * @throws AbortError as soon as the signal fires during the load; UsageError ERR_DISPOSED; what loading throws
   */
  async use<Result>(signal: AbortSignal | undefined, work: (parts: Parts) => Promise<Result>): Promise<Result> {
    if (this.#isDisposed)
      throw new UsageError('ERR_DISPOSED', 'Expected parts in use, received disposed ones: load new.');
    this.#userCount++;
    this.#stopTimer();
    try {
      return await work(await orAbort(this.#resident(), signal));
    } finally {
      this.#userCount--;
      this.#rest();
    }
  }

  /** Gives `work` the parts where they are loaded; undefined otherwise. It loads nothing, and puts off no unloading. */
  async look<Result>(work: (parts: Parts) => Promise<Result>): Promise<Result | undefined> {
    const loaded = this.#holding?.loaded;
    if (loaded === undefined) return undefined;
    this.#userCount++;
    try {
      return await work(loaded);
    } finally {
      this.#userCount--;
      if (this.#timer === undefined) this.#rest();
    }
  }

  /** Lets them go, unless somebody uses them or looks. @returns whether they are gone @throws what freeing throws */
  async unload(): Promise<boolean> {
    if (this.#userCount > 0) return false;
    await this.#letGo();
    return true;
  }

  /** Lets them go, also while they are being loaded; nobody may use them any more. @throws what freeing throws, if nobody was told */
  async dispose(): Promise<void> {
    this.#isDisposed = true;
    await this.#letGo();
  }

  #resident(): Promise<Parts> {
    this.#holding ??= this.#begin();
    return this.#holding.parts;
  }

  #begin(): Holding<Parts> {
    const controller = new AbortController();
    const parts = this.#freed.then(() => this.#options.load(controller.signal));
    const holding: Holding<Parts> = { parts, controller, loaded: undefined };
    parts.then(
      (loaded) => {
        holding.loaded = loaded;
      },
      () => {
        if (this.#holding === holding) this.#holding = undefined;
      },
    );
    return holding;
  }

  /** A failure is told to whoever let them go, and to nobody who comes later. */
  #letGo(): Promise<void> {
    this.#stopTimer();
    const holding = this.#holding;
    if (holding === undefined) return this.#freed;
    this.#holding = undefined;
    holding.controller.abort();
    const freed = holding.parts.then(
      (parts) => parts.dispose(),
      () => undefined, // those who waited were told
    );
    this.#freed = freed.catch(() => undefined); // whoever let them go is told
    return freed;
  }

  /** When the last user has gone: ends a load that is under way, and counts the time of what is loaded. */
  #rest(): void {
    if (this.#userCount > 0 || this.#holding === undefined) return;
    const { idleUnloadMs } = this.#options;
    if (this.#holding.loaded === undefined) this.#letGoUnheard();
    else if (idleUnloadMs !== undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#userCount === 0) this.#letGoUnheard();
      }, idleUnloadMs);
      this.#timer.unref();
    }
  }

  /** Where nobody waits for its end, a failure becomes a warning of the process. */
  #letGoUnheard(): void {
    this.#letGo().catch((error: Error) => process.emitWarning(error));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
