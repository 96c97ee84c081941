/** Embeddings by what they are of, as many as there is room for; the one used longest ago goes first. */
import { SharedWork } from '../shared-work.js';

export class KeptVectors {
  readonly #limit: number;
  readonly #vectors = new Map<string, Float32Array>();
  readonly #computing = new SharedWork<Float32Array>();
  /** How often it was cleared: what was computed before is not kept after. */
  #clearCount = 0;

  /** @param limit vectors that are kept at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * The one that is kept, else the one that is computed, once for all who ask meanwhile. A copy, which the caller may change.
   *
   * @throws AbortError; what computing throws
   */
  async of(
    key: string,
    compute: (signal: AbortSignal) => Promise<Float32Array>,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    const kept = this.#vectors.get(key);
    if (kept !== undefined) {
      this.#keep(key, kept);
      return kept.slice();
    }
    const clearCount = this.#clearCount;
    const computed = await this.#computing.run(key, compute, signal);
    if (clearCount === this.#clearCount) this.#keep(key, computed);
    return computed.slice();
  }

  clear(): void {
    this.#clearCount++;
    this.#vectors.clear();
  }

  #keep(key: string, vector: Float32Array): void {
    this.#vectors.delete(key);
    this.#vectors.set(key, vector);
    const oldest = this.#vectors.keys().next().value;
    if (this.#vectors.size > this.#limit && oldest !== undefined) this.#vectors.delete(oldest);
  }
}
