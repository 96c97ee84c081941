/** Embeddings by what they are of, as many as there is room for; the one used longest ago goes first. */
export class KeptVectors {
  readonly #limit: number;
  readonly #vectors = new Map<string, Float32Array>();

  /** @param limit vectors that are kept at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A copy, which the caller may change. */
  get(key: string): Float32Array | undefined {
    const vector = this.#vectors.get(key);
    if (vector === undefined) return undefined;
    this.#vectors.delete(key);
    this.#vectors.set(key, vector);
    return vector.slice();
  }

  set(key: string, vector: Float32Array): void {
    this.#vectors.delete(key);
    this.#vectors.set(key, vector.slice());
    const oldest = this.#vectors.keys().next().value;
    if (this.#vectors.size > this.#limit && oldest !== undefined) this.#vectors.delete(oldest);
  }

  clear(): void {
    this.#vectors.clear();
  }
}
