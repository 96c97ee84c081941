/** What a scoring session asks of whatever computes a causal reward model: an ONNX graph, or llama.cpp with heads in ONNX. */
import type { BranchBackend, KeptTokens, RunOptions } from '../prefixes/index.js';

/** Its rows are [1] for a scalar model, [objectives] for a gated one. */
export interface RewardBackend extends BranchBackend {
  /** @param options.gateAt index in the whole of a token whose gate is wanted, among `tokens` */
  extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { readonly gateAt?: number | undefined },
  ): Promise<{ readonly kept: KeptTokens; readonly gate: Float32Array | undefined }>;
}
