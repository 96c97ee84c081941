/** Figures of which there may be millions: all of them, or so many that were drawn from all. */

/** More than a plot shows or a quantile needs. */
const MOST = 50_000;

export class Sample {
  readonly #values: number[] = [];
  #count = 0;
  /** Of a generator of its own, so that the same figures give the same sample. */
  #state = 1;

  /** Of all figures. */
  get count(): number {
    return this.#count;
  }

  /** Those that were kept: each of all as likely as any other. */
  get values(): readonly number[] {
    return this.#values;
  }

  add(value: number): void {
    this.#count++;
    if (this.#values.length < MOST) this.#values.push(value);
    else {
      const place = Math.floor(this.#next() * this.#count);
      if (place < MOST) this.#values[place] = value;
    }
  }

  /** From 0 to below 1: mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
}
