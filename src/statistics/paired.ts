/** Two methods on the same items: what changed, and whether chance would do as much. */
import { UsageError } from '../errors.js';
import { checkCount, type Estimate } from './estimate.js';
import { rateOfCounts } from './rate.js';

/** How the same items came out under two methods. */
export interface PairedCounts {
  /** Hits under both, under the first alone, under the other alone, under neither. */
  readonly both: number;
  readonly firstOnly: number;
  readonly otherOnly: number;
  readonly neither: number;
}

/**
 * Counts pairs, one for each item.
 *
 * @throws UsageError ERR_INVALID_OPTION when the lists differ in length
 */
export function pairedCounts(first: readonly boolean[], other: readonly boolean[]): PairedCounts {
  if (first.length !== other.length) {
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `pairedCounts: expected two lists of the same items, received ${first.length} and ${other.length}. Pair by id what both methods answered.`,
    );
  }
  const count = (one: boolean, two: boolean) =>
    first.filter((hit, index) => hit === one && other[index] === two).length;
  return {
    both: count(true, true),
    firstOnly: count(true, false),
    otherOnly: count(false, true),
    neither: count(false, false),
  };
}

export interface McNemar {
  /** Two-sided p of the exact binomial test; never too small, rather too large. */
  readonly exact: number;
  /** The exact p less half the chance of what was seen; nearer its level with few pairs (Fagerland et al. 2013). */
  readonly midP: number;
  /** Edwards' chi-square with continuity correction, and its p; for many discordant pairs. */
  readonly chiSquare: number;
  readonly chiSquareP: number;
  /** Items on which the methods differ: all that the test looks at. */
  readonly discordantCount: number;
}

/**
 * McNemar's test of equal rates under two methods on the same items. Every p is 1 where the methods never differ.
 *
 * @throws UsageError ERR_INVALID_OPTION unless the counts are whole numbers
 */
export function mcnemar({ firstOnly, otherOnly }: Pick<PairedCounts, 'firstOnly' | 'otherOnly'>): McNemar {
  checkCount(firstOnly, 'mcnemar: firstOnly');
  checkCount(otherOnly, 'mcnemar: otherOnly');
  const discordantCount = firstOnly + otherOnly;
  if (discordantCount === 0) return { exact: 1, midP: 1, chiSquare: 0, chiSquareP: 1, discordantCount };
  const fewer = Math.min(firstOnly, otherOnly);
  const chances = halfBinomial(discordantCount, fewer);
  const tail = chances.reduce((sum, chance) => sum + chance, 0);
  const seen = chances[fewer] ?? 0;
  const isEven = firstOnly === otherOnly;
  const exact = isEven ? 1 : Math.min(1, 2 * tail);
  const midP = isEven ? 1 - seen / 2 : Math.min(1, 2 * tail - seen);
  const chiSquare = Math.max(0, Math.abs(firstOnly - otherOnly) - 1) ** 2 / discordantCount;
  return { exact, midP, chiSquare, chiSquareP: complementaryErrorFunction(Math.sqrt(chiSquare / 2)), discordantCount };
}

/**
 * Difference of the first rate less the other, paired by item, with Newcombe's interval (Statistics in Medicine 17, 1998,
 * 2635 to 2650, method 10): the Wilson limits of both rates, squared and added, less what their correlation phi explains;
 * phi with continuity correction where the methods agree more than by chance. NaN from -1 to 1 without items.
 *
 * @throws UsageError ERR_INVALID_OPTION unless the counts are whole numbers
 */
export function pairedDifference({ both, firstOnly, otherOnly, neither }: PairedCounts): Estimate {
  for (const [name, value] of Object.entries({ both, firstOnly, otherOnly, neither }))
    checkCount(value, `pairedDifference: ${name}`);
  const count = both + firstOnly + otherOnly + neither;
  if (count === 0) return { value: Number.NaN, low: -1, high: 1, count };
  const first = rateOfCounts(both + firstOnly, count);
  const other = rateOfCounts(both + otherOnly, count);
  const margins = (both + firstOnly) * (otherOnly + neither) * (both + otherOnly) * (firstOnly + neither);
  const product = both * neither - firstOnly * otherOnly;
  const corrected = product > 0 ? Math.max(0, product - count / 2) : product;
  const phi = margins === 0 ? 0 : corrected / Math.sqrt(margins);
  const reach = (one: number, two: number) => Math.sqrt(Math.max(0, one * one - 2 * phi * one * two + two * two));
  const value = (firstOnly - otherOnly) / count;
  return {
    value,
    low: Math.max(-1, value - reach(first.value - first.low, other.high - other.value)),
    high: Math.min(1, value + reach(first.high - first.value, other.value - other.low)),
    count,
  };
}

/** Chances of 0 to `last` hits in `count` fair tosses, from the last down, so that nothing is lost below. */
function halfBinomial(count: number, last: number): number[] {
  let logarithm = -count * Math.LN2;
  const found = [Math.exp(logarithm)];
  for (let hits = 1; hits <= last; hits++) {
    logarithm += Math.log((count - hits + 1) / hits);
    found.push(Math.exp(logarithm));
  }
  return found;
}

/** erfc for x >= 0: the series of erf below 2, Lentz's continued fraction above; relative error below 1e-12. */
function complementaryErrorFunction(x: number): number {
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return 1 - (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}
