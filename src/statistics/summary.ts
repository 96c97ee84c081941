/** Sums over a list of values. */
import { UsageError } from '../errors.js';
import { checkFinite } from './estimate.js';

/** Arithmetic mean; NaN of an empty list. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle value, of an even count the mean of both; NaN of an empty list. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/**
 * Quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan, The American Statistician 50,
 * 1996; numpy's default); NaN of an empty list.
 *
 * @param share from 0, the least, to 1, the greatest
 * @throws UsageError ERR_INVALID_OPTION for a share outside, or a value that is not finite
 */
export function quantile(values: readonly number[], share: number): number {
  if (!(share >= 0 && share <= 1))
    throw new UsageError('ERR_INVALID_OPTION', `quantile: share: expected 0 to 1, received ${share}.`);
  checkFinite(values, 'quantile');
  const sorted = Float64Array.from(values).sort();
  const place = share * (sorted.length - 1);
  const lower = sorted[Math.floor(place)] ?? Number.NaN;
  const upper = sorted[Math.ceil(place)] ?? Number.NaN;
  return lower + (upper - lower) * (place - Math.floor(place));
}

/** Rows of equal key together, in the order of their first. */
export function groupBy<Row>(rows: readonly Row[], key: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = key(row);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}
