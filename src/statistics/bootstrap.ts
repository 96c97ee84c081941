/** Intervals by drawing the sample again (Efron's percentile bootstrap), with a fixed seed: the same rows, the same interval. */
import type { Estimate } from './estimate.js';

const RESAMPLES = 1000;

/**
 * Any figure of a list of observations, with an interval by bootstrap over them. Draws whose figure is NaN are left out,
 * as of a ratio whose denominator came out 0.
 */
export function bootstrap<Row>(rows: readonly Row[], figure: (rows: readonly Row[]) => number): Estimate {
  const draw = randomDraws(11);
  const found = Array.from({ length: RESAMPLES }, () => figure(draw(rows))).filter((value) => !Number.isNaN(value));
  return { value: figure(rows), ...percentiles(found), count: rows.length };
}

/** A figure of two samples, such as two classes, each drawn again for itself. */
export function bootstrapOfTwo<One, Other>(
  one: readonly One[],
  other: readonly Other[],
  figure: (one: readonly One[], other: readonly Other[]) => number,
): Estimate {
  const draw = randomDraws(7);
  const found = Array.from({ length: RESAMPLES }, () => figure(draw(one), draw(other)));
  const kept = found.filter((value) => !Number.isNaN(value));
  return { value: figure(one, other), ...percentiles(kept), count: one.length + other.length };
}

/** The middle 95 % of the draws. */
function percentiles(values: readonly number[]): { low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN;
  return { low: at(0.025), high: at(0.975) };
}

/** As many rows as there are, drawn with replacement by a small seeded generator (xorshift32). */
function randomDraws(seed: number): <Row>(rows: readonly Row[]) => Row[] {
  let state = seed;
  return (rows) =>
    rows.map((row) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return rows[Math.floor(((state >>> 0) / 2 ** 32) * rows.length)] ?? row;
    });
}
