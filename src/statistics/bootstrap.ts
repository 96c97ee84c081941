/** Intervals by drawing the sample again (Efron's percentile bootstrap), with a fixed seed: the same rows, the same interval. */
import { Turns } from '../turns.js';
import type { Estimate } from './estimate.js';

const RESAMPLES = 1000;

/**
 * Any figure of a list of observations, with an interval by bootstrap over them. Draws whose figure is NaN are left out,
 * as of a ratio whose denominator came out 0.
 *
 * @param figure of a few milliseconds at most: the event loop has its turn between draws
 * @throws AbortError
 */
export async function bootstrap<Row>(
  rows: readonly Row[],
  figure: (rows: readonly Row[]) => number,
  signal?: AbortSignal,
): Promise<Estimate> {
  const draw = randomDraws(11);
  const found = await drawn(() => figure(draw(rows)), signal);
  return { value: figure(rows), ...percentiles(found), count: rows.length };
}

/** A figure of two samples, such as two classes, each drawn again for itself. @throws AbortError */
export async function bootstrapOfTwo<One, Other>(
  one: readonly One[],
  other: readonly Other[],
  figure: (one: readonly One[], other: readonly Other[]) => number,
  signal?: AbortSignal,
): Promise<Estimate> {
  const draw = randomDraws(7);
  const found = await drawn(() => figure(draw(one), draw(other)), signal);
  return { value: figure(one, other), ...percentiles(found), count: one.length + other.length };
}

async function drawn(figure: () => number, signal: AbortSignal | undefined): Promise<number[]> {
  const turns = new Turns(signal);
  const found = await turns.map(Array.from({ length: RESAMPLES }), figure);
  return found.filter((value) => !Number.isNaN(value));
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
