/** The figures as a small table, for a terminal and for a program. */
import { fixed } from '../report/index.js';
import type { Estimate } from '../statistics/index.js';
import { labelOf } from './labels.js';
import type { MeasuredDifference, MeasuredRate } from './rates.js';
import type { Measurement } from './run.js';
import { type TwinFigures, twins } from './twins.js';

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
  /** Where the set has pairs of a harmful request and its harmless twin. */
  readonly twins: readonly TwinFigures[];
}

export function summaryObject(measured: Measurement): SummaryObject {
  const { dataset, variant, judgeName, runs, items, answers, failed, cut, rates, differences } = measured;
  return {
    benchmark: dataset.name,
    variant,
    judge: judgeName,
    questions: items.length,
    failed,
    cut,
    rates,
    differences,
    twins: twins(answers, runs),
  };
}

/** The figures as texts. */
export interface Summary {
  readonly tables: readonly SummaryTable[];
  /** What failed, and what was cut. */
  readonly notes: readonly string[];
}

interface SummaryTable {
  /** The first two hold words, the others figures. */
  readonly columns: readonly { readonly name: string; readonly isNumeric: boolean }[];
  readonly rows: readonly (readonly string[])[];
}

/** Rates by method, pairs of twins where there are some, then differences. */
export function summary(measured: Measurement): Summary {
  const rates = measured.rates
    .filter(({ category }) => category === null)
    .map((row) => [
      labelOf(row.measure, measured.judgeName).name,
      row.run,
      percent(row.estimate.value),
      interval(row.estimate),
      String(row.estimate.count),
      String(row.unjudgedCount),
      percent(row.replacedAnswerCount / row.answerCount),
    ]);
  const compared = measured.differences.map((row) => [
    labelOf(row.measure, measured.judgeName).name,
    `${row.one} − ${row.other}`,
    points(row.difference.value),
    `${points(row.difference.low)} to ${points(row.difference.high)}`,
    String(row.difference.count),
    chance(row.pValue),
  ]);
  const paired = twins(measured.answers, measured.runs).map(({ run, right, difference, pValue }) => [
    'twins right',
    run,
    percent(right.value),
    interval(right),
    String(right.count),
    points(difference.value),
    chance(pValue),
  ]);
  const failed = Object.entries(measured.failed).map(([code, count]) => `${count} answers failed: ${code}`);
  const cut = Object.entries(measured.cut).map(([run, count]) => `${count} answers cut: ${run}`);
  return {
    tables: [
      table(['', 'method', 'rate', '95 % interval', 'n', 'unjudged', 'replaced'], rates),
      ...(paired.length > 0
        ? [table(['', 'method', 'rate', '95 % interval', 'pairs', 'harmful refused more', 'p'], paired)]
        : []),
      ...(compared.length > 0 ? [table(['', 'difference', 'points', '95 % interval', 'pairs', 'p'], compared)] : []),
    ],
    notes: [...failed, ...cut],
  };
}

/** The same as one text, for what is no terminal. */
export function summaryText(measured: Measurement): string {
  const { tables, notes } = summary(measured);
  return [...tables.map(alignedText), ...notes].join('\n\n');
}

function table(names: readonly string[], rows: readonly (readonly string[])[]): SummaryTable {
  return { columns: names.map((name, at) => ({ name, isNumeric: at >= 2 })), rows };
}

/** A name that is that of the row above is left out. */
function alignedText({ columns, rows }: SummaryTable): string {
  const all = [columns.map(({ name }) => name), ...rows];
  const widths = columns.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  return all
    .map(([name = '', ...cells], at) =>
      [name === all[at - 1]?.[0] ? '' : name, ...cells]
        .map((cell, column) =>
          columns[column]?.isNumeric ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const chance = (pValue: number | null) => (pValue === null ? '-' : pValue < 0.001 ? '< 0.001' : pValue.toFixed(3));
const hundredths = (share: number) => fixed(100 * share, 1);
const percent = (share: number) => (Number.isNaN(share) ? '-' : `${hundredths(share)} %`);
const points = (share: number) => (Number.isNaN(share) ? '-' : `${share > 0 ? '+' : ''}${hundredths(share)}`);
const interval = ({ value, low, high }: Estimate) =>
  Number.isNaN(value) ? '-' : `${hundredths(low)} to ${hundredths(high)}`;
