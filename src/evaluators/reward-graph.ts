/** A reward model's graph: turns token layouts into feeds by the manifest's names, and grows kept caches in chunks. */
import type { RewardManifest } from './manifest.js';
import type { PackedRun } from './packed-tree.js';
import { packTree } from './packed-tree.js';
import { rowAt } from './reward-score.js';
import type { EvaluatorWorker } from './worker.js';
import type { Feed, OutputTensor, RunMessage } from './worker-messages.js';

/** Tokens of one run while a prefix is computed: a signal is heard, and an exiting process waits, for no longer than this. */
export const CHUNK_TOKENS = 128;

/** Tokens whose keys and values are kept in the evaluator thread; `cache: null` for none. */
export interface KeptTokens {
  readonly cache: number | null;
  readonly ids: readonly number[];
}

/** Counts for the trace, over all that a scoring session ran. */
export interface RewardStatistics {
  /** Tokens run through the graph. */
  ranTokenCount: number;
  /** Tokens that separate runs of whole sequences would have added. */
  cachedTokenCount: number;
  runCount: number;
  runMs: number;
  /** Tokens left out of answers longer than the model reads. */
  cutTokenCount: number;
}

interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly statistics: RewardStatistics;
}

export class RewardGraph {
  readonly #worker: EvaluatorWorker;
  readonly #session: number;
  readonly #manifest: RewardManifest;

  /** Whether a prefix can be kept between runs. */
  readonly keepsCache: boolean;
  /** Whether several branches fit in one run: the mask has to be able to hide them from each other. */
  readonly packs: boolean;

  constructor(worker: EvaluatorWorker, session: number, manifest: RewardManifest) {
    this.#worker = worker;
    this.#session = session;
    this.#manifest = manifest;
    this.keepsCache = manifest.cache !== null;
    this.packs = this.keepsCache && manifest.inputs.mask.type === 'additive-4d' && manifest.inputs.positions !== null;
  }

  /** A number for a cache to come. */
  newCache(): number {
    return this.#worker.nextId();
  }

  drop(cache: number | null): void {
    if (cache !== null) this.#worker.drop(this.#session, cache);
  }

  /**
   * Runs a layout behind the first `pastLength` positions of `past`.
   *
   * @returns the outputs asked for, each [1, tokens, width]
   */
  async run(
    layout: PackedRun,
    options: RunOptions & {
      past: number | null;
      pastLength: number;
      keep?: RunMessage['keep'];
      outputs: readonly string[];
    },
  ): Promise<Readonly<Record<string, OutputTensor>>> {
    const { past, pastLength, keep, outputs } = options;
    const { inputs } = this.#manifest;
    const feeds: Record<string, Feed> = { [inputs.ids]: int64(layout.ids) };
    if (inputs.positions !== null) feeds[inputs.positions] = int64(layout.positions);
    if (inputs.tokenTypes !== null) feeds[inputs.tokenTypes] = int64(layout.ids.map(() => 0));
    const width = pastLength + layout.ids.length;
    feeds[inputs.mask.name] =
      inputs.mask.type === 'padding-2d'
        ? int64(Array<number>(width).fill(1))
        : { type: 'float32', data: layout.mask.buffer as ArrayBuffer, dims: [1, 1, layout.ids.length, width] };
    const cached = this.keepsCache ? { past: { cache: past, length: pastLength }, keep } : {};
    return this.#count({ session: this.#session, feeds, outputs, ...cached }, layout.ids.length, options);
  }

  /** Runs one pair through an encoder. */
  async runPair(
    ids: readonly number[],
    types: readonly number[],
    output: string,
    options: RunOptions,
  ): Promise<OutputTensor | undefined> {
    const { inputs } = this.#manifest;
    const feeds: Record<string, Feed> = { [inputs.ids]: int64(ids), [inputs.mask.name]: int64(ids.map(() => 1)) };
    if (inputs.tokenTypes !== null) feeds[inputs.tokenTypes] = int64(types);
    if (inputs.positions !== null) feeds[inputs.positions] = int64(ids.map((_, i) => i));
    return (await this.#count({ session: this.#session, feeds, outputs: [output] }, ids.length, options))[output];
  }

  /**
   * Runs `tokens` behind the first `pastLength` positions of `kept` in chunks and keeps the whole under a new number;
   * `kept` itself stays. Can read one row of an output on the way.
   */
  async extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { read?: { output: string; token: number } },
  ): Promise<{ kept: KeptTokens; row: Float32Array | undefined }> {
    const cache = this.newCache();
    let past = kept.cache;
    let row: Float32Array | undefined;
    try {
      for (let at = 0; at < tokens.length; at += CHUNK_TOKENS) {
        const chunk = tokens.slice(at, at + CHUNK_TOKENS);
        const start = pastLength + at;
        const { read } = options;
        const wanted =
          read !== undefined && read.token >= start && read.token < start + chunk.length ? read : undefined;
        const outputs = wanted === undefined ? [] : [wanted.output];
        const keep = { cache, length: start + chunk.length };
        const found = await this.run(packTree(start, chunk, []), {
          ...options,
          past,
          pastLength: start,
          keep,
          outputs,
        });
        const output = wanted === undefined ? undefined : found[wanted.output];
        if (wanted !== undefined && output !== undefined) row = rowAt(output, wanted.token - start).slice();
        past = cache;
      }
    } catch (error) {
      this.drop(cache);
      throw error;
    }
    return { kept: { cache, ids: [...kept.ids.slice(0, pastLength), ...tokens] }, row };
  }

  async #count(message: Omit<RunMessage, 'kind'>, tokenCount: number, { signal, statistics }: RunOptions) {
    const { outputs, runMs } = await this.#worker.run(message, signal);
    statistics.ranTokenCount += tokenCount;
    statistics.runCount += 1;
    statistics.runMs += runMs;
    return outputs;
  }
}

/** Shape [1, length]. */
function int64(values: readonly number[]): Feed {
  return { type: 'int64', data: BigInt64Array.from(values, BigInt).buffer, dims: [1, values.length] };
}
