/** One KV cache, shared by every request: who may enter, and the loop that runs them. */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import type {
  NativeContext,
  NativeContextFacts,
  NativeContextOptions,
  NativeContextStatistics,
} from '../native/binding-types.js';
import { describe, integer, integerFrom, parseOptions } from '../options.js';
import { Admission, type Demand } from './admission.js';
import { Lease, type LeaseHome } from './lease.js';
import { native } from './native-error.js';
import { type Output, withLogits } from './output.js';
import { Scheduler } from './scheduler.js';
import { TokenSet } from './token-set.js';
import type { TokenBytes } from './token-text.js';

/** Cells of a context when nobody says: a 7B model's take 4 GiB at 16 bits. */
const DEFAULT_CONTEXT_SIZE = 8192;

/** On a CPU a step of 512 rows of a 7B model takes half a minute; with 128 an abort need not wait so long, for 4 % of time. */
export const DEFAULT_BATCH_SIZE = { gpu: 512, cpu: 128 };

/** Rows of a step that the addon takes. */
export const MAX_BATCH_SIZE = 65_536;

/** KV cells that the addon takes. */
export const MAX_CONTEXT_SIZE = 2 ** 31 - 1;

const contextSchema = z.strictObject({
  contextSize: integer(1, MAX_CONTEXT_SIZE).optional(),
  sequenceCount: integer(1, 256).default(32),
  batchSize: integer(1, MAX_BATCH_SIZE).optional(),
  microBatchSize: integer(1, MAX_BATCH_SIZE).optional(),
  threadCount: integer(1, 256).optional(),
  flashAttention: z.enum(['auto', 'on', 'off'], "expected 'auto', 'on' or 'off'").default('auto'),
  cacheType: z.enum(['f32', 'f16', 'q8_0'], "expected 'f32', 'f16' or 'q8_0'").default('f16'),
  output: z.enum(['logits', 'hidden-state'], "expected 'logits' or 'hidden-state'").default('logits'),
});

/** What `model.createContext` takes. */
export interface ContextOptions {
  /**
   * KV cells shared by all sequences of all requests, 1 to 2147483647; llama.cpp rounds them up to a multiple of 256.
   * @default what the model was trained with, at most 8192
   */
  contextSize?: number | undefined;
  /** Sequences alive at once, over all requests, 1 to 256. @default 32 */
  sequenceCount?: number | undefined;
  /**
   * Rows of one step at most, 1 to 65536: a longer prefill takes several steps, and an abort waits for one.
   * @default 512; 128 on a CPU
   */
  batchSize?: number | undefined;
  /** Rows computed at once, 1 to 65536; never more than `batchSize`. @default 512 */
  microBatchSize?: number | undefined;
  /**
   * Threads of every step, 1 to 256.
   * @default those of the model; where it names none, as many of the physical cores as are found to be fastest, measured
   * while it runs, or all with node-llama-cpp's own code for the processor
   */
  threadCount?: number | undefined;
  /** Whether attention runs fused; `auto` where the backend can. @default 'auto' */
  flashAttention?: 'auto' | 'on' | 'off' | undefined;
  /** Number format of the KV cells: `f32` takes twice the memory of `f16`, `q8_0` half of it. @default 'f16' */
  cacheType?: 'f32' | 'f16' | 'q8_0' | undefined;
  /**
   * What is kept of a sequence's last token: its logits, from which tokens are drawn. Another context keeps its hidden
   * state: see {@link HiddenStateContextOptions}. @default 'logits'
   */
  output?: 'logits' | undefined;
}

/** What `model.createContext` takes for a context that draws no tokens. */
export interface HiddenStateContextOptions extends Omit<ContextOptions, 'output'> {
  /** The hidden state of a sequence's last token is kept: see {@link Sequence.hiddenState}. */
  output: 'hidden-state';
}

const demandSchema = z.strictObject({
  cellCount: integerFrom(1),
  sequenceCount: integerFrom(1),
});

/** What the defaults depend on. */
export interface ContextDefaults {
  readonly trainedContextLength: number;
  readonly threadCount: number;
  /** Whether nobody named them, and every number computes the same bits. */
  readonly measuresThreads: boolean;
  readonly device: 'cpu' | 'gpu';
}

/** The addon's options for these, defaults filled in. */
export function nativeContextOptions(
  options: ContextOptions | HiddenStateContextOptions | undefined,
  defaults: ContextDefaults,
): NativeContextOptions {
  const parsed = parseOptions(contextSchema, options, 'context options');
  const trained = defaults.trainedContextLength > 0 ? defaults.trainedContextLength : DEFAULT_CONTEXT_SIZE;
  const batchSize = parsed.batchSize ?? DEFAULT_BATCH_SIZE[defaults.device];
  return {
    cellCount: parsed.contextSize ?? Math.min(trained, DEFAULT_CONTEXT_SIZE),
    sequenceCount: parsed.sequenceCount,
    batchSize,
    microBatchSize: Math.min(parsed.microBatchSize ?? 512, batchSize),
    threadCount: parsed.threadCount ?? defaults.threadCount,
    measuresThreads: parsed.threadCount === undefined && defaults.measuresThreads,
    flashAttention: parsed.flashAttention,
    cacheType: parsed.cacheType,
    output: parsed.output,
  };
}

/** Made by {@link Model.createContext}. */
export class Context<Kept extends Output = 'logits'> {
  readonly #native: NativeContext;
  readonly #scheduler: Scheduler;
  readonly #admission: Admission;
  readonly #leases = new Set<Lease<Kept>>();
  readonly #leaseHome: LeaseHome<Kept>;
  readonly #onDispose: (context: Context<Kept>) => void;
  #isDisposed = false;
  #disposed: Promise<void> | undefined;

  /** Not for callers: {@link Model.createContext} makes contexts. */
  constructor(
    nativeContext: NativeContext & { readonly output: Kept },
    vocabulary: TokenBytes,
    onDispose: (context: Context<Kept>) => void,
  ) {
    this.#native = nativeContext;
    this.#scheduler = new Scheduler(nativeContext);
    this.#admission = new Admission(nativeContext.facts);
    this.#onDispose = onDispose;
    this.#leaseHome = {
      output: nativeContext.output,
      native: nativeContext,
      scheduler: this.#scheduler,
      vocabulary,
      isDisposed: () => this.#isDisposed,
      onRelease: (lease) => this.#leases.delete(lease),
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
    this.#expectAlive();
    const reservation = await this.#admission.reserve(parseOptions(demandSchema, demand, 'reserve'), signal);
    const lease = new Lease(this.#leaseHome, reservation);
    this.#leases.add(lease);
    return lease;
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
  async statistics(): Promise<NativeContextStatistics> {
    this.#expectAlive();
    this.#scheduler.interrupt();
    return await native(() => this.#native.statistics());
  }

  /** Ends all work with ERR_DISPOSED, within one step, and frees the cache. Idempotent. */
  dispose(): Promise<void> {
    this.#isDisposed = true;
    this.#disposed ??= this.#dispose();
    return this.#disposed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
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
