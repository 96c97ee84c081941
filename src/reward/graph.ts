/** A reward model's graph: turns token layouts into feeds by the manifest's names, and grows kept caches in chunks. */
import { type GraphManifest, gateOutputOf, type ScoreForm, scoreOutputOf } from '../manifest/index.js';
import { type EvaluatorWorker, type Feed, misfitOf, type OutputTensor, type RunMessage } from '../onnx/index.js';
import type { BranchRun, BranchScores, KeptTokens, RunOptions } from '../prefixes/index.js';
import type { RewardBackend } from './backend.js';
import { type PackedRun, packTree } from './packed-tree.js';
import { rowOf } from './score.js';

/** Tokens of one run while a prefix is computed: a signal is heard, and an exiting process waits, for no longer than this. */
const CHUNK_TOKENS = 128;

/** Branch tokens of one run; the five sentences of a round fit. */
const GROUP_TOKENS = 512;

export class RewardGraph implements RewardBackend {
  readonly #worker: EvaluatorWorker;
  readonly #session: number;
  readonly #manifest: GraphManifest;

  /** Whether a prefix can be kept between runs. */
  readonly keepsCache: boolean;
  /** Several branches fit in one run where the mask can hide them from each other. */
  readonly groupTokens: number;
  readonly stemTokens: number;

  constructor(worker: EvaluatorWorker, session: number, manifest: GraphManifest) {
    this.#worker = worker;
    this.#session = session;
    this.#manifest = manifest;
    this.keepsCache = manifest.cache !== null;
    const packs = this.keepsCache && manifest.inputs.mask.type === 'additive-4d' && manifest.inputs.positions !== null;
    this.groupTokens = packs ? GROUP_TOKENS : 0;
    this.stemTokens = packs ? CHUNK_TOKENS : 0;
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
    return this.#count({ session: this.#session, feeds, outputs, ...cached }, { ids: layout.ids, pastLength }, options);
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
    const message = { session: this.#session, feeds, outputs: [output] };
    return (await this.#count(message, { ids, pastLength: 0 }, options))[output];
  }

  async scoreBranches({ kept, reused, stem, branches }: BranchRun, options: RunOptions): Promise<BranchScores> {
    const output = this.scoreOutput;
    const layout = packTree(reused, stem, branches);
    const keep = stem.length === 0 ? undefined : { cache: this.#worker.nextId(), length: reused + stem.length };
    const running = this.run(layout, { ...options, past: kept.cache, pastLength: reused, keep, outputs: [output] });
    const found = await running.catch((error: unknown) => {
      // The run may have ended before its signal was heard: its cache has no owner then.
      if (keep !== undefined) this.drop(keep.cache);
      throw error;
    });
    return {
      rows: layout.ends.map((end) => rowOf(found[output], end, this.shape(layout.ids.length))),
      kept: keep && { cache: keep.cache, ids: [...kept.ids.slice(0, reused), ...stem] },
    };
  }

  /** In chunks, so that a signal is heard between them. */
  async extend(
    kept: KeptTokens,
    pastLength: number,
    tokens: readonly number[],
    options: RunOptions & { gateAt?: number | undefined },
  ): Promise<{ kept: KeptTokens; gate: Float32Array | undefined }> {
    const cache = this.#worker.nextId();
    const { gateAt = -1, signal, statistics } = options;
    let past = kept.cache;
    let gate: Float32Array | undefined;
    try {
      for (let at = 0; at < tokens.length; at += CHUNK_TOKENS) {
        const chunk = tokens.slice(at, at + CHUNK_TOKENS);
        const start = pastLength + at;
        const hasGate = gateAt >= start && gateAt < start + chunk.length;
        const found = await this.run(packTree(start, chunk, []), {
          signal,
          statistics,
          past,
          pastLength: start,
          keep: { cache, length: start + chunk.length },
          outputs: hasGate ? [this.gateOutput] : [],
        });
        if (hasGate) gate = rowOf(found[this.gateOutput], gateAt - start, this.shape(chunk.length)).slice();
        past = cache;
      }
    } catch (error) {
      this.drop(cache);
      throw error;
    }
    return { kept: { cache, ids: [...kept.ids.slice(0, pastLength), ...tokens] }, gate };
  }

  /** What an output of so many rows is read by. */
  shape(rows: number): { readonly name: string; readonly rows: number; readonly score: ScoreForm } {
    const { name, score } = this.#manifest;
    return { name, rows, score };
  }

  get scoreOutput(): string {
    return scoreOutputOf(this.#manifest.score);
  }

  get gateOutput(): string {
    return gateOutputOf(this.#manifest.score);
  }

  /** @throws ModelError ERR_MODEL_MISMATCH for tokens, or a length, that the graph has no rows for */
  async #count(
    message: Omit<RunMessage, 'kind'>,
    { ids, pastLength }: { readonly ids: readonly number[]; readonly pastLength: number },
    { signal, statistics }: RunOptions,
  ) {
    const { outputs, runMs } = await this.#worker.run(message, signal).catch((error: unknown) => {
      throw misfitOf(error, { name: this.#manifest.name, ids, pastLength });
    });
    statistics.ranTokenCount += ids.length;
    statistics.runCount += 1;
    statistics.runMs += runMs;
    return outputs;
  }
}

/** Shape [1, length]. */
function int64(values: readonly number[]): Feed {
  return { type: 'int64', data: BigInt64Array.from(values, BigInt).buffer, dims: [1, values.length] };
}
