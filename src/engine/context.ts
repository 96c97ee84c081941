/** One KV cache, shared by every request: who may enter, and the loop that runs them. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type {
  NativeContext,
  NativeContextFacts,
  NativeContextStatistics,
  NativePart,
} from '../native/context-types.js';
import { describe, integerFrom, parseOptions } from '../options.js';
import { Admission, type Demand } from './admission.js';
import { Beginnings, type BeginOptions, type Begun, beginSchema } from './begin.js';
import { KeptPrefixes } from './kept-prefixes.js';
import { Lease, type LeaseHome } from './lease.js';
import { native } from './native-error.js';
import { type Output, withLogits } from './output.js';
import { takeParts } from './parts.js';
import { Scheduler } from './scheduler.js';
import type { Sequence } from './sequence.js';
import { TokenSet } from './token-set.js';
import type { TokenBytes } from './token-text.js';

const demandSchema = z.strictObject({
  cellCount: integerFrom(1),
  sequenceCount: integerFrom(1),
});

/** What a context holds now, and has done so far. */
export interface ContextStatistics extends NativeContextStatistics {
  /**
   * Cells that are kept for requests to come and that no request holds. Prompts that were read side by side may share
   * cells, which are counted for each: then it is more than they are.
   */
  readonly keptCellCount: number;
  /** Of `liveSequenceCount`, those that are kept for requests to come. */
  readonly keptSequenceCount: number;
}

/** What a context has of its model. */
interface ContextHome<Kept extends Output> {
  readonly vocabulary: TokenBytes;
  /** Whether runs tell what they drew and go on: see {@link Scheduler}. */
  readonly tellsMeanwhile: boolean;
  onDispose(context: Context<Kept>): void;
}

/** Made by {@link Model.createContext}. */
export class Context<Kept extends Output = 'logits'> {
  readonly #native: NativeContext;
  readonly #scheduler: Scheduler;
  readonly #admission: Admission;
  readonly #kept: KeptPrefixes;
  readonly #beginnings: Beginnings<Kept>;
  readonly #leases = new Set<Lease<Kept>>();
  readonly #leaseHome: LeaseHome<Kept>;
  readonly #onDispose: (context: Context<Kept>) => void;
  #isDisposed = false;
  #disposed: Promise<void> | undefined;

  /** Not for callers: {@link Model.createContext} makes contexts. */
  constructor(
    nativeContext: NativeContext & { readonly output: Kept },
    { vocabulary, tellsMeanwhile, onDispose }: ContextHome<Kept>,
  ) {
    this.#native = nativeContext;
    this.#scheduler = new Scheduler(nativeContext, tellsMeanwhile);
    this.#admission = new Admission(nativeContext.facts);
    this.#kept = new KeptPrefixes({
      native: nativeContext,
      scheduler: this.#scheduler,
      held: () => this.#held(),
      spare: () => this.#admission.free,
      takeLane: () => this.#admission.takeLane(),
    });
    this.#beginnings = new Beginnings(this.#kept, nativeContext.facts.forksAnywhere);
    this.#onDispose = onDispose;
    this.#leaseHome = {
      output: nativeContext.output,
      native: nativeContext,
      scheduler: this.#scheduler,
      vocabulary,
      isDisposed: () => this.#isDisposed,
      keep: async (sequence, chain) => {
        try {
          await this.#kept.keep(sequence, chain);
        } catch (error) {
          if (!this.#isDisposed) throw error; // what goes with the context is not kept, and nobody need be told
        }
        this.#fitKept();
      },
      onSequencesReleased: () => this.#fitKept(),
      onRelease: (lease) => {
        this.#leases.delete(lease);
        this.#fitKept();
      },
    };
  }

  /** What it keeps of a sequence's last token. */
  get output(): Kept {
    return this.#leaseHome.output;
  }

  /** What it was made with. */
  get facts(): NativeContextFacts {
    return this.#native.facts;
  }

  /** Requests that wait for room. */
  get waitingCount(): number {
    return this.#admission.waitingCount;
  }

  /**
   * Waits, first come, first served, until so many cells and sequences are free, and holds them. Sequences of one lease
   * share what they share: count the prompt once, and each branch's own tokens.
   *
   * @throws EngineError ERR_CACHE_FULL when the context could never hold it; AbortError; UsageError
   */
  async reserve(demand: Demand, signal?: AbortSignal): Promise<Lease<Kept>> {
    return await this.#reserve(demand, signal, () => void this.#kept.shrink());
  }

  /**
   * As {@link reserve}, with a sequence for a prompt: it starts from the longest beginning that a request before left
   * ({@link Sequence.keep}), or that another reads just now, which is waited for; the rest is to be prefilled at once: others may
   * wait for it. Pictures are found again where they are the same encoded
   * picture. What a kept beginning computes may differ in its last bits from the prompt computed whole, as steps of other
   * sizes do.
   *
   * @param demand of the whole prompt, as without anything kept
   * @throws as {@link reserve}
   */
  async begin(prompt: readonly NativePart[], demand: Demand, asked?: BeginOptions): Promise<Begun<Kept>> {
    const options = parseOptions(beginSchema, asked, 'begin options');
    const parts = takeParts(prompt); // it may wait for long, and the caller's is his own
    let begun: Promise<Begun<Kept>> | undefined;
    const lease = await this.#reserve(demand, options.signal, (granted) => {
      begun = this.#beginnings.begin(granted, parts, options);
      begun.catch(() => undefined); // whoever began hears of it
    });
    try {
      return await (begun as unknown as Promise<Begun<Kept>>);
    } catch (error) {
      await lease.release().catch(() => undefined); // the first failure is the one to tell
      throw error;
    }
  }

  /** Lets go of everything that requests left in the cache. */
  forget(): void {
    this.#expectAlive();
    this.#kept.clear();
  }

  /** Tokens at which a decode of this context may pause. */
  async createTokenSet(this: Context<'logits'>, tokens: Int32Array): Promise<TokenSet> {
    this.#expectAlive();
    if (!(tokens instanceof Int32Array)) {
      throw new UsageError('ERR_INVALID_REQUEST', `Expected an Int32Array of tokens, received ${describe(tokens)}.`);
    }
    const context = withLogits(this.#native);
    this.#scheduler.interrupt();
    const id = tokens.length === 0 ? -1 : await native(() => context.createTokenSet(tokens));
    return new TokenSet(context, id, tokens);
  }

  /** Cells, sequences and steps, now and so far. */
  async statistics(): Promise<ContextStatistics> {
    this.#expectAlive();
    this.#scheduler.interrupt();
    const now = await native(() => this.#native.statistics());
    return { ...now, keptCellCount: this.#kept.cellCount, keptSequenceCount: this.#kept.count };
  }

  /** Ends all work with ERR_DISPOSED, within one step, and frees the cache. Idempotent. */
  dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  /** `await using` calls it at the end of its block: the same as `dispose()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }

  /** @param onGrant called in the moment of the grant: what is kept cannot go before it is forked */
  async #reserve(demand: Demand, signal: AbortSignal | undefined, onGrant: (lease: Lease<Kept>) => void) {
    this.#expectAlive();
    let granted: Lease<Kept> | undefined;
    await this.#admission.reserve(parseOptions(demandSchema, demand, 'reserve'), signal, (reservation) => {
      granted = new Lease(this.#leaseHome, reservation);
      this.#leases.add(granted);
      onGrant(granted);
    });
    return granted as unknown as Lease<Kept>;
  }

  *#held() {
    for (const lease of this.#leases) yield* lease.held();
  }

  /** Kept sequences have what nobody reserved. */
  #fitKept(): void {
    if (!this.#isDisposed) this.#kept.shrink();
  }

  async #dispose(): Promise<void> {
    const error = new UsageError('ERR_DISPOSED', 'The context was disposed of.');
    this.#admission.close(error);
    this.#scheduler.cancelAll(error);
    await Promise.all([native(() => this.#native.dispose()), ...[...this.#leases].map((lease) => lease.release())]);
    this.#onDispose(this);
  }

  #expectAlive(): void {
    if (this.#isDisposed) {
      throw new UsageError('ERR_DISPOSED', 'Expected a living context, received one that was disposed of.');
    }
  }
}
