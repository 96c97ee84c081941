/** The area under the ROC curve: how well a score tells two classes apart, whatever the threshold. */
import { Turns } from '../turns.js';
import { bootstrapOfTwo } from './bootstrap.js';
import { checkFinite, type Estimate, Z } from './estimate.js';
import { mean } from './summary.js';

/**
 * The chance that a positive scores above a negative; ties count a half. NaN when a class is empty.
 *
 * @throws UsageError ERR_INVALID_OPTION for a score that is not finite
 */
export function auc(positive: readonly number[], negative: readonly number[]): number {
  checkFinite(positive, 'auc: positive');
  checkFinite(negative, 'auc: negative');
  return area(positive, negative);
}

function area(positive: readonly number[], negative: readonly number[]): number {
  const sorted = Float64Array.from(negative).sort();
  const wins = positive.map((score) => (countBelow(sorted, score, false) + countBelow(sorted, score, true)) / 2);
  return mean(wins) / negative.length;
}

/**
 * AUC with an interval by bootstrap within each class; a point where the classes do not overlap at all.
 *
 * @throws UsageError as {@link auc}; AbortError
 */
export async function aucEstimate(
  positive: readonly number[],
  negative: readonly number[],
  signal?: AbortSignal,
): Promise<Estimate> {
  checkFinite(positive, 'auc: positive');
  checkFinite(negative, 'auc: negative');
  const turns = new Turns(signal);
  // Only the order of the scores counts, and drawing does not change it: places are sorted once for all draws.
  const sorted = Float64Array.from([...positive, ...negative]).sort();
  const places = (scores: readonly number[]) => turns.map(scores, (score) => countBelow(sorted, score, false));
  const below = new Int32Array(sorted.length + 1);
  const figure = (above: readonly number[], others: readonly number[]) => areaOfPlaces(above, others, below);
  return await bootstrapOfTwo(await places(positive), await places(negative), figure, signal);
}

/** As {@link area}, of places in a common order; every sum is of halves, and so exact. @param below is written over */
function areaOfPlaces(positive: readonly number[], negative: readonly number[], below: Int32Array): number {
  below.fill(0);
  for (const place of negative) below[place + 1] = (below[place + 1] ?? 0) + 1;
  for (let place = 1; place < below.length; place++) below[place] = (below[place] ?? 0) + (below[place - 1] ?? 0);
  let wins = 0;
  for (const place of positive) wins += ((below[place] ?? 0) + (below[place + 1] ?? 0)) / 2;
  return wins / positive.length / negative.length;
}

/**
 * AUC with the score-type interval of Newcombe (Statistics in Medicine 25, 2006, part 2, method 5): the values t with
 * |auc - t| = z * sqrt(V(t)), V(t) = t (1 - t) (1 + k (1 - t) / (2 - t) + k t / (1 + t)) / (m n), k = (m + n) / 2 - 1,
 * which is Hanley and McNeil's variance with both counts balanced. It stays an interval where the classes do not overlap:
 * ten pictures that are told apart prove less than a thousand.
 */
export function aucScoreEstimate(positive: readonly number[], negative: readonly number[]): Estimate {
  const value = auc(positive, negative);
  const count = positive.length + negative.length;
  if (Number.isNaN(value)) return { value, low: 0, high: 1, count };
  const pairs = positive.length * negative.length;
  const k = count / 2 - 1;
  const deviation = (t: number) =>
    Z * Math.sqrt((t * (1 - t) * (1 + (k * (1 - t)) / (2 - t) + (k * t) / (1 + t))) / pairs);
  const low = value === 0 ? 0 : crossing(0, value, (t) => value - t > deviation(t));
  const high = value === 1 ? 1 : 1 - crossing(0, 1 - value, (t) => 1 - t - value > deviation(1 - t));
  return { value, low, high, count };
}

/** Where a condition that holds at `from` and not at `to` ends, by bisection. */
function crossing(from: number, to: number, holds: (at: number) => boolean): number {
  let low = from;
  let high = to;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** How many of the sorted values are below, or with `orEqual` at most, a score. */
export function countBelow(sorted: Float64Array, score: number, orEqual: boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = sorted[middle] ?? Number.POSITIVE_INFINITY;
    if (value < score || (orEqual && value === score)) low = middle + 1;
    else high = middle;
  }
  return low;
}
