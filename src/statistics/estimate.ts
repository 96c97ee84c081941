/** A figure with what is known about its sampling error. */
import { UsageError } from '../errors.js';

/** A figure with its 95 % interval; `count` is what it was measured on. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** The normal deviate of a two-sided 95 % interval. */
export const Z = 1.959964;

/**
 * A NaN would make every figure NaN, or vanish in a comparison: it is refused by name.
 *
 * @throws UsageError ERR_INVALID_OPTION
 */
export function checkFinite(values: readonly number[], what: string): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index < 0) return;
  throw new UsageError(
    'ERR_INVALID_OPTION',
    `${what}: expected finite numbers, received ${values[index]} at index ${index}. Leave out what could not be measured, and count it apart.`,
  );
}

/** @throws UsageError ERR_INVALID_OPTION unless the value is a whole number of at least 0 */
export function checkCount(value: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new UsageError('ERR_INVALID_OPTION', `${what}: expected a whole number >= 0, received ${value}.`);
}
