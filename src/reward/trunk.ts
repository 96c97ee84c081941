/**
 * A causal reward model whose trunk llama.cpp runs, in a context of its own, over kept prefixes. The heads, from the last
 * hidden state to a score, are a small ONNX graph. So an 8B reward model stands on the GPU beside the language model.
 */
import type { Context } from '../engine/index.js';
import { gateOutputOf, scoreOutputOf, type TrunkManifest } from '../manifest/index.js';
import type { EvaluatorWorker } from '../onnx/index.js';
import {
  type BranchRun,
  type BranchScores,
  KeptLanes,
  type KeptTokens,
  LANE_GROUP_TOKENS,
  type RunOptions,
} from '../prefixes/index.js';
import type { RewardBackend } from './backend.js';
import { rowOf } from './score.js';

export interface RewardTrunkOptions {
  /** A context with output 'hidden-state' that nobody else uses. */
  readonly context: Context<'hidden-state'>;
  readonly worker: EvaluatorWorker;
  /** The heads' session in the worker. */
  readonly session: number;
  readonly manifest: TrunkManifest;
}

/** Made by {@link open}. */
export class RewardTrunk implements RewardBackend {
  readonly groupTokens = LANE_GROUP_TOKENS;
  readonly stemTokens = Number.POSITIVE_INFINITY;
  readonly #options: RewardTrunkOptions;
  readonly #lanes: KeptLanes<'hidden-state', Float32Array>;

  /** Takes the whole context. */
  static async open(options: RewardTrunkOptions): Promise<RewardTrunk> {
    const lanes = await KeptLanes.open({
      context: options.context,
      name: "the reward model's context",
      read: (states, signal) => Promise.all(states.map((lane) => lane.hiddenState({ signal }))),
    });
    return new RewardTrunk(options, lanes);
  }

  private constructor(options: RewardTrunkOptions, lanes: KeptLanes<'hidden-state', Float32Array>) {
    this.#options = options;
    this.#lanes = lanes;
  }

  async extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    { gateAt, ...options }: RunOptions & { readonly gateAt?: number | undefined },
  ): Promise<{ kept: KeptTokens; gate: Float32Array | undefined }> {
    const extended = await this.#lanes.extend(kept, pastLength, tokens, { ...options, lookAt: gateAt });
    if (extended.row === undefined) return { kept: extended.kept, gate: undefined };
    const [gate] = await this.#heads([extended.row], gateOutputOf(this.#options.manifest.score)).catch((error) => {
      this.#lanes.drop(extended.kept.cache);
      throw error;
    });
    return { kept: extended.kept, gate };
  }

  async scoreBranches(run: BranchRun, options: RunOptions): Promise<BranchScores> {
    const { rows: states, kept } = await this.#lanes.branch(run, options);
    try {
      return { rows: await this.#heads(states, scoreOutputOf(this.#options.manifest.score)), kept };
    } catch (error) {
      this.#lanes.drop(kept?.cache ?? null);
      throw error;
    }
  }

  drop(cache: number | null): void {
    this.#lanes.drop(cache);
  }

  /** One row of the output for each hidden state. */
  async #heads(states: readonly Float32Array[], output: string): Promise<Float32Array[]> {
    const { worker, session, manifest } = this.#options;
    const { input, hiddenSize } = manifest.heads;
    const data = new Float32Array(states.length * hiddenSize);
    for (const [row, state] of states.entries()) data.set(state, row * hiddenSize);
    const feeds = { [input]: { type: 'float32', data: data.buffer, dims: [1, states.length, hiddenSize] } as const };
    const { outputs } = await worker.run({ session, feeds, outputs: [output] });
    const { name, score } = manifest;
    return states.map((_, row) => rowOf(outputs[output], row, { name, rows: states.length, score }).slice());
  }
}
