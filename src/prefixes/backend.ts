/** What a scoring session asks of whatever computes over kept prefixes: an ONNX graph, or llama.cpp. */
import type { Tree } from './tree.js';

/** Tokens whose keys and values are kept; `cache: null` for none. */
export interface KeptTokens {
  readonly cache: number | null;
  readonly ids: readonly number[];
}

/** Counts for the trace, over all that a scoring session ran. */
export interface ScoringStatistics {
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
  readonly statistics: ScoringStatistics;
}

/** A tree over what is kept: sequences of which all but the branches is computed once. */
export interface BranchRun extends Tree {
  readonly kept: KeptTokens;
}

export interface BranchScores<Row = Float32Array> {
  /** What the score is made of, at the last token of each branch. */
  readonly rows: readonly Row[];
  /** Kept tokens and stem as a cache of its own, for whoever takes it; undefined where there was no stem. */
  readonly kept: KeptTokens | undefined;
}

/** A causal model that keeps prefixes. Caches are numbers; what they stand for stays with the backend. */
export interface BranchBackend<Row = Float32Array> {
  /** Tokens of branches that one run takes, 0 = one branch a run. */
  readonly groupTokens: number;
  /** Stem tokens that may travel with branches in one run, where something is kept before them. */
  readonly stemTokens: number;

  /** Computes `tokens` behind the first `pastLength` of `kept` and keeps the whole under a new number; `kept` itself stays. */
  extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions,
  ): Promise<{ readonly kept: KeptTokens }>;

  scoreBranches(run: BranchRun, options: RunOptions): Promise<BranchScores<Row>>;

  /** Forgets a cache. */
  drop(cache: number | null): void;

  /** Keeps a cache that nobody holds any more for others who begin alike. @default it is dropped */
  leave?(cache: number | null): void;
}

export function noStatistics(): ScoringStatistics {
  return { ranTokenCount: 0, cachedTokenCount: 0, runCount: 0, runMs: 0, cutTokenCount: 0 };
}
