/** How often something happens. */
import { UsageError } from '../errors.js';
import { checkCount, checkFinite, type Estimate, Z } from './estimate.js';
import { mean } from './summary.js';

/**
 * Rate of hits with Wilson's score interval. A hit may be a mean from 0 to 1 over several answers to one item: the item
 * counts once, and the interval is then on the wide side.
 *
 * @returns NaN from 0 to 1 where nothing was counted
 * @throws UsageError ERR_INVALID_OPTION for NaN, or a mean outside 0 to 1
 */
export function rate(hits: readonly (boolean | number)[]): Estimate {
  const values = hits.map(Number);
  checkFinite(values, 'rate');
  const odd = values.find((value) => value < 0 || value > 1);
  if (odd !== undefined)
    throw new UsageError('ERR_INVALID_OPTION', `rate: expected true, false, or 0 to 1, received ${odd}.`);
  return wilson(values.length === 0 ? Number.NaN : mean(values), values.length);
}

/**
 * Rate of `hitCount` in `count` with Wilson's score interval.
 *
 * @throws UsageError ERR_INVALID_OPTION unless both are whole numbers and hits are not the more
 */
export function rateOfCounts(hitCount: number, count: number): Estimate {
  checkCount(hitCount, 'rateOfCounts: hitCount');
  checkCount(count, 'rateOfCounts: count');
  if (hitCount > count)
    throw new UsageError('ERR_INVALID_OPTION', `rateOfCounts: expected at most ${count} hits, received ${hitCount}.`);
  return wilson(hitCount / count, count);
}

/** Wilson, Journal of the American Statistical Association 22, 1927: never below 0 or above 1, nor a point at either. */
function wilson(value: number, count: number): Estimate {
  if (count === 0) return { value: Number.NaN, low: 0, high: 1, count };
  const spread = (Z * Z) / count;
  const centre = (value + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((value * (1 - value)) / count + spread / (4 * count))) / (1 + spread);
  const low = value === 0 ? 0 : Math.max(0, centre - half);
  const high = value === 1 ? 1 : Math.min(1, centre + half);
  return { value, low, high, count };
}
