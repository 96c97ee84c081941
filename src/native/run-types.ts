/** A run: which sequences take part in it, how tokens are drawn, and what came of it. */

export interface NativeSamplerOptions {
  /** 0 = greedy (first of equal maxima). Otherwise logits are divided by it. */
  readonly temperature: number;
  /** Keep the k largest, 0 = all. Applied before the softmax. */
  readonly topK: number;
  /** Nucleus, in (0, 1]; 1 = off. */
  readonly topP: number;
  /** Relative minimum probability, in [0, 1]; 0 = off. */
  readonly minP: number;
  /** Seed of this sequence's own generator, unsigned 32 bits. */
  readonly seed: number;
  /** Whether runs report `logProbabilities`: a greedy draw then takes a pass of exponentials over the vocabulary more. */
  readonly wantsLogProbabilities: boolean;
}

export interface NativeRunEntry {
  readonly sequence: number;
  /** Tokens to sample at most in this call; 0 = only decode what is pending (a prefill). */
  readonly maxTokens: number;
  /** Id from `createTokenSet`: sampling one of its tokens pauses the sequence. -1 = never. */
  readonly pauseSet: number;
  /**
   * Another sequence that takes the same tokens: each is drawn from logits + weight × (logits − its logits). It is no entry
   * of its own, and has a result of its own. Default: none.
   */
  readonly contrast?: NativeContrast | undefined;
}

export interface NativeContrast {
  readonly sequence: number;
  /** From 0 to 1e6. */
  readonly weight: number;
}

export interface NativeRunOptions {
  readonly entries: readonly NativeRunEntry[];
  /** Steps (calls of llama_decode) after which this call returns, >= 1. */
  readonly stepBudget: number;
  /**
   * Milliseconds, >= 1: the call returns before a step that would end later than that after its begin, if it took as long
   * as the one before it. It takes one step in any case. Default: no limit.
   */
  readonly budgetMs?: number;
  /**
   * Takes what a spent budget brought, and the call goes on with a new one; it returns there all the same where another call
   * waits for the model's thread. What a report had is not told again; all are told before the call settles. Default: the
   * call returns.
   */
  readonly onReport?: (report: NativeRunReport) => void;
}

/** What came of each entry lies in arrays for all of them; `resultsOf` (src/native/run-results.ts) reads them. */
export interface NativeRunReport {
  /** Seven numbers an entry, in their order. */
  readonly rows: Int32Array;
  /** Tokens sampled in this call, those of the first entry first. */
  readonly tokens: Int32Array;
  /**
   * Log probability of each, under the distribution it was drawn from (greedy: under the plain softmax). Of entries alone
   * whose sampler wants them.
   */
  readonly logProbabilities: Float32Array;
  /** Steps taken, rows computed, and rows saved because undiverged sequences shared them. */
  readonly stepCount: number;
  readonly rowCount: number;
  readonly sharedRowCount: number;
  /** Milliseconds in llama_decode and in sampling. */
  readonly decodeMs: number;
  readonly sampleMs: number;
  /** True when `interrupt()` ended the call early. */
  readonly wasInterrupted: boolean;
}
