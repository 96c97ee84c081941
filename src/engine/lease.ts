/** What one request holds: its reservation of the KV cache, and every sequence made in it. */
import { EngineError, UsageError } from '../errors.js';
import type { NativeContext } from '../native/context-types.js';
import type { Demand, Reservation } from './admission.js';
import type { Content } from './content-chain.js';
import type { Found } from './kept-prefixes.js';
import { native } from './native-error.js';
import type { Output } from './output.js';
import type { Scheduler } from './scheduler.js';
import { Sequence, type SequenceHome } from './sequence.js';
import type { TokenBytes } from './token-text.js';

/** What a lease needs of its context. */
export interface LeaseHome<Kept extends Output> {
  readonly output: Kept;
  readonly native: NativeContext;
  readonly scheduler: Scheduler;
  readonly vocabulary: TokenBytes;
  /** Whether the context is gone, and every sequence with it. */
  isDisposed(): boolean;
  /** Keeps what this lane holds beyond its lease. */
  keep(sequence: number, chain: Content): Promise<void>;
  /** Some of its sequences are gone, and what they shared with kept ones is no longer theirs. */
  onSequencesReleased(): void;
  /** It is gone, and its reservation with it. */
  onRelease(lease: Lease<Kept>): void;
}

/** Made by {@link Context.reserve}: what one request may use of a context, until it is released. */
export class Lease<Kept extends Output = 'logits'> {
  readonly #home: LeaseHome<Kept>;
  readonly #reservation: Reservation;
  readonly #sequences = new Set<Sequence<Kept>>();
  /** Calls that will bring new lanes; `release` waits for them. */
  readonly #arriving = new Set<Promise<unknown>>();
  #arrivingCount = 0;
  /** What is being kept beyond the lease; its cells are the lease's until it is. */
  readonly #keeping = new Map<Promise<void>, Content>();
  /** What a lane on its way will hold. */
  #starting: Content = null;
  #released: Promise<void> | undefined;
  readonly #sequenceHome: SequenceHome<Kept>;

  /** Not for callers: {@link Context.reserve} makes leases. */
  constructor(home: LeaseHome<Kept>, reservation: Reservation) {
    this.#home = home;
    this.#reservation = reservation;
    this.#sequenceHome = {
      output: home.output,
      native: home.native,
      scheduler: home.scheduler,
      vocabulary: home.vocabulary,
      fork: (parent, count, child) => this.#fork(parent, count, child),
      keep: (sequence, chain) => this.#keep(sequence, chain),
      onCut: () => home.onSequencesReleased(),
      release: async (sequences) => {
        const released = this.#releaseSequences(sequences);
        home.onSequencesReleased(); // at once: what the addon is asked from now on finds the room
        await released;
      },
    };
  }

  /** What was granted. */
  get demand(): Demand {
    const { cellCount, sequenceCount } = this.#reservation;
    return { cellCount, sequenceCount };
  }

  /** Living sequences. */
  get sequenceCount(): number {
    return this.#sequences.size;
  }

  /** @throws EngineError ERR_SEQUENCE_LIMIT beyond the reservation; UsageError ERR_DISPOSED */
  async createSequence(): Promise<Sequence<Kept>> {
    const [sequence] = await this.#make(1, async () => [
      new Sequence(this.#sequenceHome, await this.#home.native.createSequence()),
    ]);
    return sequence as Sequence<Kept>;
  }

  /** A sequence from the bytes of {@link Sequence.save}, of the same model and the same form of context. */
  async restore(bytes: Uint8Array): Promise<Sequence<Kept>> {
    const [sequence] = await this.#make(1, async () => [
      await Sequence.adopt(this.#sequenceHome, await this.#home.native.restore(bytes), 'unknown'),
    ]);
    return sequence as Sequence<Kept>;
  }

  /** Not for callers: what its sequences hold, those on their way too. */
  *held(): Iterable<Content> {
    yield this.#starting;
    yield* this.#keeping.values();
    for (const { chain } of this.#sequences) yield chain;
  }

  /** Not for callers: what {@link startFrom} will begin with. */
  expect(content: Content): void {
    this.#starting = content;
  }

  /**
   * Not for callers: a sequence that begins as another, asked for at once, before that one can go or go on.
   *
   * @param isIts whether that one, a kept one, is this lease's now
   */
  async startFrom({ id: other, tokenCount, isWhole, content }: Found, isIts: boolean): Promise<Sequence<Kept>> {
    const { native: context } = this.#home;
    try {
      const [sequence] = await this.#make(1, async () => {
        const [id] = isIts ? [other] : ((await context.fork(other, 1)) as unknown as [number]);
        try {
          if (!isWhole) await context.trim(id, tokenCount);
          return [await Sequence.adopt(this.#sequenceHome, id, content)];
        } catch (error) {
          await context.release([id]).catch(() => undefined); // the first failure is the one to tell
          throw error;
        }
      });
      return sequence as Sequence<Kept>;
    } finally {
      this.#starting = null;
    }
  }

  /** Releases every sequence, whatever it is doing, then the reservation. Idempotent. */
  release(): Promise<void> {
    this.#released ??= this.#releaseAll();
    return this.#released;
  }

  /** `await using` calls it at the end of its block: the same as `release()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #releaseAll(): Promise<void> {
    try {
      await Promise.allSettled(this.#arriving);
      await this.#releaseSequences([...this.#sequences]);
      await Promise.allSettled(this.#keeping.keys());
    } finally {
      // Together: what is kept of it may take the room that it had.
      this.#reservation.release();
      this.#home.onRelease(this);
    }
  }

  async #fork(parent: number, count: number, child: (id: number) => Sequence<Kept>): Promise<Sequence<Kept>[]> {
    return await this.#make(count, async () => Array.from(await this.#home.native.fork(parent, count), child));
  }

  async #keep(sequence: number, chain: Content): Promise<void> {
    const keeping = this.#home.keep(sequence, chain);
    this.#keeping.set(keeping, chain);
    try {
      await keeping;
    } finally {
      this.#keeping.delete(keeping);
    }
  }

  async #releaseSequences(sequences: readonly Sequence<Kept>[]): Promise<void> {
    const living = sequences.filter((sequence) => sequence.markReleased());
    for (const sequence of living) this.#sequences.delete(sequence);
    if (living.length === 0 || this.#home.isDisposed()) return;
    try {
      await native(() => this.#home.native.release(living.map((sequence) => sequence.id)));
    } catch (error) {
      if (!this.#home.isDisposed()) throw error; // a context that went meanwhile took them along
    }
  }

  /** Makes lanes within the reservation, and takes them back when the lease was released meanwhile. */
  async #make(count: number, make: () => Promise<Sequence<Kept>[]>): Promise<Sequence<Kept>[]> {
    this.#expectHeld();
    const held = this.#sequences.size + this.#arrivingCount;
    if (held + count > this.#reservation.sequenceCount) {
      throw new EngineError(
        'ERR_SEQUENCE_LIMIT',
        `Expected at most ${this.#reservation.sequenceCount} sequences at once, as reserved; ` +
          `received a call for ${count} more beside ${held}. Reserve more, or release some first.`,
      );
    }
    this.#home.scheduler.interrupt();
    const arriving = native(make).then((sequences) => {
      for (const sequence of sequences) this.#sequences.add(sequence);
      return sequences;
    });
    this.#arrivingCount += count;
    this.#arriving.add(arriving);
    try {
      const sequences = await arriving;
      this.#expectHeld();
      return sequences;
    } finally {
      this.#arrivingCount -= count;
      this.#arriving.delete(arriving);
    }
  }

  #expectHeld(): void {
    if (this.#released === undefined && !this.#home.isDisposed()) return;
    throw new UsageError('ERR_DISPOSED', 'Expected a lease that is held, received one that was released.');
  }
}
