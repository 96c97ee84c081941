/** Numbers as a report prints them. What is not finite is a dash. */
import type { Estimate } from './report-data.js';

export const NOT_MEASURED = '–';

/** How the figures of a table are printed; `percent` takes shares of 1. */
export type Format = 'number' | 'percent';

const MINUS = '−';

/** `digits` behind the point, with a real minus sign. */
export function fixed(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  const text = value.toFixed(digits);
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text.replace('-', MINUS);
}

/** Three significant digits or so, without exponents between a thousandth and a million. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace('-', MINUS);
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toPrecision(3).replace('-', MINUS);
  return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** A share as "4.1 %", the sign never on a line of its own. */
export function percent(value: number | null | undefined): string {
  const text = fixed(value === null || value === undefined ? value : value * 100, 1);
  return text === NOT_MEASURED ? text : `${text}\u00a0%`;
}

export function formatted(value: number | null | undefined, format: Format): string {
  return format === 'percent' ? percent(value) : number(value);
}

/** "2.5 to 6.6": the interval alone, in the unit of the figure, never broken across lines. */
export function interval({ low, high }: Pick<Estimate, 'low' | 'high'>, format: Format): string {
  if (!isNumber(low) || !isNumber(high)) return NOT_MEASURED;
  const show = (value: number) => (format === 'percent' ? fixed(value * 100, 1) : number(value));
  return `${show(low)}\u00a0to\u00a0${show(high)}`;
}

/** "4.1 % (2.5 to 6.6)". An estimate of nothing is a dash. */
export function estimated(estimate: Estimate, format: Format): string {
  if (!isMeasured(estimate)) return NOT_MEASURED;
  const bounds = interval(estimate, format);
  const value = formatted(estimate.value, format);
  return bounds === NOT_MEASURED ? value : `${value} (${bounds})`;
}

/** A difference of shares in points: "−12.0 (−15.1 to −8.9)", with `unit` between the two. */
export function points(estimate: Estimate, unit = ''): string {
  if (!isMeasured(estimate)) return NOT_MEASURED;
  const sign = estimate.value > 0 ? '+' : '';
  const bounds = interval(estimate, 'percent');
  return `${sign}${fixed(estimate.value * 100, 1)}${unit}${bounds === NOT_MEASURED ? '' : ` (${bounds})`}`;
}

/** "0.032", "< 0.001". */
export function pValue(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOT_MEASURED;
  return value < 0.001 ? '< 0.001' : fixed(value, 3);
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  return value >= 1000 ? `${fixed(value / 1000, 2)} s` : `${value >= 100 ? fixed(value, 0) : number(value)} ms`;
}

export function bytes(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NOT_MEASURED;
  return value.toLocaleString('en-US');
}

export function isMeasured(estimate: Estimate): boolean {
  return isNumber(estimate.value) && estimate.count > 0;
}

/** Null stands for NaN in what was JSON. */
export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
