/** What a scoring session asks of whatever computes a causal reward model: an ONNX graph, or llama.cpp with heads in ONNX. */
import type { Tree } from './packed-tree.js';

/** Tokens whose keys and values are kept; `cache: null` for none. */
export interface KeptTokens {
  readonly cache: number | null;
  readonly ids: readonly number[];
}

/** Counts for the trace, over all that a scoring session ran. */
export interface RewardStatistics {
  /** Tokens run through the model. */
  ranTokenCount: number;
  /** Tokens that separate runs of whole sequences would have added. */
  cachedTokenCount: number;
  runCount: number;
  runMs: number;
  /** Tokens left out of answers longer than the model reads. */
  cutTokenCount: number;
}

export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly statistics: RewardStatistics;
}

/** A tree over what is kept: sequences of which all but the branches is computed once. */
export interface BranchRun extends Tree {
  readonly kept: KeptTokens;
}

export interface BranchScores {
  /** What the score is made of, at the last token of each branch: [1] for a scalar model, [objectives] for a gated one. */
  readonly rows: readonly Float32Array[];
  /** Kept tokens and stem as a cache of its own, for whoever takes it; undefined where there was no stem. */
  readonly kept: KeptTokens | undefined;
}

/** A causal model that keeps prefixes. Caches are numbers; what they stand for stays with the backend. */
export interface RewardBackend {
  /** Tokens of branches that one run takes, 0 = one branch a run. */
  readonly groupTokens: number;
  /** Stem tokens that may travel with branches in one run, where something is kept before them. */
  readonly stemTokens: number;

  /**
   * Computes `tokens` behind the first `pastLength` of `kept` and keeps the whole under a new number; `kept` itself stays.
   *
   * @param options.gateAt index in the whole of a token whose gate is wanted, among `tokens`
   */
  extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { readonly gateAt?: number },
  ): Promise<{ kept: KeptTokens; gate: Float32Array | undefined }>;

  scoreBranches(run: BranchRun, options: RunOptions): Promise<BranchScores>;

  /** Forgets a cache. */
  drop(cache: number | null): void;
}
