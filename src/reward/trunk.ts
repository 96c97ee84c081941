/**
 * A causal reward model whose trunk llama.cpp runs, in a context of its own: a kept prefix is a sequence, a longer one
 * its fork, the candidates are forks of that, decoded in one batch. The heads, from the last hidden state to a score, are
 * a small ONNX graph. So an 8B reward model stands on the GPU beside the language model.
 */
import type { Context, Lease, Sequence } from '../engine/index.js';
import { EngineError, throwIfAborted } from '../errors.js';
import { gateOutputOf, scoreOutputOf, type TrunkManifest } from '../manifest/index.js';
import type { EvaluatorWorker } from '../onnx/index.js';
import { allEnded } from '../side-by-side.js';
import type { BranchRun, BranchScores, KeptTokens, RewardBackend, RunOptions } from './backend.js';
import { rowOf } from './score.js';

/** Branch tokens of one group. */
const GROUP_TOKENS = 512;

type Lane = Sequence<'hidden-state'>;

export interface RewardTrunkOptions {
  /** A context with output 'hidden-state' that nobody else uses. */
  readonly context: Context<'hidden-state'>;
  readonly worker: EvaluatorWorker;
  /** The heads' session in the worker. */
  readonly session: number;
  readonly manifest: TrunkManifest;
}

/** Made by {@link open}. One piece of work at a time: what comes at once waits its turn. */
export class RewardTrunk implements RewardBackend {
  readonly groupTokens = GROUP_TOKENS;
  readonly stemTokens = Number.POSITIVE_INFINITY;
  readonly #options: RewardTrunkOptions;
  readonly #lease: Lease<'hidden-state'>;
  /** By cache number, the least recently used first. */
  readonly #kept = new Map<number, Lane>();
  #last: Promise<unknown> = Promise.resolve();

  /** Takes the whole context. */
  static async open(options: RewardTrunkOptions): Promise<RewardTrunk> {
    const { cellCount, sequenceCount } = options.context.facts;
    return new RewardTrunk(options, await options.context.reserve({ cellCount, sequenceCount }));
  }

  private constructor(options: RewardTrunkOptions, lease: Lease<'hidden-state'>) {
    this.#options = options;
    this.#lease = lease;
  }

  async extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { readonly gateAt?: number },
  ): Promise<{ kept: KeptTokens; gate: Float32Array | undefined }> {
    return await this.#inTurn(options, async (count) => {
      const sequence = await this.#branchOff(kept, pastLength, { lanes: 1, cells: tokens.length }, count, options);
      try {
        const { gateAt } = options;
        let gate: Float32Array | undefined;
        let done = 0;
        if (gateAt !== undefined) {
          done = gateAt + 1 - pastLength;
          await this.#prefill(sequence, tokens.slice(0, done), count, options);
          gate = (
            await this.#heads(
              [await sequence.hiddenState({ signal: options.signal })],
              gateOutputOf(this.#options.manifest.score),
            )
          )[0];
        }
        await this.#prefill(sequence, tokens.slice(done), count, options);
        return { kept: this.#keep(sequence, [...kept.ids.slice(0, pastLength), ...tokens]), gate };
      } catch (error) {
        await sequence.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    });
  }

  async scoreBranches({ kept, reused, stem, branches }: BranchRun, options: RunOptions): Promise<BranchScores> {
    return await this.#inTurn(options, async (count) => {
      const tokenCount = branches.reduce((sum, branch) => sum + branch.length, 0);
      const lanes = Math.min(branches.length, this.#options.context.facts.sequenceCount - 2);
      const base = await this.#branchOff(
        kept,
        reused,
        { lanes: lanes + 1, cells: stem.length + tokenCount },
        count,
        options,
      );
      try {
        await this.#prefill(base, stem, count, options);
        const rows: Float32Array[] = [];
        for (let at = 0; at < branches.length; at += lanes) {
          const states = await this.#statesOf(base, branches.slice(at, at + lanes), count, options);
          rows.push(...(await this.#heads(states, scoreOutputOf(this.#options.manifest.score))));
        }
        if (stem.length > 0) return { rows, kept: this.#keep(base, [...kept.ids.slice(0, reused), ...stem]) };
        await base.release();
        return { rows, kept: undefined };
      } catch (error) {
        await base.release().catch(() => undefined); // the first failure is the one to tell
        throw error;
      }
    });
  }

  /** The hidden state at the end of each branch, all decoded in one batch. */
  async #statesOf(
    base: Lane,
    branches: readonly (readonly number[])[],
    count: (tokens: number) => void,
    options: RunOptions,
  ): Promise<Float32Array[]> {
    const children = await base.fork(branches.length);
    try {
      const prefilled = children.map((child, b) => this.#prefill(child, branches[b] ?? [], count, options));
      await allEnded(prefilled); // none may still run when the lanes are released
      return await Promise.all(children.map((child) => child.hiddenState({ signal: options.signal })));
    } finally {
      await Promise.all(children.map((child) => child.release()));
    }
  }

  drop(cache: number | null): void {
    const sequence = cache === null ? undefined : this.#kept.get(cache);
    if (cache === null || sequence === undefined) return;
    this.#kept.delete(cache);
    // The context may be gone already, and the lane with it.
    void sequence.release().catch(() => undefined);
  }

  async #inTurn<Value>(options: RunOptions, work: (count: (tokens: number) => void) => Promise<Value>): Promise<Value> {
    const turn = this.#last.then(async () => {
      throwIfAborted(options.signal);
      const { statistics } = options;
      const startedAt = performance.now();
      const value = await work((tokens) => {
        statistics.ranTokenCount += tokens;
      });
      statistics.runCount += 1;
      statistics.runMs += performance.now() - startedAt;
      return value;
    });
    this.#last = turn.catch(() => undefined);
    return await turn;
  }

  /** A sequence of one's own that holds the first `length` kept tokens, with room for what is to come. */
  async #branchOff(
    kept: KeptTokens,
    length: number,
    room: { readonly lanes: number; readonly cells: number },
    count: (tokens: number) => void,
    options: RunOptions,
  ): Promise<Lane> {
    const parent = kept.cache === null ? undefined : this.#kept.get(kept.cache);
    if (kept.cache !== null && parent !== undefined) {
      this.#kept.delete(kept.cache);
      this.#kept.set(kept.cache, parent);
    }
    await this.#makeRoom({ ...room, cells: room.cells + (parent === undefined ? length : 0) }, parent);
    if (parent === undefined || length === 0) {
      const sequence = await this.#lease.createSequence();
      // Evicted since, or never there: what was kept is computed again.
      await this.#prefill(sequence, kept.ids.slice(0, length), count, options);
      return sequence;
    }
    const [child] = await parent.fork(1);
    if (child === undefined) throw noRoom(room.lanes, room.cells);
    await child.trim(length);
    return child;
  }

  /** Evicts the least recently used caches until there is room. */
  async #makeRoom(room: { lanes: number; cells: number }, parent: Lane | undefined): Promise<void> {
    const { cellCount, sequenceCount } = this.#options.context.facts;
    for (;;) {
      const { usedCellCount, liveSequenceCount } = await this.#options.context.statistics();
      if (liveSequenceCount + room.lanes <= sequenceCount && usedCellCount + room.cells <= cellCount) return;
      const oldest = [...this.#kept].find(([, sequence]) => sequence !== parent);
      if (oldest === undefined) throw noRoom(room.lanes, room.cells);
      this.#kept.delete(oldest[0]);
      await oldest[1].release();
    }
  }

  async #prefill(
    sequence: Lane,
    tokens: readonly number[],
    count: (tokens: number) => void,
    { signal }: RunOptions,
  ): Promise<void> {
    if (tokens.length === 0) return;
    await sequence.prefill([Int32Array.from(tokens)], { signal });
    count(tokens.length);
  }

  #keep(sequence: Lane, ids: readonly number[]): KeptTokens {
    const cache = this.#options.worker.nextId();
    this.#kept.set(cache, sequence);
    return { cache, ids };
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

function noRoom(lanes: number, cells: number): EngineError {
  return new EngineError(
    'ERR_CACHE_FULL',
    `Expected room for ${lanes} sequences and ${cells} tokens in the reward model's context, found less. Ask for fewer candidates or shorter answers.`,
  );
}
