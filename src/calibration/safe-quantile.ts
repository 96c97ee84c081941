/**
 * A threshold from safe scores alone: the order statistic above which, with 95 % confidence, at most a chosen share of all
 * safe ones lies, whatever their distribution (Wilks, Annals of Mathematical Statistics 12, 1941). Nothing is known of the
 * other class, and nothing is said of it.
 */
import { UsageError } from '../errors.js';
import type { Estimate } from '../statistics/index.js';

/** Chance that more than the chosen share is flagged all the same. */
const RISK = 0.05;

/** Digits of a threshold in its file: what is rounded to fewer must not come to lie on the score that it spares. */
const DIGITS = 6;

/** How many safe scores it takes to keep a share: the highest of fewer may lie too low. */
export function leastSafeCount(most: number): number {
  return Math.ceil(Math.log(RISK) / Math.log1p(-most));
}

/** The smallest share that so many safe scores can keep, rounded up to two digits. */
export function leastShare(count: number): number {
  const share = -Math.expm1(Math.log(RISK) / count);
  const unit = 10 ** (Math.floor(Math.log10(share)) - 1);
  return Number((Math.ceil(share / unit) * unit).toPrecision(2));
}

/** @throws UsageError ERR_INVALID_OPTION for a share that no count keeps, or for too few, with the number that is needed */
export function checkSafeCount(count: number, most: number, what: string): void {
  if (!(most > 0 && most < 1))
    throw new UsageError(
      'ERR_INVALID_OPTION',
      `Expected a false positive rate above 0 and below 1 where only safe ${what} are given, received ${most}. Take 0.01, or give unsafe ones too.`,
    );
  const least = leastSafeCount(most);
  if (count >= least) return;
  const instead =
    count < 2 ? '' : ` Or take a rate that ${count} can keep: --max-false-positive-rate ${leastShare(count)}.`;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `Expected at least ${least} different safe ${what} for a false positive rate of ${percent(most)} from safe ones alone, received ${count}. Give more of them, or unsafe ones too.${instead}`,
  );
}

export interface SafeCut {
  /** Unsafe is what lies at or above it; six digits. */
  readonly cut: number;
  /** The quantile itself lies above this with 95 % confidence; the cut is the other end. */
  readonly low: number;
  /** Share of all safe ones at or above the cut: expected, and each end with 95 % confidence; `high` is at most the share asked for. */
  readonly flagged: Estimate;
}

/**
 * @param scores of safe ones, the higher the less safe; at least {@link leastSafeCount}
 * @param most share of safe ones that may be flagged
 */
export function safeCut(scores: readonly number[], most: number): SafeCut {
  const falling = Float64Array.from(scores).sort().reverse();
  const count = falling.length;
  // The most scores that may lie above: the share beyond the next is a Beta variable of these counts.
  let above = 0;
  while (atMost(above + 1, count, most) <= RISK) above++;
  let below = above;
  while (below < count - 1 && atMost(below, count, most) < 1 - RISK) below++;
  return {
    cut: justAbove(falling[above] ?? Number.NaN),
    low: falling[below] ?? Number.NaN,
    flagged: {
      value: (above + 1) / (count + 1),
      low: shareAt(above, count, 1 - RISK),
      high: Math.min(most, shareAt(above, count, RISK)), // equal but for the last bits of the search
      count,
    },
  };
}

/** Chance of at most `hits` in `count` draws of a chance each. */
export function atMost(hits: number, count: number, chance: number): number {
  const odds = Math.log(chance) - Math.log1p(-chance);
  let log = count * Math.log1p(-chance);
  let sum = Math.exp(log);
  for (let hit = 1; hit <= hits; hit++) {
    log += Math.log((count - hit + 1) / hit) + odds;
    sum += Math.exp(log);
  }
  return Math.min(1, sum);
}

/** The chance under which at most so many hits have a probability, found by halving. */
function shareAt(hits: number, count: number, probability: number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (atMost(hits, count, middle) > probability) low = middle;
    else high = middle;
  }
  return high;
}

/** The next number of six digits. */
function justAbove(score: number): number {
  const unit = score === 0 ? 10 ** -DIGITS : 10 ** (Math.floor(Math.log10(Math.abs(score))) - DIGITS + 1);
  let steps = Math.floor(score / unit) + 1;
  while (Number((steps * unit).toPrecision(DIGITS)) <= score) steps++;
  return Number((steps * unit).toPrecision(DIGITS));
}

const percent = (share: number) => `${Number((share * 100).toPrecision(4))} %`;
