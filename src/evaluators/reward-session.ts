/** The scoring of one answer as it grows: its accepted text, its kept cache, its counts. */
import { throwIfAborted, UsageError } from '../errors.js';
import { describe } from '../options.js';
import type { TextTurn } from '../types.js';
import { fitSequences } from './fit-sequences.js';
import type { RewardManifest } from './manifest.js';
import { groupBranches, packTree, planTree } from './packed-tree.js';
import type { KeptTokens, RewardGraph, RewardStatistics } from './reward-graph.js';
import { CHUNK_TOKENS } from './reward-graph.js';
import type { RewardPairs } from './reward-pairs.js';
import type { RewardPrefixes, SharedPrefix } from './reward-prefixes.js';
import { gateToken } from './reward-prefixes.js';
import type { PromptPrefix, RewardPrompt } from './reward-prompt.js';
import { finishScore, gatedScore, rowAt } from './reward-score.js';
import type { OutputTensor } from './worker-messages.js';

/** Branch tokens of one run; the five sentences of a round fit. */
const GROUP_TOKENS = 512;

/** What a session works with; the model owns it all. */
export interface RewardParts {
  readonly manifest: RewardManifest;
  readonly graph: RewardGraph;
  readonly prefixes: RewardPrefixes;
  /** How conversations become tokens: by chat template for a causal model, as pairs for an encoder. */
  readonly text: RewardPrompt | RewardPairs;
  /** @throws UsageError ERR_DISPOSED */
  readonly checkOpen: () => void;
}

export class RewardSession {
  readonly #parts: RewardParts;
  readonly #turns: readonly TextTurn[];
  readonly #statistics: RewardStatistics = {
    ranTokenCount: 0,
    cachedTokenCount: 0,
    runCount: 0,
    runMs: 0,
    cutTokenCount: 0,
  };
  #accepted = '';
  #prefix: PromptPrefix | undefined;
  #shared: SharedPrefix | undefined;
  /** The session's own cache, once it has grown beyond the prompt's. */
  #own: KeptTokens | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: RewardParts, turns: readonly TextTurn[]) {
    this.#parts = parts;
    this.#turns = turns;
  }

  /** The answer so far. */
  get accepted(): string {
    return this.#accepted;
  }

  get statistics(): Readonly<RewardStatistics> {
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
    const scored = this.#last.then(() => this.#score(continuations, accepted, options?.signal));
    this.#last = scored.catch(() => undefined);
    return scored;
  }

  /** Frees what the session keeps in the evaluator thread. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#last = this.#last.then(() => this.#release());
  }

  #release(): void {
    if (this.#own !== undefined) this.#parts.graph.drop(this.#own.cache);
    if (this.#shared !== undefined && this.#prefix !== undefined) this.#parts.prefixes.release(this.#prefix);
    this.#own = undefined;
    this.#shared = undefined;
  }

  async #score(continuations: readonly string[], accepted: string, signal: AbortSignal | undefined): Promise<number[]> {
    this.#parts.checkOpen();
    if (this.#closed) throw new UsageError('ERR_DISPOSED', 'The scoring session was closed; open another.');
    throwIfAborted(signal);
    const { manifest, graph, text } = this.#parts;
    const wrong = continuations.findIndex((continuation) => typeof continuation !== 'string');
    if (wrong >= 0)
      throw new UsageError('ERR_INVALID_REQUEST', `score: expected texts, received ${describe(continuations[wrong])}.`);
    if (continuations.length === 0) return [];
    const answers = continuations.map((continuation) => accepted + continuation);
    if (!('sequence' in text)) return this.#scorePairs(text, answers, signal);
    this.#prefix ??= text.prefix(this.#turns);
    const whole = answers.map((answer) => text.sequence(this.#turns, answer));
    const limits = {
      maxTokens: manifest.maxTokens,
      headCount: this.#prefix.ids.length,
      tailCount: text.endOfTurnCount,
    };
    const { sequences, cutTokenCount } = fitSequences(whole, limits);
    this.#statistics.cutTokenCount += cutTokenCount;
    const ranBefore = this.#statistics.ranTokenCount;
    const scores = graph.keepsCache
      ? await this.#scoreTree(this.#prefix, sequences, signal)
      : await this.#scoreSeparately(this.#prefix, sequences, signal);
    const wholeCount = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
    this.#statistics.cachedTokenCount += Math.max(0, wholeCount - (this.#statistics.ranTokenCount - ranBefore));
    return scores;
  }

  /** Over the kept cache: what all share once, then the branches, packed where the graph's mask can keep them apart. */
  async #scoreTree(
    prefix: PromptPrefix,
    sequences: readonly (readonly number[])[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { graph, prefixes } = this.#parts;
    const statistics = this.#statistics;
    this.#shared ??= await prefixes.acquire(prefix, signal, statistics);
    let kept = this.#own ?? this.#shared.kept;
    let { reused, trunk, branches } = planTree(sequences, kept.ids);
    const groups = groupBranches(branches, graph.packs ? GROUP_TOKENS : 0);
    // Behind an empty cache some graphs ignore positions, so the trunk never travels with branches there.
    const trunkAlone =
      trunk.length > 0 && (!graph.packs || groups.length > 1 || trunk.length > CHUNK_TOKENS || reused === 0);
    if (trunkAlone) {
      ({ kept } = await graph.extend(kept, reused, trunk, { signal, statistics }));
      this.#keep(kept);
      reused += trunk.length;
      trunk = [];
    }
    const output = this.#scoreOutput();
    const scores: number[] = [];
    for (const group of groups) {
      const layout = packTree(reused, trunk, group);
      const keep = trunk.length === 0 ? undefined : { cache: graph.newCache(), length: reused + trunk.length };
      const running = graph.run(layout, {
        past: kept.cache,
        pastLength: reused,
        keep,
        outputs: [output],
        signal,
        statistics,
      });
      const found = await running.catch((error: unknown) => {
        // The run may have ended before its signal was heard: its cache has no owner then.
        if (keep !== undefined) graph.drop(keep.cache);
        throw error;
      });
      if (keep !== undefined) this.#keep({ cache: keep.cache, ids: [...kept.ids.slice(0, reused), ...trunk] });
      for (const end of layout.ends) scores.push(this.#read(found[output], end, this.#shared.gate));
    }
    return scores;
  }

  /** Without a cache: each sequence whole. */
  async #scoreSeparately(
    prefix: PromptPrefix,
    sequences: readonly (readonly number[])[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { graph, manifest } = this.#parts;
    const output = this.#scoreOutput();
    const gateOutput = manifest.score.type === 'gated' ? manifest.score.gate : undefined;
    const outputs = gateOutput === undefined ? [output] : [output, gateOutput];
    const scores: number[] = [];
    for (const sequence of sequences) {
      const found = await graph.run(packTree(0, sequence, []), {
        past: null,
        pastLength: 0,
        outputs,
        signal,
        statistics: this.#statistics,
      });
      const gates = gateOutput === undefined ? undefined : found[gateOutput];
      const gate =
        gates && manifest.score.type === 'gated'
          ? rowAt(gates, gateToken(prefix, manifest.score.gatePattern, manifest.name))
          : undefined;
      scores.push(this.#read(found[output], sequence.length - 1, gate));
    }
    return scores;
  }

  async #scorePairs(
    pairs: RewardPairs,
    answers: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<number[]> {
    const { graph } = this.#parts;
    const scores: number[] = [];
    for (const answer of answers) {
      const { ids, types, cutTokenCount } = pairs.encode(this.#turns, answer);
      this.#statistics.cutTokenCount += cutTokenCount;
      const found = await graph.runPair(ids, types, this.#scoreOutput(), { signal, statistics: this.#statistics });
      scores.push(this.#read(found, 0, undefined));
    }
    return scores;
  }

  #scoreOutput(): string {
    const { score } = this.#parts.manifest;
    return score.type === 'scalar' ? score.output : score.rewards;
  }

  #read(output: OutputTensor | undefined, token: number, gate: Float32Array | undefined): number {
    const row = output === undefined ? new Float32Array(0) : rowAt(output, token);
    return finishScore(gate === undefined ? (row[0] ?? Number.NaN) : gatedScore(row, gate), this.#parts.manifest);
  }

  /** Takes a longer cache in place of the session's own. */
  #keep(kept: KeptTokens): void {
    if (this.#own !== undefined) this.#parts.graph.drop(this.#own.cache);
    this.#own = kept;
  }
}
