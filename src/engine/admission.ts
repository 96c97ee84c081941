/**
 * Who may start: requests reserve the KV cells and sequences they can need at most, first come, first served. A request
 * that holds its reservation cannot be stopped by a full cache, so that nothing has to be preempted or corrupted.
 */
import { onAbort } from '../abort.js';
import { AbortError, EngineError, throwIfAborted } from '../errors.js';

/** What one request takes of a context at most. */
export interface Demand {
  /** KV cells, >= 1: the prompt once, a picture by its `tokenCount`, and for each branch its own tokens. */
  readonly cellCount: number;
  /** Sequences alive at once, >= 1. */
  readonly sequenceCount: number;
}

/** What was granted; give it back exactly once. */
export interface Reservation extends Demand {
  release(): void;
}

interface Waiter {
  readonly demand: Demand;
  readonly grant: (reservation: Reservation) => void;
  readonly reject: (error: unknown) => void;
}

export class Admission {
  readonly #capacity: Demand;
  #freeCells: number;
  #freeSequences: number;
  readonly #waiters: Waiter[] = [];

  constructor(capacity: Demand) {
    this.#capacity = capacity;
    this.#freeCells = capacity.cellCount;
    this.#freeSequences = capacity.sequenceCount;
  }

  get waitingCount(): number {
    return this.#waiters.length;
  }

  /** What nobody has reserved. */
  get free(): Demand {
    return { cellCount: this.#freeCells, sequenceCount: this.#freeSequences };
  }

  /** Reserves a sequence at once, without cells; null where none is free. */
  takeLane(): Reservation | null {
    if (this.#freeSequences === 0) return null;
    this.#freeSequences--;
    return this.#reservation({ cellCount: 0, sequenceCount: 1 });
  }

  /**
   * Waits for its turn.
   *
   * @param onGrant called in the moment of the grant, before anybody else can reserve; it must not throw
   * @throws EngineError ERR_CACHE_FULL when the context could never hold it
   * @throws AbortError when the signal fires before the grant
   */
  async reserve(
    demand: Demand,
    signal?: AbortSignal,
    onGrant?: (reservation: Reservation) => void,
  ): Promise<Reservation> {
    throwIfAborted(signal);
    if (demand.cellCount > this.#capacity.cellCount || demand.sequenceCount > this.#capacity.sequenceCount) {
      throw new EngineError(
        'ERR_CACHE_FULL',
        `Expected a request of at most ${this.#capacity.cellCount} tokens in ${this.#capacity.sequenceCount} sequences, ` +
          `received one of ${demand.cellCount} in ${demand.sequenceCount}. ` +
          'Ask for fewer tokens or candidates, or load with a larger contextSize. More sequences come with sequenceCount.',
      );
    }
    return await new Promise<Reservation>((resolve, reject) => {
      const waiter: Waiter = {
        demand,
        grant: (reservation) => {
          takeBack();
          onGrant?.(reservation);
          resolve(reservation);
        },
        reject: (error) => {
          takeBack();
          reject(error);
        },
      };
      const takeBack = onAbort(signal, () => {
        const index = this.#waiters.indexOf(waiter);
        if (index >= 0) this.#waiters.splice(index, 1);
        reject(new AbortError(signal));
        this.#grantWaiting();
      });
      this.#waiters.push(waiter);
      this.#grantWaiting();
    });
  }

  /** Rejects everyone who waits, with this error. */
  close(error: unknown): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }

  #grantWaiting(): void {
    for (let next = this.#waiters[0]; next !== undefined && this.#fits(next.demand); next = this.#waiters[0]) {
      this.#waiters.shift();
      this.#freeCells -= next.demand.cellCount;
      this.#freeSequences -= next.demand.sequenceCount;
      next.grant(this.#reservation(next.demand));
    }
  }

  #fits(demand: Demand): boolean {
    return demand.cellCount <= this.#freeCells && demand.sequenceCount <= this.#freeSequences;
  }

  #reservation(demand: Demand): Reservation {
    let isHeld = true;
    return {
      ...demand,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#freeCells += demand.cellCount;
        this.#freeSequences += demand.sequenceCount;
        this.#grantWaiting();
      },
    };
  }
}
