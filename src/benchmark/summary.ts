/** The figures as a small table, for a terminal and for a program. */
import type { Estimate } from '../statistics/index.js';
import { labelOf } from './labels.js';
import type { MeasuredDifference, MeasuredRate } from './rates.js';
import type { Measurement } from './run.js';

/** What `--json` prints. */
export interface SummaryObject {
  readonly benchmark: string;
  readonly variant: string;
  readonly judge: string;
  readonly questions: number;
  readonly failed: Readonly<Record<string, number>>;
  /** Cut answers, by method. */
  readonly cut: Readonly<Record<string, number>>;
  readonly rates: readonly MeasuredRate[];
  readonly differences: readonly MeasuredDifference[];
}

export function summaryObject(measured: Measurement): SummaryObject {
  const { dataset, variant, judgeName, items, failed, cut, rates, differences } = measured;
  return {
    benchmark: dataset.name,
    variant,
    judge: judgeName,
    questions: items.length,
    failed,
    cut,
    rates,
    differences,
  };
}

/** Rates by method, then differences; `withCategories` adds a row for each category. */
export function summaryText(measured: Measurement, { withCategories = false } = {}): string {
  const rows = measured.rates.filter(({ category }) => withCategories || category === null);
  const table = [
    ['', 'method', 'rate', '95 % interval', 'n', 'unjudged', 'replaced'],
    ...rows.map((row) => [
      row.category ?? labelOf(row.measure, measured.judgeName).name,
      row.run,
      percent(row.estimate.value),
      interval(row.estimate),
      String(row.estimate.count),
      String(row.unjudgedCount),
      percent(row.replacedAnswerCount / row.answerCount),
    ]),
  ];
  const compared = [
    ['', 'difference', 'points', '95 % interval', 'pairs', 'p'],
    ...measured.differences.map((row) => [
      labelOf(row.measure, measured.judgeName).name,
      `${row.one} - ${row.other}`,
      points(row.difference.value),
      `${points(row.difference.low)} to ${points(row.difference.high)}`,
      String(row.difference.count),
      row.pValue === null ? '-' : row.pValue < 0.001 ? '< 0.001' : row.pValue.toFixed(3),
    ]),
  ];
  const failed = Object.entries(measured.failed).map(([code, count]) => `${count} answers failed: ${code}`);
  const cut = Object.entries(measured.cut).map(([run, count]) => `${count} answers cut: ${run}`);
  return [columns(table), ...(compared.length > 1 ? [columns(compared)] : []), ...failed, ...cut].join('\n\n');
}

/** The first two columns to the left, the others to the right. */
function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const previous = { name: '' };
  return rows
    .map((row) => {
      const [name = '', ...cells] = row;
      const shown = name === previous.name ? '' : name;
      previous.name = name;
      return [shown, ...cells]
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd();
    })
    .join('\n');
}

const percent = (share: number) => (Number.isNaN(share) ? '-' : `${(100 * share).toFixed(1)} %`);
const points = (share: number) => (Number.isNaN(share) ? '-' : `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`);
const interval = ({ value, low, high }: Estimate) =>
  Number.isNaN(value) ? '-' : `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`;
