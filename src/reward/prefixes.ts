/** The prompts' caches (and gates), computed once per distinct prompt and kept while they are used or recent. */
import { AbortError, EvaluatorError } from '../errors.js';
import type { RewardManifest } from '../manifest/index.js';
import type { KeptTokens, ScoringStatistics } from '../prefixes/index.js';
import type { RewardBackend } from './backend.js';
import type { PromptPrefix } from './prompt.js';
import { lastOccurrence } from './score.js';

/** Prompts kept beyond those in use. ETA itself has two. */
const KEPT_PROMPTS = 4;

export interface SharedPrefix {
  readonly kept: KeptTokens;
  /** The prompt's gate, one coefficient per objective; undefined for a model without. */
  readonly gate: Float32Array | undefined;
}

interface Entry {
  readonly computed: Promise<SharedPrefix>;
  holders: number;
}

export class RewardPrefixes {
  readonly #backend: RewardBackend;
  readonly #manifest: RewardManifest;
  /** By rendered prompt, the least recently used first. */
  readonly #entries = new Map<string, Entry>();

  constructor(backend: RewardBackend, manifest: RewardManifest) {
    this.#backend = backend;
    this.#manifest = manifest;
  }

  /** The prefix of a prompt; {@link release} it when done. Callers that ask at once share one computation. */
  async acquire(
    prefix: PromptPrefix,
    signal: AbortSignal | undefined,
    statistics: ScoringStatistics,
  ): Promise<SharedPrefix> {
    for (;;) {
      const entry = this.#entries.get(prefix.text) ?? {
        computed: this.#compute(prefix, signal, statistics),
        holders: 0,
      };
      this.#entries.delete(prefix.text);
      this.#entries.set(prefix.text, entry);
      entry.holders++;
      try {
        const shared = await entry.computed;
        this.#evict();
        return shared;
      } catch (error) {
        if (this.#entries.get(prefix.text) === entry) this.#entries.delete(prefix.text);
        // Another caller's signal ended the computation that this one waited for: begin again.
        if (!(error instanceof AbortError) || signal?.aborted) throw error;
      }
    }
  }

  release(prefix: PromptPrefix): void {
    const entry = this.#entries.get(prefix.text);
    if (entry !== undefined) entry.holders--;
    this.#evict();
  }

  /** Drops those that nobody holds. */
  forget(): void {
    this.#evict(0);
  }

  #evict(keptCount = KEPT_PROMPTS): void {
    for (const [text, entry] of this.#entries) {
      if (this.#entries.size <= keptCount) return;
      if (entry.holders > 0) continue;
      this.#entries.delete(text);
      entry.computed.then(
        ({ kept }) => this.#backend.drop(kept.cache),
        () => undefined,
      );
    }
  }

  async #compute(
    prefix: PromptPrefix,
    signal: AbortSignal | undefined,
    statistics: ScoringStatistics,
  ): Promise<SharedPrefix> {
    const { score, name } = this.#manifest;
    const nothing: KeptTokens = { cache: null, ids: [] };
    const gateAt = score.type === 'gated' ? gateToken(prefix, score.gatePattern, name) : undefined;
    return await this.#backend.extend(nothing, 0, prefix.ids, { signal, statistics, gateAt });
  }
}

/**
 * The token whose hidden state the gate is computed from: the first of the last `pattern` in the prompt. Looked for in
 * the prompt alone, so that an answer that repeats the pattern cannot move it.
 *
 * @throws EvaluatorError ERR_EVALUATOR when the prompt does not contain the pattern
 */
export function gateToken(prefix: PromptPrefix, pattern: readonly number[], name: string): number {
  const at = lastOccurrence(prefix.ids, pattern);
  if (at >= 0) return at;
  throw new EvaluatorError(
    'ERR_EVALUATOR',
    `${name}: expected the rendered prompt to contain the gate's tokens ${pattern.join(', ')}, received ${prefix.ids.slice(-pattern.length).join(', ')} at its end. Correct the template or the gatePattern in the manifest.`,
  );
}
