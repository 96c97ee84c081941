/** The scoring of one answer as it grows: its accepted text, its kept cache, its counts. */
import { UsageError } from '../errors.js';
import type { RewardManifest } from '../manifest/index.js';
import { describe } from '../options.js';
import { fitSequences, GrownPrefix, noStatistics, Queue, type ScoringStatistics } from '../prefixes/index.js';
import type { TextTurn } from '../types/turn.js';
import type { RewardBackend } from './backend.js';
import type { RewardGraph } from './graph.js';
import { packTree } from './packed-tree.js';
import type { RewardPairs } from './pairs.js';
import { gateToken, type RewardPrefixes, type SharedPrefix } from './prefixes.js';
import type { PromptPrefix, RewardPrompt } from './prompt.js';
import { finishScore, gatedScore, rawScore, rowOf } from './score.js';

/** How conversations become tokens and tokens become scores: each form of model has its own way. */
export type RewardText =
  | {
      /** Over kept caches. */
      readonly form: 'tree';
      readonly prompt: RewardPrompt;
      readonly backend: RewardBackend;
      readonly prefixes: RewardPrefixes;
    }
  /** Each conversation whole, for a graph without a cache. */
  | { readonly form: 'whole'; readonly prompt: RewardPrompt; readonly graph: RewardGraph }
  /** (prompt, answer) pairs, for an encoder. */
  | { readonly form: 'pair'; readonly pairs: RewardPairs; readonly graph: RewardGraph };

type TreeText = Extract<RewardText, { form: 'tree' }>;

/** What a session works with; the model owns it all. */
export interface RewardParts {
  readonly manifest: RewardManifest;
  readonly text: RewardText;
  /** @throws UsageError ERR_DISPOSED */
  readonly checkOpen: () => void;
}

export class RewardSession {
  readonly #parts: RewardParts;
  readonly #turns: readonly TextTurn[];
  readonly #statistics = noStatistics();
  #accepted = '';
  #prefix: PromptPrefix | undefined;
  #shared: SharedPrefix | undefined;
  /** What it keeps beyond the prompt, for a model that keeps prefixes. */
  #grown: GrownPrefix | undefined;
  readonly #queue = new Queue();
  #closed = false;

  constructor(parts: RewardParts, turns: readonly TextTurn[]) {
    this.#parts = parts;
    this.#turns = turns;
  }

  /** The answer so far. */
  get accepted(): string {
    return this.#accepted;
  }

  get statistics(): Readonly<ScoringStatistics> {
    return { ...this.#statistics };
  }

  /** Appends text to the accepted answer; the cache follows with the next score. */
  accept(text: string): void {
    this.#accepted += text;
  }

  /**
   * Rewards of `accepted + continuation` for each continuation, end of turn included. Calls on one session run one after
   * another.
   *
   * @throws AbortError within one run of the signal, EvaluatorError ERR_EVALUATOR (also for a score that is not finite),
   * UsageError ERR_DISPOSED, ERR_PROMPT_TOO_LONG or ERR_INVALID_REQUEST
   */
  score(continuations: readonly string[], options?: { signal?: AbortSignal }): Promise<number[]> {
    const accepted = this.#accepted;
    return this.#queue.run(() => this.#score(continuations, accepted, options?.signal), options?.signal);
  }

  /** Frees what the session keeps in the evaluator thread. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    void this.#queue.run(async () => this.#release());
  }

  #release(): void {
    const { text } = this.#parts;
    this.#grown?.drop();
    if (text.form === 'tree' && this.#shared !== undefined && this.#prefix !== undefined)
      text.prefixes.release(this.#prefix);
    this.#shared = undefined;
  }

  async #score(continuations: readonly string[], accepted: string, signal: AbortSignal | undefined): Promise<number[]> {
    this.#parts.checkOpen();
    if (this.#closed) throw new UsageError('ERR_DISPOSED', 'The scoring session was closed; open another.');
    const { manifest, text } = this.#parts;
    const wrong = continuations.findIndex((continuation) => typeof continuation !== 'string');
    if (wrong >= 0)
      throw new UsageError('ERR_INVALID_REQUEST', `score: expected texts, received ${describe(continuations[wrong])}.`);
    if (continuations.length === 0) return [];
    const answers = continuations.map((continuation) => accepted + continuation);
    if (text.form === 'pair') return this.#scorePairs(text, answers, signal);
    this.#prefix ??= await text.prompt.prefix(this.#turns, signal);
    const whole: number[][] = [];
    for (const answer of answers) whole.push(await text.prompt.sequence(this.#turns, answer, signal));
    const limits = {
      maxTokens: manifest.maxTokens,
      headCount: this.#prefix.ids.length,
      tailCount: this.#prefix.endOfTurnCount,
    };
    const { sequences, cutTokenCount } = fitSequences(whole, limits);
    this.#statistics.cutTokenCount += cutTokenCount;
    const ranBefore = this.#statistics.ranTokenCount;
    const scores =
      text.form === 'tree'
        ? await this.#scoreTree(text, this.#prefix, sequences, signal)
        : await this.#scoreWhole(text.graph, this.#prefix, sequences, signal);
    const wholeCount = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
    this.#statistics.cachedTokenCount += Math.max(0, wholeCount - (this.#statistics.ranTokenCount - ranBefore));
    return scores;
  }

  async #scoreTree(
    { backend, prefixes }: TreeText,
    prefix: PromptPrefix,
    sequences: readonly (readonly number[])[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const options = { signal, statistics: this.#statistics };
    this.#shared ??= await prefixes.acquire(prefix, signal, this.#statistics);
    const { kept, gate } = this.#shared;
    this.#grown ??= new GrownPrefix(backend);
    const rows = await this.#grown.rows(sequences, kept, options);
    return rows.map((row) => this.#finish(row, gate));
  }

  async #scoreWhole(
    graph: RewardGraph,
    prefix: PromptPrefix,
    sequences: readonly (readonly number[])[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { score, name } = this.#parts.manifest;
    const { scoreOutput, gateOutput } = graph;
    const outputs = score.type === 'gated' ? [scoreOutput, gateOutput] : [scoreOutput];
    const options = { past: null, pastLength: 0, outputs, signal, statistics: this.#statistics };
    const scores: number[] = [];
    for (const sequence of sequences) {
      const found = await graph.run(packTree(0, sequence, []), options);
      const shape = graph.shape(sequence.length);
      const gate =
        score.type === 'gated'
          ? rowOf(found[gateOutput], gateToken(prefix, score.gatePattern, name), shape)
          : undefined;
      scores.push(this.#finish(rowOf(found[scoreOutput], sequence.length - 1, shape), gate));
    }
    return scores;
  }

  async #scorePairs(
    { pairs, graph }: Extract<RewardText, { form: 'pair' }>,
    answers: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const scores: number[] = [];
    for (const answer of answers) {
      const { ids, types, cutTokenCount } = await pairs.encode(this.#turns, answer, signal);
      this.#statistics.cutTokenCount += cutTokenCount;
      const found = await graph.runPair(ids, types, graph.scoreOutput, { signal, statistics: this.#statistics });
      scores.push(this.#finish(rowOf(found, 0, graph.shape(1)), undefined));
    }
    return scores;
  }

  #finish(row: Float32Array, gate: Float32Array | undefined): number {
    const { manifest } = this.#parts;
    return finishScore(gate === undefined ? rawScore(row, manifest.score) : gatedScore(row, gate), manifest);
  }
}
