/** A raw difference of means, and how much of it is more than noise. */
import { UsageError } from '../errors.js';
import type { SafetyVector } from './vector.js';

/** What a direction was made of. */
export interface Difference {
  readonly vector: SafetyVector;
  /** States in the mean that the other is taken from, and in that one. */
  readonly refusedCount: number;
  readonly answeredCount: number;
  /** Its length, on the scale of the states. */
  readonly norm: number;
  /** Lengths of the two means, for comparison. */
  readonly refusedNorm: number;
  readonly answeredNorm: number;
  /**
   * Cosine of the directions that the even and the odd states give, each alone: near 1 for a direction, near 0 for noise. Null
   * where a set has one state.
   */
  readonly halvesCosine: number | null;
}

/** Mean of the states of one set, and of its halves. */
export class MeanState {
  readonly #sums: readonly [Float64Array, Float64Array];
  #count = 0;

  constructor(length: number) {
    this.#sums = [new Float64Array(length), new Float64Array(length)];
  }

  get count(): number {
    return this.#count;
  }

  add(state: Float32Array): void {
    const sum = this.#sums[this.#count % 2 === 0 ? 0 : 1];
    for (const [at, value] of state.entries()) sum[at] = (sum[at] ?? 0) + value;
    this.#count++;
  }

  mean(): Float64Array {
    const [even, odd] = this.#sums;
    return even.map((value, at) => (value + (odd[at] ?? 0)) / this.#count);
  }

  /** Of those at even places, or at odd ones. */
  half(which: 0 | 1): Float64Array {
    const count = which === 0 ? Math.ceil(this.#count / 2) : Math.floor(this.#count / 2);
    return this.#sums[which].map((value) => value / count);
  }
}

/**
 * The mean of what the model refuses less the mean of what it answers.
 *
 * @throws UsageError ERR_INVALID_REQUEST where a set is empty, or the means are one
 */
export function differenceOf(refused: MeanState, answered: MeanState, layer: number): Difference {
  const means = [refused.mean(), answered.mean()] as const;
  const values = Float32Array.from(minus(...means));
  const norm = lengthOf(values);
  if (!(norm > 0))
    throw new UsageError(
      'ERR_INVALID_REQUEST',
      `Expected requests of both kinds whose states differ, received ${refused.count} that are refused and ${answered.count} that are answered, with a difference of length ${norm}. Name other files.`,
    );
  const hasHalves = refused.count > 1 && answered.count > 1;
  const half = (which: 0 | 1) => minus(refused.half(which), answered.half(which));
  return {
    vector: { layer, values },
    refusedCount: refused.count,
    answeredCount: answered.count,
    norm,
    refusedNorm: lengthOf(means[0]),
    answeredNorm: lengthOf(means[1]),
    halvesCosine: hasHalves ? cosine(half(0), half(1)) : null,
  };
}

function minus(one: Float64Array, other: Float64Array): Float64Array {
  return one.map((value, at) => value - (other[at] ?? 0));
}

function dot(one: ArrayLike<number>, other: ArrayLike<number>): number {
  return Array.from(one).reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
}

function lengthOf(values: ArrayLike<number>): number {
  return Math.sqrt(dot(values, values));
}

function cosine(one: Float64Array, other: Float64Array): number {
  return dot(one, other) / (lengthOf(one) * lengthOf(other));
}
