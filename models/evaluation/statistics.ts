/** Rates, areas under the ROC curve and their 95 % intervals. */

/** A figure with its 95 % interval; `count` is what it was measured on. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

const Z = 1.959964;
const RESAMPLES = 1000;

/** Wilson's score interval. `hits` may be a mean over several answers of one picture: the picture counts once. */
export function rate(hits: readonly (boolean | number)[]): Estimate {
  const count = hits.length;
  if (count === 0) return { value: Number.NaN, low: 0, high: 1, count };
  const value = mean(hits.map(Number));
  const spread = (Z * Z) / count;
  const centre = (value + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((value * (1 - value)) / count + spread / (4 * count))) / (1 + spread);
  return { value, low: Math.max(0, centre - half), high: Math.min(1, centre + half), count };
}

/** The chance that a positive scores above a negative; ties count a half. */
export function auc(positive: readonly number[], negative: readonly number[]): number {
  const sorted = [...negative].sort((a, b) => a - b);
  const wins = positive.map((score) => (below(sorted, score, false) + below(sorted, score, true)) / 2);
  return mean(wins) / negative.length;
}

/** AUC with an interval by bootstrap within each class. */
export function aucEstimate(positive: readonly number[], negative: readonly number[]): Estimate {
  const draw = randomDraws(7);
  const areas = Array.from({ length: RESAMPLES }, () => auc(draw(positive), draw(negative)));
  return { value: auc(positive, negative), ...percentiles(areas), count: positive.length + negative.length };
}

/** Any figure of a list of observations, with an interval by bootstrap over them. */
export function bootstrap<Row>(rows: readonly Row[], figure: (rows: readonly Row[]) => number): Estimate {
  const draw = randomDraws(11);
  const found = Array.from({ length: RESAMPLES }, () => figure(draw(rows))).filter((value) => !Number.isNaN(value));
  return { value: figure(rows), ...percentiles(found), count: rows.length };
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

/** Rows of equal key together, in the order of their first. */
export function groupBy<Row>(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(key(row));
    if (group === undefined) groups.set(key(row), [row]);
    else group.push(row);
  }
  return groups;
}

/** How many of the sorted values are below, or with `orEqual` at most, a score. */
function below(sorted: readonly number[], score: number, orEqual: boolean): number {
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
